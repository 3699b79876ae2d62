"""A bot that says again what it is told, in private and in #echo: RESTANTE_PASSWORD=… python examples/echo.py."""

import sys

from restante.bots import Bot, Message

ROOM = "#echo"

bot = Bot("echo")


def hear(message: Message) -> None:
    if message.private or message.to == ROOM:
        bot.reply(message, message.text)


if __name__ == "__main__":
    bot.after(0, lambda: bot.join(ROOM))
    sys.exit(bot.run(hear))
