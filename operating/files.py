"""What an operator does with a whole store: backup, restore, verify, export, import.

A command takes the folder's lock, unless a broker holds it: that one is then asked for a copy of its store, and the
others either read what is there or refuse.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from console.broker_options import Settings
from operating.telling import EXIT_LOCKED, Refused, existing, fail, lock, say
from store import StoreUnwritable
from store.copies import FILE, copy, part_of, restore, seal
from store.copying import made
from store.database import failures
from store.lock import private_folder, sync
from store.portable import export, load
from store.sqlite import KIND, SqliteStore
from store.verify import Verifier, read_only
from transport import standard
from transport.control import ask

EXIT_DAMAGED = 65
# A running broker copies some 200 MB a second beside its work; an operator may wait a day.
COPY_WAIT_MS = 24 * 3600 * 1000


def _backup(settings: Settings) -> int:
    target = Path(settings.name).absolute()
    with part_of(target) as part:
        with lock(settings.data) as locked:
            if locked:
                copy(settings.data, part)
            else:
                answer = ask(settings.data, COPY_WAIT_MS, do="copy", to=str(part))
                if "error" in answer:
                    raise StoreUnwritable(str(answer["error"]))
        findings = seal(part, target)
    if findings:
        cure = "restore an older one, or take along what is whole with export and import"
        return _tell(findings, f"{target} was not made, the store is damaged: {cure}")
    say(f"{target} holds everything up to now; whoever restores it begins another epoch")
    return 0


def _restore(settings: Settings) -> int:
    source = existing(settings.name)
    private_folder(settings.data)
    with lock(settings.data) as locked:
        if not locked:
            raise Refused(EXIT_LOCKED, f"a broker works on {settings.data}; nothing was changed: stop it first")
        findings, former = restore(source, settings.data)
    if findings:
        return _tell(findings, f"{source} was not put in place: it is damaged")
    say(f"{source} is in place in {settings.data}; another epoch has begun, and clients send again what it has lost")
    if former:
        say(f"what was there before is kept in {former}")
    return 0


def _verify(settings: Settings) -> int:
    path = existing(settings.name or str(settings.data / FILE))
    verifier = Verifier(read_only(path))
    with failures(path, KIND):
        findings = list(verifier.findings())
    if findings:
        return _tell(findings, f"{path} is damaged: {_many(findings)}; restore a backup")
    seen = verifier.summary
    say(f"{path} is whole: {seen.messages} messages in {seen.logs} logs, {seen.accounts} accounts")
    return 0


def _export(settings: Settings) -> int:
    path = existing(str(settings.data / FILE))
    with failures(path, KIND):
        store = SqliteStore(path, read_only(path))
    if settings.name:
        target = Path(settings.name).absolute()
        with part_of(target) as part, made(target, KIND):
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(export(store))
            sync(part)
            part.replace(target)
    else:
        for line in export(store):
            standard.write(1, line)
    if store.damaged:
        count = len(store.damaged)
        return fail(EXIT_DAMAGED, f"{count} damaged messages were exported as empty ones; verify tells which")
    return 0


def _import(settings: Settings) -> int:
    folder = private_folder(settings.data)
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(lock(folder)):
            raise Refused(EXIT_LOCKED, f"a broker works on {folder}; nothing was imported: stop it first")
        named = existing(settings.name).open("rb") if settings.name else os.fdopen(0, "rb", closefd=False)
        source = stack.enter_context(named)
        messages = load(folder / FILE, source)
    say(f"{folder / FILE} was made: {messages} messages; another epoch has begun")
    return 0


COMMANDS: dict[str, Callable[[Settings], int]] = {
    "backup": _backup,
    "restore": _restore,
    "verify": _verify,
    "export": _export,
    "import": _import,
}


def _tell(findings: list[str], verdict: str) -> int:
    for finding in findings:
        say(finding)
    return fail(EXIT_DAMAGED, verdict)


def _many(findings: list[str]) -> str:
    return "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
