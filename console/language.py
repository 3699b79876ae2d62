"""In which language the programs speak: English, or another one whose catalogue stands in languages/.

A sentence is looked up when it is said, never before: which language it will be is not known at import. The catalogues
are gettext's .po files, read as they are: so a checkout needs no build, and nothing compiled can be out of date. Codes,
JSON, logs and what goes over the wire are English, whatever is spoken here; what arrives as an English sentence is
said again in the reader's language (``reworded``).
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from protocol.errors import Told

LANGUAGES = ("en", "ru")
"""What can be spoken. The first is the one in which sentences stand in the code."""

_SETTINGS = ("LC_ALL", "LC_MESSAGES", "LANG")
# The places that hold a sentence themselves.
_REASON, _CURE = "why", "cure"
_PLURAL = re.compile(r"plural=([^;]+)")


class Catalogue(gettext.NullTranslations):
    """The sentences of one language, from the text of a .po file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        translated = ((entry["msgid"], _forms(entry)) for entry in entries(text))
        self._forms = {english: forms for english, forms in translated if all(forms)}
        which = _PLURAL.search(self._forms.pop("")[0])
        self._which = gettext.c2py(which[1] if which else "n != 1")

    def gettext(self, message: str) -> str:
        """The sentence, in English if this language lacks it."""
        return self._forms.get(message, [message])[0]

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The form for so many."""
        forms = self._forms.get(msgid1)
        return forms[self._which(n)] if forms else super().ngettext(msgid1, msgid2, n)


def entries(text: str) -> Iterator[dict[str, str]]:
    """The entries of a .po file, each by its fields: msgid, msgstr, msgid_plural, msgstr[0] … The first is the head."""
    entry: dict[str, str] = {}
    field = ""
    for line in text.splitlines():
        word, _, quoted = line.partition(" ")
        if word == "msgid" and entry:
            yield entry
            entry = {}
        if word.startswith("msg"):
            field = word
            entry[field] = ast.literal_eval(quoted)
        elif line.startswith('"'):
            entry[field] += ast.literal_eval(line)
    if entry:
        yield entry


def _forms(entry: Mapping[str, str]) -> list[str]:
    return [text for field, text in entry.items() if field.startswith("msgstr")]


# ---- which one -------------------------------------------------------------------------------------------

_spoken = gettext.NullTranslations()


def speak(language: str) -> None:
    """Say everything in this one of LANGUAGES from now on."""
    global _spoken  # noqa: PLW0603 - a program speaks one language, as a process has one locale
    _spoken = gettext.NullTranslations() if language == LANGUAGES[0] else catalogue(language)


def catalogue(language: str) -> Catalogue:
    """The catalogue of one of LANGUAGES, but for the first, which needs none."""
    # Imported only here: it takes a while, and English needs none of it.
    from importlib.resources import files

    return Catalogue((files(__package__) / "languages" / f"{language}.po").read_text(encoding="utf-8"))


def of_locale(environment: Mapping[str, str]) -> str:
    """The one of LANGUAGES that the environment asks for; English if it asks for none of them."""
    locale = next((environment[name] for name in _SETTINGS if environment.get(name)), "")
    language = re.split(r"[_.@-]", locale)[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


# ---- saying --------------------------------------------------------------------------------------------


def worded(sentence: str, **places: object) -> str:
    """A sentence in the language that is spoken, with its places filled. KeyError if one is missing: our own bug."""
    return _spoken.gettext(sentence).format(**places)


def counted(one: str, many: str, count: int, **places: object) -> str:
    """The sentence for this ``count``, which is a place too. English has two forms, others have more or fewer."""
    return _spoken.ngettext(one, many, count).format(count=count, **places)


def told(failure: Told) -> str:
    """What went wrong, and what is told within it."""
    places = {name: told(place) if isinstance(place, Told) else place for name, place in failure.places.items()}
    if _CURE in places:
        places[_CURE] = worded(str(places[_CURE]))
    return worded(failure.sentence, **places)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that is not said yet; said when it is called, with its places."""

    english: str

    def __call__(self, **places: object) -> str:
        """See worded."""
        return worded(self.english, **places)


def reworded(text: str, sentences: Iterable[str], reasons: Iterable[str] = ()) -> str:
    """An English text that was made of one of these sentences, in the language that is spoken; else the text itself.

    A place called ``why`` is a sentence of its own, one of the ``reasons``, and is reworded too.
    """
    for sentence in sentences:
        found = _pattern(sentence).fullmatch(text)
        if found:
            places = found.groupdict()
            if _REASON in places:
                places[_REASON] = reworded(places[_REASON], reasons)
            return worded(sentence, **places)
    return text


@lru_cache(maxsize=256)
def _pattern(sentence: str) -> re.Pattern[str]:
    """What reads the places of a sentence out of a text."""
    pattern, seen = "", set()
    for literal, place, _, _ in Formatter().parse(sentence):
        pattern += re.escape(literal)
        if place:
            pattern += f"(?P={place})" if place in seen else f"(?P<{place}>.*?)"
            seen.add(place)
    return re.compile(pattern, re.DOTALL)
