"""A manual page, made from a command line's own description."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from console.arguments import Parser, synopsis, topics, value
from console.release import VERSION


def page(parser: Parser, parts: str) -> str:
    """The manual page of a program. ``parts`` is what it has to say beside its options, in roff."""
    name, _, purpose = (parser.description or "").rstrip(".").partition(": ")
    lines = [
        ".\\\" Made from the program's own options by: make share",
        f'.TH {parser.prog.upper()} 1 "" "restante {VERSION}"',
        f".SH NAME\n{_plain(parser.prog)} \\- {_plain(purpose or name)}",
        f".SH SYNOPSIS\n{_plain(synopsis(parser))}",
        *_options(parser),
        parts.rstrip("\n"),
        *_examples(parser.epilog or ""),
    ]
    return "\n".join(lines) + "\n"


def _options(parser: Parser) -> Iterator[str]:
    for topic in topics(parser):
        yield f".SH {topic.title.upper()}"
        if topic.description:
            yield _plain(topic.description)
        for action in topic.actions:
            yield f".TP\n{_called(action)}\n{_told(action.help or '')}"


def _called(action: argparse.Action) -> str:
    """The forms of an option in bold, its value in italics."""
    forms = ", ".join(f"\\fB{_plain(form)}\\fR" for form in action.option_strings)
    named = value(action) if forms else str(action.metavar or action.dest.upper())
    return " ".join(part for part in (forms, f"\\fI{_plain(named)}\\fR" if named else "") if part)


def _told(text: str) -> str:
    return "\n.br\n".join(_plain(line) for line in text.splitlines())


def _examples(epilog: str) -> Iterator[str]:
    for block in epilog.strip().split("\n\n"):
        title, _, rest = block.partition("\n")
        yield f".SH {title.rstrip(':').upper()}\n.nf\n{_plain(rest)}\n.fi"


def _plain(text: str) -> str:
    """Text without a meaning for roff: its hyphens can be searched for and copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.split("\n"))
