"""A bot that says again whatever it is told, also what waited for it: it owes one answer for each message."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from restante.bots import Bot

bot = Bot("parrot", waited=True)

if __name__ == "__main__":
    sys.exit(bot.run(lambda message: bot.reply(message, message.text)))
