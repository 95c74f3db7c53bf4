"""Which steps to record, so that recording costs no more than its share of the time."""

from __future__ import annotations

from collections import deque
from statistics import median

_REMEMBERED = 9

HEAD_START = 50.0
"""Seconds of training that count as done before it begins: one second of recording at the default
overhead. Most that goes wrong does so early, and a short training is to have records too."""

AFTERMATH = 1.6
"""What a record costs in all, in times of what it takes: training then finds its caches cold.
Pairs of ResNet-18 with and without were apart by this factor (``benchmarks.recorder overhead``)."""


class Cadence:
    """Every so many steps, or as often as a share of the training time pays for.

    Each step of training earns a share of the time it took; a record is due when what it will
    cost has been earned, beside a head start. The first record is not charged: it allocates what
    later ones use.

    Attributes:
        spent: Seconds spent on recording, the first record left out.
        trained: Seconds of training without the recorder.
    """

    def __init__(self, every: int | None, overhead: float) -> None:
        self._every = every
        self._overhead = overhead
        self._costs: deque[float] = deque(maxlen=_REMEMBERED)
        self._credit = overhead * HEAD_START
        self._records = 0
        self._current = 0.0
        self.spent = 0.0
        self.trained = 0.0

    def due(self, step: int) -> bool:
        """Tells whether a step is to be recorded."""
        if self._every is not None:
            return step % self._every == 0
        return self._records < 2 or self._credit >= self.expected

    @property
    def expected(self) -> float:
        """Seconds that the next record will cost, by those before it."""
        return median(self._costs) if self._costs else 0.0

    def earn(self, seconds: float) -> None:
        """Adds the time of a step of training; a long pause earns no more than one record."""
        self.trained += seconds
        ceiling = max(self.expected, self._credit)
        self._credit = min(self._credit + self._overhead * seconds, ceiling)

    def charge(self, seconds: float) -> None:
        """Adds time spent by the recorder, on the current record or in the background."""
        self._current += AFTERMATH * seconds
        if self._records:
            self._credit -= AFTERMATH * seconds
            self.spent += seconds

    def recorded(self) -> None:
        """Ends a record: what was spent since the one before is what it cost."""
        if self._records:
            self._costs.append(self._current)
        self._current = 0.0
        self._records += 1
