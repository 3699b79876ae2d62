"""What the tests of the installed programs share: the wheel, and environments into which it was put."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
THIS = "this Python"
SUPPORTED = ("3.11", "3.12", "3.13")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The Python that runs the tests; with --every-python each that is supported."""
    if "python" in metafunc.fixturenames:
        every = metafunc.config.getoption("every_python")
        metafunc.parametrize("python", SUPPORTED if every else (THIS,), indirect=True, scope="module")


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> str:
    """The program of one Python; a test of one that is not here is skipped."""
    if request.param == THIS:
        return sys.executable
    found = next(_found(request.param), None)
    if not found:
        pytest.skip(f"Python {request.param} is not here")
    return found


def _found(version: str) -> Iterator[str]:
    """Where a Python may be: among pyenv's, and on the path."""
    yield from map(str, sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python")))
    if on_path := shutil.which(f"python{version}"):
        yield on_path


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, those files among it that are not committed yet."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "tree" / name)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--check-build-dependencies", "-w", str(folder)]
    subprocess.run([*PIP, *build, str(folder / "tree")], check=True, cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


def tracked() -> list[str]:
    """All files of the tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(name for name in set(listed) if (ROOT / name).is_file())


@pytest.fixture(scope="module")
def environment(wheel: Path, python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it, and nothing else that is ours.

    Where it is this Python's, what the wheel needs is lent to it; another Python gets it from the package index.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    own = python == sys.executable
    needs = ["--no-index", "--no-deps"] if own else []
    into = [*PIP, "--python", str(folder / "bin" / "python")]
    subprocess.run([*into, "install", *needs, str(wheel)], check=True, cwd=folder, env=_without_own_modules())
    if own:
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "lent.pth").write_text("\n".join(site.getsitepackages()), "utf-8")
    return folder


def _without_own_modules() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
