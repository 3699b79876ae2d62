"""Bots: the interface, against a real broker; and the examples, as they stand."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from bots import INBOX_MESSAGES, Bot, Refused
from tests.programs.programs import HOST, PASSWORD, Broker, Clients, Program

Build = Callable[..., Bot]


@pytest.fixture
def build(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Bots with folders that are this test's own."""
    return builder(broker, tmp_path, monkeypatch)


def builder(broker: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.setenv("RESTANTE_PASSWORD", PASSWORD)
    place = ("-a", HOST, "-p", str(broker.port), "--key", broker.key, "--data", str(folder / "bots"))
    return lambda name, *options, **how: Bot(name, *place, *options, **how)


def heard(bot: Bot, count: int) -> list[str]:
    return [message.text for message in islice(bot.messages(), count)]


# ---- what it says ---------------------------------------------------------------------------------------


def test_it_is_answered_and_its_messages_bear_a_mark(build: Build, reader: Program, bob: str) -> None:
    with build(bob) as bot:
        assert bot.send("reader", "hello") is True
        assert reader.hear("message", text="hello", **{"from": bob})["bot"] is True
        reader.type(f"{bob}: how are you?\n")
        (message,) = islice(bot.messages(), 1)
        assert (message.author, message.to, message.private, message.bot) == ("reader", bob, True, False)
        assert bot.reply(message, "well") is True
        assert reader.hear("message", text="well")["to"] == "reader"


def test_in_a_room_it_replies_to_the_room(build: Build, reader: Program, bob: str) -> None:
    room = f"#of-{bob}"
    with build(bob) as bot:
        bot.join(room)
        bot.join(room)
        reader.type(f"/join {room}\n/me waves\n/to #lobby\n")
        (message,) = islice(bot.messages(), 1)
        assert (message.text, message.action, message.private) == ("waves", True, False)
        bot.reply(message, "I see you")
        assert reader.hear("message", text="I see you")["to"] == room
        bot.leave(room)
        with pytest.raises(Refused) as refused:
            bot.send(room, "gone")
        assert refused.value.code == "not-a-member"


def test_what_can_not_be_sent_is_refused(build: Build, reader: Program, bob: str) -> None:
    codes = []
    with build(bob) as bot:
        for to, text in (("nobody-here", "hi"), ("no name", "hi"), ("reader", "x" * 16_385)):
            with pytest.raises(Refused) as refused:
                bot.send(to, text)
            codes.append(refused.value.code)
    assert codes == ["no-such-account", "bad-name", "too-long"]


def test_what_it_says_while_the_broker_is_away_goes_out_by_itself(
    start_broker: Callable[..., Broker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = start_broker()
    build = builder(broker, tmp_path, monkeypatch)
    with Clients(broker.port, tmp_path / "clients", broker.key) as clients:
        clients.register("alice")
        with build("bot", "--wait", "30", reads=False) as bot:
            broker.end(signal.SIGTERM)
            while bot.send("alice", "a turn may pass before it notices"):
                pass
            with pytest.raises(Refused) as refused:
                bot.join("#tea")
            assert refused.value.code == "not-connected"
            start_broker(port=broker.port)
        assert set(clients.fetch("alice").texts) == {"a turn may pass before it notices"}


# ---- what it hears --------------------------------------------------------------------------------------


def test_bots_do_not_answer_one_another_unless_they_are_asked_to(build: Build, reader: Program, bob: str) -> None:
    with build(bob) as bot, build(f"{bob}x", bots=True) as other:
        bot.send(other.name, "to a bot that hears bots")
        assert heard(other, 1) == ["to a bot that hears bots"]
        other.send(bot.name, "to one that does not")
        reader.type(f"{bot.name}: from a person\n")
        assert heard(bot, 1) == ["from a person"]


def test_it_does_not_hear_itself(build: Build, reader: Program, bob: str) -> None:
    with build(bob, bots=True) as bot:
        bot.send("#lobby", "to everybody")
        bot.send(bob, "to myself")
        reader.type(f"{bob}: to you\n")
        assert heard(bot, 1) == ["to you"]


@pytest.mark.parametrize(("waited", "texts"), [(False, ["now"]), (True, ["one", "two", "now"])])
def test_what_was_said_while_it_was_away(
    build: Build, reader: Program, bob: str, waited: bool, texts: list[str]
) -> None:
    with build(bob):
        pass
    reader.type(f"{bob}: one\n{bob}: two\n")
    reader.hear("message", text="two", to=bob)
    with build(bob, waited=waited) as bot:
        reader.type(f"{bob}: now\n")
        assert heard(bot, len(texts)) == texts


def test_what_it_has_not_dealt_with_is_handed_over_again(build: Build, reader: Program, bob: str) -> None:
    with build(bob) as bot:
        reader.type(f"{bob}: one\n{bob}: two\n{bob}: three\n")
        messages = bot.messages()
        first = [next(messages), next(messages)]  # it falls over at the second one
    with build(bob, waited=True) as bot:
        again = list(islice(bot.messages(), 2))
    assert [message.text for message in again] == ["two", "three"]
    assert again[0].id == first[1].id


def test_more_than_fits_its_memory_waits(build: Build, reader: Program, bob: str) -> None:
    """And comes, in order, once."""
    with build(bob):
        pass
    many = INBOX_MESSAGES + 1000
    reader.type("".join(f"{bob}: {number}\n" for number in range(many)))
    reader.hear("message", text=str(many - 1), to=bob)
    with build(bob, waited=True) as bot:
        numbers = []
        for message in islice(bot.messages(), many):
            numbers.append(int(message.text))
            assert len(bot._front.inbox) <= INBOX_MESSAGES + 256
    assert numbers == list(range(many))


# ---- timers, and its end --------------------------------------------------------------------------------


def test_timers_run_in_their_order_and_until_it_ends(build: Build, bob: str) -> None:
    bot, calls = build(bob, reads=False), list[str]()

    def third() -> None:
        calls.append("every")
        if calls.count("every") == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    bot.after(0, lambda: calls.append("first"))
    bot.after(3600, lambda: calls.append("never"))
    bot.every(0.01, third)
    assert bot.run() == 0
    assert calls == ["first", "every", "every", "every"]


def test_whoever_is_not_let_in_is_told_why(build: Build, alice: str, tmp_path: Path) -> None:
    with build(alice, "--data", str(tmp_path / "another device")):
        pass
    with pytest.raises(Refused, match="password") as refused:
        build(alice, "--password", "wrong").connect()
    assert refused.value.code == "wrong-password"
    assert build(alice, "--password", "wrong").run() == 77


def test_nobody_there(build: Build, bob: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Refused) as refused:
        build(bob, "-p", "1", "--wait", "0.1").connect()
    assert refused.value.code == "not-connected"
    caplog.clear()
    assert build(bob, "-p", "1", "--wait", "0.1").run() == 69
    (once,) = caplog.messages
    assert "was not reached" in once


# ---- the examples ---------------------------------------------------------------------------------------


@pytest.fixture
def example(broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts examples as one does in a checkout."""
    env = {
        "RESTANTE_BROKER": f"tcp://{HOST}:{broker.port}#{broker.key}",
        "RESTANTE_PASSWORD": PASSWORD,
        "RESTANTE_DATA": str(tmp_path / "examples"),
    }
    with ExitStack() as stack:
        yield lambda name, *arguments: stack.enter_context(
            Program(f"examples/{name}", *arguments, stdin=subprocess.DEVNULL, **env)
        )


def come(reader: Program, account: str) -> None:
    reader.hear("joined", account=account, room="#lobby")


def test_echo(example: Callable[..., Program], reader: Program) -> None:
    echo = example("echo")
    come(reader, "echo")
    reader.type("echo: is anybody there?\n")
    assert reader.hear("message", text="is anybody there?", **{"from": "echo"})["to"] == "reader"
    reader.type("/join #echo\nhello\n/to #lobby\n")
    assert reader.hear("message", text="hello", **{"from": "echo"})["to"] == "#echo"
    ended = echo.end(signal.SIGTERM)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_reminder_survives_a_kill(example: Callable[..., Program], reader: Program, tmp_path: Path) -> None:
    file = tmp_path / "reminders.json"
    first = example("reminder", file)
    come(reader, "reminder")
    reader.type("reminder: in 1d feed the cat\nreminder: hello\n")
    reader.hear("message", text="I will")
    reader.hear("message", text="tell me something like: in 10m take the tea out")
    first.kill()
    reader.hear("left", account="reminder", room="#lobby")
    reader.type("reminder: in 0s take the tea out\n")
    again = example("reminder", file)
    assert reader.hear("message", text="you wanted to be reminded: take the tea out")["to"] == "reader"
    assert "feed the cat" in file.read_text("utf-8")
    assert again.end(signal.SIGTERM).code == 0


def test_feed_goes_on_where_it_was(example: Callable[..., Program], reader: Program, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("one\ntwo\nthr", "utf-8")
    reader.type("/join #feed\n/to #lobby\n")
    reader.hear("joined", room="#feed")
    first = example("feed", log, "#feed")
    reader.hear("message", text="two", **{"from": "feed"})
    first.kill()
    log.write_text("one\ntwo\nthree\n\nfour\n", "utf-8")
    again = example("feed", log, "#feed")
    reader.hear("message", text="four", **{"from": "feed"})
    log.write_text("new\n", "utf-8")
    reader.hear("message", text="new", **{"from": "feed"})
    # A line that was said, and not yet written down as said, is said again.
    assert list(dict.fromkeys(reader.hear_from("feed", 5))) == ["one", "two", "three", "four", "new"]
    assert again.end(signal.SIGTERM).code == 0


def test_examples_are_short() -> None:
    examples = Path(__file__).parents[2] / "examples"
    assert {path.name: len(path.read_text("utf-8").splitlines()) < 60 for path in examples.glob("*.py")} == {
        "echo.py": True,
        "feed.py": True,
        "reminder.py": True,
    }
