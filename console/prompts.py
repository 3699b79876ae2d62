"""What is asked on the terminal before anybody is logged in: a name, a password, unseen."""

from __future__ import annotations

import shutil
import sys
import textwrap

from console import words
from console.client_options import Settings
from console.hidden import ask_hidden
from console.sanitise import clean_line
from core.commands import Derive
from protocol import limits


def terminal() -> bool:
    """Whether there is somebody who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _say(sentence: str) -> None:
    """Before a question; broken between words, since no terminal does that by itself."""
    print(textwrap.fill(sentence, shutil.get_terminal_size().columns, break_long_words=False), file=sys.stderr)


def ask_name() -> str:
    """A name; "" if none was given. KeyboardInterrupt if the person would rather leave."""
    print(words.ASK_NAME(), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def ask_password(name: str, taken: bool) -> str:
    """The password of an account that exists, or twice that of one to be made; "" if none was given."""
    try:
        if taken:
            _say(words.TAKEN(name=clean_line(name)))
            return ask_hidden(words.ASK_PASSWORD())
        _say(words.FREE(name=clean_line(name)))
        return ask_twice()
    except EOFError:
        return ""


def ask_to_enter(settings: Settings, derive: Derive) -> tuple[str, str]:
    """The permit, if it is needed or was given, and the password; empty what was not given."""
    name, password, permit = settings.name, settings.password, settings.invite
    if derive.lacks_permit and not (permit := _ask_permit(name)):
        return "", ""
    if password not in ("", "-"):
        return permit, password
    return permit, _ask_permitted(name) if permit else ask_password(name, derive.taken)


def _ask_permit(name: str) -> str:
    """The code of an invitation; "" if none was given."""
    _say(words.BY_INVITATION(name=clean_line(name)))
    print(words.ASK_PERMIT(), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()[: limits.PERMIT_CHARS]


def _ask_permitted(name: str) -> str:
    """Twice the password that a permit sets; "" if none was given."""
    try:
        _say(words.WITH_PERMIT(name=clean_line(name)))
        return ask_twice()
    except EOFError:
        return ""


def ask_new_password() -> tuple[str, str]:
    """The old password and the new one; empty ones if they were not given."""
    try:
        old = ask_hidden(words.ASK_OLD_PASSWORD())
        return (old, ask_twice()) if old else ("", "")
    except (EOFError, KeyboardInterrupt):
        return "", ""


def ask_twice() -> str:
    """A new password, twice the same; "" if none was given."""
    while first := ask_hidden(words.ASK_NEW_PASSWORD()):
        if ask_hidden(words.ASK_AGAIN()) == first:
            return first
        _say(words.NOT_THE_SAME())
    return ""
