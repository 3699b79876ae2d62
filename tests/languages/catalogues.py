"""The catalogues as files: all sentences of the programs, in their order, with what is translated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from console.language import LANGUAGES, entries
from tests.languages.sentences import ROOT, Text

FILES = {language: ROOT / "console" / "languages" / f"{language}.po" for language in LANGUAGES[1:]}
FORMS = 3
"""Forms of a counted sentence, in every language that we have: Russian's one, few, many."""

Entry = Mapping[str, str]


def read(path: Path) -> dict[str, Entry]:
    """The entries by their English; "" is the head."""
    return {entry["msgid"]: entry for entry in entries(path.read_text(encoding="utf-8"))}


def written(known: Mapping[str, Entry], texts: Iterable[Text]) -> str:
    """A catalogue of these sentences and no others; those that are not known yet are empty."""
    head = "".join(_field(*field) for field in known[""].items())
    return "\n".join([head, *(_entry(known.get(text.english, {}), text) for text in texts)])


def _entry(known: Entry, text: Text) -> str:
    fields = {"msgid": text.english}
    if text.plural:
        fields["msgid_plural"] = text.plural
        fields |= {name: known.get(name, "") for name in (f"msgstr[{number}]" for number in range(FORMS))}
    else:
        fields["msgstr"] = known.get("msgstr", "")
    return f"#: {text.source}\n" + "".join(_field(*field) for field in fields.items())


def _field(name: str, text: str) -> str:
    """Several lines stand one below the other, as they will be seen."""
    lines = text.splitlines(keepends=True)
    return f"{name} " + "".join(_quoted(line) for line in (["", *lines] if len(lines) > 1 else lines or [""]))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) + "\n"
