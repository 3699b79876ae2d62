"""How a device is arranged: drafts, quiet places; and that the journal has all of it."""

from __future__ import annotations

from core import shown, typed
from core.arrangement import DRAFTS_KEPT, Arrangement
from core.clock import Instant
from core.commands import Command, Remember, Show

NOW = Instant(0.0, 0)


def told(arrangement: Arrangement, event: typed.Typed) -> list[Command]:
    return arrangement.table[type(event)](event, NOW)


def again(commands: list[Command], before: dict[str, bytes] | None = None) -> Arrangement:
    """What another run makes of what this one remembered."""
    facts = {each.key: each.value for each in commands if isinstance(each, Remember)}
    return Arrangement((before or {}) | facts)


def muted(commands: list[Command]) -> list[str]:
    (show,) = [each.shown for each in commands if isinstance(each, Show)]
    assert isinstance(show, shown.Muted)
    return show.places


def test_a_quiet_place_is_quiet_however_it_is_written() -> None:
    arrangement = Arrangement({})
    told(arrangement, typed.MutedPlace(place="Bob"))
    both = told(arrangement, typed.MutedPlace(place="#Garden"))
    assert muted(both) == muted(told(arrangement, typed.AskedMuted())) == ["Bob", "#Garden"]
    for one in (arrangement, again(both)):
        quiet = [one.mutes(place) for place in ("bob", "#garden", "#lobby", "eve", "?")]
        assert quiet == [True, True, False, False, False]
    assert muted(told(arrangement, typed.UnmutedPlace(place="BOB"))) == ["#Garden"]
    assert muted(told(arrangement, typed.UnmutedPlace(place="#GARDEN"))) == []
    assert muted(told(arrangement, typed.UnmutedPlace(place="never"))) == []


def test_drafts_are_kept_once_and_not_for_ever() -> None:
    arrangement = Arrangement({})
    texts = {"#lobby": "two\nlines", "bob": "half \ud83d a pair"}
    kept = told(arrangement, typed.Drafted(texts=texts))
    assert again(kept).drafts == {"#lobby": "two\nlines", "bob": "half ? a pair"}
    assert told(arrangement, typed.Drafted(texts=dict(texts))) == []
    assert again(told(arrangement, typed.Drafted(texts={}))).drafts == {}
    many = {f"n{number}": "x" for number in range(DRAFTS_KEPT + 5)}
    assert list(again(told(arrangement, typed.Drafted(texts=many))).drafts) == list(many)[5:]


def test_what_is_damaged_is_no_reason_not_to_start() -> None:
    for damage in (b"", b"{", b"[1]", b"\xff"):
        assert Arrangement({"drafts": damage}).drafts == {}
    assert Arrangement({"muted": b"\xff bob"}).mutes("bob")
