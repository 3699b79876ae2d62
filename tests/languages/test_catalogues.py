"""Each language says everything, says it whole, and puts the same things into the same places."""

from __future__ import annotations

import ast
import re
from string import Formatter

import pytest

from console import menu
from console.language import LANGUAGES, Catalogue, entries, worded
from protocol import errors
from tests.languages.catalogues import FILES, FORMS, Entry, read, written
from tests.languages.sentences import ROOT, Text, called, calls, collected, in_code, programs

TEXTS = collected()
# Who says something to a person: what is handed over was looked up.
SPEAKERS = {"say", "fail", "_fail", "error", "note", "Refused", "add_argument_group"}
# What stands before a sentence in every language.
HEADS = {"restante: "}
# What is for programs, in every language.
CODES = errors.SENTENCES.keys()


def places(sentence: str) -> set[str]:
    return {place for _, place, _, _ in Formatter().parse(sentence) if place is not None}


def words(sentence: str) -> str:
    """A sentence without its places."""
    return "".join(literal for literal, _, _, _ in Formatter().parse(sentence))


def named(sentence: str) -> set[str]:
    """The commands and options in it."""
    return set(re.findall(r"(?<![\S])/[a-z]+|--[a-z-]+", sentence))


def forms(entry: Entry) -> list[str]:
    return [text for field, text in entry.items() if field.startswith("msgstr")]


@pytest.mark.parametrize("language", FILES)
def test_the_catalogue_has_all_sentences_and_no_others(language: str) -> None:
    """If not: make catalogues, then translate what is new."""
    path = FILES[language]
    assert path.read_text("utf-8") == written(read(path), TEXTS)


@pytest.mark.parametrize("language", FILES)
def test_everything_is_translated(language: str) -> None:
    assert [english for english, entry in read(FILES[language]).items() if not all(forms(entry))] == []


def test_there_is_a_catalogue_for_each_language() -> None:
    assert sorted(path.stem for path in (ROOT / "console" / "languages").iterdir()) == sorted(LANGUAGES[1:])


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.english[:40])
def test_places_margins_and_commands_are_the_same(text: Text) -> None:
    for language, path in FILES.items():
        for form in forms(read(path)[text.english]):
            assert places(form) == places(text.english), language
            assert form.startswith(" ") == text.english.startswith(" "), language
            assert re.findall(r"\s*$", form) == re.findall(r"\s*$", text.english), language
            assert named(form) == named(text.english), language


def test_russian_is_written_in_russian() -> None:
    known = read(FILES["ru"])
    strange = [
        form
        for text in TEXTS
        for form in forms(known[text.english])
        if re.search(r"[a-z]{2}", words(text.english)) and not re.search("[а-яё]", form)
    ]
    assert strange == []


def test_a_sentence_in_the_code_is_whole() -> None:
    with pytest.raises(AssertionError, match=r"here\.py:1: a sentence has named places"):
        list(in_code('worded(f"no {room}")', "here.py"))
    with pytest.raises(AssertionError, match=r"here\.py:2"):
        list(in_code('\nSentence("one " + word)', "here.py"))
    assert list(in_code('counted("{count} a", "{count} b", 2)\nworded(some)', "x.py")) == [
        Text("{count} a", "{count} b", "x.py")
    ]
    assert list(in_code('raise StoreDamaged("it is {how}", how=1)', "x.py")) == [Text("it is {how}", "", "x.py")]


def unmarked(node: ast.expr) -> bool:
    """Whether this is a text for people as it stands, of more than one word."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(
        " " in text.strip() or re.search("[a-z]{3}", text) for text in texts if text not in HEADS and text not in CODES
    )


def test_what_is_said_was_looked_up() -> None:
    said = [
        f"{path.name}:{call.lineno}"
        for path in programs()
        if path.parent == ROOT or path.parent.name in ("console", "operating")
        for call in calls(path.read_text("utf-8"))
        for each in (
            *(call.args if called(call) in SPEAKERS and not _is_log(call) else ()),
            *(keyword.value for keyword in call.keywords if keyword.arg in ("help", "description", "epilog")),
        )
        if unmarked(each)
    ]
    assert said == []


def _is_log(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and "log" in ast.unparse(call.func.value)


def test_a_text_that_nobody_looked_up_is_noticed() -> None:
    assert unmarked(ast.parse('"this was not"', mode="eval").body)
    assert unmarked(ast.parse('f"{path} is whole"', mode="eval").body)
    assert not unmarked(ast.parse('f"restante: {said}"', mode="eval").body)


RUSSIAN = {0: "сообщений", 1: "сообщение", 2: "сообщения", 4: "сообщения", 5: "сообщений", 11: "сообщений"}
RUSSIAN |= {12: "сообщений", 21: "сообщение", 22: "сообщения", 100: "сообщений", 111: "сообщений", 101: "сообщение"}


@pytest.mark.parametrize("count", RUSSIAN)
def test_russian_counts_as_russians_do(count: int, russian: None) -> None:
    from console.words import messages

    assert messages(count) == f"{count} {RUSSIAN[count]}"


def test_each_counted_sentence_has_all_its_forms() -> None:
    for path in FILES.values():
        counted = [entry for entry in read(path).values() if "msgid_plural" in entry]
        assert [entry["msgid"] for entry in counted if len(forms(entry)) != FORMS] == []
        assert len(counted) > 10


def test_a_po_file_is_read_as_gettext_writes_it() -> None:
    text = (
        '# a note\nmsgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=n>1;\\n"\n\n#: x.py\n'
        'msgid "say \\"{a}\\"\\n"\nmsgstr "di"\n"s\\t{a}"\n\nmsgid "one"\nmsgid_plural "many"\nmsgstr[0] "un"\n'
        'msgstr[1] "des"\n\nmsgid "new"\nmsgstr ""\n'
    )
    assert [entry["msgid"] for entry in entries(text)] == ["", 'say "{a}"\n', "one", "new"]
    french = Catalogue(text)
    assert french.gettext('say "{a}"\n') == "dis\t{a}"
    assert [french.ngettext("one", "many", count) for count in (0, 1, 2)] == ["un", "un", "des"]
    assert french.gettext("new") == "new"
    assert french.gettext("never heard") == "never heard"
    assert [french.ngettext("cat", "cats", count) for count in (1, 2)] == ["cat", "cats"]


@pytest.mark.parametrize("command", menu.COMMANDS, ids=lambda command: command.name)
def test_commands_stay_as_they_are(command: menu.Command, russian: None) -> None:
    from console.words import help_text

    assert help_text(command.name) == f"{command.usage}: {worded(command.does)}"
    assert worded(command.does) != command.does


def test_help_fits_the_terminal_in_russian_too(russian: None) -> None:
    from console.words import help_text

    assert max(len(line) for line in help_text().split("\n")) + len("HH:MM * ") <= 100
