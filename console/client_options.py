"""The client's command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs

from console import address
from console.arguments import Parser
from console.broker_options import LAST_PORT, port
from console.language import Sentence, reworded, worded
from console.options import choose_language, wrong
from console.pipe import as_text, as_typed
from console.preferences import Preferences
from core import typed
from core.errand import Wish
from protocol import keys, names, permits

EXAMPLES = Sentence("""\
examples:
  {program} alice -               talk as alice; asks for the password
  {program} alice --to bob        plain lines go to bob
  echo done | {program} cron      send a line, and end
  {program} bot --json --follow   one JSON object a line, until a signal
""")
CAUTION = Sentence("""A password on the command line can be seen by others on this machine, and
stays in the shell's history; - asks for it, and RESTANTE_PASSWORD carries it.""")


class Settings(msgspec.Struct, frozen=True):
    """What the client was told to do."""

    name: str  # "": to be asked for
    password: str  # "": none given; "-": to be asked for
    host: str
    port: int
    data: Path
    to: str
    to_given: bool
    message: str | None
    raw: bool
    json: bool
    json_in: bool
    ack: bool  # what was handed out counts as such only once it is confirmed
    bot: bool  # what it sends is marked
    fetch: bool
    follow: bool
    seconds: float | None
    count: int | None
    wait_s: float
    strict: bool
    menu: bool
    plain: bool
    key: str  # the broker's public key; "": what is remembered, or the first one met
    invite: str  # the code of an invitation, or one that sets another password
    accept_key: str  # remember this key instead of another one
    config: Path  # the file of settings
    preferences: Preferences  # what counts, of the file and beside it
    complaints: list[str]  # about what the file says


def read(arguments: list[str] | None, text_of: Callable[[Path], str], program: str = "python client.py") -> Settings:
    """Settings from the command line, the environment and the file; a mistake ends the program with code 2.

    ``text_of`` reads the file; a mistake in there is only told, but for one in a broker's address that is needed.
    ``program`` is what one types to start it.
    """
    choose_language(arguments)
    parser = make_parser(program)
    given = parser.parse_args(arguments)
    preferences = Preferences(os.environ)
    if name := given.name or given.name_option:
        preferences.give("account", name)
    config = Path(given.config or os.environ.get("RESTANTE_CONFIG") or default_config())
    complaints = preferences.load(config, text_of)
    host, number, key = _broker(parser, given.host, given.port, preferences)
    if given.name and given.name_option and given.name != given.name_option:
        parser.error(worded("two names were given; give one"))
    if given.menu and (given.json or given.json_in or given.message is not None):
        parser.error(worded("--menu is for people; it does not go with --json, --json-in or -m"))
    if given.raw and given.json_in:
        parser.error(worded("with --raw every line is text, and with --json-in an object; give one of them"))
    if given.ack and not (given.json and given.json_in):
        parser.error(
            worded("--ack goes with --json and --json-in: messages are read as objects, and acknowledged by objects")
        )
    return Settings(
        name=preferences["account"],
        password=given.password or given.password_option or os.environ.get("RESTANTE_PASSWORD", ""),
        host=host,
        port=number,
        data=Path(given.data or os.environ.get("RESTANTE_DATA") or platformdirs.user_data_path("restante") / "client"),
        to=given.to or names.LOBBY,
        to_given=given.to is not None,
        message=given.message,
        raw=given.raw,
        json=given.json,
        json_in=given.json_in,
        ack=given.ack,
        bot=given.bot,
        fetch=given.fetch,
        follow=given.follow,
        seconds=given.seconds,
        count=given.count,
        wait_s=given.wait,
        strict=given.strict,
        menu=given.menu,
        plain=given.plain,
        key=given.key or key,
        accept_key=given.accept_key or "",
        invite=given.invite or "",
        config=config,
        preferences=preferences,
        complaints=complaints,
    )


def default_config() -> Path:
    """Where the platform keeps what people set."""
    return platformdirs.user_config_path("restante") / "client.toml"


def _broker(parser: Parser, host: str | None, number: int | None, preferences: Preferences) -> address.Address:
    """Options first, then RESTANTE_BROKER, the file, and this machine. The key is that of the broker which was named
    with it, and of no other.
    """
    if (mistake := preferences.mistake("broker")) and host is None:
        parser.error(mistake)  # a line for one broker must not go to another
    try:
        named = address.read(preferences["broker"])
    except address.BadAddress as error:
        parser.error(f"RESTANTE_BROKER: {error}")
    same = host in (None, named.host) and number in (None, named.port)
    meant = address.Address(host or named.host, number or named.port, named.key if same else "")
    if (host, number) != (None, None):
        preferences.give("broker", address.written(meant))
    return meant


def _key(text: str) -> str:
    try:
        return keys.read(text)
    except keys.BadKey as error:
        why = reworded(str(error), keys.REASONS)
        raise wrong("{text!r} is no key: {why}; the broker shows its key when it starts", text=text, why=why) from None


def _host(text: str) -> str:
    if not address.is_host(text):
        raise wrong("{text!r} is no host: give a name or an address", text=text)
    return text


def _port(text: str) -> int:
    number = port(text)
    if not number:
        raise wrong("no broker listens on port 0: give a number from 1 to {last}", last=LAST_PORT)
    return number


def _place(text: str) -> str:
    try:
        names.room_key(text) if text.startswith("#") else names.key(text)
    except names.BadName as error:
        raise wrong("{text!r} can't be a name: {why}", text=text, why=reworded(str(error), names.REASONS)) from None
    return names.shown(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise wrong("{text!r} is no number of seconds", text=text)
    return seconds


def _permit(text: str) -> str:
    if not permits.is_whole(text):
        raise wrong("{text!r} is no code: it has 16 letters, in groups of four", text=text)
    return text


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**12:
        raise wrong("{text!r} is no number of messages: give 1 or more", text=text)
    return int(text)


def make_parser(program: str) -> Parser:
    """The command line of a client that one starts by typing this."""
    parser = Parser(
        prog=program,
        description=worded("The Restante client: talk from a terminal, or from a script."),
        epilog=EXAMPLES(program=program),
    )
    add = parser.add_topic("account", CAUTION()).add_argument
    add("name", nargs="?", metavar="NAME", help=worded("your name; asked for if there is none"))
    add("password", nargs="?", metavar="PASSWORD", help=worded("its password; - asks for it"))
    add("-n", "--name", "-un", dest="name_option", metavar="NAME", help=worded("the same as NAME"))
    add("-pw", "--password", dest="password_option", metavar="PASSWORD", help=worded("the same as PASSWORD"))
    add(
        "--invite",
        type=_permit,
        metavar="CODE",
        help=worded("a code of the operator's, that makes an account or sets a password"),
    )
    add = parser.add_topic("broker").add_argument
    add("-a", "--address", dest="host", type=_host, metavar="HOST", help=worded("the broker's host (localhost)"))
    add("-p", "--port", type=_port, metavar="PORT", help=worded("the broker's port (7777)"))
    add("--key", type=_key, metavar="KEY", help=worded("the broker's public key, as it shows it when it starts"))
    add(
        "--accept-key",
        type=_key,
        metavar="KEY",
        help=worded("trust this key from now on, in place of the one remembered"),
    )
    add("--wait", type=_seconds, default=10.0, metavar="SECONDS", help=worded("how long to wait for the broker (10)"))
    add = parser.add_topic("sending").add_argument
    add("--to", type=_place, metavar="NAME|#ROOM", help=worded("where plain lines go (#lobby)"))
    add("-m", dest="message", metavar="TEXT", help=worded("send this one message and end"))
    add("--raw", action="store_true", help=worded("every line is text: no names, no commands"))
    add("--json-in", action="store_true", help=worded("one JSON object a line on standard input"))
    add("--bot", action="store_true", help=worded("this is a program that talks: mark what it sends"))
    add("--strict", action="store_true", help=worded("stop at the first line that is refused"))
    add = parser.add_topic("receiving").add_argument
    add("--json", action="store_true", help=worded("one JSON object a line on standard output"))
    add("--fetch", action="store_true", help=worded("receive what waits, and end"))
    add("--follow", action="store_true", help=worded("receive until a signal comes"))
    add("--for", dest="seconds", type=_seconds, metavar="SECONDS", help=worded("receive for so long, and end"))
    add("--count", type=_count, metavar="N", help=worded("end after N messages"))
    add(
        "--ack",
        action="store_true",
        help=worded("hand a message out again in the next run unless it was acknowledged"),
    )
    add = parser.add_topic("terminal").add_argument
    add("--menu", action="store_true", help=worded("be led by numbers instead of commands"))
    add("--plain", action="store_true", help=worded("lines only: no colours, nothing that is drawn again"))
    add = parser.add_topic("disk").add_argument
    add("--data", metavar="DIR", help=worded("folder for outbox and history (RESTANTE_DATA, or the platform's)"))
    add("--config", metavar="FILE", help=worded("your settings (RESTANTE_CONFIG, or the platform's)"))
    parser.add_version()
    return parser


# ---- what a run is told ----------------------------------------------------------------------------------


def wish(settings: Settings, at_terminal: bool) -> Wish:
    """What this run is for; ``at_terminal``: standard input is one, so that somebody may sit there."""
    receives = settings.json or settings.fetch or settings.follow or settings.count is not None
    receives = receives or settings.seconds is not None
    person = at_terminal and settings.message is None and not receives
    return Wish(
        reads=person or receives,
        fetch=settings.fetch,
        count=settings.count,
        seconds=settings.seconds,
        follow=settings.follow,
        person=person,
        bot=settings.bot,
        wait_s=settings.wait_s,
    )


def message(settings: Settings) -> typed.Intent:
    """What -m says: literally, if it was said where it goes; else as if it were typed."""
    text = settings.message or ""
    return as_text(text) if settings.raw or settings.to_given else as_typed(text)
