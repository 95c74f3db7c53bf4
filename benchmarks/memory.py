"""Memory of this process, from what Linux tells of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def resident() -> float:
    """Gives what this process holds now, in MB; not a number where there is no ``/proc``."""
    return _told("VmRSS")


def peak_from_now() -> Callable[[], float]:
    """Gives a function that tells the most that this process has held since now, in MB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Sets the peak back to what is held now.
    except OSError:
        return lambda: float("nan")
    return lambda: _told("VmHWM")


def _told(which: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    for line in lines:
        if line.startswith(which):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")
