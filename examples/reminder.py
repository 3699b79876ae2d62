"""A bot that reminds: tell it "in 10m take the tea out". RESTANTE_PASSWORD=… python examples/reminder.py FILE.

What it is to remember stands in FILE. What becomes due while it is away, it says when it is back; and what it was asked
meanwhile waits for it at the broker.
"""

import json
import re
import sys
import time
from pathlib import Path

from restante.bots import Bot, Message

ASKED = re.compile(r"in (\d{1,6}) ?([smhd]) (.+)", re.DOTALL)
UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

bot = Bot("reminder", waited=True)
file = Path(sys.argv[1] if sys.argv[1:] else "reminders.json")
# By the message's id, which is the same if it is handed over twice: when it is due, whom to tell, what.
reminders: dict[str, tuple[float, str, str]] = json.loads(file.read_text("utf-8")) if file.exists() else {}


def keep() -> None:
    beside = file.with_name(file.name + ".new")
    beside.write_text(json.dumps(reminders), "utf-8")
    beside.replace(file)


def hear(message: Message) -> None:
    if not message.private:
        return
    asked = ASKED.fullmatch(message.text)
    if not asked:
        bot.reply(message, "tell me something like: in 10m take the tea out")
        return
    due = message.at.timestamp() + int(asked[1]) * UNIT_S[asked[2]]
    reminders[message.id] = (due, message.author, asked[3])
    keep()
    bot.reply(message, "I will")


def remind() -> None:
    for message, (due, author, text) in list(reminders.items()):
        if due <= time.time():
            bot.send(author, f"you wanted to be reminded: {text}")
            del reminders[message]
            keep()


if __name__ == "__main__":
    bot.every(1, remind)
    sys.exit(bot.run(hear))
