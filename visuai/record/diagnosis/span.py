"""When something holds: from which record to which, if it lasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Span:
    """Neighbouring columns in which something holds.

    Attributes:
        first: Index of the first column.
        last: Index of the last column.
        holds: Number of columns between (with both) in which it does hold.
    """

    first: int
    last: int
    holds: int


def lasting(
    holds: NDArray[np.bool_], known: NDArray[np.bool_], least: int, *, share: float = 0.8
) -> Span | None:
    """Finds where something starts to hold, and to stay so.

    It starts at the first column where it holds from which on it holds in ``least`` of the known
    columns with at most ``1 - share`` exceptions among them. It lasts until the share of
    exceptions gets larger.

    Args:
        holds: Whether it holds, for each column.
        known: Whether there is a record to tell by, for each column.
        least: Number of columns it has to hold in.
        share: Share of the known columns in which it has to hold.

    Examples:
        >>> import numpy as np
        >>> lasting(np.array([0, 1, 0, 0, 1, 1, 1]) > 0, np.ones(7, dtype=bool), 3)
        Span(first=4, last=6, holds=3)
    """
    columns = np.flatnonzero(known)
    states = holds[columns]
    if int(states.sum()) < least:
        return None
    # A walk that goes up where it holds and down, faster, where not: it lasts while above 0.
    down = share / (1.0 - share)
    start, height, hits, last = -1, 0.0, 0, -1
    for index, state in enumerate(states.tolist()):
        if state:
            if start < 0:
                start, height, hits = index, 0.0, 0
            height, hits, last = height + 1.0, hits + 1, index
        elif start >= 0:
            height -= down
            if height < 0.0:
                if hits >= least:
                    break
                start = -1
    if start < 0 or hits < least:
        return None
    return Span(int(columns[start]), int(columns[last]), hits)


def ends_with(span: Span, known: NDArray[np.bool_]) -> bool:
    """Tells whether a span reaches the last known columns, up to one in ten of them."""
    columns = np.flatnonzero(known)
    return len(columns) > 0 and span.last >= columns[-max(1, len(columns) // 10)]


def row_medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the median of the known values of each row, NaN where there are none."""
    result = np.full(len(values), np.nan)
    rows = np.isfinite(values).sum(axis=1) > 0
    if rows.sum():
        result[rows] = np.nanmedian(values[rows], axis=1)
    return result


def column_medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the median of the known values of each column, NaN where there are none."""
    return row_medians(np.swapaxes(values, 0, 1))


def largest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the largest known value of each column, NaN where there is none."""
    result = np.full(values.shape[1], np.nan)
    for row in values:
        np.fmax(result, row, out=result)
    return result


def earlier_spread(
    values: NDArray[np.float64], window: int, least: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gives for each column the median of those before it, and how far they spread about it.

    Args:
        values: Values, NaN where not known.
        window: So many columns before it.
        least: As many of them have to be known.

    Returns:
        Medians, and median absolute deviations scaled to the standard deviation of a normal
        distribution; NaN where there are too few values.
    """
    median, spread = np.full((2, len(values)), np.nan)
    if len(values) > least:
        padded = np.concatenate([np.full(window, np.nan), values[:-1]])
        windows = np.lib.stride_tricks.sliding_window_view(padded, window)
        enough = np.isfinite(windows).sum(axis=1) >= least
        if enough.any():
            median[enough] = np.nanmedian(windows[enough], axis=1)
            away = np.abs(windows[enough] - median[enough, None])
            spread[enough] = 1.4826 * np.nanmedian(away, axis=1)
    return median, spread
