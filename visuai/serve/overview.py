"""The overview of a run: one statistic of everything over all steps, as one picture."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from visuai.record.statistics import Statistics
from visuai.record.table import ratio, shared_steps, table
from visuai.serve.opened import Opened


class Overview(TypedDict):
    """``values`` is base64 of float32, little-endian: a row for each subject, in execution
    order, and in it one for each of ``steps``: NaN where nothing was recorded, infinite where
    no element of what was recorded is finite, and so there is no such statistic."""

    steps: list[int]
    subjects: list[str]
    values: str


def overview(opened: Opened, quantity: str, statistic: str, columns: int) -> Overview:
    """Makes the overview.

    Args:
        opened: The run.
        quantity: One of `visuai.record.schema.QUANTITIES`.
        statistic: A property of `Series`; ``ratio`` of ``update``, the norm of what a step
            changed relative to the weight's; or ``dead``, the share of units that gave nothing.
        columns: Most steps. Where there are more, neighbours are merged.

    Raises:
        FormatError: If the run is damaged.
    """
    if statistic == "dead":
        quantity, statistic = "activity", "zero_share"
    with opened.run.snapshot():
        series = opened.series(quantity)
        weights = opened.series("weight") if statistic == "ratio" else None
        steps = shared_steps(series.steps(), columns)
        broken = _broken(series, list(series), steps)
        if weights is None:
            values = table(series, steps, statistic)
        else:
            norms = table(series, steps, "norm")
            # One after the other, as of each series: all of them at once take a lot of memory.
            of_weight = [table({name: weights.get(name)}, steps, "norm") for name in series]
            values = ratio(norms, np.concatenate(of_weight) if of_weight else norms)
            broken |= _broken(weights, list(series), steps)
    values[broken & np.isnan(values)] = np.inf
    with np.errstate(over="ignore"):
        small = values.astype("<f4")
    return {
        "steps": steps.tolist(),
        "subjects": list(series),
        "values": b64encode(small.tobytes()).decode("ascii"),
    }


def _broken(
    series: Statistics, names: Sequence[str], steps: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tells where elements were recorded and none of them is finite, names × steps."""
    broken = np.zeros((len(names), len(steps)), dtype=np.bool_)
    some = series.nonfinite()
    for row, name in enumerate(names):
        if name in some:
            broken[row] = table({name: series[name]}, steps, "nonfinite_share")[0] == 1
    return broken
