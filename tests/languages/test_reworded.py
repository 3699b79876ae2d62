"""What comes as English is said again in the reader's language: refusals by their code, notices, failures."""

from __future__ import annotations

from string import Formatter

import pytest

from console import words
from console.language import of_locale, reworded, told, worded
from console.objects import encode_line, objects
from console.output import Plain
from core import shown
from protocol import errors, names
from protocol.errors import Told
from store import StoreDamaged
from tests.console.test_output import EVENTS, NOW, local

CODES = [(code, table) for table in (errors.SENTENCES, words.REFUSALS) for code in table]


def filled(sentence: str) -> dict[str, str]:
    """Something for each place, with what is in sentences too."""
    return {place: f"a; {place} ({{}}: #x" for _, place, _, _ in Formatter().parse(sentence) if place}


@pytest.mark.parametrize(("code", "table"), CODES)
def test_a_refusal_is_said_by_its_code_with_its_places(code: str, table: dict[str, str], russian: None) -> None:
    sentence = table[code]
    places = filled(sentence)
    assert words.said(code, sentence.format(**places)) == worded(sentence, **places) != sentence.format(**places)


@pytest.mark.parametrize("reason", names.REASONS)
def test_why_something_is_no_name_is_said_within(reason: str, russian: None) -> None:
    why = reason.format(**filled(reason))
    text = errors.sentence("bad-name", name="x y", why=why)
    assert (
        words.said("bad-name", text) == f"x y не может быть именем: {worded(reason, **filled(reason))}; выберите другое"
    )


def test_what_nobody_knows_is_shown_as_it_came(russian: None) -> None:
    assert words.said("closing", "back at noon") == "back at noon"
    assert words.said("unheard-of", "it is {late}") == "it is {late}"
    assert words.said("bad-name", "x can't be a name: {odd}; choose another").startswith(
        "x не может быть именем: {odd}"
    )
    assert words.notice("the moon is full") == "the moon is full"


def test_a_notice_is_said_too(russian: None) -> None:
    assert words.notice(shown.PASSWORD_CHANGED).startswith("пароль сменён")
    assert words.notice(errors.sentence("store-down")).startswith("брокер сейчас не может писать")
    assert words.notice("there is nothing of bob in the history") == "в истории нет ничего из bob"


def test_the_same_place_twice_means_the_same_thing(russian: None) -> None:
    sentence = "{by} invites you to {room}: /join {room} goes there, /leave {room} turns it down"
    text = sentence.format(by="al", room="#x")
    assert reworded(text, [sentence]).startswith("al приглашает вас в #x")
    assert reworded(text.replace("/leave #x", "/leave #y"), [sentence]).startswith("al invites")


def test_a_failure_says_what_to_do_and_what_is_told_within(russian: None) -> None:
    damaged = StoreDamaged("{path} is damaged ({error}); {cure}", path="f", error="E", cure="delete it")
    assert str(damaged) == "f is damaged (E); delete it"
    assert told(damaged) == "f повреждён (E); delete it"
    within = Told("it needs a text or a body")
    outer = Told("line {line} is none that export has written ({why}); nothing was imported", line=3, why=within)
    assert told(outer) == "строка 3 не из тех, что пишет export (в ней нужен текст или тело); ничего не загружено"
    assert str(outer) == "line 3 is none that export has written (it needs a text or a body); nothing was imported"


@pytest.mark.parametrize("name", EVENTS)
def test_scripts_read_the_same_in_every_language(name: str, request: pytest.FixtureRequest) -> None:
    in_english = [encode_line(thing) for thing in objects(EVENTS[name])]
    request.getfixturevalue("russian")
    assert [encode_line(thing) for thing in objects(EVENTS[name])] == in_english


def test_people_read_russian(russian: None) -> None:
    refused = shown.Refused(code="no-such-account", text="there is no account bob; the message was not sent to anyone")
    ((_, line),) = Plain(local).lines(refused, NOW)
    assert line.endswith("* учётной записи bob нет; сообщение никому не отправлено")


@pytest.mark.parametrize(
    ("settings", "language"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "ru_RU@x"}, "ru"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ru_UA"}, "ru"),
        ({"LC_ALL": "C.UTF-8", "LANG": "ru_RU.UTF-8"}, "en"),
        ({"LANG": "run"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_locale_says_which_language(settings: dict[str, str], language: str) -> None:
    assert of_locale(settings) == language
