"""A table: one statistic of several series at shared steps, series by steps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from visuai.record.columns import merge
from visuai.record.series import Series


def shared_steps(steps: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Gives the first step of each column of a picture of several series.

    Args:
        steps: The steps of all columns of all of them, ascending.
        most: Most columns.
    """
    if len(steps) <= most:
        return steps
    return steps[np.arange(most) * len(steps) // most]


def table(
    series: Mapping[str, Series | None], steps: NDArray[np.int64], statistic: str
) -> NDArray[np.float64]:
    """Gives a statistic of several series at shared steps, float64 (series × steps).

    Each column stands for the steps from its own up to the next. What several columns of a
    series have there is merged; a column that is wider fills all of those that it covers.
    """
    values = np.full((len(series), len(steps)), np.nan)
    ends = np.append(steps[1:], np.iinfo(np.int64).max)
    for row, (name, each) in enumerate(series.items()):
        if each is None or not len(each):
            continue
        cells = np.searchsorted(steps, each.steps, side="right") - 1
        starts = np.flatnonzero(np.diff(cells, prepend=-2))
        merged = each
        if len(starts) < len(each):
            merged = Series(name, each.quantity, merge(each.columns, starts))
        at = np.searchsorted(merged.steps, ends, side="left") - 1
        covered = (at >= 0) & (merged.last_steps[at] >= steps)
        known = np.asarray(getattr(merged, statistic), dtype=np.float64)
        if statistic in ("norm", "sum", "abs_sum", "square_sum"):
            known = np.where(merged.finite > 0, known, np.nan)  # not 0: there is no number
        if statistic in ("count", "zeros", "nonfinite"):
            known = known / merged.records
        values[row, covered] = known[at[covered]]
    return values


def ratio(update: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divides norms, NaN where the weight is zero."""
    result = np.full(update.shape, np.nan)
    return np.divide(update, weight, out=result, where=weight > 0)
