"""Keeps Python's cycle collector from running where many small objects are made that stay."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Generator[None]:
    """Pauses the cycle collector, if it runs at all.

    A pipeline, and who reads or writes a topology, makes many small objects and no garbage to
    speak of. Each full collection that they set off walks all objects of the process, which with
    torch loaded costs more than the work itself. Reference counting goes on as ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
