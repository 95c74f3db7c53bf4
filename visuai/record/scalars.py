"""A number a step: the loss, a learning rate, whatever the user gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEARNING_RATE = "learning rate"
"""Scalars of this name, or of a name that starts so, are learning rates."""


@dataclass(frozen=True)
class Scalars:
    """One number for each step at which it was given.

    Attributes:
        name: Its name: ``loss``, ``learning rate``.
        steps: Steps, int64, ascending.
        values: Values, float64; NaN where it was not a number.
    """

    name: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.steps)

    def finite(self) -> Scalars:
        """Gives it without the steps at which it was not a finite number."""
        kept = np.isfinite(self.values)
        return Scalars(self.name, self.steps[kept], self.values[kept])


@dataclass(frozen=True)
class Event:
    """Something worth knowing that happened while recording.

    Attributes:
        step: At which step.
        time: When, in seconds since 1970.
        kind: ``start``, ``resume``, ``close``, ``skipped`` (a step that a gradient scaler
            skipped), ``lost`` (records that could not be kept), ``failed`` (an error in the
            recorder), ``topology`` (the network could not be captured), ``changed`` (a
            parameter was replaced), ``unheard`` (activations were asked for, and no module was
            heard).
        detail: What happened, for people.
    """

    step: int
    time: float
    kind: str
    detail: str
