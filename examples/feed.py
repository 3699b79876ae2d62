"""A bot that says what is written to a log file: RESTANTE_PASSWORD=… python examples/feed.py /var/log/app.log '#ops'.

How far it has come stands beside the log, in FILE.sent. A file that has become shorter was begun anew.
"""

import sys
from pathlib import Path

from restante.bots import Bot

LINE_CHARS = 2000

bot = Bot("feed", reads=False)


def said(mark: Path) -> int:
    """Bytes of the log that were said."""
    return int(mark.read_text("ascii")) if mark.exists() else 0


def feed(log: Path, room: str) -> None:
    mark = log.with_name(log.name + ".sent")
    if not log.exists():
        return
    offset = said(mark) if said(mark) <= log.stat().st_size else 0
    with log.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):  # the rest of it is still to be written
                break
            text = line.decode("utf-8", "replace").strip()
            if text:
                bot.send(room, text[:LINE_CHARS])
            offset += len(line)
            mark.write_text(str(offset), "ascii")


if __name__ == "__main__":
    _, name, place = sys.argv
    bot.after(0, lambda: bot.join(place))
    bot.every(1, lambda: feed(Path(name), place))
    sys.exit(bot.run())
