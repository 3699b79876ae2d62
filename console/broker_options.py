"""The broker's command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec
import platformdirs

from console.logfile import FILE_BYTES, OLD_FILES, Style
from protocol import limits

LAST_PORT = 65534
# Older log files that are kept: one a day for a few years, or as many as anybody could want.
MOST_FILES = 1000

EXAMPLES = """\
examples:
  python broker.py                              listen on all addresses, port 7777
  python broker.py -a 127.0.0.1 -p 9000         on this machine only, port 9000
  python broker.py --data /srv/restante         keep everything in this folder
  python broker.py backup ~/monday.sqlite       a copy, while the broker goes on
  python broker.py restore ~/monday.sqlite      the copy in its place, while it stands still
  python broker.py export > all.jsonl           everything as lines of JSON
  python broker.py invites new --uses 20        a code that makes 20 accounts (--registration invite)
  python broker.py accounts ban alice --for 2h  nobody is let in as alice until then

A command also works beside the running broker, through it. docs/OPERATING.md has more.
"""

FORMS = {
    "backup FILE": "make a copy in FILE, also while the broker runs",
    "restore FILE": "put the copy FILE in place; what was there is kept beside it",
    "verify [FILE]": "look whether FILE, or the broker's own, is whole",
    "export [FILE]": "write everything as lines of JSON to FILE, or to standard output",
    "import [FILE]": "make a store of exported lines from FILE, or from standard input",
    "accounts": "who has an account",
    "accounts add NAME": "make one; prints a code with which a password is set",
    "accounts close NAME": "let nobody in as NAME any more; the name stays taken",
    "accounts open NAME": "let them in again",
    "accounts reset NAME": "print a code with which NAME sets another password",
    "accounts ban NAME": "let nobody in as NAME for a time: --for 2h",
    "accounts unban NAME": "let them in before that",
    "passwd NAME": "set NAME's password, asked for unseen, or from --password -",
    "devices NAME": "which devices NAME has",
    "devices revoke NAME ID": "never let the device in again whose id begins with ID",
    "invites": "which codes there are",
    "invites new": "print a code that makes accounts: --uses 20 --for 7d",
    "invites revoke CODE": "take a code back, by itself or as invites lists it",
    "rooms": "which rooms there are, whose, and who is in them",
    "rooms close #ROOM": "remove everyone and let nobody in; the name stays taken",
    "rooms open #ROOM": "let people in again",
    "rooms own #ROOM NAME": "make NAME the room's owner",
    "sessions": "who is here, from where, since when, and how far behind",
    "announce TEXT": "write to everyone in #lobby, as broker or --as NAME",
    "stats": "how the running broker is",
    "check": "exit code 0 if a running broker answers, else 69",
}
"""What may be said, words in capitals standing for what is named, and what it does. Without any: run."""


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

    @property
    def name(self) -> str:
        """What the command is about; "" if nothing was named."""
        return self.names[0] if self.names else ""


def read(arguments: list[str] | None = None) -> Settings:
    """Settings from the command line and the environment; a mistake ends the program with code 2."""
    parser = _parser()
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
    )


def default_folder() -> Path:
    """Where the platform keeps programs' data."""
    return platformdirs.user_data_path("restante") / "broker"


def port(text: str) -> int:
    """A port's number; the broker's public key is told on the one behind it."""
    if not text.isascii() or not text.isdigit() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to {LAST_PORT}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="broker.py",
        description="The Restante broker: keeps what waits for those who are away.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawTextHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-a", "--address", default="*", help="address to listen on (all)")
    parser.add_argument("-p", "--port", type=port, default=7777, help="port to listen on; 0 takes a free one (7777)")
    parser.add_argument("--data", metavar="DIR", help="folder for everything (RESTANTE_DATA, or the platform's)")
    parser.add_argument("--demo-accounts", action="store_true", help="make six accounts to play with")
    parser.add_argument(
        "--registration",
        choices=("open", "invite", "closed"),
        default="open",
        help="who may make an account: anyone, who has a code, nobody (open)",
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="what goes into broker.log (info)",
    )
    parser.add_argument("--log-json", action="store_true", help="write broker.log as lines of JSON")
    parser.add_argument(
        "--log-size", type=_size, default=FILE_BYTES, metavar="SIZE", help="begin a new broker.log after 1M, 50M … (1M)"
    )
    parser.add_argument(
        "--log-files", type=_files, default=OLD_FILES, metavar="N", help="and keep so many older ones (2)"
    )
    parser.add_argument(
        "--local-limits", action="store_true", help="hold this machine's own clients to the limits for addresses too"
    )
    parser.add_argument("--keep", type=_age, metavar="AGE", help="forget messages older than 90d, 12h … (never)")
    parser.add_argument("--keep-bytes", type=_size, metavar="SIZE", help="and the oldest beyond 500M, 20G … (no limit)")
    parser.add_argument("--json", action="store_true", help="commands: answer in lines of JSON")
    parser.add_argument(
        "--for", dest="lasts", type=_age, metavar="AGE", help="commands: how long a ban or a code lasts"
    )
    parser.add_argument("--uses", type=_uses, default=1, metavar="N", help="commands: accounts that a code makes (1)")
    parser.add_argument("--password", choices=("-",), help="commands: read the password from standard input")
    parser.add_argument("--as", dest="speaker", metavar="NAME", help="commands: who announces (broker)")
    what = "\n".join(f"{form:23} {does}" for form, does in FORMS.items())
    parser.add_argument("words", nargs="*", metavar="COMMAND", help=f"without one: run.\n{what}")
    return parser


def _meant(parser: argparse.ArgumentParser, words: list[str]) -> tuple[str, tuple[str, ...]]:
    """Which command that is, and what it names; a mistake ends the program with code 2."""
    for form in FORMS if words else ():
        named = _fits(form.split(), words)
        if named is not None:
            return " ".join(word for word in form.split() if word.islower()), named
    if words:
        known = [form for form in FORMS if form.split()[0] == words[0]]
        how = f"it goes like this: {', or '.join(known)}" if known else "--help lists the commands"
        parser.error(f"{' '.join(words)!r} is no command; {how}")
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
        raise argparse.ArgumentTypeError(f"{text!r} is no number of files: give 1 to {MOST_FILES}")
    return int(text)


def _uses(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= limits.PERMIT_NAMES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of accounts: give 1 to {limits.PERMIT_NAMES}")
    return int(text)


def _age(text: str) -> float:
    return _number(
        text, {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}, "an age: give a number and s, m, h, d or y"
    )


def _size(text: str) -> int:
    return int(_number(text, {"M": 10**6, "G": 10**9, "T": 10**12}, "a size: give a number and M, G or T"))


def _number(text: str, units: dict[str, int], what: str) -> float:
    if text[-1:] not in units or not text[:-1].isascii() or not text[:-1].isdigit() or not int(text[:-1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return int(text[:-1]) * units[text[-1]]
