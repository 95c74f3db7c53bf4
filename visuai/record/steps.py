"""Counts steps, and tells which are recorded, where one optimizer or several train a model."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch.optim import Optimizer


class Steps:
    """The number of the step under way.

    A step is one turn of the training loop. The optimizer that has stepped most often leads;
    another one that steps in between belongs to the step under way.

    Attributes:
        now: The step under way or just done; one before the first as long as there is none.
        armed: Whether the step under way is recorded.
        armed_next: Whether the next one will be; decided when the one before it is done, so
            that what happens in its forward can be recorded too.
    """

    def __init__(self, start: int, due: Callable[[int], bool]) -> None:
        self._start = start
        self._due = due
        self._counts: weakref.WeakKeyDictionary[Optimizer, int] = weakref.WeakKeyDictionary()
        self._owed: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self.now = start - 1
        self.armed = False
        self.armed_next = due(start)

    def begin(self, optimizer: Optimizer) -> tuple[bool, bool]:
        """Begins a step of an optimizer.

        Returns:
            Whether a new step has begun, and whether this optimizer's part of the step is to be
            recorded: in a step that is, or, if it took no part in the last one that was, now.
        """
        count = self._counts.get(optimizer, 0)
        self._counts[optimizer] = count + 1
        new = self._start + count > self.now
        if new:
            self._advance()
            if self.armed:
                self._owed.update(self._counts)
        recorded = self.armed or optimizer in self._owed
        self._owed.discard(optimizer)
        return new, recorded

    def begin_manually(self) -> bool:
        """Begins a step that no optimizer takes; gives whether it is recorded."""
        self._advance()
        return self.armed

    def end(self) -> None:
        """Ends the step of an optimizer."""
        self.armed_next = self._due(self.now + 1)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers seen so far that still exist."""
        return list(self._counts)

    def _advance(self) -> None:
        self.now += 1
        self.armed, self.armed_next = self.armed_next, False
