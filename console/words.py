"""The sentences that the client says by itself: refusals, notices, help.

A refusal says what happened, what was not done, and what to do next, as protocol/errors.py does. Sentences are
whole, with named places, and each count has its own, so that they can be said in another language: a Sentence is said
when it is called with its places. REFUSALS are not: their texts go into JSON too, which is English; ``said`` says them.
"""

from __future__ import annotations

from collections.abc import Sequence

from console import menu
from console.language import Sentence, counted, reworded, worded
from core import shown
from protocol import errors, limits, names

REFUSALS = {
    "too-long": "the message has {size} bytes, {over} more than the {limit} that fit; nothing was sent: split it",
    "cut-line": "a terminal keeps {limit} bytes of a line: the end may be lost; nothing was sent: split it",
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

PROGRAM = "restante"
ASK_NAME = Sentence("Name: ")
ASK_PASSWORD = Sentence("Password: ")
ASK_NEW_PASSWORD = Sentence("New password: ")
ASK_AGAIN = Sentence("Once more: ")
TAKEN = Sentence(
    "The name {name} is taken. If it is yours, give its password; else press Enter, and choose another name."
)
FREE = Sentence("There is no account {name} yet. Choose a password to make it; just Enter leaves.")
BY_INVITATION = Sentence(
    "There is no account {name} yet, and this broker makes new ones by invitation. Just Enter leaves."
)
ASK_PERMIT = Sentence("Code of the invitation: ")
WITH_PERMIT = Sentence("The code lets you choose a password for {name}. Just Enter leaves.")
NOT_THE_SAME = Sentence("These were not the same; nothing was made. Again:")
UNREACHED_END = Sentence("the broker at {broker} was not reached; nothing was sent: is it running? See -a and -p")
TURNED_AWAY = Sentence("the broker at {broker} let nobody in ({why}); nothing was sent: try again later")
OFFLINE = Sentence("connection lost; what you send is kept and goes out when the broker is back")
UNREACHED = Sentence("the broker can't be reached ({reason}); trying again")
REASONS = {
    "refused": Sentence("nobody listens there"),
    "cut": Sentence("the connection was cut"),
    "silent": Sentence("it does not answer"),
    "closing": Sentence("it is going down"),
    "handshake": Sentence("it could not show that it owns the key that is known, and nobody there says why"),
    "busy": Sentence("it is busy, and lets nobody in just now"),
    "no-restante": Sentence("what listens there is no Restante broker"),
    "store-full": Sentence("its disk is full, and it makes no new accounts and takes nothing new until there is room"),
    "store-down": Sentence("it can't write just now"),
}
AGAIN = Sentence("connected again")
REGISTERED = Sentence("the account {account} was made just now")
WELCOME = Sentence("welcome, {account}; help shows the commands, exit leaves")
PLACE = Sentence("plain lines go to {to} now")
INSIDE = Sentence("you are in {room} now")
INSIDE_AND_TOPIC = Sentence("you are in {room} now: {topic}")
OUTSIDE = Sentence("you are no longer in {room}")
REMOVED = Sentence("{by} has removed you from {room}; your history of it stays yours")
BANNED = Sentence("{by} has banned you from {room}; your history of it stays yours")
ROOM = Sentence("{room}  {members}{marks}{topic}")
MORE_ROOMS = Sentence("there are more: /rooms {after}")
NO_ROOMS = Sentence("there are no rooms but #lobby; /join #NAME makes one")
INSIDE_MARK = Sentence(", you are in it")
INVITED_MARK = Sentence(", you are invited")
PRIVATE_MARK = Sentence(", private")
TOPIC_MARK = Sentence(": {topic}")
MEMBERS_HERE = Sentence("in {room}{private}, here now: {names}")
MEMBERS_AWAY = Sentence("away: {names}")
OWNER = Sentence("made by {owner}")
TOPIC = Sentence("{room} is about: {topic}")
NO_TOPIC = Sentence("{room} has no topic; /topic TEXT gives it one")
NEW_TOPIC = Sentence("{by} says that {room} is about: {topic}")
TOPIC_GONE = Sentence("{by} has taken away the topic of {room}")
NO_SHARED = Sentence("none")
NEWS = {
    "invited": Sentence("{by} has invited {account} to {room}"),
    "removed": Sentence("{by} has removed {account} from {room}"),
    "banned": Sentence("{by} has banned {account} from {room}"),
    "unbanned": Sentence("{by} lets {account} come back to {room}"),
}
INVITED = Sentence("{by} invites you to {room}: /join {room} goes there, /leave {room} turns it down")
PROFILE_HERE = Sentence("{account} is here, has been registered since {date}; rooms that you share: {rooms}")
PROFILE_AWAY = Sentence("{account} is not here, has been registered since {date}; rooms that you share: {rooms}")
IGNORED = Sentence("you ignore: {names}")
NOTHING_FOUND = Sentence("nothing was found for: {words}")
MORE_FOUND = Sentence("these are the last {count} for: {words}; more words find older ones")
UNREAD = Sentence("{place}  {count}")
MUTED = Sentence("muted, so that nothing there calls you: {places}")
NOTHING_MUTED = Sentence("nothing is muted")
NOTHING_UNREAD = Sentence("there is nothing that you have not looked at")
HERE = Sentence("here now: {names}")
POSSIBLE = Sentence("you could add: {names}")
POSSIBLE_AND_MORE = Sentence("you could add: {names} and more")
CONTACTS = Sentence("contacts: {names}")
NOBODY = Sentence("nobody")
BOTH = Sentence("{one} and {other}")
CAME = Sentence("{names} joined")
CAME_TO = Sentence("{names} joined {room}")
WENT = Sentence("{names} left")
WENT_FROM = Sentence("{names} left {room}")
OUTBOX_EMPTY = Sentence("the outbox is empty")
NOT_SENT = Sentence("not sent: {message}")
LINE = Sentence("line {line}: {text}")
WHO_AM_I = Sentence("you are {account}, on device {device}")
CONNECTED = Sentence("connected to {broker}")
NOT_CONNECTED = Sentence("not connected to {broker}")
MET = Sentence("met the broker at {broker} for the first time; its key, from now on the only one: {key}")
KEY_CHANGED = Sentence("""BROKER KEY CHANGED for {broker}
  {known:<10} {key}{since}
  offered    {offered}
Either its operator has made a new key, or somebody stands in between. Nothing was sent.
Ask the operator for the key, then start as {account} with --accept-key KEY""")
UNWRITABLE = Sentence("can't write to {folder}: {why}; choose a folder with --data")
IN_USE = Sentence("all device folders in {folder} are in use; end one of the clients, or give --data")
GIVEN = Sentence("given")
REMEMBERED = Sentence("remembered")
SINCE = Sentence("   since {date}")
DEVICE = Sentence("{device}  {name}, first {first}, last {seen} from {address}{this}")
NO_NAME = Sentence("(no name)")
HERE_NOW = Sentence("now")
THIS_DEVICE = Sentence(" (this one)")
ASK_OLD_PASSWORD = Sentence("Old password: ")
BOT = Sentence("{name} (bot)")
SETTINGS = Sentence("settings, kept in {file}:")
SETTING = Sentence("{name} is {value}, from {origin}; it takes {takes}: {does}")
SETTING_AT_START = Sentence(
    "{name} is {value}, from {origin}; it takes {takes}: {does}; a change counts from the next start"
)
NO_SETTING_BUT = Sentence("there is no setting {name}; nothing was changed: did you mean {nearest}?")
NO_VALUE = Sentence("nothing")
FROM_COMMAND_LINE = Sentence("the command line")
FROM_DEFAULT = Sentence("the default")
FROM_LINE = Sentence("line {line} of {file}")
ALIAS_LINE = Sentence("/{name} stands for: {text}")
IN_FILE = Sentence("line {line} of {file}: {what}")
NO_TOML = Sentence("line {line} of {file} can't be read, so none of it counts; mend that line")
UNREADABLE = Sentence("can't read {file}: {why}; none of it counts")
NO_SETTINGS = Sentence("it holds no settings")
UNKNOWN_SETTING = Sentence("there is no setting {name}; it was passed over")
UNKNOWN_SETTING_BUT = Sentence("there is no setting {name}; it was passed over: did you mean {nearest}?")
PASSED_OVER = Sentence("{name} was passed over: {why}")
NOT_OFFERED = Sentence("{value} is not one of {takes}")
NO_PLAIN_TEXT = Sentence("it must be a text in quotes")
ALIAS_WORD = Sentence("an alias is a word of small letters, digits, - and _")
ALIAS_OF_COMMAND = Sentence("/{name} is a command, and stays one")
ALIAS_EMPTY = Sentence("it stands for nothing")
ALIAS_OF_ALIAS = Sentence("/{name} is an alias itself, and no alias is looked for in another")
ALIAS_OF_NOTHING = Sentence("there is no command /{command}")
ALONE = Sentence("alone on a line: {command}")
UNKNOWN_ENC = Sentence('[a message in the unknown encoding "{enc}": upgrade the client]')
DAMAGED = Sentence("[damaged at the broker]")

# At a terminal.
AWAY_SINCE = Sentence("while you were away, since {time}")
MEANWHILE = Sentence("that was: {places}")
NEW_FROM_HERE = Sentence("new from here")
HISTORY_OF = Sentence("history")
END_OF_HISTORY = Sentence("now")
PRIVATE = Sentence("private")
YOU = Sentence("you")
STATUS_ONLINE = Sentence("online")
STATUS_OFFLINE = Sentence("OFFLINE")
STATUS_RETRY = Sentence("OFFLINE, retry in {seconds} s")
STATUS_OUTBOX = Sentence("outbox {count}")
STATUS_UNREAD = Sentence("unread {places}")
STATUS_UNREAD_COUNT = Sentence("{count} unread in {places}")
EMPTY_LINE = Sentence("Ctrl-D on an empty line, or exit, leaves")
NO_CONVERSATION = Sentence("no conversation has that number yet; Alt and a number: {places}")
NOTHING_NEW = Sentence("nothing is unread elsewhere")

DAY = Sentence("{weekday}, {day} {month} {year}")
WEEKDAYS = (
    Sentence("Monday"),
    Sentence("Tuesday"),
    Sentence("Wednesday"),
    Sentence("Thursday"),
    Sentence("Friday"),
    Sentence("Saturday"),
    Sentence("Sunday"),
)
MONTHS = (
    Sentence("January"),
    Sentence("February"),
    Sentence("March"),
    Sentence("April"),
    Sentence("May"),
    Sentence("June"),
    Sentence("July"),
    Sentence("August"),
    Sentence("September"),
    Sentence("October"),
    Sentence("November"),
    Sentence("December"),
)

_NAME_WIDTH = 25


def refusal(code: str, **places: object) -> str:
    """The English text for one of the client's own codes. KeyError if code or place is missing: our own bug."""
    return REFUSALS[code].format(**places)


def english(code: str, text: str) -> str:
    """What a script is told for a code that came with this text, which may be empty."""
    if text:
        return text
    sentence = (REFUSALS | errors.SENTENCES).get(code, code)
    return code if "{" in sentence else sentence  # its places can't be filled here


def said(code: str, text: str) -> str:
    """The same for people: in the reader's language, if the text is the one that we know for the code."""
    sentences = [table[code] for table in (REFUSALS, errors.SENTENCES) if code in table]
    return reworded(english(code, text), sentences, names.REASONS)


def notice(text: str) -> str:
    """A notice that came as a text, for people."""
    known = (shown.PASSWORD_CHANGED, shown.NOTHING_THERE, *errors.SENTENCES.values())
    return reworded(text, known, names.REASONS)


def unreached(reason: str) -> str:
    """Why the broker can't be reached; a code that nobody knows stands for itself."""
    return UNREACHED(reason=REASONS[reason]() if reason in REASONS else reason)


def unreached_end(broker: str, reason: str) -> str:
    """What a run that has kept nothing says at its end."""
    if reason in ("busy", "store-full", "store-down"):
        return TURNED_AWAY(broker=broker, why=REASONS[reason]())
    return UNREACHED_END(broker=broker)


def listed(accounts: Sequence[str], more: int) -> str:
    """Names in a row; ``more`` counts those that are not among them."""
    row = ", ".join(accounts)
    if not more:
        return row or NOBODY()
    if not row:
        return counted("{count} more", "{count} more", more)
    return counted("{names} and {count} more", "{names} and {count} more", more, names=row)


def came(accounts: Sequence[str], more: int, room: str) -> list[str]:
    """Who joined. The lobby is everyone's and needs no mention."""
    count = len(accounts) + more
    if not count:
        return []
    lobby = room == names.LOBBY
    if not more and count <= 2:
        return [(CAME if lobby else CAME_TO)(names=_both(accounts), room=room)]
    row = listed(accounts, more)
    if lobby:
        return [counted("{count} person joined: {names}", "{count} people joined: {names}", count, names=row)]
    return [
        counted(
            "{count} person joined {room}: {names}",
            "{count} people joined {room}: {names}",
            count,
            names=row,
            room=room,
        )
    ]


def went(accounts: Sequence[str], more: int, room: str) -> list[str]:
    """Who left."""
    count = len(accounts) + more
    if not count:
        return []
    lobby = room == names.LOBBY
    if not more and count <= 2:
        return [(WENT if lobby else WENT_FROM)(names=_both(accounts), room=room)]
    row = listed(accounts, more)
    if lobby:
        return [counted("{count} person left: {names}", "{count} people left: {names}", count, names=row)]
    return [
        counted(
            "{count} person left {room}: {names}",
            "{count} people left {room}: {names}",
            count,
            names=row,
            room=room,
        )
    ]


def _both(accounts: Sequence[str]) -> str:
    """One name, or two."""
    return accounts[0] if len(accounts) == 1 else BOTH(one=accounts[0], other=accounts[1])


def members(count: int) -> str:
    """How many are in a room; beyond what is counted they are many."""
    if count >= limits.COUNTED_NAMES:
        most = limits.COUNTED_NAMES
        return counted("{count} member or more", "{count} members or more", most)
    return counted("{count} member", "{count} members", count)


def messages(count: int) -> str:
    """How many of them."""
    return counted("{count} message", "{count} messages", count)


def waiting(count: int) -> str:
    """What came while this device was away."""
    return counted("{count} message came while you were away", "{count} messages came while you were away", count)


def away(count: int, time: str) -> str:
    """The line above what came while one was away; ``count`` is 0 where nobody has counted."""
    if not count:
        return AWAY_SINCE(time=time)
    return counted(
        "while you were away: {count} message since {time}",
        "while you were away: {count} messages since {time}",
        count,
        time=time,
    )


def outbox(count: int) -> str:
    """How much is still to be accepted."""
    if not count:
        return OUTBOX_EMPTY()
    return counted("{count} message waits in the outbox", "{count} messages wait in the outbox", count)


def leave_all_the_same(count: int) -> str:
    """What holds somebody back who wants to leave."""
    return counted(
        "{count} message waits in the outbox; Ctrl-D once more leaves",
        "{count} messages wait in the outbox; Ctrl-D once more leaves",
        count,
    )


def kept(count: int) -> str:
    """What a run leaves in the outbox when it ends."""
    return counted(
        "{count} message is not accepted yet; it is kept, and goes out with the next run",
        "{count} messages are not accepted yet; they are kept, and go out with the next run",
        count,
    )


def passed_by(count: int) -> str:
    """What came faster than anybody reads."""
    return counted(
        "{count} message passed by too fast, /history shows it",
        "{count} messages passed by too fast, /history shows them",
        count,
    )


def more_waiting(count: int) -> str:
    """What has no row of its own among those that are not accepted yet."""
    return counted("{count} more", "{count} more", count)


def status_outbox(count: int) -> str:
    """How much is still to be accepted, in the status line."""
    return STATUS_OUTBOX(count=count) if count else ""


def folded(lines: int) -> str:
    """What a long message has beyond what is shown."""
    return counted("{count} more line, /history shows it", "{count} more lines, /history shows them", lines)


def cut_row(signs: int) -> str:
    """What a long row has beyond what is shown."""
    return counted(
        "{count} more character, /history shows it",
        "{count} more characters, /history shows them",
        signs,
    )


def pasted(lines: int) -> str:
    """A paste is not sent by itself."""
    return counted("{count} line pasted: Enter sends it", "{count} lines pasted: Enter sends one message", lines)


def gone(log: str, messages: int) -> str:
    """What the broker has forgotten before it could be read."""
    return counted(
        "{count} message in {log} is gone: you were away for longer than the broker keeps it",
        "{count} messages in {log} are gone: you were away for longer than the broker keeps them",
        messages,
        log=log,
    )


def put_back(again: int, gone: int) -> list[str]:
    """The broker has forgotten what it had: what comes back to it, and what can't."""
    told = counted(
        "the broker was put back to an earlier state: {count} message of yours is sent to it again",
        "the broker was put back to an earlier state: {count} messages of yours are sent to it again",
        again,
    )
    lost = counted(
        "{count} message of yours can't be sent again: its text is no longer here",
        "{count} messages of yours can't be sent again: their texts are no longer here",
        gone,
    )
    return [told, lost] if gone else [told]


def day(year: int, month: int, day: int, weekday: int) -> str:
    """A date as people write it; ``month`` from 1, ``weekday`` from 0, which is Monday."""
    return DAY(weekday=WEEKDAYS[weekday](), day=day, month=MONTHS[month - 1](), year=year)


def no_setting(name: str, nearest: str) -> str:
    """Why /set does nothing; ``nearest`` may be empty."""
    return NO_SETTING_BUT(name=name, nearest=nearest) if nearest else refusal("no-setting", name=name)


def unknown_setting(name: str, nearest: str) -> str:
    """A line of the file of settings that nobody understands; ``nearest`` may be empty."""
    return UNKNOWN_SETTING_BUT(name=name, nearest=nearest) if nearest else UNKNOWN_SETTING(name=name)


def help_text(command: str = "") -> str:
    """How lines are read, and all commands; or one of them. In several lines."""
    if command:
        return f"{menu.BY_NAME[command].usage}: {worded(menu.BY_NAME[command].does)}"
    rows = (
        (worded("text"), worded("goes to the current place: #lobby, until /to chooses another")),
        (worded("name: text"), worded("is private, for that account alone")),
        ("//text", worded("sends a text that begins with /")),
        *((word, ALONE(command=found.usage.split()[0])) for word, found in menu.BY_WORD.items()),
        *((found.usage, worded(found.does)) for found in menu.COMMANDS),
    )
    return "\n".join([worded("what you can type:"), *(f"{left:<{_NAME_WIDTH}}{right}" for left, right in rows)])
