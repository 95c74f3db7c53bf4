"""Counts steps, and tells which are recorded, where one optimizer or several train a model."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import cast

from torch.optim import Optimizer


def optimizers_in(given: object) -> list[Optimizer]:
    """Gives the optimizers of torch's that were given, without what is wrapped around them.

    Libraries wrap optimizers, and hand the wrapper out; what steps, and is heard, is inside.

    Args:
        given: An optimizer, one that holds it as its ``optimizer``, or several of these.

    Raises:
        TypeError: If there is something else.
    """
    several = cast("list[object]", given) if isinstance(given, (list, tuple)) else [given]
    found: list[Optimizer] = []
    for each in several:
        before, inner = len(found), each
        while inner is not None:
            if isinstance(inner, Optimizer):
                found.append(inner)
            inner = getattr(inner, "optimizer", None) or getattr(inner, "_optimizer", None)
        if len(found) == before:
            raise TypeError(
                f"optimizer={each!r:.100}: expected a torch.optim.Optimizer, or a list of them. "
                "For a loop that steps without one of torch's, leave it out and call visu.step()."
            )
    return found


def is_stepping(optimizer: Optimizer) -> bool:
    """Tells whether a step of an optimizer is under way in this thread: whether it calls us."""
    frame = inspect.currentframe()
    while frame is not None:
        first = frame.f_code.co_varnames[:1]  # Mostly called self.
        if frame.f_code.co_name == "step" and frame.f_locals.get(*first or ("",)) is optimizer:
            return True
        frame = frame.f_back
    return False


class Steps:
    """The number of the step under way.

    A step is one turn of the training loop: it ends when an optimizer that took part in it
    steps again. Others that step meanwhile belong to it. One that has not been seen before
    takes part too, unless it replaces all those that do: then it begins the next step.

    Attributes:
        now: The step under way or just done; one before the first as long as there is none.
        armed: Whether the step under way is recorded.
        armed_next: Whether the next one will be; decided when the one before it is done, so
            that what happens in its forward can be recorded too.
    """

    def __init__(self, start: int, due: Callable[[int], bool]) -> None:
        self._due = due
        self._last: weakref.WeakKeyDictionary[Optimizer, int] = weakref.WeakKeyDictionary()
        self._owed: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self.now = start - 1
        self.armed = False
        self.armed_next = due(start)

    def begin(
        self, optimizer: Optimizer, replaces: Callable[[Optimizer], bool]
    ) -> tuple[bool, bool]:
        """Begins a step of an optimizer.

        Args:
            optimizer: The optimizer.
            replaces: Tells whether it takes the place of another one.

        Returns:
            Whether a new step has begun, and whether this optimizer's part of the step is to be
            recorded: in a step that is, and, if it took no part in the last one that was, now.
        """
        last = self._last.get(optimizer)
        if last is None:
            self._owed.add(optimizer)
            new = all(replaces(other) for other, step in self._last.items() if step == self.now)
        else:
            new = last == self.now
        if new:
            self._advance()
            if self.armed:
                self._owed.update(self._last)
        self._last[optimizer] = self.now
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
        return list(self._last)

    @property
    def taking_part(self) -> list[Optimizer]:
        """The optimizers that take part in the step under way, in the order of their first."""
        return [optimizer for optimizer, step in self._last.items() if step == self.now]

    def _advance(self) -> None:
        self.now += 1
        self.armed, self.armed_next = self.armed_next, False
