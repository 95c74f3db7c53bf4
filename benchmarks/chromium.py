"""A Chromium without a window, as tests, benchmarks and pictures use it; none is fetched."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""What it may be called."""

OPTIONS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Graphics by the processor alone, and not a request of its own."""


def installed() -> str | None:
    """Finds it; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)
