"""What the operating system says of the broker's process, and of the disk that its folder lies on."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from operating.measures import Gauge
from transport import descriptors
from transport.connections import resident


def gauges(folder: Path) -> dict[str, Gauge]:
    """What can be asked at any moment, by what it tells; None where this system can't tell."""
    return {
        "memory": lambda: resident() or None,
        "descriptors": descriptors.used,
        "descriptors_limit": descriptors.limit,
        "cpu_ms": lambda: time.process_time_ns() // 1_000_000,
        "disk_free": lambda: shutil.disk_usage(folder).free,
    }
