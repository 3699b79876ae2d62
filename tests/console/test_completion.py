"""What Tab offers, and in which order."""

from __future__ import annotations

import pytest

from console.completion import Around, offers

AROUND = Around(
    ["bob", "Bobby", "alice"], ["#lobby", "#garden", "#Games"], aliases={"shrug": "¯ ¯", "hi": "/msg bob hello"}
)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", []),
        ("bo", ["bob: ", "Bobby: "]),
        ("BO", ["bob: ", "Bobby: "]),
        ("ask al", ["alice"]),
        ("see #ga", ["#Games", "#garden"]),
        ("#ga", ["#Games", "#garden"]),
        ("one\nbo", ["bob", "Bobby"]),
        ("one\n/he", []),
        ("nobody-here", []),
        ("ask ", []),
        ("/his", ["/history "]),
        ("/un", ["/unban ", "/unignore ", "/unmute ", "/unread ", "/unset "]),
        ("//his", []),
        ("/join #ga", ["#Games ", "#garden "]),
        ("/join ", ["#Games ", "#garden ", "#lobby "]),
        ("/join #garden p", ["private "]),
        ("/join #garden private x", []),
        ("/j #ga", ["#Games ", "#garden "]),
        ("/to b", ["bob ", "Bobby "]),
        ("/to #l", ["#lobby "]),
        ("/msg bob hello al", ["alice "]),
        ("/help wh", ["who ", "whois "]),
        ("/notify osc9 b", ["bell "]),
        ("/notify o", ["off ", "osc777 ", "osc9 ", "osc99 "]),
        ("/h", ["/help ", "/hi ", "/history "]),
        ("/hi al", ["alice "]),
        ("/shrug al", ["alice"]),
        ("/help h", ["help ", "history "]),
        ("/set t", ["time "]),
        ("/unset no", ["notify "]),
        ("/unset notify b", []),
        ("/set Time 1", ["12h "]),
        ("/set notify bell os", ["osc777 ", "osc9 ", "osc99 "]),
        ("/set broker t", []),
        ("/set nothing t", []),
        ("/devices re", ["revoke "]),
        ("/devices revoke b", []),
        ("/who b", []),
        ("/nothing b", []),
        ("/un b", []),
    ],
)
def test_offers(typed: str, found: list[str]) -> None:
    count, offered = offers(typed, AROUND)
    assert offered == found
    assert not offered or not set(typed[len(typed) - count :]) & set(" \n")


def test_an_answer_is_a_bare_name() -> None:
    assert offers("bo", Around(["bob"], [], asked=True)) == (2, ["bob"])
