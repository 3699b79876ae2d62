"""How a device is arranged: drafts, quiet places, ways to call; and that the journal has all of it."""

from __future__ import annotations

from core import shown, typed
from core.arrangement import DRAFTS_KEPT, Arrangement
from core.clock import Instant
from core.commands import Command, Remember, Show
from core.places import Places

NOW = Instant(0.0, 0)


def told(arrangement: Arrangement, event: typed.Typed) -> list[Command]:
    return arrangement.table[type(event)](event, NOW)


def again(commands: list[Command], before: dict[str, bytes] | None = None) -> Arrangement:
    """What another run makes of what this one remembered."""
    facts = {each.key: each.value for each in commands if isinstance(each, Remember)}
    return Arrangement(Places("#lobby"), (before or {}) | facts)


def calling(commands: list[Command]) -> shown.Calling:
    (show,) = [each.shown for each in commands if isinstance(each, Show)]
    assert isinstance(show, shown.Calling)
    return show


def test_a_bell_calls_unless_something_else_was_chosen() -> None:
    arrangement = Arrangement(Places("#lobby"), {})
    assert arrangement.ways == ("bell",)
    chosen = told(arrangement, typed.ChoseCalling(ways=("osc9", "title")))
    assert again(chosen).ways == arrangement.ways == ("osc9", "title")
    assert calling(told(arrangement, typed.AskedCalling())).ways == ["osc9", "title"]
    assert again(told(arrangement, typed.ChoseCalling(ways=()))).ways == ()


def test_a_quiet_place_is_quiet_however_it_is_written() -> None:
    arrangement = Arrangement(Places("#Garden"), {})
    told(arrangement, typed.MutedPlace(place="Bob"))
    both = told(arrangement, typed.MutedPlace())
    assert calling(both).muted == ["Bob", "#Garden"]
    for one in (arrangement, again(both)):
        assert [one.mutes(place) for place in ("bob", "#garden", "#lobby", "eve", "?")] == [
            True,
            True,
            False,
            False,
            False,
        ]
    told(arrangement, typed.UnmutedPlace(place="BOB"))
    assert calling(told(arrangement, typed.UnmutedPlace())).muted == []
    assert calling(told(arrangement, typed.UnmutedPlace(place="never"))).muted == []


def test_drafts_are_kept_once_and_not_for_ever() -> None:
    arrangement = Arrangement(Places("#lobby"), {})
    texts = {"#lobby": "two\nlines", "bob": "half \ud83d a pair"}
    kept = told(arrangement, typed.Drafted(texts=texts))
    assert again(kept).drafts == {"#lobby": "two\nlines", "bob": "half ? a pair"}
    assert told(arrangement, typed.Drafted(texts=dict(texts))) == []
    assert again(told(arrangement, typed.Drafted(texts={}))).drafts == {}
    many = {f"n{number}": "x" for number in range(DRAFTS_KEPT + 5)}
    assert list(again(told(arrangement, typed.Drafted(texts=many))).drafts) == list(many)[5:]


def test_what_is_damaged_is_no_reason_not_to_start() -> None:
    for damage in (b"", b"{", b"[1]", b"\xff"):
        assert Arrangement(Places("#lobby"), {"drafts": damage}).drafts == {}
    odd = Arrangement(Places("#lobby"), {"muted": b"\xff bob", "called": b"\xff bell drum"})
    assert odd.mutes("bob")
    assert odd.ways == ("bell",)
