"""What an operator does with a broker's store: backup, restore, verify, export, import.

``broker.py COMMAND`` comes here. A command takes the folder's lock, unless a broker holds it: that one is then asked
for a copy of its store, and the others either read what is there or refuse.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from console.broker_options import Settings
from console.language import counted, told, worded
from console.sanitise import clean_line
from store import StoreUnwritable
from store.copies import FILE, copy, part_of, restore, seal
from store.copying import made
from store.database import failures
from store.lock import Lock, Locked, private_folder, sync
from store.portable import BadLine, export, load
from store.sqlite import KIND, SqliteStore
from store.verify import Verifier, read_only
from transport import standard
from transport.control import NoControl, ask

EXIT_DAMAGED, EXIT_UNWRITABLE, EXIT_LOCKED, EXIT_INTERRUPTED = 65, 73, 75, 130
# A running broker copies some 200 MB a second beside its work; an operator may wait a day.
COPY_WAIT_MS = 24 * 3600 * 1000


class Refused(Exception):
    """A command can't be carried out: exit code and sentence."""


def carry_out(settings: Settings) -> int:
    """Do what the command line asks; the exit code. Locked, StoreError or OSError as a running broker has them."""
    try:
        return _COMMANDS[settings.command](settings)
    except Refused as refused:
        code, sentence = refused.args
        return fail(int(code), sentence)
    except (NoControl, BadLine) as error:
        return fail(EXIT_LOCKED if isinstance(error, NoControl) else EXIT_DAMAGED, told(error))
    except BrokenPipeError:
        return fail(EXIT_UNWRITABLE, worded("nobody reads the answer any more"))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _backup(settings: Settings) -> int:
    target = Path(settings.file).absolute()
    with part_of(target) as part:
        with _lock(settings.data) as locked:
            if locked:
                copy(settings.data, part)
            else:
                answer = ask(settings.data, COPY_WAIT_MS, do="copy", to=str(part))
                if "error" in answer:
                    raise Refused(EXIT_UNWRITABLE, str(answer["error"]))
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
    source = _existing(settings.file)
    private_folder(settings.data)
    with _lock(settings.data) as locked:
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
    path = _existing(settings.file or str(settings.data / FILE))
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
    path = _existing(str(settings.data / FILE))
    with failures(path, KIND):
        store = SqliteStore(path, read_only(path))
    if settings.file:
        target = Path(settings.file).absolute()
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
        sentence = counted(
            "{count} damaged message was exported as an empty one; verify tells which",
            "{count} damaged messages were exported as empty ones; verify tells which",
            count,
        )
        return fail(EXIT_DAMAGED, sentence)
    return 0


def _import(settings: Settings) -> int:
    folder = private_folder(settings.data)
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(_lock(folder)):
            sentence = worded("a broker works on {folder}; nothing was imported: stop it first", folder=folder)
            raise Refused(EXIT_LOCKED, sentence)
        named = _existing(settings.file).open("rb") if settings.file else os.fdopen(0, "rb", closefd=False)
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


_COMMANDS: dict[str, Callable[[Settings], int]] = {
    "backup": _backup,
    "restore": _restore,
    "verify": _verify,
    "export": _export,
    "import": _import,
}


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Whether no broker works on a folder; then none can begin to."""
    if not folder.is_dir():
        raise StoreUnwritable(
            "there is no folder {folder}; nothing was done: name the broker's with --data", folder=folder
        )
    try:
        lock = Lock(folder)
    except Locked:
        yield False
        return
    try:
        yield True
    finally:
        lock.close()


def _existing(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise StoreUnwritable("there is no file {path}; nothing was done", path=path)
    return path


def _tell(findings: list[str], verdict: str) -> int:
    for finding in findings:
        say(finding)
    return fail(EXIT_DAMAGED, verdict)


def say(text: str) -> None:
    """A line of the answer."""
    standard.write(1, (clean_line(text) + "\n").encode())


def fail(code: int, sentence: str) -> int:
    """Say why not, on standard error; the exit code."""
    with contextlib.suppress(OSError):  # nobody reads it
        standard.write(2, f"restante: {clean_line(sentence)}\n".encode())
    return code
