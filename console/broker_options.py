"""The broker's command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs

from console.arguments import Parser
from console.language import Sentence, worded
from console.logfile import FILE_BYTES, OLD_FILES, Style
from console.options import choose_language, wrong
from protocol import limits

LAST_PORT = 65534
METRICS_ADDRESS = "127.0.0.1"
# Older log files that are kept: one a day for a few years, or as many as anybody could want.
MOST_FILES = 1000

EXAMPLES = Sentence("""\
examples:
  {program}                          listen on all addresses, port 7777
  {program} -a 127.0.0.1 -p 9000     on this machine only, port 9000
  {program} --data /srv/restante     keep everything in this folder
  {program} backup ~/monday.sqlite   a copy, while the broker goes on
  {program} restore ~/monday.sqlite  put it in place, later
  {program} export > all.jsonl       everything as lines of JSON
  {program} invites new --uses 20    a code that makes 20 accounts
""")

FORMS = {
    "backup FILE": Sentence("make a copy in FILE, also while the broker runs"),
    "restore FILE": Sentence("put the copy FILE in place; what was there is kept beside it"),
    "verify [FILE]": Sentence("look whether FILE, or the broker's own, is whole"),
    "export [FILE]": Sentence("write everything as lines of JSON to FILE, or to standard output"),
    "import [FILE]": Sentence("make a store of exported lines from FILE, or from standard input"),
    "accounts": Sentence("who has an account"),
    "accounts add NAME": Sentence("make one; prints a code with which a password is set"),
    "accounts close NAME": Sentence("let nobody in as NAME any more; the name stays taken"),
    "accounts open NAME": Sentence("let them in again"),
    "accounts reset NAME": Sentence("print a code with which NAME sets another password"),
    "accounts ban NAME": Sentence("let nobody in as NAME for a time: --for 2h"),
    "accounts unban NAME": Sentence("let them in before that"),
    "passwd NAME": Sentence("set NAME's password, asked for unseen, or from --password -"),
    "devices NAME": Sentence("which devices NAME has"),
    "devices revoke NAME ID": Sentence("never let the device in again whose id begins with ID"),
    "invites": Sentence("which codes there are"),
    "invites new": Sentence("print a code that makes accounts: --uses 20 --for 7d"),
    "invites revoke CODE": Sentence("take a code back, by itself or as invites lists it"),
    "rooms": Sentence("which rooms there are, whose, and who is in them"),
    "rooms close #ROOM": Sentence("remove everyone and let nobody in; the name stays taken"),
    "rooms open #ROOM": Sentence("let people in again"),
    "rooms own #ROOM NAME": Sentence("make NAME the room's owner"),
    "sessions": Sentence("who is here, from where, since when, and how far behind"),
    "announce TEXT": Sentence("write to everyone in #lobby, as broker or --as NAME"),
    "stats": Sentence("how the running broker is"),
    "check": Sentence("exit code 0 if a running broker answers, else 69"),
}
"""What may be said, words in capitals standing for what is named, and what it does. Without any: run."""

_GOES_LIKE = Sentence("{words!r} is no command; it goes like this: {forms}")
_NO_COMMAND = Sentence("{words!r} is no command; --help lists the commands")


class Settings(msgspec.Struct, frozen=True):
    """What the broker was told to be."""

    address: str
    port: int  # 0: any free one
    data: Path
    demo_accounts: bool
    registration: str  # open, invite, closed
    log: Style
    local_limits: bool  # this machine's own programs are held to the limits for addresses too
    command: str = ""  # the small words of one of FORMS; "": run
    names: tuple[str, ...] = ()  # what stood for its words in capitals
    json: bool = False  # answer in lines of JSON
    lasts_s: float | None = None  # how long a ban or a code is good for
    uses: int = 1  # accounts that a code makes
    password: str = ""  # "-": to be read from standard input
    speaker: str = ""  # who announces
    keep_s: float | None = None  # messages that are older are forgotten
    keep_bytes: int | None = None  # and the oldest, while the store is larger
    metrics: tuple[str, int] | None = None  # address and port where they are served

    @property
    def name(self) -> str:
        """What the command is about; "" if nothing was named."""
        return self.names[0] if self.names else ""


def read(arguments: list[str] | None = None, program: str = "python broker.py") -> Settings:
    """Settings from the command line and the environment; a mistake ends the program with code 2.

    ``program`` is what one types to start it.
    """
    choose_language(arguments)
    parser = make_parser(program)
    given = parser.parse_intermixed_args(arguments)
    command, named = _meant(parser, given.words)
    return Settings(
        address=given.address,
        port=given.port,
        data=Path(given.data or os.environ.get("RESTANTE_DATA") or default_folder()),
        demo_accounts=given.demo_accounts,
        registration=given.registration,
        log=Style(given.log_level, given.log_json, given.log_size, given.log_files),
        local_limits=given.local_limits,
        command=command,
        names=named,
        json=given.json,
        lasts_s=given.lasts,
        uses=given.uses,
        password=given.password or "",
        speaker=given.speaker or "",
        keep_s=given.keep,
        keep_bytes=given.keep_bytes,
        metrics=given.metrics,
    )


def default_folder() -> Path:
    """Where the platform keeps programs' data."""
    return platformdirs.user_data_path("restante") / "broker"


def port(text: str) -> int:
    """A port's number; the broker's public key is told on the one behind it."""
    if not text.isascii() or not text.isdigit() or int(text) > LAST_PORT:
        raise wrong("{text!r} is no port: give a number from 0 to {last}", text=text, last=LAST_PORT)
    return int(text)


def _place(text: str) -> tuple[str, int]:
    """An address and a port; this machine's own address if there is only a port."""
    address, colon, number = text.rpartition(":")
    if colon and not address:
        raise wrong("{text!r} is no address and port: give 9777, or 10.0.0.5:9777, or [::1]:9777", text=text)
    return address.strip("[]") or METRICS_ADDRESS, port(number)


def make_parser(program: str) -> Parser:
    """The command line of a broker that one starts by typing this."""
    parser = Parser(
        prog=program,
        description=worded("The Restante broker: keeps what waits for those who are away."),
        epilog=EXAMPLES(program=program),
    )
    commands = parser.add_commands(
        {form: does() for form, does in FORMS.items()},
        worded(
            "Without a command the broker runs. Most also work while it does,\nthrough it; docs/OPERATING.md has more."
        ),
    )
    _add_commands_options(commands.add_argument)
    add = parser.add_topic("network").add_argument
    add("-a", "--address", metavar="HOST", default="*", help=worded("address to listen on (all)"))
    add(
        "-p",
        "--port",
        metavar="PORT",
        type=port,
        default=7777,
        help=worded("port to listen on; 0 takes a free one (7777)"),
    )
    add(
        "--metrics",
        type=_place,
        metavar="PORT",
        help=worded("serve metrics for Prometheus there, or at HOST:PORT (no)"),
    )
    add(
        "--local-limits",
        action="store_true",
        help=worded("hold this machine's own clients to the limits for addresses too"),
    )
    add = parser.add_topic("registration").add_argument
    add(
        "--registration",
        choices=("open", "invite", "closed"),
        default="open",
        help=worded("who may make an account: anyone, who has a code, nobody (open)"),
    )
    add("--demo-accounts", action="store_true", help=worded("make six accounts to play with"))
    add = parser.add_topic("disk").add_argument
    add("--data", metavar="DIR", help=worded("folder for everything (RESTANTE_DATA, or the platform's)"))
    add("--keep", type=_age, metavar="AGE", help=worded("forget messages older than 90d, 12h … (never)"))
    add("--keep-bytes", type=_size, metavar="SIZE", help=worded("and the oldest beyond 500M, 20G … (no limit)"))
    _add_log_options(parser.add_topic("log").add_argument)
    parser.add_version()
    return parser


def _add_commands_options(add: Callable[..., argparse.Action]) -> None:
    add("--json", action="store_true", help=worded("answer in lines of JSON"))
    add("--for", dest="lasts", type=_age, metavar="AGE", help=worded("how long a ban or a code lasts"))
    add("--uses", type=_uses, default=1, metavar="N", help=worded("accounts that a code makes (1)"))
    add("--password", choices=("-",), help=worded("read the password from standard input"))
    add("--as", dest="speaker", metavar="NAME", help=worded("who announces (broker)"))


def _add_log_options(add: Callable[..., argparse.Action]) -> None:
    levels = "debug", "info", "warning", "error"
    add("--log-level", metavar="LEVEL", choices=levels, default="info", help=worded("what goes into broker.log (info)"))
    add("--log-json", action="store_true", help=worded("write broker.log as lines of JSON"))
    add(
        "--log-size",
        type=_size,
        default=FILE_BYTES,
        metavar="SIZE",
        help=worded("begin a new broker.log after 1M, 50M … (1M)"),
    )
    add("--log-files", type=_files, default=OLD_FILES, metavar="N", help=worded("and keep so many older ones (2)"))


def _meant(parser: Parser, words: list[str]) -> tuple[str, tuple[str, ...]]:
    """Which command that is, and what it names; a mistake ends the program with code 2."""
    for form in FORMS if words else ():
        named = _fits(form.split(), words)
        if named is not None:
            return " ".join(word for word in form.split() if word.islower()), named
    if words:
        known = [form for form in FORMS if form.split()[0] == words[0]]
        parser.error((_GOES_LIKE if known else _NO_COMMAND)(words=" ".join(words), forms=" | ".join(known)))
    return "", ()


def _fits(form: list[str], words: list[str]) -> tuple[str, ...] | None:
    """What stands for a form's words in capitals; None if these words are not of this form."""
    least = sum(not word.startswith("[") for word in form)
    if not least <= len(words) <= len(form):
        return None
    pairs = list(zip(form, words, strict=False))
    if any(part.islower() and part != word for part, word in pairs):
        return None
    return tuple(word for part, word in pairs if not part.islower())


def _files(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_FILES:
        raise wrong("{text!r} is no number of files: give 1 to {most}", text=text, most=MOST_FILES)
    return int(text)


def _uses(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= limits.PERMIT_NAMES:
        raise wrong("{text!r} is no number of accounts: give 1 to {most}", text=text, most=limits.PERMIT_NAMES)
    return int(text)


def _age(text: str) -> float:
    age = _number(text, {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400})
    if not age:
        raise wrong("{text!r} is not an age: give a number and s, m, h, d or y", text=text)
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
