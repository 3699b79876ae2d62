"""The sentences that the client says by itself: refusals, notices, help.

A refusal says what happened, what was not done, and what to do next, as protocol/errors.py does. Sentences are
whole, with named places, and each count has its own, so that they can be said in another language.
"""

from __future__ import annotations

from collections.abc import Sequence

from console import menu
from protocol import errors, limits, names

REFUSALS = {
    "too-long": "the message has {size} bytes, {over} more than the {limit} that fit; nothing was sent: split it",
    "long-topic": "the topic has {size} characters, {limit} at most are allowed; nothing was done: shorten it",
    "empty-message": "the message is empty; nothing was sent: -m takes a text",
    "empty": "nothing stands behind the colon; nothing was sent: the message for {name} goes there",
    "bad-name": "{name} can't be a name: {why}; nothing was sent: check it, or /say sends the line as text",
    "leading-blank": "a blank stands before {command}; nothing was sent: take it away, or /say sends the line as text",
    "unknown-command": "there is no command {command}; nothing was sent: /help lists them, /say sends the line as text",
    "ambiguous-command": "{command} could be {choices}; nothing was done: type more of it",
    "usage": "it goes like this: {usage}; nothing was done",
    "bad-json": "this is no JSON object ({why}); nothing was done: one object stands in one line",
    "unknown-do": "there is nothing to do that is called {word}; nothing was done: docs/SCRIPTING.md lists it all",
    "no-acks": "nothing is to be acknowledged in this run; nothing was done: start it with --ack",
    "not-handed-out": "{log} {seq} was not handed out in this run; nothing was done: take log and seq from a message",
    "no-setting": "there is no setting {name}; nothing was changed: /set lists them",
    "bad-setting": "{name} was not changed: {why}",
    "no-toml": "line {line} of {file} can't be read; nothing was changed: mend that line first",
    "not-kept": "can't change {file}: {why}; nothing was changed",
    "no-such-choice": "{answer} is not offered here; nothing was sent: type a number from 1 to {last}, or the word",
}
"""Codes of lines that went no further than here. ``bad-name`` goes over the wire too; here it is a line's head."""

ASK_NAME = "Name: "
ASK_PASSWORD = "Password: "
ASK_NEW_PASSWORD = "New password: "
ASK_AGAIN = "Once more: "
TAKEN = "The name {name} is taken. If it is yours, give its password; else press Enter, and choose another name."
FREE = "There is no account {name} yet. Choose a password to make it; just Enter leaves."
NOT_THE_SAME = "These were not the same; nothing was made. Again:"
UNREACHED_END = "the broker at {broker} was not reached; nothing was sent: is it running? See -a and -p"
TURNED_AWAY = "the broker at {broker} let nobody in ({why}); nothing was sent: try again later"
OFFLINE = "connection lost; what you send is kept and goes out when the broker is back"
UNREACHED = "the broker can't be reached ({reason}); trying again"
REASONS = {
    "refused": "nobody listens there",
    "cut": "the connection was cut",
    "silent": "it does not answer",
    "closing": "it is going down",
    "handshake": "it could not show that it owns the key that is known, and nobody there says why",
    "busy": "it is busy, and lets nobody in just now",
    "no-restante": "what listens there is no Restante broker",
    "store-full": "its disk is full, and it makes no new accounts and takes nothing new until there is room",
    "store-down": "it can't write just now",
}
AGAIN = "connected again"
REGISTERED = "the account {account} was made just now"
WELCOME = "welcome, {account}; help shows the commands, exit leaves"
PLACE = "plain lines go to {to} now"
INSIDE = "you are in {room} now"
INSIDE_AND_TOPIC = "you are in {room} now: {topic}"
OUTSIDE = "you are no longer in {room}"
REMOVED = "{by} has removed you from {room}; your history of it stays yours"
BANNED = "{by} has banned you from {room}; your history of it stays yours"
ROOM = "{room}  {members}{marks}{topic}"
MORE_ROOMS = "there are more: /rooms {after}"
NO_ROOMS = "there are no rooms but #lobby; /join #NAME makes one"
INSIDE_MARK = ", you are in it"
INVITED_MARK = ", you are invited"
PRIVATE_MARK = ", private"
TOPIC_MARK = ": {topic}"
MEMBERS_HERE = "in {room}{private}, here now: {names}"
MEMBERS_AWAY = "away: {names}"
OWNER = "made by {owner}"
TOPIC = "{room} is about: {topic}"
NO_TOPIC = "{room} has no topic; /topic TEXT gives it one"
NEW_TOPIC = "{by} says that {room} is about: {topic}"
TOPIC_GONE = "{by} has taken away the topic of {room}"
NO_SHARED = "none"
NEWS = {
    "invited": "{by} has invited {account} to {room}",
    "removed": "{by} has removed {account} from {room}",
    "banned": "{by} has banned {account} from {room}",
    "unbanned": "{by} lets {account} come back to {room}",
}
INVITED = "{by} invites you to {room}: /join {room} goes there, /leave {room} turns it down"
PROFILE = "{account} is {here}, has been registered since {date}; rooms that you share: {rooms}"
PROFILE_HERE = "here"
PROFILE_AWAY = "not here"
IGNORED = "you ignore: {names}"
NOTHING_FOUND = "nothing was found for: {words}"
MORE_FOUND = "these are the last {count} for: {words}; more words find older ones"
UNREAD = "{place}  {count}"
NOTHING_UNREAD = "there is nothing that you have not looked at"
HERE = "here now: {names}"
POSSIBLE = "you could add: {names}"
POSSIBLE_AND_MORE = "you could add: {names} and more"
CONTACTS = "contacts: {names}"
NOBODY = "nobody"
NOT_SENT = "not sent: {message}"
LINE = "line {line}: {text}"
WHO_AM_I = "you are {account}, on device {device}"
CONNECTED = "connected to {broker}"
NOT_CONNECTED = "not connected to {broker}"
MET = "met the broker at {broker} for the first time; its key, from now on the only one: {key}"
KEY_CHANGED = """BROKER KEY CHANGED for {broker}
  {known} {key}{since}
  offered    {offered}
Either its operator has made a new key, or somebody stands in between. Nothing was sent.
Ask the operator for the key, then: client.py --accept-key KEY {account}"""
GIVEN = "given     "
REMEMBERED = "remembered"
SINCE = "   since {date}"
DEVICE = "{device}  {name}, first {first}, last {seen} from {address}{this}"
NO_NAME = "(no name)"
HERE_NOW = "now"
THIS_DEVICE = " (this one)"
ASK_OLD_PASSWORD = "Old password: "
BOT = "{name} (bot)"
SETTINGS = "settings, kept in {file}:"
SETTING = "{name} is {value}, from {origin}; it takes {takes}: {does}"
SETTING_AT_START = "{name} is {value}, from {origin}; it takes {takes}: {does}; a change counts from the next start"
NO_SETTING_BUT = "there is no setting {name}; nothing was changed: did you mean {nearest}?"
NO_VALUE = "nothing"
FROM_COMMAND_LINE = "the command line"
FROM_DEFAULT = "the default"
FROM_LINE = "line {line} of {file}"
ALIAS_LINE = "/{name} stands for: {text}"
IN_FILE = "line {line} of {file}: {what}"
NO_TOML = "line {line} of {file} can't be read, so none of it counts; mend that line"
UNREADABLE = "can't read {file}: {why}; none of it counts"
NO_SETTINGS = "it holds no settings"
UNKNOWN_SETTING = "there is no setting {name}; it was passed over"
UNKNOWN_SETTING_BUT = "there is no setting {name}; it was passed over: did you mean {nearest}?"
PASSED_OVER = "{name} was passed over: {why}"
NOT_OFFERED = "{value} is not one of {takes}"
NO_PLAIN_TEXT = "it must be a text in quotes"
ALIAS_WORD = "an alias is a word of small letters, digits, - and _"
ALIAS_OF_COMMAND = "/{name} is a command, and stays one"
ALIAS_EMPTY = "it stands for nothing"
ALIAS_OF_ALIAS = "/{name} is an alias itself, and no alias is looked for in another"
ALIAS_OF_NOTHING = "there is no command /{command}"
UNKNOWN_ENC = '[a message in the unknown encoding "{enc}": upgrade the client]'
DAMAGED = "[damaged at the broker]"

# At a terminal.
AWAY = "while you were away: {messages} since {time}"
AWAY_SINCE = "while you were away, since {time}"
NEW_FROM_HERE = "new from here"
HISTORY_OF = "history"
END_OF_HISTORY = "now"
PRIVATE = "private"
YOU = "you"
STATUS_ONLINE = "online"
STATUS_OFFLINE = "OFFLINE"
STATUS_RETRY = "OFFLINE, retry in {seconds} s"
STATUS_UNREAD = "unread {places}"
EMPTY_LINE = "Ctrl-D on an empty line, or exit, leaves"
LEAVE_ALL_THE_SAME = "{kept}; Ctrl-D once more leaves"

_NAME_WIDTH = 25


def refusal(code: str, **places: object) -> str:
    """The sentence for one of the client's own codes. KeyError if code or place is missing: our own bug."""
    return REFUSALS[code].format(**places)


def said(code: str, text: str) -> str:
    """What to show for a code that came with this text, which may be empty."""
    if text:
        return text
    sentence = (REFUSALS | errors.SENTENCES).get(code, code)
    return code if "{" in sentence else sentence  # its places can't be filled here


def unreached(reason: str) -> str:
    """Why the broker can't be reached; a code that nobody knows stands for itself."""
    return UNREACHED.format(reason=REASONS.get(reason, reason))


def unreached_end(broker: str, reason: str) -> str:
    """What a run that has kept nothing says at its end."""
    if reason in ("busy", "store-full", "store-down"):
        return TURNED_AWAY.format(broker=broker, why=REASONS[reason])
    return UNREACHED_END.format(broker=broker)


def listed(accounts: Sequence[str], more: int) -> str:
    """Names in a row; ``more`` counts those that are not among them."""
    if not accounts and not more:
        return NOBODY
    row = ", ".join(accounts)
    if not more:
        return row
    return f"{row} and {more} more" if row else f"{more} more"


def came(accounts: Sequence[str], more: int, room: str) -> list[str]:
    """Who joined. The lobby is everyone's and needs no mention."""
    return _moved(accounts, more, "joined" if room == names.LOBBY else f"joined {room}")


def went(accounts: Sequence[str], more: int, room: str) -> list[str]:
    """Who left."""
    return _moved(accounts, more, "left" if room == names.LOBBY else f"left {room}")


def _moved(accounts: Sequence[str], more: int, did: str) -> list[str]:
    count = len(accounts) + more
    if not count:
        return []
    if more or count > 2:
        return [f"{count} people {did}: {listed(accounts, more)}"]
    return [f"{' and '.join(accounts)} {did}"]


def members(count: int) -> str:
    """How many are in a room; beyond what is counted they are many."""
    if count >= limits.COUNTED_NAMES:
        return f"{limits.COUNTED_NAMES} members or more"
    return "1 member" if count == 1 else f"{count} members"


def messages(count: int) -> str:
    """How many of them."""
    return "1 message" if count == 1 else f"{count} messages"


def waiting(count: int) -> str:
    """What came while this device was away."""
    return "1 message came while you were away" if count == 1 else f"{count} messages came while you were away"


def outbox(count: int) -> str:
    """How much is still to be accepted."""
    if not count:
        return "the outbox is empty"
    return "1 message waits in the outbox" if count == 1 else f"{count} messages wait in the outbox"


def kept(count: int) -> str:
    """What a run leaves in the outbox when it ends."""
    if count == 1:
        return "1 message is not accepted yet; it is kept, and goes out with the next run"
    return f"{count} messages are not accepted yet; they are kept, and go out with the next run"


def passed_by(count: int) -> str:
    """What came faster than anybody reads."""
    return f"{messages(count)} passed by too fast, /history shows them"


def more_waiting(count: int) -> str:
    """What has no row of its own among those that are not accepted yet."""
    return f"{count} more"


def status_outbox(count: int) -> str:
    """How much is still to be accepted, in the status line."""
    return f"outbox {count}" if count else ""


def folded(lines: int) -> str:
    """What a long message has beyond what is shown."""
    return "1 more line, /history shows it" if lines == 1 else f"{lines} more lines, /history shows them"


def cut_row(signs: int) -> str:
    """What a long row has beyond what is shown."""
    return f"{signs} more characters, /history shows them"


def pasted(lines: int) -> str:
    """A paste is not sent by itself."""
    return f"{lines} lines pasted: Enter sends one message"


def gone(log: str, messages: int) -> str:
    """What the broker has forgotten before it could be read."""
    many = "message" if messages == 1 else "messages"
    return f"{messages} {many} in {log} are gone: you were away for longer than the broker keeps them"


def put_back(again: int, gone: int) -> str:
    """The broker has forgotten what it had: one line."""
    lost = f"; {gone} more can't be, their text is no longer here" if gone else ""
    many = "message of yours is" if again == 1 else "messages of yours are"
    return f"the broker was put back to an earlier state: {again} {many} sent to it again{lost}"


def no_setting(name: str, nearest: str) -> str:
    """Why /set does nothing; ``nearest`` may be empty."""
    return NO_SETTING_BUT.format(name=name, nearest=nearest) if nearest else refusal("no-setting", name=name)


def unknown_setting(name: str, nearest: str) -> str:
    """A line of the file of settings that nobody understands; ``nearest`` may be empty."""
    return (UNKNOWN_SETTING_BUT if nearest else UNKNOWN_SETTING).format(name=name, nearest=nearest)


def help_text(command: str = "") -> str:
    """How lines are read, and all commands; or one of them. In several lines."""
    if command:
        return f"{menu.BY_NAME[command].usage}: {menu.BY_NAME[command].does}"
    bare = ((word, f"alone on a line: {found.usage.split()[0]}") for word, found in menu.BY_WORD.items())
    rows = (
        ("text", "goes to the current place: #lobby, until /to chooses another"),
        ("name: text", "is private, for that account alone"),
        ("//text", "sends a text that begins with /"),
        *bare,
        *((found.usage, found.does) for found in menu.COMMANDS),
    )
    return "\n".join(["what you can type:", *(f"{left:<{_NAME_WIDTH}}{right}" for left, right in rows)])
