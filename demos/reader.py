"""Reads a play: words a newcomer can read become steps that a stage can carry out. Pure; nothing is run here.

A play is a text of one sentence a line. Its first line is a comment, and its title. Later comments that stand
between steps are told in the transcript; blank lines are nothing. These are all the sentences there are:

    the broker starts | the broker stops | the broker is killed
    the broker prints: LINE
    alice comes [back] [as NAME] [with password "SECRET"] [with the menu]
    alice types: TEXT
    alice sees: LINE                 alice and bob see: LINE            everyone sees: LINE
    alice does not see: TEXT         bob, carol and dave do not see: TEXT
    alice leaves
    alice is killed
    alice ends with CODE

Who acts is a name, which is also the account's, or ``alice's phone``: another device of alice, with a folder of
its own. A password that was given once is remembered for the account; nobody who comes without one has one.

A LINE is compared whole, without the time before it, and ``…`` in it stands for anything. A TEXT that must not
be seen is looked for everywhere on the screen, now and once more when the play is over. As nobody should have
to wait for nothing to happen, the step before it lets the same people see something that was written later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EVERYONE = "everyone"
BROKER = "the broker"


class BadPlay(ValueError):
    """A line that can't be understood; its text names the file, the line, and what is wrong."""


@dataclass(frozen=True)
class Step:
    """One sentence of a play, and the line on which it stands."""

    line: int
    sentence: str


@dataclass(frozen=True)
class Told(Step):
    """A comment between steps: what the reader of the transcript should know."""


@dataclass(frozen=True)
class BrokerStarts(Step):
    """The broker starts, for the first time or again: same address, same folder."""


@dataclass(frozen=True)
class BrokerStops(Step):
    """The broker is asked to end, and must do so with 0."""


@dataclass(frozen=True)
class BrokerIsKilled(Step):
    """The broker is killed as a power cut would kill it."""


@dataclass(frozen=True)
class BrokerPrints(Step):
    """Whoever watches the broker must see this line."""

    text: str


@dataclass(frozen=True)
class Comes(Step):
    """Somebody starts a client; the step is over when something stands on their screen."""

    who: str
    account: str
    password: str  # "": the one that was given before, if any
    menu: bool


@dataclass(frozen=True)
class Types(Step):
    """Somebody types a line."""

    who: str
    text: str


@dataclass(frozen=True)
class Sees(Step):
    """Each of these must see this line within the stage's patience."""

    who: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Misses(Step):
    """None of these may see this text, now or later."""

    who: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Leaves(Step):
    """Somebody leaves in good order."""

    who: str


@dataclass(frozen=True)
class IsKilled(Step):
    """Somebody's client is killed."""

    who: str


@dataclass(frozen=True)
class Ends(Step):
    """Somebody's client ends by itself, with this exit code."""

    who: str
    code: int


@dataclass(frozen=True)
class Play:
    """What was read: the steps in their order."""

    path: Path
    title: str
    steps: tuple[Step, ...]


_NAME = r"[^\s:,]+(?:'s [^\s:,]+)?"
_WHO = rf"(?P<who>{_NAME})"
_WHOM = rf"(?P<who>{_NAME}(?:, {_NAME})*(?: and {_NAME})?)"
_COMES = r' comes(?: back)?(?: as (?P<account>\S+))?(?: with password "(?P<password>[^"]+)")?(?P<menu> with the menu)?'

Words = dict[str, str]
"""The named places of a sentence as they were found in it; "" is one that was left out."""
Build = Callable[[int, str, Words], Step]


def _simple(kind: type[Step]) -> Build:
    return lambda line, sentence, words: kind(line, sentence, **words)


def _seeing(kind: type[Sees] | type[Misses]) -> Build:
    return lambda line, sentence, words: kind(line, sentence, _names(words["who"]), words["text"])


def _names(words: str) -> tuple[str, ...]:
    return tuple(re.split(r", | and ", words))


def _comes(line: int, sentence: str, words: Words) -> Step:
    account = words["account"] or words["who"].partition("'s ")[0]
    return Comes(line, sentence, words["who"], account, words["password"], bool(words["menu"]))


def _ends(line: int, sentence: str, words: Words) -> Step:
    return Ends(line, sentence, words["who"], int(words["code"]))


_SENTENCES: list[tuple[re.Pattern[str], Build]] = [
    (re.compile(pattern), build)
    for pattern, build in (
        ("the broker starts", _simple(BrokerStarts)),
        ("the broker stops", _simple(BrokerStops)),
        ("the broker is killed", _simple(BrokerIsKilled)),
        ("the broker prints: (?P<text>.+)", _simple(BrokerPrints)),
        (_WHO + _COMES, _comes),
        (_WHO + " types:(?: (?P<text>.*))?", _simple(Types)),
        (_WHOM + " sees?: (?P<text>.+)", _seeing(Sees)),
        (_WHOM + " do(?:es)? not see: (?P<text>.+)", _seeing(Misses)),
        (_WHO + " leaves", _simple(Leaves)),
        (_WHO + " is killed", _simple(IsKilled)),
        (_WHO + r" ends with (?P<code>\d{1,3})", _ends),
    )
]


def read(text: str, path: Path) -> Play:
    """The play that this text is; ``path`` is only named in it and in errors. BadPlay if it is none."""
    lines = text.splitlines()
    head = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if not head:
        raise BadPlay(f"{path.name}:1: the first line is the title: a # and a sentence")
    steps = [
        _step(path, number, line.strip()) for number, line in enumerate(lines, 1) if number > head and line.strip()
    ]
    _check_misses(path, steps)
    return Play(path, lines[0].lstrip("# "), tuple(steps))


def _step(path: Path, number: int, sentence: str) -> Step:
    if sentence.startswith("#"):
        return Told(number, sentence.lstrip("# "))
    for pattern, build in _SENTENCES:
        if found := pattern.fullmatch(sentence):
            return build(number, sentence, found.groupdict(default=""))
    raise BadPlay(f"{path.name}:{number}: no sentence of a play: {sentence}")


def _check_misses(path: Path, steps: list[Step]) -> None:
    """Whoever must not see something has just seen something newer, or the check would only be early."""
    saw: tuple[str, ...] = ()
    for step in steps:
        if isinstance(step, Misses) and not (EVERYONE in saw or set(step.who) <= set(saw)):
            raise BadPlay(
                f"{path.name}:{step.line}: first let them see something that was written later: {step.sentence}"
            )
        if not isinstance(step, Misses | Told):
            saw = step.who if isinstance(step, Sees) else ()
