"""The garbage collector, held back where millions of small objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def paused() -> Generator[None]:
    """Keeps the garbage collector from walking all that there is again and again.

    It may be used in several threads at once: the collector runs again when the first is done.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
