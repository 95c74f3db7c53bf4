"""A series: what one quantity of one parameter did, step by step, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visuai.record.bins import magnitude_edges
from visuai.record.columns import Columns, downsample

STATISTICS = (
    "count",
    "zeros",
    "nonfinite",
    "sum",
    "abs_sum",
    "square_sum",
    "min",
    "max",
    "mean",
    "mean_abs",
    "std",
    "rms",
    "norm",
    "zero_share",
    "nonfinite_share",
)
"""The statistics that a `Series` has."""


@dataclass(frozen=True)
class Histogram:
    """Distributions over steps: one row for each step of the series, one column for each bin.

    Attributes:
        counts: Elements in each bin, float32, steps × bins. Of a tensor with more than
            `visuai.record.bins.SAMPLE` elements it is a sample of that size that is counted;
            its zeros count as their exact share of it. Where steps are merged it is the average.
        edges: Edges of the bins, float64, bins + 1, ascending from the most negative to the
            most positive. The bin in the middle, around 0, holds the zeros and nothing else.
    """

    counts: NDArray[np.float32]
    edges: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float32]:
        """Counts of each step divided by their sum: steps × bins, each row sums to 1 or is 0."""
        totals = self.counts.sum(axis=1, keepdims=True)
        return np.divide(self.counts, totals, out=np.zeros_like(self.counts), where=totals > 0)


@dataclass(frozen=True)
class Series:
    """One quantity of one parameter (or module) over the recorded steps.

    All arrays have one entry for each column. A column is one recorded step, or, downsampled,
    several neighbouring ones: counts and sums are then over all of them, and `mean`, `std`,
    `rms` and the like are those of all their elements together.

    Attributes:
        subject: FQN of the parameter or module.
        quantity: ``weight``, ``gradient``, ``update``, ``activation`` or ``activity``.
        columns: The statistics as they are kept.

    Examples:
        >>> from visuai.record.columns import empty
        >>> series = Series("conv1.weight", "gradient", empty())
        >>> len(series), series.norm.tolist(), series.histogram.counts.shape
        (0, [], (0, 1))
    """

    subject: str
    quantity: str
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The step of each column; where several are merged, the first."""
        return self.columns.first

    @property
    def last_steps(self) -> NDArray[np.int64]:
        """The last step that each column covers."""
        return self.columns.last

    @property
    def records(self) -> NDArray[np.int64]:
        """How many recorded steps each column merges."""
        return self.columns.records

    @property
    def count(self) -> NDArray[np.int64]:
        """Elements."""
        return self.columns.count

    @property
    def zeros(self) -> NDArray[np.int64]:
        """Elements that are exactly zero."""
        return self.columns.zeros

    @property
    def nonfinite(self) -> NDArray[np.int64]:
        """Elements that are infinite or not a number."""
        return self.columns.nonfinite

    @property
    def sum(self) -> NDArray[np.float64]:
        """Sum of the finite elements."""
        return self.columns.total

    @property
    def abs_sum(self) -> NDArray[np.float64]:
        """Sum of the magnitudes of the finite elements."""
        return self.columns.magnitude

    @property
    def square_sum(self) -> NDArray[np.float64]:
        """Sum of the squares of the finite elements."""
        return self.columns.square

    @property
    def min(self) -> NDArray[np.float64]:
        """Smallest finite element, NaN if there is none."""
        return self.columns.minimum

    @property
    def max(self) -> NDArray[np.float64]:
        """Largest finite element, NaN if there is none."""
        return self.columns.maximum

    @property
    def finite(self) -> NDArray[np.int64]:
        """Elements that are finite."""
        return self.count - self.nonfinite

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of the finite elements, NaN if there is none."""
        return _divide(self.sum, self.finite)

    @property
    def mean_abs(self) -> NDArray[np.float64]:
        """Mean magnitude of the finite elements, NaN if there is none."""
        return _divide(self.abs_sum, self.finite)

    @property
    def rms(self) -> NDArray[np.float64]:
        """Root of the mean square of the finite elements, NaN if there is none."""
        return np.sqrt(_divide(self.square_sum, self.finite))

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of the finite elements (of all of them: divided by their number)."""
        mean_square = _divide(self.square_sum, self.finite)
        return np.sqrt(np.maximum(mean_square - self.mean**2, 0.0))

    @property
    def norm(self) -> NDArray[np.float64]:
        """Euclidean norm of the finite elements; of merged steps, the root mean square norm."""
        return np.sqrt(self.square_sum / np.maximum(self.records, 1))

    @property
    def zero_share(self) -> NDArray[np.float64]:
        """Share of the elements that is zero, NaN if there are no elements."""
        return _divide(self.zeros, self.count)

    @property
    def nonfinite_share(self) -> NDArray[np.float64]:
        """Share of the elements that is not finite, NaN if there are no elements."""
        return _divide(self.nonfinite, self.count)

    @property
    def histogram(self) -> Histogram:
        """The distribution at each step, over fixed bins; see `visuai.record.bins`."""
        columns = self.columns
        width = columns.bins.shape[2]
        sampled = columns.bins.sum(axis=(1, 2), dtype=np.float64)
        nonzero = self.finite - self.zeros
        zeros = np.where(
            nonzero > 0,
            sampled * _divide(self.zeros, np.maximum(nonzero, 1)),
            self.zeros / np.maximum(self.records, 1),
        ).astype(np.float32)
        counts = np.concatenate(
            [columns.bins[:, 1, ::-1], zeros[:, None], columns.bins[:, 0]], axis=1
        )
        if width:
            positive = magnitude_edges(columns.low, columns.low + width)
        else:
            positive = np.array([2.0**-126])
        return Histogram(counts, np.concatenate([-positive[::-1], positive]))

    def downsample(self, columns: int) -> Series:
        """Gives the same series with no more than so many columns; neighbours are merged.

        Args:
            columns: Most columns, at least 1.

        Raises:
            ValueError: If ``columns`` is less than 1.
        """
        if columns < 1:
            raise ValueError(f"A series cannot have {columns} columns; ask for at least 1.")
        return Series(self.subject, self.quantity, downsample(self.columns, columns))

    def __repr__(self) -> str:
        span = f", steps {self.steps[0]} to {self.last_steps[-1]}" if len(self) else ""
        return f"Series({self.subject[:80]!r}, {self.quantity!r}, {len(self)} columns{span})"


def _divide(
    above: NDArray[np.float64] | NDArray[np.int64], below: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Divides, NaN where there is nothing to divide by."""
    result = np.full(len(below), np.nan)
    return np.divide(above, below, out=result, where=below > 0)
