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
from console.language import counted, worded
from operating.telling import EXIT_DAMAGED, EXIT_LOCKED, EXIT_UNWRITABLE, Refused, existing, fail, lock, say, why
from store.copies import FILE, copy, part_of, restore, seal
from store.copying import made
from store.database import failures
from store.lock import private_folder, sync
from store.portable import export, load
from store.sqlite import KIND, SqliteStore
from store.verify import Verifier, read_only
from transport import standard
from transport.control import ask

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
                    raise Refused(EXIT_UNWRITABLE, why(answer))
        findings = seal(part, target)
    if findings:
        verdict = worded(
            "{target} was not made, the store is damaged: restore an older one, or take along what is whole"
            " with export and import",
            target=target,
        )
        return _tell(findings, verdict)
    say(worded("{target} holds everything up to now; whoever restores it begins another epoch", target=target))
    return 0


def _restore(settings: Settings) -> int:
    source = existing(settings.name)
    private_folder(settings.data)
    with lock(settings.data) as locked:
        if not locked:
            sentence = worded("a broker works on {folder}; nothing was changed: stop it first", folder=settings.data)
            raise Refused(EXIT_LOCKED, sentence)
        findings, former = restore(source, settings.data)
    if findings:
        return _tell(findings, worded("{source} was not put in place: it is damaged", source=source))
    say(
        worded(
            "{source} is in place in {folder}; another epoch has begun, and clients send again what it has lost",
            source=source,
            folder=settings.data,
        )
    )
    if former:
        say(worded("what was there before is kept in {former}", former=former))
    return 0


def _verify(settings: Settings) -> int:
    path = existing(settings.name or str(settings.data / FILE))
    verifier = Verifier(read_only(path))
    with failures(path, KIND):
        findings = list(verifier.findings())
    if findings:
        verdict = counted(
            "{path} is damaged: {count} finding; restore a backup",
            "{path} is damaged: {count} findings; restore a backup",
            len(findings),
            path=path,
        )
        return _tell(findings, verdict)
    seen = verifier.summary
    say(
        counted(
            "{path} is whole: {count} message (logs: {logs}, accounts: {accounts})",
            "{path} is whole: {count} messages (logs: {logs}, accounts: {accounts})",
            seen.messages,
            path=path,
            logs=seen.logs,
            accounts=seen.accounts,
        )
    )
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
    return _tell_what_was_damaged(store)


def _tell_what_was_damaged(store: SqliteStore) -> int:
    """Of what an export has less than there was; its exit code."""
    code = 0
    if count := len(store.damaged):
        sentence = counted(
            "{count} damaged message was exported as an empty one; verify tells which",
            "{count} damaged messages were exported as empty ones; verify tells which",
            count,
        )
        code = fail(EXIT_DAMAGED, sentence)
    if store.emptied:
        sentence = counted(
            "{count} damaged entry beside the messages was exported without what it said; verify tells which",
            "{count} damaged entries beside the messages were exported without what they said; verify tells which",
            store.emptied,
        )
        code = fail(EXIT_DAMAGED, sentence)
    return code


def _import(settings: Settings) -> int:
    folder = private_folder(settings.data)
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(lock(folder)):
            sentence = worded("a broker works on {folder}; nothing was imported: stop it first", folder=folder)
            raise Refused(EXIT_LOCKED, sentence)
        named = existing(settings.name).open("rb") if settings.name else os.fdopen(0, "rb", closefd=False)
        source = stack.enter_context(named)
        messages = load(folder / FILE, source)
    done = counted(
        "{path} was made: {count} message; another epoch has begun",
        "{path} was made: {count} messages; another epoch has begun",
        messages,
        path=folder / FILE,
    )
    say(done)
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
