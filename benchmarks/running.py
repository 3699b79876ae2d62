"""A real broker in a process of its own, with a store that was made beforehand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = {"RESTANTE_PASSWORD": "benchmark"}
"""What a client's first run needs. From then on its key lets it in; a password takes 0.1 s of a core each time."""


class Running(NamedTuple):
    """A broker that listens."""

    pid: int
    port: int
    key: str
    start_s: float  # from the start of the process to the line that says that it listens


def nothing(folder: Path) -> None:
    """A store that the broker makes itself."""


@contextmanager
def broker(
    prepare: Callable[[Path], None] = nothing, disk: str | None = None, sync_ms: float = 0.0
) -> Iterator[Running]:
    """A broker over what ``prepare`` has put into its folder, on this disk; each sync may take longer."""
    with tempfile.TemporaryDirectory(dir=disk, prefix="restante-bench-") as folder:
        prepare(Path(folder))
        with started(Path(folder), sync_ms) as running:
            yield running


@contextmanager
def started(folder: Path, sync_ms: float = 0.0) -> Iterator[Running]:
    """A broker over a folder, until the end of the block."""
    program = [str(ROOT / "broker.py")] if not sync_ms else ["-m", "benchmarks.slow_disk", str(sync_ms)]
    options = ["-a", "127.0.0.1", "-p", "0", "--data", str(folder), "--log-level", "error", "--lang", "en"]
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *program, *options], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout
        found = re.search(r":(\d+), key (\w+)", process.stdout.readline())
        assert found, "the broker did not start"
        yield Running(process.pid, int(found[1]), found[2], time.perf_counter() - began)
    finally:
        end(process)


def environment(folder: str) -> dict[str, str]:
    """A client's: no password, nobody's settings, and modules that stay compiled, as in every installation."""
    others = ("PYTHONDONTWRITEBYTECODE", *PASSWORD)
    kept = {name: value for name, value in os.environ.items() if name not in others}
    return kept | {"RESTANTE_CONFIG": os.devnull, "PYTHONPYCACHEPREFIX": f"{folder}/compiled"}


def end(process: subprocess.Popen[str]) -> None:
    """End a process that was started here, and wait for it."""
    process.terminate()
    process.wait()
    if process.stdout:
        process.stdout.close()
