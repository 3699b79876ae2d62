from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.language import speak


@pytest.fixture
def russian() -> Iterator[None]:
    """This test speaks Russian."""
    speak("ru")
    yield
    speak("en")
