"""The README's pictures, from a real run: a broker, and two people at terminals of their own.

    python demos/record.py docs

It writes demo.svg, the film, and still-dark.svg and still-light.svg, one moment of it, into that folder. The clock is
turned by the film and typing has a pace of its own; all else is as the programs do it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # imports are absolute from the root

from demos.film import Film
from demos.picture import DARK, LIGHT, draw_film, draw_still
from demos.stage import PATIENCE_S, ROOT, Actor, Place, Stage
from demos.terminal import Terminal

COLUMNS, ROWS = 64, 19
PASSWORD = "tulip-and-teapot"
EVENING = datetime(2026, 11, 20, 22, 58, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 8, 27, tzinfo=UTC)
OUTAGE = datetime(2026, 11, 21, 8, 31, tzinfo=UTC)
CAPTION_SHOWN_S = 1.6

# What waits for Bob in the morning: who sends it, where to, and what it says.
WAITING = (
    ("alice", "#lobby", "anyone still up?"),
    ("dave", "bob", "sent you the invoice"),
    ("carol", "#garden", "frost tonight, cover the beans"),
    ("alice", "#lobby", "never mind, good night"),
)


class Location:
    """Where it is filmed: a broker, its clock, and folders for those who come."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._broker = Actor("broker")
        self._face = stage.folder("clock") / "face"
        self._place = Place("0")
        os.environ["FILM_CLOCK"] = str(self._face)
        os.environ["PYTHONPATH"] = str(ROOT / "demos" / "clock")
        os.environ["TZ"] = "UTC"

    def turn_clock(self, moment: datetime) -> None:
        """It is this time now."""
        new = self._face.with_suffix(".new")
        new.write_text(str(int(moment.timestamp()) * 10**9), "ascii")
        new.replace(self._face)

    def start_broker(self) -> None:
        """Start it, where it was before."""
        self._place = self._stage.start_broker(self._broker, self._place.port)

    def end_broker(self, number: signal.Signals) -> None:
        """Stop it, or kill it."""
        self._stage.signal(self._broker, number)

    def says(self, name: str, *options: str) -> None:
        """Somebody runs a client that ends by itself."""
        actor = Actor(name)
        self._stage.start(actor, "client.py", "-n", name, *self._place.options(), *options, password=PASSWORD)
        actor.here().keyboard.close()
        self._stage.wait_for_end(actor)
        if actor.code:
            raise SystemExit(f"{name} ended with {actor.code}: {actor.screen.lines}")

    def terminal(self, name: str) -> Terminal:
        """A shell in which a client finds its broker."""
        environment = {
            **{variable: text for variable, text in os.environ.items() if not variable.startswith("RESTANTE_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PS1": "$ ",
            "TERM": "xterm-256color",
            "COLORTERM": "",
            "NO_COLOR": "",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "en",
            "RESTANTE_BROKER": f"tcp://127.0.0.1:{self._place.port}#{self._place.key}",
            "RESTANTE_DATA": str(self._stage.folder(name)),
            "RESTANTE_CONFIG": os.devnull,
            "RESTANTE_PASSWORD": PASSWORD,
        }
        return Terminal(COLUMNS, ROWS, environment, str(ROOT))


def prepare(place: Location) -> None:
    """The evening before: everybody has been there, and Bob has gone."""
    place.turn_clock(EVENING)
    place.start_broker()
    for name in ("carol", "alice", "bob", "dave"):
        place.says(name, "-m", "/join #garden")
    for name in ("carol", "alice", "bob", "dave"):
        place.says(name, "--fetch")
    for author, to, text in WAITING:
        place.says(author, "--to", to, "-m", text)
    place.says("alice", "--fetch")
    place.end_broker(signal.SIGTERM)


@contextmanager
def filming(place: Location) -> Iterator[Film]:
    """The morning: two terminals, nobody at them yet."""
    place.turn_clock(MORNING)
    place.start_broker()
    with ExitStack() as stack:
        shells = {name: stack.enter_context(closing(place.terminal(name))) for name in ("alice", "bob")}
        film = stack.enter_context(closing(Film(shells)))
        film.see(dict.fromkeys(shells, "$"), 0.5)
        yield film


def arrive(film: Film) -> None:
    """Alice is there; Bob comes, and finds what waited for him."""
    film.type("alice", "python client.py alice")
    film.enter("alice", {"alice": "online"}, 0.8)
    film.caption = "Bob was away since last night. What was said meanwhile waited for him."
    film.type("bob", "python client.py bob")
    film.enter("bob", {"bob": "good night", "alice": "bob joined"}, 3.0)


def talk(film: Film) -> None:
    """To everybody, to one, and in a room."""
    film.caption = "A plain line goes to everybody. ✓: it is on the broker's disk."
    film.type("bob", "morning! slept like a stone")
    film.enter("bob", {"bob": "a stone ✓", "alice": "slept like a stone"}, CAPTION_SHOWN_S)
    film.caption = "A name and a colon: for that person alone, and the prompt says so while it is typed."
    film.type("alice", "bob: train at nine, platform two")
    film.enter("alice", {"alice": "platform two ✓", "bob": "alice → you"}, CAPTION_SHOWN_S)
    film.caption = "A room, and a name that is called in it."
    film.type("bob", "/to #garden")
    film.enter("bob", {"bob": "#garden>"}, 0.8)
    film.type("alice", "/to #garden")
    film.enter("alice", {"alice": "#garden>"}, 0.8)
    film.type("alice", "bob, are the beans all right?")
    film.enter("alice", {"alice": "all right? ✓", "bob": "«bob»"}, CAPTION_SHOWN_S)


def lose_the_broker(film: Film, place: Location) -> int:
    """Kill it, type, and start it again; which shot shows it best."""
    film.caption = "kill -9: the broker is gone."
    place.turn_clock(OUTAGE)
    place.end_broker(signal.SIGKILL)
    film.see({"alice": "connection lost", "bob": "connection lost"}, CAPTION_SHOWN_S)
    film.caption = "What is typed now is kept on one's own disk (◷)."
    film.type("bob", "green and dry. I covered them")
    film.enter("bob", {"bob": "◷"}, CAPTION_SHOWN_S)
    shot = len(film.shots) - 1
    film.caption = "The broker is started again; everything goes out by itself, once."
    place.start_broker()
    film.see({"alice": "connected again", "bob": "covered them ✓"}, CAPTION_SHOWN_S)
    film.type("alice", "you are a hero")
    film.enter("alice", {"alice": "a hero ✓", "bob": "a hero"}, 1.0)
    film.hold(5.0)
    return shot


def main(arguments: list[str]) -> int:
    """Film, and write the pictures."""
    folder = Path(arguments[0] if arguments else "docs")
    with Stage(PATIENCE_S, heard=lambda actor, line: None) as stage:
        place = Location(stage)
        prepare(place)
        with filming(place) as film:
            arrive(film)
            talk(film)
            best = lose_the_broker(film, place)
        place.end_broker(signal.SIGTERM)
    (folder / "demo.svg").write_text(draw_film(film.names, film.shots, (COLUMNS, ROWS), DARK), "utf-8")
    for name, theme in (("dark", DARK), ("light", LIGHT)):
        still = draw_still(film.names, film.shots[best], (COLUMNS, ROWS), theme)
        (folder / f"still-{name}.svg").write_text(still, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
