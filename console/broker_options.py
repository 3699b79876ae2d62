"""The broker's command line."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import platformdirs

from console.language import Sentence, worded
from console.options import Parser, choose_language, wrong

LAST_PORT = 65534

EXAMPLES = Sentence("""\
examples:
  python broker.py                           listen on all addresses, port 7777
  python broker.py -a 127.0.0.1 -p 9000      on this machine only, port 9000
  python broker.py --data /srv/restante      keep everything in this folder
  python broker.py backup ~/monday.sqlite    a copy, while the broker goes on
  python broker.py restore ~/monday.sqlite   in its place, the broker stopped
  python broker.py export > all.jsonl        everything as lines of JSON
""")

COMMANDS = {
    "backup": Sentence("make a copy in FILE, also while the broker runs"),
    "restore": Sentence("put the copy FILE in place; what was there is kept beside it"),
    "verify": Sentence("look whether FILE, or the broker's own, is whole"),
    "export": Sentence("write everything as lines of JSON to FILE, or to standard output"),
    "import": Sentence("make a store of exported lines from FILE, or from standard input"),
}
# Where FILE may be left out.
OPTIONAL = ("verify", "export", "import")


class Settings(msgspec.Struct, frozen=True):
    """What the broker was told to be."""

    address: str
    port: int  # 0: any free one
    data: Path
    demo_accounts: bool
    registration: str  # open, closed
    log_level: str
    local_limits: bool  # this machine's own programs are held to the limits for addresses too
    command: str = ""  # of COMMANDS; "": run
    file: str = ""
    keep_s: float | None = None  # messages that are older are forgotten
    keep_bytes: int | None = None  # and the oldest, while the store is larger


def read(arguments: list[str] | None = None) -> Settings:
    """Settings from the command line and the environment; a mistake ends the program with code 2."""
    choose_language(arguments)
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command and not given.file and given.command not in OPTIONAL:
        parser.error(worded("{command} wants a FILE", command=given.command))
    return Settings(
        address=given.address,
        port=given.port,
        data=Path(given.data or os.environ.get("RESTANTE_DATA") or default_folder()),
        demo_accounts=given.demo_accounts,
        registration=given.registration,
        log_level=given.log_level,
        local_limits=given.local_limits,
        command=given.command or "",
        file=given.file or "",
        keep_s=given.keep,
        keep_bytes=given.keep_bytes,
    )


def default_folder() -> Path:
    """Where the platform keeps programs' data."""
    return platformdirs.user_data_path("restante") / "broker"


def port(text: str) -> int:
    """A port's number; the broker's public key is told on the one behind it."""
    if not text.isascii() or not text.isdigit() or int(text) > LAST_PORT:
        raise wrong("{text!r} is no port: give a number from 0 to {last}", text=text, last=LAST_PORT)
    return int(text)


def _parser() -> Parser:
    description = worded("The Restante broker: keeps what waits for those who are away.")
    rows = [f"  {name:10}{does()}" for name, does in COMMANDS.items()]
    parser = Parser("broker.py", description, "\n".join([worded("commands:"), *rows, "", EXAMPLES()]))
    add = parser.options.add_argument
    add("-a", "--address", default="*", help=worded("address to listen on (all)"))
    add("-p", "--port", type=port, default=7777, help=worded("port to listen on; 0 takes a free one (7777)"))
    add("--data", metavar="DIR", help=worded("folder for everything (RESTANTE_DATA, or the platform's)"))
    add("--demo-accounts", action="store_true", help=worded("make six accounts to play with"))
    add("--registration", choices=("open", "closed"), default="open", help=worded("may anyone register? (open)"))
    levels = ("debug", "info", "warning", "error")
    add("--log-level", choices=levels, default="info", help=worded("what goes into broker.log (info)"))
    limits = worded("hold this machine's own clients to the limits for addresses too")
    add("--local-limits", action="store_true", help=limits)
    add("--keep", type=_age, metavar="AGE", help=worded("forget messages older than 90d, 12h … (never)"))
    add("--keep-bytes", type=_size, metavar="SIZE", help=worded("and the oldest beyond 500M, 20G … (no limit)"))
    add = parser.places.add_argument
    add("command", nargs="?", choices=COMMANDS, metavar="COMMAND", help=worded("one of those below; without one: run"))
    add("file", nargs="?", metavar="FILE", help=worded("what the command works on"))
    return parser


def _age(text: str) -> float:
    age = _number(text, {"m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400})
    if not age:
        raise wrong("{text!r} is not an age: give a number and m, h, d or y", text=text)
    return age


def _size(text: str) -> int:
    size = _number(text, {"M": 10**6, "G": 10**9, "T": 10**12})
    if not size:
        raise wrong("{text!r} is not a size: give a number and M, G or T", text=text)
    return size


def _number(text: str, units: dict[str, int]) -> int:
    """A number and its unit, multiplied; 0 if it is none."""
    if text[-1:] not in units or not text[:-1].isascii() or not text[:-1].isdigit():
        return 0
    return int(text[:-1]) * units[text[-1]]
