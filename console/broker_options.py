"""The broker's command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec
import platformdirs

LAST_PORT = 65534

EXAMPLES = """\
examples:
  python broker.py                              listen on all addresses, port 7777
  python broker.py -a 127.0.0.1 -p 9000         on this machine only, port 9000
  python broker.py --data /srv/restante         keep everything in this folder
"""


class Settings(msgspec.Struct, frozen=True):
    """What the broker was told to be."""

    address: str
    port: int  # 0: any free one
    data: Path
    demo_accounts: bool
    registration: str  # open, closed
    log_level: str
    local_limits: bool  # this machine's own programs are held to the limits for addresses too


def read(arguments: list[str] | None = None) -> Settings:
    """Settings from the command line and the environment; a mistake ends the program with code 2."""
    given = _parser().parse_args(arguments)
    return Settings(
        address=given.address,
        port=given.port,
        data=Path(given.data or os.environ.get("RESTANTE_DATA") or default_folder()),
        demo_accounts=given.demo_accounts,
        registration=given.registration,
        log_level=given.log_level,
        local_limits=given.local_limits,
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-a", "--address", default="*", help="address to listen on (all)")
    parser.add_argument("-p", "--port", type=port, default=7777, help="port to listen on; 0 takes a free one (7777)")
    parser.add_argument("--data", metavar="DIR", help="folder for everything (RESTANTE_DATA, or the platform's)")
    parser.add_argument("--demo-accounts", action="store_true", help="make six accounts to play with")
    parser.add_argument(
        "--registration", choices=("open", "closed"), default="open", help="may anyone register? (open)"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="what goes into broker.log (info)",
    )
    parser.add_argument(
        "--local-limits", action="store_true", help="hold this machine's own clients to the limits for addresses too"
    )
    return parser
