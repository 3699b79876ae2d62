"""What is asked on the terminal before anybody is logged in: a name, a password, unseen."""

from __future__ import annotations

import getpass
import sys

from console import words
from console.sanitise import clean_line


def terminal() -> bool:
    """Whether there is somebody who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_name() -> str:
    """A name; "" if none was given. KeyboardInterrupt if the person would rather leave."""
    print(words.ASK_NAME(), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def ask_password(name: str, taken: bool) -> str:
    """The password of an account that exists, or twice that of one to be made; "" if none was given."""
    try:
        if taken:
            print(words.TAKEN(name=clean_line(name)), file=sys.stderr)
            return getpass.getpass(words.ASK_PASSWORD())
        print(words.FREE(name=clean_line(name)), file=sys.stderr)
        return _ask_twice()
    except EOFError:
        return ""


def ask_new_password() -> tuple[str, str]:
    """The old password and the new one; empty ones if they were not given."""
    try:
        old = getpass.getpass(words.ASK_OLD_PASSWORD())
        return (old, _ask_twice()) if old else ("", "")
    except (EOFError, KeyboardInterrupt):
        return "", ""


def _ask_twice() -> str:
    while first := getpass.getpass(words.ASK_NEW_PASSWORD()):
        if getpass.getpass(words.ASK_AGAIN()) == first:
            return first
        print(words.NOT_THE_SAME(), file=sys.stderr)
    return ""
