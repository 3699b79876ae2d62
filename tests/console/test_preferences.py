"""Settings: which value counts, what is wrong with a file, what an alias may be; and the page that says it all."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import address, aliases, faces, preferences
from console.input import Typing
from console.preferences import BY_NAME, PREFERENCES, BadValue, Preferences, UnknownName
from core import typed

FILE = Path("client.toml")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "SETTINGS.md"


def loaded(text: str, environment: dict[str, str] | None = None, **given: str) -> tuple[Preferences, list[str]]:
    counted = Preferences(environment or {})
    for name, value in given.items():
        counted.give(name, value)
    return counted, counted.load(FILE, lambda path: text)


def test_the_command_line_the_environment_the_file_the_default() -> None:
    text = 'account = "bob"\ncolours = "16"\nbroker = "tcp://a:1"\n'
    counted, complaints = loaded(text)
    assert complaints == []
    assert [tuple(counted.held(name)) for name in ("account", "colours", "broker", "notify")] == [
        ("bob", "line 1 of client.toml"),
        ("16", "line 2 of client.toml"),
        ("tcp://a:1", "line 3 of client.toml"),
        ("bell", "the default"),
    ]
    counted, _ = loaded(text, {"NO_COLOR": "1", "RESTANTE_BROKER": "tcp://b:2"}, account="alice")
    assert [tuple(counted.held(name)) for name in ("account", "colours", "broker")] == [
        ("alice", "the command line"),
        ("none", "NO_COLOR"),
        ("tcp://b:2", "RESTANTE_BROKER"),
    ]


def test_toml_has_a_yes_of_its_own_and_numbers() -> None:
    counted, complaints = loaded("notify = false\ncolours = 16\n")
    assert (counted["notify"], counted["colours"], complaints) == ("off", "16", [])


def test_ways_to_be_called_stand_in_their_order_and_once() -> None:
    counted, complaints = loaded('notify = " OSC9  bell osc9 "\n')
    assert (counted["notify"], complaints) == ("bell osc9", [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('notify = "loud"', "line 2 of client.toml: notify was passed over: loud is not one of off|bell|"),
        ('notify = "off bell"', "notify was passed over: off bell is not one of off|bell|"),
        ('notify = " "', "notify was passed over: "),
        ("notify = 1.5", "line 2 of client.toml: notify was passed over: it must be a text in quotes"),
        ("notif = true", "line 2 of client.toml: there is no setting notif; it was passed over: did you mean notify?"),
        ("xyz = 1", "line 2 of client.toml: there is no setting xyz; it was passed over"),
        (
            "[alias]\nhi = 'x'",
            "line 3 of client.toml: there is no setting alias.hi; it was passed over: did you mean aliases?",
        ),
        ('"\x1b" = 1'.replace("\x1b", "\\u001b"), "line 2 of client.toml: there is no setting ^[; it was passed over"),
        ("aliases = 3", "line 2 of client.toml: there is no setting aliases; it was passed over"),
        (
            'broker = "localhost"',
            "line 2 of client.toml: broker was passed over: 'localhost' must look like tcp://HOST:PORT, or tcp:",
        ),
        ('account = "a b"', "line 2 of client.toml: account was passed over: "),
        ("[aliases]\nHi = 'x'", "aliases.Hi was passed over: an alias is a word of small letters, digits, - and _"),
        ("[aliases]\nwho = 'x'", "aliases.who was passed over: /who is a command, and stays one"),
        ("[aliases]\nhi = ' '", "aliases.hi was passed over: it stands for nothing"),
        ("[aliases]\nhi = '/frob x'", "aliases.hi was passed over: there is no command /frob"),
        ("[aliases]\nhi = '/hi x'", "aliases.hi was passed over: /hi is an alias itself"),
        ("aliases.b = 'x'\naliases.a = '/b x'", "line 3 of client.toml: aliases.a was passed over: /b is an alias"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_holds(text: str, complaint: str) -> None:
    counted, (told,) = loaded(f'time = "12h"\n{text}\n')
    assert complaint in told
    assert counted["time"] == "12h"
    assert (counted["notify"], counted["account"]) == ("bell", "")


def test_a_file_that_is_none_is_named_and_the_defaults_hold() -> None:
    counted, complaints = loaded('notify = "off"\n???\n')
    assert complaints == ["line 2 of client.toml can't be read, so none of it counts; mend that line"]
    assert counted["notify"] == "bell"


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), UnicodeDecodeError("utf-8", b"", 0, 1, "")]
)
def test_a_file_that_can_not_be_read_is_named(error: Exception) -> None:
    def text_of(path: Path) -> str:
        raise error

    (told,) = Preferences({}).load(FILE, text_of)
    assert told.startswith("can't read client.toml: ")


def test_a_mistake_matters_only_where_it_would_count() -> None:
    assert "line 1" in loaded("broker = 1")[0].mistake("broker")
    assert loaded("broker = 1", {"RESTANTE_BROKER": "tcp://a:1"})[0].mistake("broker") == ""
    assert loaded("notify = 1.5")[0].mistake("broker") == ""


def test_what_is_loaded_again_leaves_nothing_behind() -> None:
    counted, _ = loaded("notify = false\nbroker = 1\n[aliases]\nhi = 'x'")
    held = counted.aliases
    assert counted.load(FILE, lambda path: "") == []
    assert (counted["notify"], counted.mistake("broker"), counted.aliases) == ("bell", "", {})
    assert held is counted.aliases


@pytest.mark.parametrize("preference", PREFERENCES, ids=BY_NAME)
def test_each_setting_takes_its_default_and_not_everything(preference: preferences.Preference) -> None:
    assert preference.default == "" or preference.read(preference.default) == preference.default
    with pytest.raises(BadValue):
        preference.read("what, this?")


@pytest.mark.parametrize("text", ["tcp://a:1", "tcp://[::1]:65534", f"tcp://a.b:7777#{'a' * 52}"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert address.written(address.read(text)) == text


def test_a_name_is_found_in_any_case_and_the_nearest_is_told() -> None:
    assert preferences.named("Notify").name == "notify"
    with pytest.raises(UnknownName, match=r"^colours$"):
        preferences.named("color")


def test_the_page_says_what_the_table_says() -> None:
    rows = [
        f"| `{each.name}` | `{each.takes.replace('|', ' | ')}` | {f'`{each.default}`' if each.default else 'none'} "
        f"| {each.does()} | {f'`{each.variable}`' if each.variable else ''} |".replace(" | ", " | ")
        for each in PREFERENCES
    ]
    told = [line.replace("\\|", "|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert told == rows


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("/hi", "/msg bob hello"),
        ("/hi there", "/msg bob hello there"),
        ("/HI  there", "/msg bob hello  there"),
        ("/hi ", "/msg bob hello"),
        ("hi there", "hi there"),
        ("//hi", "//hi"),
        ("/high", "/high"),
        ("/who", "/who"),
        ("/twice", "/hi x"),
    ],
)
def test_an_alias_is_put_in_once(line: str, wanted: str) -> None:
    assert aliases.expanded(line, {"hi": "/msg bob hello", "twice": "/hi x", "who": "/frob"}) == wanted


def test_an_alias_where_lines_are_typed() -> None:
    own: dict[str, str] = {}
    some = Typing(aliases=own, numbered=False)
    (before,) = some.feed("/shrug")
    assert isinstance(before, typed.Mistook)
    own["shrug"] = "¯\\_(ツ)_/¯"
    assert some.feed("/shrug") == [typed.Wrote(text="¯\\_(ツ)_/¯")]
    assert Typing(raw=True, aliases=own, numbered=False).feed("/shrug") == [typed.Wrote(text="/shrug")]


def test_both_faces_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    faces.time.tzset()
    hours = [hour * 3_600_000 + 300_000 for hour in (0, 8, 12, 20)]
    assert [faces.clock_24h(at) for at in hours] == ["00:05", "08:05", "12:05", "20:05"]
    assert [faces.clock_12h(at) for at in hours] == ["12:05 am", " 8:05 am", "12:05 pm", " 8:05 pm"]
