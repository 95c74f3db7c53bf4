"""Curves of a run: what one quantity of one subject did, and the scalars."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from visuai.record.run import Run
from visuai.record.scalars import Scalars
from visuai.record.series import Histogram
from visuai.record.table import ratio, table

STATISTICS = (
    *("norm", "rms", "mean", "std", "mean_abs", "min", "max"),
    *("zero_share", "nonfinite", "nonfinite_share"),
)

MOST_POINTS = 2000


class HistogramDocument(TypedDict):
    """``counts`` is base64 of float32, little-endian: a row for each step, a count for each
    bin that any of them uses; the bins lie between neighbouring ``edges``."""

    edges: list[float]
    counts: str


class SeriesDocument(TypedDict):
    """Statistics by name, None where there is no number; ``steps`` are the first of each
    column, ``last_steps`` the last."""

    steps: list[int]
    last_steps: list[int]
    statistics: dict[str, list[float | None]]
    histogram: HistogramDocument


class ScalarDocument(TypedDict):
    """A scalar, None where it was not a finite number."""

    steps: list[int]
    values: list[float | None]


def curve(run: Run, subject: str, quantity: str, columns: int) -> SeriesDocument:
    """Gives what one quantity of one subject did.

    Args:
        run: The run.
        subject: FQN of the parameter or module.
        quantity: One of `visuai.record.schema.QUANTITIES`.
        columns: Most columns; neighbours are merged.

    Raises:
        FormatError: If the run is damaged.
    """
    with run.snapshot():
        series = run.series(subject, quantity, columns=columns)
        of_update = quantity == "update"
        weight = run.series(subject, "weight", columns=columns, bins=False) if of_update else None
    of_one = {subject: series}
    statistics = {name: table(of_one, series.steps, name)[0] for name in STATISTICS}
    if of_update:
        norms = table({subject: weight}, series.steps, "norm")
        statistics["ratio"] = ratio(statistics["norm"][None], norms)[0]
    if quantity == "activity":
        statistics["dead"] = statistics["zero_share"]
    return {
        "steps": series.steps.tolist(),
        "last_steps": series.last_steps.tolist(),
        "statistics": {name: _numbers(values) for name, values in statistics.items()},
        "histogram": _histogram(series.histogram),
    }


def scalars(run: Run) -> dict[str, ScalarDocument]:
    """Gives all scalars by name, each with at most 2000 points.

    Raises:
        FormatError: If the run is damaged.
    """
    with run.snapshot():
        found = {name: run.scalar(name) for name in run.scalars}
    return {name: _scalar(each, MOST_POINTS) for name, each in found.items()}


def _scalar(scalar: Scalars, most: int) -> ScalarDocument:
    if len(scalar) > most:
        kept = extremes(scalar.values, most)
        return {"steps": scalar.steps[kept].tolist(), "values": _numbers(scalar.values[kept])}
    return {"steps": scalar.steps.tolist(), "values": _numbers(scalar.values)}


def extremes(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Chooses values that show what all do: the least and the greatest of each stretch.

    A stretch with a value that is not finite shows that one, so that none is missed.

    Args:
        values: Any values, more than ``most`` of them.
        most: Most places wanted, at least 2.

    Returns:
        Places, ascending.
    """
    stretches = most // 2
    edges = np.arange(stretches + 1) * len(values) // stretches
    kept: set[int] = set()
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:stop]
        wild = ~np.isfinite(part)
        if wild.any():
            kept.add(start + int(wild.argmax()))
        if not wild.all():
            kept.add(start + int(np.where(wild, -np.inf, part).argmax()))
            if not wild.any():
                kept.add(start + int(part.argmin()))
    return np.array(sorted(kept), dtype=np.intp)


def _histogram(histogram: Histogram) -> HistogramDocument:
    used = np.flatnonzero(histogram.counts.any(axis=0))
    first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
    counts = histogram.counts[:, first:last].astype("<f4")
    return {
        "edges": histogram.edges[first : last + 1].tolist() if len(used) else [],
        "counts": b64encode(counts.tobytes()).decode("ascii"),
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Gives numbers as JSON can say them, None where it cannot."""
    plain: NDArray[Any] = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()
