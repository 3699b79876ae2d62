"""The log files of both programs: one line a thing, ``time what key=value …`` or JSON; never a text, never a secret."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from console.sanitise import clean_line

# A size that an editor opens at once, and how many older files of it are kept.
FILE_BYTES = 1_000_000
OLD_FILES = 2


class Style(msgspec.Struct, frozen=True):
    """How a log is written."""

    level: str = "info"
    json: bool = False
    file_bytes: int = FILE_BYTES  # a longer file gives way to a new one
    old_files: int = OLD_FILES  # that are kept


USUAL = Style()


class Line(msgspec.Struct, frozen=True):
    """One thing that happened.

    As text: values that other people chose are made harmless, and quoted where they hold a blank.
    """

    what: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return " ".join([self.what, *(f"{key}={_value(value)}" for key, value in self.fields.items())])


def line(what: str, fields: Mapping[str, Any]) -> Line:
    """A line for the log."""
    return Line(what, fields)


class _Private(logging.handlers.RotatingFileHandler):
    """A rotating file that only its owner can read."""

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, self.mode, encoding="utf-8")


class _Json(logging.Formatter):
    """An object a line, in ASCII: ``at`` (UTC), ``level``, ``what``, and the fields, whose values are as they came."""

    def format(self, record: logging.LogRecord) -> str:
        at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"
        said = record.msg if isinstance(record.msg, Line) else Line(record.getMessage(), {})
        return json.dumps({"at": at, "level": record.levelname.lower(), "what": said.what, **said.fields}, default=str)


def open_log(path: Path, style: Style = USUAL) -> logging.Logger:
    """The program's log file; OSError if it can't be written. A full disk later costs lines, not the program."""
    logger = logging.Logger("restante", style.level.upper())
    handler = _Private(path, maxBytes=style.file_bytes, backupCount=style.old_files, encoding="utf-8")
    text = logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    handler.setFormatter(_Json() if style.json else text)
    handler.handleError = lambda record: None  # type: ignore[method-assign] # a log must not end the program
    logger.addHandler(handler)
    return logger


def close_log(logger: logging.Logger) -> None:
    """Close the file."""
    for handler in logger.handlers:
        with contextlib.suppress(OSError):  # a full disk: the last lines are lost
            handler.close()


def _value(value: Any) -> str:
    text = clean_line(str(value))
    return '"' + text.replace('"', "'") + '"' if not text or " " in text or '"' in text else text
