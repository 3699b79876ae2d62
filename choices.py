"""What a person has chosen, while the client runs: /set and /unset, and the file in which it stands."""

from __future__ import annotations

from pathlib import Path

from console import preferences, statements, words
from console.preferences import BadValue, Preferences, UnknownName
from console.sanitise import clean_line
from core import typed
from store import configfile


class NotKept(Exception):
    """Nothing was changed. ``code`` is one of words.REFUSALS(), the text a whole sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Choices:
    """Settings and their file. ``counted`` is changed in place: whoever holds it sees what counts."""

    def __init__(self, path: Path, counted: Preferences) -> None:
        self._path = path
        self._counted = counted

    def answer(self, intent: typed.AskedSettings | typed.ChangedSetting) -> str:
        """Do what was asked; what to say then, in lines. NotKept if it can't be done."""
        try:
            if isinstance(intent, typed.ChangedSetting):
                self._change(intent.name, intent.value)
            asked = [preferences.named(intent.name)] if intent.name else []
        except UnknownName as nearest:
            raise NotKept("no-setting", words.no_setting(clean_line(intent.name), str(nearest))) from None
        complaints = self._counted.load(self._path, configfile.read)
        if asked:
            return self._counted.told(asked[0].name)
        return "\n".join([self._counted.listed(self._path), *complaints])

    def _change(self, name: str, value: str | None) -> None:
        wanted = preferences.named(name)
        try:
            read = None if value is None else wanted.read(value)
            configfile.write(self._path, statements.changed(configfile.read(self._path), wanted.name, read))
        except BadValue as why:
            raise _not_kept("bad-setting", name=wanted.name, why=why) from None
        except statements.NotToml as error:
            raise _not_kept("no-toml", line=error.line, file=self._path) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or words.NO_SETTINGS()
            raise _not_kept("not-kept", file=self._path, why=reason) from None


def _not_kept(code: str, **places: object) -> NotKept:
    return NotKept(code, words.refusal(code, **places))
