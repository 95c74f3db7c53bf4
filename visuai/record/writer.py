"""Writes in a thread of its own, so that no disk and no lock ever holds up training."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from visuai.record.compaction import pending, transpose
from visuai.record.reader import CHUNK
from visuai.record.scalars import Event
from visuai.record.store import Batch, LostOwnership, Record, Store

MOST_WAITING = 64
"""Records that may wait to be written; those beyond are dropped, and that is said."""

_PAUSE = 0.5


@dataclass
class Waiting:
    """What has been handed over and is not yet written.

    Attributes:
        records: Functions that finish a record; they may wait for a device.
        batch: Everything else.
    """

    records: deque[Callable[[], Record]] = field(default_factory=deque[Callable[[], Record]])
    others: list[Batch] = field(default_factory=list[Batch])


class Writer:
    """The thread that writes a run.

    Attributes:
        lost: Records that could not be written.
        seconds: Processor time used so far.
        problem: What keeps it from writing; None if nothing does.
    """

    def __init__(self, store: Store, complain: Callable[[str], None]) -> None:
        """Starts the thread.

        Args:
            store: Where to write.
            complain: Told, once for each kind, what goes wrong; called in the thread.
        """
        self.lost = 0
        self.seconds = 0.0
        self.problem: str | None = None
        self._store = store
        self._complain = complain
        self._complained: set[str] = set()
        self._reported = 0
        self._waiting = Waiting()
        self._pending = pending(store.connection)
        self._changed = threading.Condition()
        self._busy = False
        self._stopping = False
        self._stopped = False
        self._last_step = 0
        self._thread = threading.Thread(target=self._run, name="visuai-writer", daemon=True)
        self._thread.start()

    def put(self, record: Callable[[], Record]) -> None:
        """Hands over a record; dropped if too many wait or the writer has stopped."""
        with self._changed:
            if self._stopped or len(self._waiting.records) >= MOST_WAITING:
                self.lost += 1
                return
            self._waiting.records.append(record)
            self._changed.notify_all()

    def note(self, batch: Batch) -> None:
        """Hands over scalars, events, subjects and documents: written with the next record."""
        with self._changed:
            if not self._stopped:
                self._waiting.others.append(batch)

    def flush(self, seconds: float) -> bool:
        """Waits until everything handed over is written, or dropped.

        Args:
            seconds: Longest to wait.

        Returns:
            Whether nothing waits any more.
        """
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: self._stopped or not (self._busy or self._has_work()), seconds
            )

    def close(self, seconds: float) -> None:
        """Writes what waits, packs all records into chunks, and closes the file."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _has_work(self) -> bool:
        return bool(self._waiting.records or self._waiting.others)

    def _run(self) -> None:
        try:
            while self._take_turn():
                pass
            if self.problem is None:
                self._pack(everything=True)
        except Exception as error:
            self._fail(f"the recorder's writer stopped: {type(error).__name__}: {error}")
        finally:
            with self._changed:
                self._stopped = True
                self.lost += len(self._waiting.records)
                self._changed.notify_all()
            self._store.close()

    def _take_turn(self) -> bool:
        """Waits for work and does it; gives whether there will be more."""
        with self._changed:
            if not self._stopping and not self._waiting.records:
                self._changed.wait(_PAUSE)
            taken, self._waiting = self._waiting, Waiting()
            self._busy = True
            last = self._stopping
        start = time.thread_time()
        try:
            self._write(taken)
            if self._pending >= CHUNK:
                self._pack(everything=False)
        except LostOwnership as error:
            self._fail(str(error))
            return False
        finally:
            self.seconds += time.thread_time() - start
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return not last

    def _write(self, taken: Waiting) -> None:
        """Writes records one transaction each, so that one that fails takes no other along."""
        others = taken.others
        while taken.records or others:
            records: tuple[Record, ...] = ()
            if taken.records:
                try:
                    records = (taken.records.popleft()(),)
                except Exception as error:
                    self.lost += 1
                    self._fail(f"a record could not be made: {type(error).__name__}: {error}")
                    continue
                self._last_step = records[0].step
            batch = Batch(
                records=records,
                scalars=tuple(each for other in others for each in other.scalars),
                events=(
                    *(each for other in others for each in other.events),
                    *self._losses(),
                ),
                subjects=tuple(each for other in others for each in other.subjects),
                documents=tuple(each for other in others for each in other.documents),
            )
            if self._try(batch):
                others = []
                self._pending += len(records)
            else:
                self.lost += len(records)
                if not taken.records:
                    break
        if others:  # Small, and too good to lose: tried again with the next record.
            with self._changed:
                self._waiting.others[:0] = others[-4096:]
                if self._stopping:
                    self._waiting.others.clear()

    def _losses(self) -> tuple[Event, ...]:
        lost = self.lost - self._reported
        if not lost:
            return ()
        detail = f"{lost} records could not be kept: {self.problem or 'too many waited'}"
        return (Event(self._last_step, time.time(), "lost", detail),)

    def _try(self, batch: Batch) -> bool:
        lost = self.lost
        try:
            self._store.write(batch)
        except (sqlite3.Error, OSError) as error:
            self._fail(f"records are being lost: {error}")
            return False
        self._reported = lost
        self.problem = None
        return True

    def _pack(self, *, everything: bool) -> None:
        """Moves records into chunks; if that fails they stay what they are."""
        try:
            while self._pending >= (1 if everything else CHUNK):
                with self._store.compacting() as connection:
                    transpose(connection)
                    self._pending = pending(connection)
        except (sqlite3.Error, OSError) as error:
            self._fail(f"records could not be packed: {error}")
            self._pending = 0

    def _fail(self, problem: str) -> None:
        self.problem = problem
        kind = problem[:40]
        if kind not in self._complained:
            self._complained.add(kind)
            self._complain(problem)
