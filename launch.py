"""The console scripts of an installed wheel: the same programs, in the one folder that the wheel has for itself.

In site-packages the whole tree lies under ``restante/``, for names such as ``protocol`` and ``broker`` belong to others
there. That folder is put first on the path, and from then on everything is as in a checkout.
"""

from __future__ import annotations

import sys
from pathlib import Path


def broker() -> int:
    """``restante-broker``; the exit code."""
    _enter()
    from broker import main  # found only now

    return main(program="restante-broker")


def client() -> int:
    """``restante``; the exit code."""
    _enter()
    from client import main  # found only now

    return main(program="restante")


def _enter() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
