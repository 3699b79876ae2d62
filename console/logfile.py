"""The log files of both programs: one line a thing, ``time what key=value …``; never a text, never a secret."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.sanitise import clean_line

# Three files of a size that an editor opens at once.
FILE_BYTES = 1_000_000
OLD_FILES = 2


class _Private(logging.handlers.RotatingFileHandler):
    """A rotating file that only its owner can read."""

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, self.mode, encoding="utf-8")


def open_log(path: Path, level: str = "info") -> logging.Logger:
    """The program's log file; OSError if it can't be written. A full disk later costs lines, not the program."""
    logger = logging.Logger("restante", level.upper())
    handler = _Private(path, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    handler.handleError = lambda record: None  # type: ignore[method-assign] # a log must not end the program
    logger.addHandler(handler)
    return logger


def close_log(logger: logging.Logger) -> None:
    """Close the file."""
    for handler in logger.handlers:
        with contextlib.suppress(OSError):  # a full disk: the last lines are lost
            handler.close()


def line(what: str, fields: Mapping[str, Any]) -> str:
    """One line: values that other people chose are made harmless, and quoted where they hold a blank."""
    return " ".join([what, *(f"{key}={_value(value)}" for key, value in fields.items())])


def _value(value: Any) -> str:
    text = clean_line(str(value))
    return '"' + text.replace('"', "'") + '"' if not text or " " in text or '"' in text else text
