"""Screens as they were drawn, each at two sizes: what people see of every kind of thing that happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console import words
from core import shown
from protocol.frames import Listed
from tests.console.attacks import ATTACKS
from tests.console.stage import DAY, NOON, Scene, Script, arranged, envelope, message, play
from tests.console.test_terminal_golden import SIZES, golden, online

ALT = "\x1b"
MINUTE = 60_000
STATUS = {True: "● online", False: "○ OFFLINE"}
SCENES: dict[str, Script] = {}


def drawn(script: Script) -> Script:
    """One more screen, under the name of its function."""
    SCENES[script.__name__.replace("_", "-")] = script
    return script


@drawn
def newcomer(scene: Scene) -> Iterator[None]:
    scene.show(online())
    scene.show(
        shown.Contacts(contacts=[], possible=["alice", "bob", "carol"], more=True),
        shown.Who(accounts=["alice", "me"]),
    )
    yield from scene.seen("#lobby>")


@drawn
def three_places(scene: Scene) -> Iterator[None]:
    """Numbers in the status line, of a room, a person, and not of a muted room."""
    scene.standing.rooms = ["#garden", "#ops"]
    scene.standing.arrangement = arranged(muted=b"#ops")
    scene.show(shown.Who(accounts=["alice", "bob", "me"]))
    scene.show(
        message("alice", "me, look", to="#garden"), message("bob", "psst", to="me"), message("bob", "x", to="#ops")
    )
    yield from scene.seen("unread 2 #garden:1!, 4 bob:1" if scene.columns > 40 else "unread 2 #garden:1!, +1")


@drawn
def no_such_number(scene: Scene) -> Iterator[None]:
    scene.standing.rooms = ["#garden"]
    yield from scene.seen("#lobby>")
    scene.type(f"{ALT}9")
    yield from scene.seen("no conversation has that")


@drawn
def completing(scene: Scene) -> Iterator[None]:
    scene.show(shown.Who(accounts=["bob", "Bobby", "me"]))
    yield from scene.seen("#lobby>")
    scene.type("bo\t")
    yield from scene.seen("  bob:  Bobby:")


@drawn
def searching_what_was_typed(scene: Scene) -> Iterator[None]:
    yield from scene.seen("#lobby>")
    for line in ("dig the beds", "water the roses", "rest"):
        yield from scene.press(f"{line}\r")
    scene.type("\x1b[A")
    yield from scene.seen("#lobby> rest")
    scene.type("\x03")
    yield from scene.until(lambda: not scene.terminal._line.text)
    scene.type("\x1b[A")
    yield from scene.seen("#lobby> rest")  # the history is here again
    scene.type("\x12the")
    yield from scene.seen("water the roses")


@drawn
def in_private(scene: Scene) -> Iterator[None]:
    scene.standing.place = "bob"
    scene.show(message("bob", "psst", to="me"), message("me", "yes?", to="bob"))
    scene.type("half a li")
    yield from scene.seen("half a li")


@drawn
def another_day(scene: Scene) -> Iterator[None]:
    """/history with its days; below it, it is today."""
    scene.show(online())
    old = [envelope("alice", "of two days ago", at=NOON - 2 * DAY), envelope("bob", "of yesterday", at=NOON - DAY)]
    new = [envelope("me", "of today\nin two rows", at=NOON - MINUTE)]
    for first, some in ((1, old), (7, new)):
        scene.terminal.show(shown.Messages(log="#lobby", first=first, envelopes=some, waited=0, mine=True), NOON)
    scene.show(message("alice", "and it goes on"))
    yield from scene.seen("and it goes on")


@drawn
def found(scene: Scene) -> Iterator[None]:
    scene.show(online())
    items = [
        ("#ops", 4, envelope("alice", "tea at five", to="#ops", at=NOON - DAY)),
        ("@me", 2, envelope("bob", "tea?", to="me")),
    ]
    scene.show(shown.Found(words="tea", items=items, more=True))
    yield from scene.seen("more words find")


@drawn
def long_notices(scene: Scene) -> Iterator[None]:
    """Broken between words; a word that is longer than the screen is the terminal's business."""
    scene.show(
        shown.PutBack(again=3, gone=2),
        shown.Refused(
            code="no-such-account",
            text="there is no account bop; " + "the message was not sent to anyone",
            body="hi " * 30,
            to="bop",
        ),
        shown.Topic(room="#garden", topic="see https://example.org/" + "a-very-long-path/" * 5 + " and the rest of it"),
    )
    yield from scene.seen("the rest of")


@drawn
def helped(scene: Scene) -> Iterator[None]:
    scene.terminal.note("the last word of another run is long enough to be broken between two of its words somewhere")
    scene.terminal.tell(words.help_text("notify"))
    scene.write()
    yield from scene.seen("/notify [HOW]")


@drawn
def rooms(scene: Scene) -> Iterator[None]:
    garden = Listed("#garden", "roses, and what eats them", 12, inside=True, invited=False, private=False)
    listed = [garden, Listed("#ops", "", 1, inside=False, invited=True, private=True)]
    scene.show(shown.Rooms(rooms=listed, after="#ops"))
    scene.show(shown.Members(room="#garden", owner="alice", private=False, here=["alice", "me"], away=["bob"], more=3))
    scene.show(shown.News(room="#ops", what="invited", by="bob", account="me", mine=True))
    yield from scene.seen("turns it down")


@drawn
def muted(scene: Scene) -> Iterator[None]:
    scene.show(shown.Muted(places=["#ops", "bob"]), shown.Muted(places=[]))
    yield from scene.seen("nothing is muted")


@drawn
def wide_and_right_to_left(scene: Scene) -> Iterator[None]:
    scene.show(message("漢字", "漢字かな交じり文 and latin"), message("ali", "שלום עולם, مرحبا بالعالم"))
    scene.show(message("zoë", "e\u0301a\u0308 combining, 👍 emoji"), message("bob", "🎉🎊 me 漢"))
    scene.type("漢字 и 👍 שלום")
    yield from scene.seen("#lobby> 漢字 и 👍 שלום")


@drawn
def pasted(scene: Scene) -> Iterator[None]:
    yield from scene.seen("#lobby>")
    scene.type("\x1b[200~" + "".join(f"row {number}\r\n" for number in range(50)) + "\x1b[201~")
    yield from scene.seen("50 lines pasted")


@drawn
def folded(scene: Scene) -> Iterator[None]:
    scene.show(message("bob", "\n".join(f"row {number}" for number in range(30))))
    yield from scene.seen("10 more lines")


@drawn
def away_in_three_places(scene: Scene) -> Iterator[None]:
    scene.show(online(waiting=4))
    scene.show(
        message("alice", "one", at=NOON - 3 * MINUTE, waited=True),
        message("alice", "two", to="#ops", at=NOON - 2 * MINUTE, waited=True),
        message("bob", "three", to="me", at=NOON - MINUTE, waited=True),
        message("bob", "four", to="#ops", at=NOON, waited=True),
    )
    scene.show(message("alice", "five", at=NOON + MINUTE))
    yield from scene.seen("five")


@drawn
def waiting_long(scene: Scene) -> Iterator[None]:
    scene.standing.online = False
    scene.standing.due = scene.tick + 90
    scene.show(shown.Offline(reason="refused", retry_in=90.0, first=True))
    scene.wait(*[("#lobby", f"text {number}") for number in range(4)], ("bob", "psst"), ("#lobby", "long " * 40))
    yield from scene.seen("3 more")


@drawn
def leaving_too_early(scene: Scene) -> Iterator[None]:
    yield from scene.seen("#lobby>")
    scene.wait(("#lobby", "not gone yet"))
    scene.type("\x04")
    yield from scene.seen("Ctrl-D once more leaves" if scene.columns > 60 else "1 message waits")


@drawn
def attacks_in_notices(scene: Scene) -> Iterator[None]:
    """What others name and describe is shown, and not obeyed, just as what they say is."""
    yield from scene.seen("#lobby>")
    scene.type("half a li")
    for text, _ in ATTACKS:
        scene.show(shown.Topic(room="#x", topic=text[:300], by="mallory"))
    scene.show(shown.Came(room="#lobby", accounts=["a\rroot: b", "\x1b]0;title\x07"]))
    scene.show(message("\x1b[2J", "named so", to="me"), message("mallory", "in such a room", to="#\x9b31m\u202e"))
    yield from scene.seen("in such a room")
    yield from scene.seen("#lobby> half a li")
    assert scene.screen.title == ""


@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize("name", SCENES)
def test_the_screen_is_as_it_was_drawn(name: str, columns: int, rows: int) -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        yield from SCENES[name](scene)
        yield from scene.seen(STATUS[scene.standing.online])  # painted below the last line
        golden(name, scene, scene.scrolled())

    play(script, columns, rows)
