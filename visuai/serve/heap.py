"""Where the server's memory comes from."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
"""As ``malloc.h`` of glibc has it; see its manual page, mallopt(3)."""


def share_heap() -> None:
    """Has all threads of this process take memory from one heap, where glibc is the C library.

    By itself it gives them up to eight heaps for each core. Requests are answered by whichever
    thread is free, so that what one has left in pieces does not serve the next: while a live run
    was followed, the server grew by a tenth, in steps. Call it before threads start, and only
    in a process of our own.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
