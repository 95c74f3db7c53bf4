"""Events: tells a page, as long as it listens, that a run has grown."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import TypedDict

from starlette.concurrency import run_in_threadpool

from visuai.errors import VisuaiError
from visuai.record.glance import Glance
from visuai.serve.runs import Runs

POLL, HEARTBEAT = 0.5, 15.0
"""Seconds from one look at the run to the next, and after which silence is broken."""


class Event(TypedDict):
    """How far a run is."""

    last_step: int | None
    records: int
    live: bool


def event(seen: Glance) -> Event:
    """Gives how far a run is."""
    return {"last_step": seen.last_step, "records": seen.records, "live": seen.is_live()}


async def events(runs: Runs, key: str, ending: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Gives server-sent events: how far the run is, at once and when it was written to.

    The stream ends when the run is gone or the server ends. A run that cannot be read now is
    asked again later.

    Args:
        runs: The runs.
        key: Id of the run.
        ending: Tells whether the server is about to end.
    """
    yield b"retry: 2000\n\n"
    before: tuple[object, Event] | None = None
    silent_since = time.monotonic()
    while not ending():
        try:
            now = await run_in_threadpool(_look, runs, key)
        except LookupError:
            return
        except VisuaiError:
            now = before
        if now is not None and now != before:
            yield f"data: {json.dumps(now[1])}\n\n".encode("ascii")
            before, silent_since = now, time.monotonic()
        elif time.monotonic() - silent_since >= HEARTBEAT:
            yield b": still here\n\n"
            silent_since = time.monotonic()
        await asyncio.sleep(POLL)


def _look(runs: Runs, key: str) -> tuple[object, Event]:
    with runs.reading(key) as opened, opened.run.snapshot():
        return opened.version, event(opened.glance())
