"""The five moments of some numbers, and the way to them when single precision does not do."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Squares of float32 between these are neither infinite nor lost; others are summed as float64.
SMALL, LARGE = 1e-12, 1e15


class Moments(NamedTuple):
    """What is known of some numbers.

    Attributes:
        zeros: How many are zero.
        nonfinite: How many are infinite or not a number.
        values: Sum, sum of magnitudes, sum of squares, minimum and maximum of the finite ones;
            the last two are NaN if there are none.
    """

    zeros: int
    nonfinite: int
    values: list[float]


def sound(largest: Any) -> Any:
    """Tells of which numbers single precision gets the moments right.

    Args:
        largest: The largest magnitude, one or an array; NaN if any of the numbers is.
    """
    return ((largest > SMALL) & (largest < LARGE)) | (largest == 0)


def measure_carefully(numbers: NDArray[Any]) -> Moments:
    """Measures numbers of which some may not be finite, or whose squares may not be."""
    finite: NDArray[np.float64] = numbers[np.isfinite(numbers)].astype(np.float64)
    missing = len(numbers) - len(finite)
    if not len(finite):
        return Moments(0, missing, [0.0, 0.0, 0.0, np.nan, np.nan])
    values = [
        float(finite.sum()),
        float(np.abs(finite).sum()),
        float(np.square(finite).sum()),
        float(finite.min()),
        float(finite.max()),
    ]
    return Moments(len(finite) - int(np.count_nonzero(finite)), missing, values)
