"""The pure part of the screen: lines, unread counts, the last rows."""

from __future__ import annotations

import pytest

from console import rows
from console.colours import ON_DARK, ON_LIGHT, SIXTEEN, SIXTEEN_ON_LIGHT, STYLE, Names, palette, true_colours
from console.conversations import Conversations, Unread
from console.preferences import Preferences
from console.rows import ASCII, Signs, cut, measured
from console.screen import FOLDED_ROWS, ROW_CHARS, Page
from console.standing import Standing
from core import shown
from core.outbox import Waiting
from protocol.frames import Item
from tests.console.stage import NOON, arranged, message, page
from tests.console.test_output import EVENTS


def standing(online: bool = True, due: float | None = None, waiting: int = 0) -> Standing:
    items = [
        Waiting(n, Item("#lobby" if n > 1 else "bob", "none", f"text {n}".encode())) for n in range(1, waiting + 1)
    ]
    return Standing("me", "d", "#lobby", online, True, due, items, [], arranged())


def lines(some: Page) -> list[str]:
    return ["".join(text for _, text in line) for line in some.take()]


def mine() -> Page:
    some = page()
    some.is_called("me")
    return some


def test_further_lines_stand_behind_a_gutter() -> None:
    some = mine()
    some.show(message("bob", "one\n12:00 root: two"), NOON)
    assert lines(some) == ["12:00 bob  one\n      │ 12:00 root: two"]


def test_a_bot_bears_its_mark() -> None:
    some = mine()
    some.show(EVENTS["a bot"], NOON)
    assert [line[6:] for line in lines(some)] == ["echo (bot)  hi", "~ echo (bot) → alice hums"]


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (80, "/invite NAME [#ROOM]     let someone join a private room, and tell them\n/quit                    leave"),
        (40, "/invite NAME [#ROOM]\n    let someone join a private room,\n    and tell them\n/quit\n    leave"),
    ],
)
def test_columns_stand_below_one_another_where_there_is_no_room_beside(width: int, told: str) -> None:
    some = mine()
    some.width = width
    some.tell("/invite NAME [#ROOM]     let someone join a private room, and tell them\n/quit                    leave")
    assert lines(some) == [told]


def test_a_long_message_is_folded_but_not_in_the_history() -> None:
    some = mine()
    long = message("bob", "\n".join(str(number) for number in range(FOLDED_ROWS + 5)))
    some.show(long, NOON)
    (line,) = lines(some)
    assert line.endswith("│ 19\n      │ … 5 more lines, /history shows them")
    long.mine = True
    some.show(long, NOON)
    assert "│ 24" in lines(some)[1]


def test_a_long_row_is_cut() -> None:
    some = mine()
    some.show(message("bob", "x" * 20_000), NOON)
    (line,) = lines(some)
    assert line == f"12:00 bob  {'x' * ROW_CHARS}… {20_000 - ROW_CHARS} more characters, /history shows them"


@pytest.mark.parametrize(
    ("text", "calls"), [("me", True), ("hey ME!", True), ("messages", False), ("some", False), ("me: look", True)]
)
def test_a_mention_is_a_whole_word(text: str, calls: bool) -> None:
    some = mine()
    some.show(message("bob", text), NOON)
    assert ("«" in lines(some)[0]) == calls
    assert (some.caller is not None) == calls


def test_unread_is_what_came_elsewhere() -> None:
    some = mine()
    some.show(message("bob", "me?", to="#ops"), NOON)
    some.show(message("dave", "psst", to="me"), NOON)
    some.show(message("dave", "hello"), NOON)
    some.take()
    assert some.talks.unread == {"#ops": Unread(1, 1), "dave": Unread(1, 0)}
    some.goes_to("#ops")
    some.show(message("me", "yes?", to="dave"), NOON)
    some.take()
    assert some.talks.unread == {}


def test_a_burst_of_joins_is_one_line() -> None:
    some = mine()
    for number in range(5):
        some.show(shown.Came(room="#lobby", accounts=[f"n{number}"]), NOON)
    some.show(shown.Went(room="#lobby", accounts=["n1"]), NOON)
    assert lines(some) == ["12:00 → 5 people joined: n0, n1, n2, n3, n4", "12:00 ← n1 left"]
    assert some.heads == 4


def test_after_an_absence_heads_are_only_counted() -> None:
    some = mine()
    some.asks_heads()
    some.show(shown.Who(accounts=["bob", "me"]), NOON)
    assert (lines(some), some.heads) == ([], 2)
    some.show(shown.Who(accounts=["bob", "me"]), NOON)
    assert lines(some) == ["12:00 * here now: bob, me"]


def test_pending_rows_come_late_and_are_few() -> None:
    seen: dict[int, float] = {}
    assert rows.pending(standing(waiting=12), seen, 1.0, 80, Signs()) == []
    assert rows.pending(standing(waiting=12), seen, 1.1, 80, Signs()) == [
        "  ◷   → bob  text 1",
        "  ◷   text 2",
        "  ◷   text 3",
        "  …   9 more",
    ]
    assert rows.pending(standing(), seen, 1.2, 80, Signs()) == []
    assert seen == {}


def test_the_prompt_says_where_the_line_goes() -> None:
    def said(typed: str) -> str:
        return rows.prompt(standing(), "", typed, {"bob"}, Signs())[0][1]

    assert [said(typed) for typed in ("", "bob", "bob:", "Bob: hi", "12:30", "eve: hi")] == [
        "#lobby> ",
        "#lobby> ",
        "→ bob (private)> ",
        "→ Bob (private)> ",
        "#lobby> ",
        "#lobby> ",
    ]
    assert rows.prompt(standing(), "To: ", "bob:", {"bob"}, Signs())[0][1] == "To: "


def test_the_status_line_keeps_what_matters() -> None:
    talks = Conversations()
    talks.came("dave", mentions=False)
    for number in range(12):
        talks.came("#ops", mentions=not number)

    def line(width: int, signs: Signs) -> str:
        return rows.status(standing(online=False, due=14.2, waiting=1), 6, talks, 10.0, width, signs)

    whole = " ○ OFFLINE, retry in 4 s │ me │ #lobby 6 │ unread 2 dave:1, 3 #ops:12! │ outbox 1 │ /help"
    assert line(100, Signs()) == whole
    assert line(100, ASCII).isascii()
    for width in range(5, 100):
        assert measured(line(width, Signs())) < width
    assert line(60, Signs()) == " ○ OFFLINE, retry in 4 s │ me │ unread 2 dave:1, 3 #ops:12!"
    assert line(50, Signs()) == " ○ OFFLINE, retry in 4 s │ unread 2 dave:1, +1"
    assert line(46, Signs()) == " ○ OFFLINE, retry in 4 s │ 13! unread in 2"


def test_a_cut_line_fits() -> None:
    for text in ("plain", "漢字" * 20, "👍🏽 and more 👨\u200d👩", "é" * 30):
        for width in range(1, 40):
            assert measured(cut(text, width)) <= width


def colours(environment: dict[str, str], **given: str) -> tuple[str, ...]:
    return palette(preferred(environment, **given), environment)


def preferred(environment: dict[str, str], **given: str) -> Preferences:
    counted = Preferences(environment)
    for name, value in given.items():
        counted.give(name, value)
    return counted


def test_colours() -> None:
    assert colours({}) == SIXTEEN
    assert colours({"NO_COLOR": "1", "COLORTERM": "truecolor"}) == ()
    assert colours({"COLORTERM": "truecolor"}) == SIXTEEN
    assert colours({"COLORTERM": "truecolor", "COLORFGBG": "15;0"}) == ON_DARK
    assert colours({"COLORTERM": "24bit", "COLORFGBG": "0;default;15"}) == ON_LIGHT
    names = Names(lambda: SIXTEEN)
    names.look()
    assert len({names.style(f"name {number}") for number in range(6)}) == 6
    assert names.style("name 1") == names.style("name 1")
    assert Names(lambda: ()).style("bob") == "bold"


def test_what_somebody_wants_counts_more_than_what_a_terminal_says() -> None:
    assert colours({}, colours="truecolor") == ON_DARK
    assert colours({}, colours="truecolor", background="light") == ON_LIGHT
    assert colours({"COLORFGBG": "0;15"}, colours="truecolor") == ON_LIGHT
    assert colours({"COLORTERM": "truecolor", "COLORFGBG": "0;15"}, background="dark") == ON_DARK
    assert colours({"COLORTERM": "truecolor", "COLORFGBG": "0;15"}, colours="16") == SIXTEEN_ON_LIGHT
    assert colours({}, background="light") == SIXTEEN_ON_LIGHT
    assert colours({"COLORFGBG": "15;0"}) == SIXTEEN
    assert colours({"COLORTERM": "truecolor"}, colours="none") == ()
    assert not true_colours(preferred({}, colours="16"), {"COLORTERM": "truecolor"})


def test_names_change_their_colours_with_the_palette() -> None:
    some = [SIXTEEN]
    names = Names(lambda: some[0])
    names.look()
    assert names.style("bob") in SIXTEEN
    some[0] = ON_DARK
    names.look()
    assert names.style("bob") in ON_DARK


def test_an_action_bears_a_mark_and_looks_like_no_notice() -> None:
    some = mine()
    some.show(message("bob", "/me waves"), NOON)
    some.show(message("bob", "/mention is no action"), NOON)
    assert lines(some) == ["12:00 ~ bob waves", "12:00 bob  /mention is no action"]


def test_what_a_search_has_found_stands_with_its_place() -> None:
    some = mine()
    (envelope,) = message("bob", "tea at five").envelopes
    some.show(shown.Found(words="tea", items=[("#lobby", 1, envelope)], more=True), NOON)
    found, told = lines(some)
    assert found == "12:00 bob  tea at five"
    assert "these are the last 1 for: tea" in told
    some.show(shown.Found(words="rum", items=[], more=False), NOON)
    (told,) = lines(some)
    assert "nothing was found for: rum" in told


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_event_can_be_shown(event: shown.Shown) -> None:
    some = mine()
    some.show(event, NOON)
    assert all(isinstance(line, str) for line in lines(some))


def contrast(colour: str, background: float) -> float:
    """As WCAG has it; ``background`` is a luminance, 0 for black and 1 for white."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return (max(luminance, background) + 0.05) / (min(luminance, background) + 0.05)


def test_colours_of_ours_can_be_read() -> None:
    assert min(contrast(colour, 0.0) for colour in ON_DARK) >= 4.5
    assert min(contrast(colour, 1.0) for colour in ON_LIGHT) >= 5.0
    assert not any("#" in style or "ansi" in style for style in STYLE.values())  # all else is the terminal's own
