"""The real programs in Russian: by --lang and by the locale, with the same codes and the same JSON."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console import broker_options, client_options
from console.language import speak
from store import configfile
from tests.programs.programs import HOST, Broker, Clients, Ended, Program

PROGRAMS = ["client", "broker"]
RUSSIAN = {"LC_ALL": "ru_RU.UTF-8"}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder = tmp_path_factory.mktemp("languages")
    with Broker(folder / "broker") as broker, Clients(broker.port, folder / "clients", broker.key) as clients:
        clients.register("alice", "bob")
        yield clients


def ended(program: str, *options: str | Path, **env: str) -> Ended:
    with Program(program, *options, stdin=subprocess.DEVNULL, **env) as started:
        return started.end()


def test_a_client_speaks_russian(clients: Clients) -> None:
    said = clients.run(
        "alice", "--lang", "ru", "--count", "1", typed="nobody: hi\n/shrug\n/to bob\n/status\nbob: psst\n"
    )
    assert said.code == 65
    assert "строка 1: учётной записи nobody нет; сообщение никому не отправлено" in said.err
    assert "строка 2: нет команды /shrug; ничего не отправлено" in said.err
    assert "обычные строки теперь идут сюда: bob" in said.err
    assert "alice -> bob: psst" in said.out


@pytest.mark.parametrize(("options", "russian"), [((), True), (("--lang", "en"), False)])
def test_the_locale_chooses_unless_told_otherwise(clients: Clients, options: tuple[str, ...], russian: bool) -> None:
    said = clients.run("alice", *options, typed="/shrug\n", **RUSSIAN)
    assert ("нет команды /shrug" in said.err) is russian
    assert ("there is no command /shrug" in said.err) is not russian


def test_scripts_read_the_same_whatever_is_spoken(clients: Clients) -> None:
    lines = " /x\n/shrug\n/whois bob\n/whois nobody\n/devices x\n/names\n/passwd\n/add alice\n.x: y\n"
    english, russian = (
        clients.run("alice", "--json", "--fetch", "--lang", language, typed=lines) for language in ("en", "ru")
    )
    assert sorted(russian.out.splitlines()) == sorted(english.out.splitlines()) != []
    assert russian.code == english.code == 65
    assert "нет команды" in russian.err
    assert "нет команды" not in english.err


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_language_is_a_mistake(program: str) -> None:
    said = ended(program, "--lang", "de")
    assert (said.code, said.out) == (2, "")
    assert f"{program}.py: error: argument --lang: invalid choice: 'de'" in said.err


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """What a program says of a command line that it can't take, in Russian."""
    for name, value in RUSSIAN.items():
        monkeypatch.setenv(name, value)

    def say(read: Callable[[list[str]], object], *arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            read([*arguments])
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    yield say
    speak("en")


def read_client(arguments: list[str]) -> object:
    return client_options.read(arguments, configfile.read)


READERS = read_client, broker_options.read


@pytest.mark.parametrize("read", READERS, ids=PROGRAMS)
def test_mistakes_are_told_in_russian(read: Callable[..., object], refused: Callable[..., str]) -> None:
    assert refused(read, "-p").endswith(".py: ошибка: параметр -p/--port: нужно значение")
    assert "параметр -p/--port: '70000' — не порт: нужно число" in refused(read, "-p", "70000")
    assert "неизвестные аргументы: --shrug" in refused(read, "--shrug")
    assert "параметр --lang: 'de' не подходит (можно 'en', 'ru')" in refused(read, "--lang", "de")
    assert "параметр --lang: нужно значение" in refused(read, "--lang")


def test_mistakes_of_one_program_are_told_in_russian(refused: Callable[..., str]) -> None:
    assert "команды 'backup' нет; пишется так: backup FILE" in refused(broker_options.read, "backup")
    assert "'soon' — не возраст" in refused(broker_options.read, "--keep", "soon")
    assert "'x' — не ключ: букв в ключе 52, а здесь 1" in refused(read_client, "--key", "x")
    assert "'.x' не может быть именем: оно должно начинаться" in refused(read_client, "--to", ".x")
    assert "лишнее значение 'x'" in refused(read_client, "--json=x")


@pytest.mark.parametrize("read", READERS, ids=PROGRAMS)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_help_fits_80_columns(
    read: Callable[..., object], language: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        read(["--lang", language, "--help", "all"])
    speak("en")
    lines = capfd.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert len(lines) > 30
    assert [line for line in lines if len(line) > 80] == []
    assert ("использование:" in lines[0]) == (language == "ru")


def test_a_broker_speaks_russian(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    place = "-a", HOST, "-p", "0", "--data", folder
    with Program("broker", *place, "--lang", "ru", stdin=subprocess.DEVNULL) as broker:
        listens = broker.see(r"^restante: слушаю tcp://127\.0\.0\.1:(\d+), ключ ([a-z2-7]{52})\n")
        with Clients(int(listens[1]), tmp_path / "clients", listens[2]) as clients:
            assert clients.run("alice", "--fetch").code == 0
        broker.see(f"^alice: регистрация с адреса {HOST}\n")
        listed = ended("broker", "accounts", "--data", folder, **RUSSIAN)
        refused = ended("broker", "accounts", "add", "alice", "--data", folder, **RUSSIAN)
        said = ended("broker", *place, **RUSSIAN)
    assert re.fullmatch(r"alice  с [^,]+, 1 устройство, 1 комната\n", listed.out)
    assert (refused.code, refused.out) == (65, "")
    assert refused.err.startswith("restante: учётная запись alice уже есть; ничего не создано")
    assert said.code == 75
    assert said.err.startswith(f"restante: с {folder} работает другой брокер; остановите его")


def test_an_operator_reads_russian(tmp_path: Path) -> None:
    said = ended("broker", "verify", tmp_path / "nothing", **RUSSIAN)
    assert (said.code, said.err) == (73, f"restante: нет файла {tmp_path / 'nothing'}; ничего не сделано\n")
