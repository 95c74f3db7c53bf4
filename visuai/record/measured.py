"""What is measured of several tensors at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visuai.record.bins import BINS, by_sign
from visuai.record.columns import Columns


@dataclass(frozen=True)
class Measured:
    """Statistics of several tensors; moments float64 and counts int64, one entry for each.

    Attributes:
        count: Elements.
        zeros: Elements that are zero.
        nonfinite: Elements that are infinite or not a number.
        moments: Sum, sum of magnitudes, sum of squares, minimum, maximum; 5 × tensors.
        bins: Elements of the sample in each bin, tensors × `BINS`.
    """

    count: NDArray[np.int64]
    zeros: NDArray[np.int64]
    nonfinite: NDArray[np.int64]
    moments: NDArray[np.float64]
    bins: NDArray[np.int64]

    @classmethod
    def empty(cls, sizes: Sequence[int]) -> Measured:
        """Gives room for the statistics of tensors of some sizes, nothing measured yet."""
        moments = np.zeros((5, len(sizes)))
        moments[3:] = np.nan
        return cls(
            count=np.array(sizes, dtype=np.int64),
            zeros=np.zeros(len(sizes), dtype=np.int64),
            nonfinite=np.zeros(len(sizes), dtype=np.int64),
            moments=moments,
            bins=np.zeros((len(sizes), BINS), dtype=np.int64),
        )

    def columns(self, step: int) -> Columns:
        """Gives them as rows of one step."""
        steps = np.full(len(self.count), step, dtype=np.int64)
        total, magnitude, square, minimum, maximum = self.moments
        bins = by_sign(self.bins)
        used = np.flatnonzero(bins.any(axis=(0, 1)))
        low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        return Columns(
            first=steps,
            last=steps,
            records=np.ones_like(steps),
            count=self.count,
            zeros=self.zeros,
            nonfinite=self.nonfinite,
            total=total,
            magnitude=magnitude,
            square=square,
            minimum=minimum,
            maximum=maximum,
            low=low,
            bins=bins[:, :, low:high].astype(np.float32),
        )
