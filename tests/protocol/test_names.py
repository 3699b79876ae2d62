"""Names: what may be one, and when two are the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from protocol import limits, names

GOOD = {
    "alice": "alice",
    "Alice": "alice",
    "Pavel_2": "pavel_2",
    "a.b-c_d": "a.b-c_d",
    "7": "7",
    "x" * 32: "x" * 32,
    "Straße": "strasse",
    "ÉLAN": "élan",
    "E\u0301lan": "élan",
    "e\u0301" * 32: "é" * 32,
    "Ａｌｉｃｅ": "alice",
    "Дима": "дима",
    "ΑΛΈΞΗΣ": "αλέξησ",
    "Αλέξης": "αλέξησ",
    "שלום": "שלום",
    "שלום1": "שלום1",
    "علي٣": "علي٣",
    "علي۳": "علي۳",
    "नमस्ते": "नमस्ते",
    "ไทย": "ไทย",
    "한국어": "한국어",
    "佐々木": "佐々木",
    "かな漢字カナ": "かな漢字カナ",
    "ｶﾞﾗ": "ガラ",
    "ᏣᎳᎩ": "ᏣᎳᎩ",
}

BAD = {
    "": "empty",
    "x" * 33: "33 characters",
    "ß" * 17: "34 characters",
    ".alice": "begin with a letter or a digit",
    "_alice": "begin with a letter or a digit",
    "-": "begin with a letter or a digit",
    "\u093eक": "begin with a letter or a digit",
    "a b": "U+0020",
    "a\tb": "U+0009",
    "a\nb": "U+000A",
    "a\x00": "U+0000",
    "a\x1b[2J": "U+001B",
    "a\x9b": "U+009B",
    "a\u00a0b": "not",
    "ali\u200bce": "U+200B",
    "ali\u200dce": "U+200D",
    "क्\u200dष": "U+200D",
    "a\u202ecila": "U+202E",
    "a\u2066b": "U+2066",
    "a\ufeff": "U+FEFF",
    "\ud800": "U+D800",
    "a\U000e0041": "U+E0041",
    "\u3164": "letters",  # HANGUL FILLER, a letter that nobody sees
    "\u115f": "letters",
    "a\ufe0f": "letters",
    "#lobby": "not #",
    "@alice": "not @",
    "a:b": "not :",
    "a/b": "not /",
    "a,b": "not ,",
    "o'neil": "not '",
    "l·l": "not ·",
    "😀": "not 😀",
    "ﬁn": "not ﬁ",
    "a²": "not ²",
    "①": "not ①",
    "аlice": "more than one script",  # its first letter is Cyrillic
    "aliсe": "more than one script",  # its fourth is
    "Αlice": "more than one script",  # Greek
    "ไทยa": "more than one script",
    "한국漢字": "more than one script",
    "שלוםa": "letters",  # right to left and left to right
    "1שלום": "letters",
    "a١": "letters",
    "Z\u0335": "letters",  # an overlay that no letter composes with
}

LATIN = "abzABZéÉßøŁı09._-"
SCRIPTS = {
    "latin": LATIN,
    "greek": "αβγΑΒΓέςΣΐᾳ12",
    "cyrillic": "абвАБВёЁїЇ34",
    "cherokee": "ᏣᎳᎩꮳꮃꭹ",
    "georgian": "აბგᲐᲑᲒ",
    "armenian": "աբգԱԲԳ",
    "japanese": "漢字々かなカナーｶﾅ",
    "hangul": "한국어",
    "hebrew": "אבג12",
    "arabic": "ابج٣",
    "devanagari": "कखगािी१२",
}
words = st.sampled_from(list(SCRIPTS.values())).flatmap(lambda signs: st.text(signs, max_size=34))
near_names = st.one_of(
    words, words.map(str.swapcase), st.text(max_size=8), st.text(LATIN + "а\u0301\u200b ", max_size=8)
)


def is_name(text: str) -> bool:
    try:
        names.key(text)
    except names.BadName:
        return False
    return True


@pytest.mark.parametrize("typed", GOOD)
def test_good_names_have_one_compared_form(typed: str) -> None:
    assert names.key(typed) == GOOD[typed]


@pytest.mark.parametrize("typed", BAD, ids=ascii)
def test_bad_names_are_refused_with_a_reason_that_can_be_shown(typed: str) -> None:
    with pytest.raises(names.BadName) as refusal:
        names.key(typed)
    assert BAD[typed] in str(refusal.value)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Alice", "aLICE"), ("Straße", "STRASSE"), ("Αλέξης", "ΑΛΈΞΗΣ"), ("é", "e\u0301"), ("Ａ", "a"), ("\u212a", "k")],
)
def test_two_spellings_of_one_name(one: str, other: str) -> None:
    assert names.key(one) == names.key(other)


@pytest.mark.parametrize(("one", "other"), [("i", "ı"), ("e", "е"), ("o", "ο"), ("a.b", "ab")])
def test_two_names_that_only_look_alike(one: str, other: str) -> None:
    assert names.key(one) != names.key(other)


@settings(max_examples=400)
@given(near_names)
def test_a_key_is_a_name_and_its_own_key(typed: str) -> None:
    assume(is_name(typed))
    key = names.key(typed)
    assert names.key(key) == key
    assert 1 <= len(key) <= limits.NAME_CHARS


@settings(max_examples=200)
@given(near_names)
def test_what_is_shown_is_compared_alike_and_is_composed(typed: str) -> None:
    assume(is_name(typed))
    shown = names.shown(typed)
    assert names.key(shown) == names.key(typed)
    assert names.shown(shown) == shown
    assert len(shown) <= limits.NAME_CHARS


@settings(max_examples=400)
@given(st.one_of(near_names, st.text(max_size=40), st.text("a\u202a\u2066\u200f\u0001\u0085\u2028\u00ad", max_size=4)))
def test_nothing_unseen_is_ever_in_a_key(typed: str) -> None:
    if not is_name(typed):
        return
    for sign in names.key(typed):
        assert sign in "._-" or unicodedata.category(sign) in {"Ll", "Lo", "Lm", "Lu", "Mn", "Mc", "Nd"}
        assert unicodedata.bidirectional(sign) in {"L", "R", "AL", "EN", "AN", "NSM", "CS", "ES", "ET", "ON"}
        assert sign in "._-" or sign.isprintable()


@settings(max_examples=200)
@given(st.sampled_from(["latin", "cyrillic", "greek", "armenian", "cherokee", "hangul"]), st.data())
def test_letters_of_two_scripts_are_never_one_name(first: str, draw: st.DataObject) -> None:
    second = draw.draw(st.sampled_from([script for script in SCRIPTS if script != first]))
    both = [draw.draw(st.text(list(filter(str.isalpha, SCRIPTS[script])), min_size=1)) for script in (first, second)]
    assert not is_name("".join(draw.draw(st.permutations(both))))


def test_every_sign_of_unicode_gives_a_key_of_its_own_or_a_reason() -> None:
    for code in range(0x110000):
        sign = chr(code)
        if unicodedata.category(sign) in {"Cn", "Co", "Lo"}:
            continue  # most of Unicode: unassigned, private, or letters without a case
        if is_name(sign):
            assert names.key(names.key(sign)) == names.key(sign), ascii(sign)


def test_rooms_are_names_behind_a_hash() -> None:
    assert names.room_key("#Garden") == "#garden"
    assert names.room_key(names.LOBBY) == names.LOBBY
    for bad in ("garden", "#", "##garden", "# garden", ""):
        with pytest.raises(names.BadName):
            names.room_key(bad)


def test_a_mailbox_is_no_name_and_no_room() -> None:
    assert names.mailbox("alice") == "@alice"
    assert not is_name(names.mailbox("alice"))


def test_every_log_fits_its_field() -> None:
    assert len(names.mailbox(names.key("x" * limits.NAME_CHARS))) <= limits.LOG_CHARS
    assert len("#" + "e\u0301" * limits.NAME_CHARS) <= limits.LOG_CHARS
