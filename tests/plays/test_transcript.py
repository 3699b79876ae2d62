"""What a transcript looks like, on paper and on a terminal."""

import io

import pytest

from demos.transcript import Transcript


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(out: io.StringIO) -> list[str]:
    transcript = Transcript(out, clock=lambda: 1.5)
    for who in ("alice", "bob", "carol"):
        transcript.came(who, "comes")
    transcript.typed("alice", "Good evening!")
    for who in ("carol", "alice", "bob"):
        transcript.received(who, "alice: Good evening!")
    for who in ("bob", "alice"):
        transcript.received(who, "bob -> alice: psst")
    transcript.broker("stops")
    return out.getvalue().splitlines()


def test_on_paper() -> None:
    *rows, rule = written(io.StringIO())
    assert rows == [
        "  1.50  alice              comes",
        "  1.50  bob                comes",
        "  1.50  carol              comes",
        "  1.50  alice              › Good evening!",
        "  1.50  everyone           alice: Good evening!",
        "  1.50  alice, bob         bob -> alice: psst",
    ]
    assert rule.startswith("  1.50  ── the broker stops ───")


def test_what_came_twice_to_one_is_not_taken_for_everyone() -> None:
    out = io.StringIO()
    transcript = Transcript(out, clock=lambda: 0.0)
    for who in ("alice", "bob"):
        transcript.came(who, "comes")
    for who in ("alice", "bob", "bob"):
        transcript.received(who, "alice: hi")
    transcript.ended("some", 1)
    assert "alice, bob, bob    alice: hi" in out.getvalue()


def test_one_colour_a_person_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    alice, bob, *_ = written(Terminal())
    assert "\x1b[36malice\x1b[0m" in alice
    assert "\x1b[35mbob\x1b[0m" in bob


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_unwanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b" not in "".join(written(Terminal()))
