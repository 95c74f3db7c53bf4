"""Columns of one series: per record, or per run of records, its sufficient statistics.

In memory all are plain arrays. Statistics merge: counts and sums by adding, extremes by
comparing; histograms by averaging, so that each stays one of about `SAMPLE` elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Columns:
    """Consecutive columns of one series, each over one or more recorded steps.

    Attributes:
        first: First step of each column, int64, ascending.
        last: Last step of each column, int64; equal to ``first`` where one record is alone.
        records: Number of records merged, int64.
        count: Elements, over all records of the column, int64.
        zeros: Elements that are zero, int64.
        nonfinite: Elements that are infinite or not a number, int64.
        total: Sum of the finite elements, float64.
        magnitude: Sum of their magnitudes, float64.
        square: Sum of their squares, float64.
        minimum: Smallest finite element, float64; NaN if there is none.
        maximum: Largest finite element, float64; NaN if there is none.
        low: First magnitude of ``bins``.
        bins: Average counts of a record, float32, columns × 2 × magnitudes: for each column
            those of the positive elements by magnitude, from ``low``, then the negative ones'.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    records: NDArray[np.int64]
    count: NDArray[np.int64]
    zeros: NDArray[np.int64]
    nonfinite: NDArray[np.int64]
    total: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    square: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    low: int
    bins: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)

    def select(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Columns:
        """Gives some of the columns."""
        arrays: dict[str, Any] = {name: getattr(self, name)[which] for name in (*_ARRAYS, "bins")}
        return Columns(**arrays, low=self.low)

    def without_bins(self) -> Columns:
        """Gives the statistics alone."""
        return replace(self, low=0, bins=np.zeros((len(self), 2, 0), dtype=np.float32))


_ARRAYS = (
    "first",
    "last",
    "records",
    "count",
    "zeros",
    "nonfinite",
    "total",
    "magnitude",
    "square",
    "minimum",
    "maximum",
)

_INTEGERS = frozenset(_ARRAYS[:6])


def empty() -> Columns:
    """Gives no columns."""
    arrays: dict[str, Any] = {
        name: np.zeros(0, dtype=np.int64 if name in _INTEGERS else np.float64) for name in _ARRAYS
    }
    return Columns(**arrays, low=0, bins=np.zeros((0, 2, 0), dtype=np.float32))


def concatenate(parts: Sequence[Columns]) -> Columns:
    """Joins columns of one series, in the order given."""
    if not parts:
        return empty()
    if len(parts) == 1:
        return parts[0]
    filled = [part for part in parts if part.bins.shape[2]]
    low = min((part.low for part in filled), default=0)
    high = max((part.low + part.bins.shape[2] for part in filled), default=0)
    bins = np.zeros((sum(map(len, parts)), 2, high - low), dtype=np.float32)
    row = 0
    for part in parts:
        start = part.low - low
        if part.bins.shape[2]:
            bins[row : row + len(part), :, start : start + part.bins.shape[2]] = part.bins
        row += len(part)
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS
    }
    return Columns(**arrays, low=low, bins=bins)


def merge(columns: Columns, starts: NDArray[np.intp]) -> Columns:
    """Merges runs of neighbouring columns into one column each.

    Args:
        columns: Columns of one series.
        starts: Where each run starts, ascending, the first one 0.
    """
    if len(starts) == len(columns):
        return columns
    ends = np.append(starts[1:], len(columns)) - 1
    records = np.add.reduceat(columns.records, starts)
    weighted = columns.bins * columns.records[:, None, None].astype(np.float32)
    bins: NDArray[Any] = np.add.reduceat(weighted, starts, axis=0)
    del weighted
    np.divide(bins, records[:, None, None], out=bins, casting="unsafe")
    added: dict[str, Any] = {
        name: np.add.reduceat(getattr(columns, name), starts) for name in _ARRAYS[3:9]
    }
    return Columns(
        first=columns.first[starts],
        last=columns.last[ends],
        records=records,
        minimum=np.fmin.reduceat(columns.minimum, starts),
        maximum=np.fmax.reduceat(columns.maximum, starts),
        low=columns.low,
        bins=bins,
        **added,
    )


def downsample(columns: Columns, most: int) -> Columns:
    """Merges columns so that no more than ``most`` remain, each of about as many records."""
    return merge(columns, starts_of(shares([columns.records], most)[0]))


def shares(records: Sequence[NDArray[np.int64]], most: int | None) -> list[NDArray[np.int64]]:
    """Tells which columns to merge so that no more than ``most`` remain: those of one number.

    Args:
        records: Records of the columns, in parts, one behind the other.
        most: Most columns, each of about as many records; None for no limit.

    Returns:
        Numbers, ascending, as they are given.
    """
    rows, total = sum(map(len, records)), sum(int(each.sum()) for each in records)
    found: list[NDArray[np.int64]] = []
    before = 0
    for each in records:
        if most is None or rows <= most:
            found.append(np.arange(before, before + len(each)))
            before += len(each)
        else:
            found.append((before + np.cumsum(each) - each) * most // total)
            before += int(each.sum())
    return found


def starts_of(numbers: NDArray[np.int64]) -> NDArray[np.intp]:
    """Gives where each number begins, of numbers that ascend from 0 or above."""
    return np.flatnonzero(np.diff(numbers, prepend=-1))
