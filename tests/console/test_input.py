from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console import menu
from console.input import HISTORY_MAX, parse
from core import typed
from core.typed import Wrote
from protocol import limits, names

LONGEST = limits.BODY_BYTES
often = settings(max_examples=400)


def to_place(text: str) -> Wrote:
    return Wrote(text=text)


def private(to: str, text: str) -> Wrote:
    return Wrote(to=to, text=text)


UNDERSTOOD = [
    # text
    ("hello", to_place("hello")),
    ("  indented", to_place("  indented")),
    ("trailing  ", to_place("trailing  ")),
    ("line end\r\n", to_place("line end")),
    ("the point is: no", to_place("the point is: no")),
    ("bob : no address", to_place("bob : no address")),
    (":) smile", to_place(":) smile")),
    ("(note): x", to_place("(note): x")),
    ('{"a":1}', to_place('{"a":1}')),
    ("https://example.org/a:b", to_place("https://example.org/a:b")),
    ("git+ssh://host/x", to_place("git+ssh://host/x")),
    ("  https://example.org", to_place("  https://example.org")),
    ("12:30", to_place("12:30")),
    ("12:30: lunch", to_place("12:30: lunch")),
    ("16:9", to_place("16:9")),
    ("10.0.0.1:7777", to_place("10.0.0.1:7777")),
    ("exit now", to_place("exit now")),
    ("help me", to_place("help me")),
    ("Exit", to_place("Exit")),
    ("quit", to_place("quit")),
    ("two\nbob: lines", to_place("two\nbob: lines")),
    ("half \ud83d a pair", to_place("half \ufffd a pair")),
    ("x" * LONGEST, to_place("x" * LONGEST)),
    # private
    ("bob: hi", private("bob", "hi")),
    ("bob:hi", private("bob", "hi")),
    ("bob:   hi there ", private("bob", "hi there ")),
    ("  bob: hi", private("bob", "hi")),
    ("Bob_2: hi", private("Bob_2", "hi")),
    ("a.b-c: hi", private("a.b-c", "hi")),
    ("Света: привет", private("Света", "привет")),
    ("bob: carol: hi", private("bob", "carol: hi")),
    ("bob: /quit", private("bob", "/quit")),
    ("bob: exit", private("bob", "exit")),
    ("bob: first\nsecond: line", private("bob", "first\nsecond: line")),
    ("bob:\n    code", private("bob", "\n    code")),
    ("12: thirty", private("12", "thirty")),
    ("exit: hi", private("exit", "hi")),
    ("bob:" + "x" * LONGEST, private("bob", "x" * LONGEST)),
    ("#lobby: all", private("#lobby", "all")),
    ("e\u0301ve: hi", private("\u00e9ve", "hi")),
    # bare words
    ("exit", typed.Left()),
    (" exit ", typed.Left()),
    ("help", typed.AskedHelp()),
    ("ls", typed.AskedWho()),
    ("message", menu.BeganMessage()),
    # commands
    ("//x", to_place("/x")),
    ("//", to_place("/")),
    ("//bob: x", to_place("/bob: x")),
    ("/say help", to_place("help")),
    ("/say bob: hi", to_place("bob: hi")),
    ("/say   as it is  ", to_place("  as it is  ")),
    ("/say\nbelow", to_place("below")),
    ("/msg bob hi there", private("bob", "hi there")),
    ("/msg   bob  hi", private("bob", " hi")),
    ("/msg #lobby hi", private("#lobby", "hi")),
    ("/msg", menu.BeganMessage()),
    ("/ms bob hi", private("bob", "hi")),
    ("/to bob", typed.Chose(to="bob")),
    ("/to #lobby", typed.Chose(to="#lobby")),
    ("/who", typed.AskedWho()),
    ("/WHO ", typed.AskedWho()),
    ("/contacts", typed.AskedContacts()),
    ("/add bob", typed.AddedContact(account="bob")),
    ("/remove bob", typed.RemovedContact(account="bob")),
    ("/history", typed.AskedHistory(count=menu.HISTORY_MESSAGES)),
    ("/history 5", typed.AskedHistory(count=5)),
    ("/history 90m", typed.AskedHistory(count=20, seconds=5400)),
    ("/history 2w", typed.AskedHistory(count=20, seconds=14 * 86400)),
    ("/history " + "9" * 99 + "d", typed.AskedHistory(count=20, seconds=5000 * 86400)),
    ("/history bob", typed.AskedHistory(count=20, place="bob")),
    ("/history #Club", typed.AskedHistory(count=20, place="#Club")),
    ("/history 1x", typed.AskedHistory(count=20, place="1x")),
    ("/me waves ", to_place("/me waves ")),
    ("/me " + "x" * (LONGEST - 4), to_place("/me " + "x" * (LONGEST - 4))),
    ("/whois bob", typed.AskedAccount(account="bob")),
    ("/join #Club", typed.JoinedRoom(room="#Club")),
    ("/j #Club PRIVATE", typed.JoinedRoom(room="#Club", private=True)),
    ("/leave", typed.LeftRoom()),
    ("/leave #Club", typed.LeftRoom(room="#Club")),
    ("/rooms", typed.AskedRooms()),
    ("/rooms #m", typed.AskedRooms(after="#m")),
    ("/names", typed.AskedMembers()),
    ("/names #Club", typed.AskedMembers(room="#Club")),
    ("/topic", typed.AskedTopic()),
    ("/topic  ", typed.AskedTopic()),
    ("/topic all   about\troses ", typed.ChangedTopic(topic="all about roses")),
    ("/topic -", typed.ChangedTopic(topic="")),
    ("/invite bob", typed.InvitedAccount(account="bob")),
    ("/invite bob #Club", typed.InvitedAccount(account="bob", room="#Club")),
    ("/expel bob", typed.ExpelledAccount(account="bob")),
    ("/ban bob #Club", typed.ExpelledAccount(account="bob", room="#Club", bans=True)),
    ("/unban bob", typed.UnbannedAccount(account="bob")),
    ("/search  some words ", typed.AskedSearch(words="some words")),
    ('/search -x OR "y*', typed.AskedSearch(words='-x OR "y*')),
    ("/unread", typed.AskedUnread()),
    ("/ignore", typed.AskedIgnored()),
    ("/ignore bob", typed.IgnoredAccount(account="bob")),
    ("/unignore bob", typed.UnignoredAccount(account="bob")),
    (f"/history {HISTORY_MAX}", typed.AskedHistory(count=HISTORY_MAX)),
    ("/status", typed.AskedStatus()),
    ("/outbox", typed.AskedOutbox()),
    ("/o", typed.AskedOutbox()),
    ("/menu", typed.OpenedMenu()),
    ("/help", typed.AskedHelp()),
    ("/help msg", typed.AskedHelp(command="msg")),
    ("/help /quit", typed.AskedHelp(command="quit")),
    ("/quit", typed.Left()),
    # nothing
    ("", None),
    ("   ", None),
    ("\r\n", None),
]

REFUSED = [
    ("bob:", "empty", "nothing was sent"),
    ("bob:   ", "empty", "bob"),
    ("bоb: hi", "bad-name", "more than one script"),  # the o is Cyrillic
    ("b" * 33 + ": hi", "bad-name", "33 characters"),
    ("-bob: hi", "bad-name", "must begin"),
    ("@bob: hi", "bad-name", "/say"),
    ("bob,carol: hi", "bad-name", "bob,carol"),
    ("#: hi", "bad-name", "empty"),
    ("\u200bbob: hi", "bad-name", "bob"),
    ("\ufeffbob: hi", "bad-name", "bob"),
    ("\x1b[2J:x", "bad-name", "^[[2J"),
    (" /quit", "leading-blank", "/quit"),
    ("\t//x", "leading-blank", "//x"),
    ("/", "unknown-command", "/"),
    ("/ who", "unknown-command", "/help"),
    ("/frob", "unknown-command", "/frob"),
    ("/password secret", "unknown-command", "/password"),
    ("/passwd secret", "usage", "/passwd"),
    ("/whoever", "unknown-command", "/whoever"),
    ("/q", "unknown-command", "/q"),
    ("/qui", "unknown-command", "/qui"),
    ("/remov bob", "unknown-command", "/remov"),
    ("/\x1b[2J", "unknown-command", "/^[[2j"),
    ("/" + "x" * 99, "unknown-command", "x..."),
    ("/h", "ambiguous-command", "/history, /help"),
    ("/s hi", "ambiguous-command", "/say, /search, /status"),
    ("/msg bob", "usage", "/msg NAME|#ROOM TEXT"),
    ("/msg bob  ", "usage", "/msg"),
    ("/msg b/b hi", "bad-name", "b/b"),
    ("/to", "usage", "/to NAME|#ROOM"),
    ("/to bob hi", "usage", "/to"),
    ("/to b/b", "bad-name", "choose another"),
    ("/say", "usage", "/say TEXT"),
    ("/say  ", "usage", "/say"),
    ("/who bob", "usage", "/who"),
    ("/add", "usage", "/add NAME"),
    ("/add #lobby", "bad-name", "a room"),
    ("/remove", "usage", "/remove NAME"),
    ("/history 0", "usage", "/history [N|1h|NAME]"),
    ("/history -1", "usage", "/history"),
    ("/history b/b", "bad-name", "choose another"),
    ("/history 5 bob", "usage", "/history"),
    ("/w", "ambiguous-command", "/who, /whois"),
    ("/t bob", "ambiguous-command", "/to, /topic"),
    ("/me", "usage", "/me ACTION"),
    ("/me  ", "usage", "/me ACTION"),
    ("/me " + "x" * (LONGEST - 3), "too-long", "1 more"),
    ("/join", "usage", "/join #ROOM [private]"),
    ("/join club", "bad-name", "a room begins with #"),
    ("/join #club open", "usage", "/join"),
    ("/leave club", "bad-name", "a room begins with #"),
    ("/rooms bob", "bad-name", "a room begins with #"),
    ("/topic " + "x" * 257, "long-topic", "257 characters"),
    ("/invite", "usage", "/invite NAME [#ROOM]"),
    ("/invite #club", "bad-name", "a room"),
    ("/expe bob", "unknown-command", "/expe"),
    ("/ba bob", "unknown-command", "/ba"),
    ("/search", "usage", "/search WORDS"),
    ("/unignore", "usage", "/unignore NAME"),
    ("/whois", "usage", "/whois NAME"),
    ("/history " + "9" * 5000, "usage", "/history"),
    (f"/history {HISTORY_MAX + 1}", "usage", "/history"),
    ("/help frob", "unknown-command", "/frob"),
    ("/quit now", "usage", "/quit"),
    ("x" * (LONGEST + 1), "too-long", " 1 more than the 16384 "),
    ("ж" * LONGEST, "too-long", f" {LONGEST} more than the 16384 "),
    ("bob:" + "x" * (LONGEST + 7), "too-long", " 7 more than the 16384 "),
    ("/say " + "x" * (LONGEST + 2), "too-long", " 2 more than the 16384 "),
    ("/msg bob " + "x" * (LONGEST + 3), "too-long", " 3 more than the 16384 "),
]


@pytest.mark.parametrize(("line", "intent"), UNDERSTOOD, ids=[ascii(line)[:30] for line, _ in UNDERSTOOD])
def test_understood(line: str, intent: typed.Intent | menu.BeganMessage | None) -> None:
    assert parse(line) == intent


@pytest.mark.parametrize(("line", "code", "told"), REFUSED, ids=[ascii(line)[:30] for line, _, _ in REFUSED])
def test_refused(line: str, code: str, told: str) -> None:
    mistake = parse(line)
    assert isinstance(mistake, typed.Mistook)
    assert mistake.code == code
    assert told in mistake.text
    assert len(mistake.text) < 300


@pytest.mark.parametrize("line", ["/quit", " /x", "bob: hi", "exit", "//x", "Error: disk full", "   ", "12:30", "bob:"])
def test_raw_parses_nothing(line: str) -> None:
    assert parse(line, raw=True) == to_place(line)


def test_raw_still_keeps_the_limits() -> None:
    assert parse("", raw=True) is None
    assert parse("end\r\n", raw=True) == to_place("end")
    mistake = parse("x" * (LONGEST + 1), raw=True)
    assert isinstance(mistake, typed.Mistook)
    assert mistake.code == "too-long"


@pytest.mark.parametrize("command", menu.COMMANDS, ids=lambda command: command.name)
def test_every_command_is_known_by_its_whole_name(command: menu.Command) -> None:
    samples = {"NAME": "bob", "NAME|#ROOM": "bob", "TEXT": "hi", "[N|1h|NAME]": "3", "[COMMAND]": "who"}
    samples |= {"ACTION": "waves", "WORDS": "hi", "[TOPIC]": "roses", "[NAME]": "bob", "[private]": "private"}
    samples |= {"#ROOM": "#club", "[#ROOM]": "#club", "[NAME|#ROOM]": "#club", "[HOW]": "bell text"}
    samples |= {"[N]": "2", "NEW-TEXT": "hi", "SIGN": "👍", "[on|off]": "off"}
    samples |= {"[revoke]": "revoke", "[ID]": "abcd", "SETTING": "bell", "[SETTING]": "bell", "[VALUE]": "off"}
    line = " ".join(["/" + command.name, *(samples[kind] for kind in command.takes.split())])
    intent = parse(line)
    assert intent is not None
    assert not isinstance(intent, typed.Mistook)


ANY_LINE = st.text(st.characters(exclude_categories=()), max_size=60)
LINES = ANY_LINE | st.text(st.sampled_from("/ :#@ab1.\t\n\r\0\u200bо漢é\ud800"), max_size=20)
COMMAND_LINES = st.builds("/{} {}".format, st.sampled_from(sorted(menu.BY_NAME)), LINES)


@often
@given(LINES | COMMAND_LINES, st.booleans())
def test_no_line_makes_it_raise(line: str, raw: bool) -> None:
    intent = parse(line, raw)
    assert intent is None or isinstance(intent, typed.Typed)
    if isinstance(intent, Wrote):
        assert 1 <= len(intent.text.encode()) <= LONGEST
        assert intent.to is None or names.shown(intent.to) == intent.to


LETTERS = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=40)
LEGAL_LOOKING = st.builds("{}{}".format, LETTERS, st.text(st.sampled_from("ab09._-"), max_size=8))


@often
@given(LEGAL_LOOKING, st.sampled_from(["", " "]), ANY_LINE)
@example("https", "", "//x")
@example("12", "", "30")
@example("12", " ", "30")
@example("b" * 33, "", "x")
def test_what_looks_like_an_address_never_goes_to_everyone(head: str, blank: str, text: str) -> None:
    url = text.startswith("//") and not blank and head.isascii() and head[0].isalpha()
    time = text[:1] in tuple("0123456789") and not blank and set(head) <= set("0123456789.") and head[0] != "."
    intent = parse(f"{head}:{blank}{text}")
    if not url and not time:
        assert isinstance(intent, typed.Mistook) or (isinstance(intent, Wrote) and intent.to is not None)


@often
@given(ANY_LINE)
def test_a_command_that_is_not_known_is_never_sent(rest: str) -> None:
    for line in ("/" + rest.lstrip("/"), " /" + rest):
        intent = parse(line)
        assert not isinstance(intent, Wrote) or line.split()[0].casefold() in ("/say", "/sa", "/msg", "/ms")


@often
@given(
    ANY_LINE.filter(lambda text: text.strip("\r\n\ud800").strip() and not any("\ud800" <= c <= "\udfff" for c in text))
)
def test_say_sends_the_text_as_it_is(text: str) -> None:
    assert parse("/say " + text) == to_place(text.rstrip("\r\n"))
