"""The last rows of the screen, the only ones that change: messages on their way, the prompt, how things stand. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import msgspec
from wcwidth import wcswidth, wcwidth

from console import words
from console.conversations import NUMBERED, Conversations
from console.sanitise import clean_line
from console.standing import Standing
from protocol import names

Fragments = list[tuple[str, str]]
"""Styled text: a class or a colour, and what bears it."""

# A message that is accepted sooner is shown in its place only: rows that flicker say nothing.
PENDING_S = 0.08
PENDING_ROWS = 3


class Signs(msgspec.Struct, frozen=True):
    """Signs for what has no letters; words stand beside them wherever they matter."""

    online: str = "●"
    offline: str = "○"
    waits: str = "◷"
    accepted: str = "✓"
    to: str = "→"
    came: str = "→"
    went: str = "←"
    gutter: str = "│ "
    bar: str = "│"
    rule: str = "─"
    more: str = "…"
    marked: tuple[str, str] = ("«", "»")


ASCII = Signs("+", "o", ".", "+", "->", "->", "<-", "| ", "|", "-", "...", (">", "<"))


def cut(text: str, width: int, more: str = "…") -> str:
    """As much of a line as has room, and a sign that it is not all."""
    if measured(text) <= width:
        return text
    room = width - len(more)
    kept = []
    for sign in text:
        room -= max(0, wcwidth(sign))
        if room < 0:
            break
        kept.append(sign)
    return ("".join(kept) + more)[: max(0, width)]


def measured(text: str) -> int:
    """Columns that a line takes; its length if that can't be told."""
    width = int(wcswidth(text))
    return len(text) if width < 0 else width


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """A line broken between words, further rows indented; a word without room is left whole, for the terminal."""
    margin = " " * min(indent, width // 2)
    lines, line = [], ""
    for number, word in enumerate(text.split(" ")):
        longer = f"{line} {word}" if number else word
        if line.strip() and measured(longer) >= width:
            lines.append(line.rstrip())
            line = margin + word
        else:
            line = longer
    return [*lines, line]


def pending(standing: Standing, seen: dict[int, float], tick: float, width: int, signs: Signs) -> list[str]:
    """Rows for what is not accepted yet. ``seen``: since when each number waits; kept here."""
    first = [standing.waiting[at] for at in range(min(PENDING_ROWS, len(standing.waiting)))]
    for number in [number for number in seen if number not in {each.n for each in first}]:
        del seen[number]
    rows = []
    for each in first:
        if tick >= seen.setdefault(each.n, tick) + PENDING_S:
            text = clean_line(each.text.replace("\n", " "))
            head = "" if each.item.to == standing.place else f"{signs.to} {clean_line(each.item.to)}  "
            rows.append(cut(f"  {signs.waits}   {head}{text}", width - 1, signs.more))
    more = len(standing.waiting) - len(rows)
    if len(rows) == PENDING_ROWS and more > 0:
        rows.append(f"  {signs.more}   {words.more_waiting(more)}")
    return rows


def prompt(standing: Standing, asked: str, typed: str, known: Container[str], signs: Signs) -> Fragments:
    """What stands before the line that is typed: a question, or where the line would go."""
    if asked:
        return [("class:prompt", asked)]
    to = addressee(typed, known) or standing.place
    if to.startswith("#"):
        return [("class:prompt", f"{clean_line(to)}> ")]
    return [("class:private", f"{signs.to} {clean_line(to)} ({words.PRIVATE()})> ")]


def addressee(typed: str, known: Container[str]) -> str:
    """Whom a line that begins so is for, if that is somebody known."""
    head, colon, _ = typed.lstrip().partition(":")
    return head if colon and head.casefold() in known else ""


def status(standing: Standing, heads: int, talks: Conversations, tick: float, width: int, signs: Signs) -> str:
    """The status line. What matters least goes first where there is no room; the rest is as long as it fits."""
    place = f"{clean_line(standing.place)} {heads}" if heads and _is_lobby(standing) else clean_line(standing.place)
    parts = [
        (0, [_link(standing, tick, signs)]),
        (4, [clean_line(standing.account)]),
        (2, [place]),
        (1, _unread(talks)),
        (3, [words.status_outbox(len(standing.waiting))]),
        (5, ["/help"]),
    ]
    order = [rank for rank, _ in parts]
    kept: dict[int, str] = {}
    for rank, forms in sorted(parts):
        for form in filter(None, forms):
            wider = kept | {rank: form}
            if not kept or measured(_joined(wider, order, signs)) < width:
                kept = wider
                break
    return cut(_joined(kept, order, signs), width - 1, signs.more)


def _joined(kept: Mapping[int, str], order: Sequence[int], signs: Signs) -> str:
    return f" {signs.bar} ".join(kept[rank] for rank in order if rank in kept)


def _is_lobby(standing: Standing) -> bool:
    return standing.place.casefold() == names.LOBBY


def _link(standing: Standing, tick: float, signs: Signs) -> str:
    if standing.online:
        return f" {signs.online} {words.STATUS_ONLINE()}"
    left = 0 if standing.due is None else max(0, round(standing.due - tick))
    told = words.STATUS_RETRY(seconds=left) if left else words.STATUS_OFFLINE()
    return f" {signs.offline} {told}"


def _unread(talks: Conversations) -> list[str]:
    """By the numbers that Alt takes; then shorter and shorter, and at last only how much it is, in how many places."""
    loud = talks.loud
    rows = [
        f"{talks.numbered(place)}:{loud[place].messages}{'!' if loud[place].mentions else ''}"
        for place in sorted(loud, key=talks.number)
    ]
    if not rows:
        return []
    fewer = [[*rows[:shown], f"+{len(rows) - shown}"] for shown in range(min(len(rows) - 1, NUMBERED), 0, -1)]
    called = "!" if any(each.mentions for each in loud.values()) else ""
    count = words.STATUS_UNREAD_COUNT(count=f"{talks.messages}{called}", places=len(rows))
    return [*(words.STATUS_UNREAD(places=", ".join(some)) for some in (rows, *fewer)), count]
