"""What the rules look at: a run's statistics as arrays, parameters by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visuai.record.diagnosis.structure import Structure
from visuai.record.scalars import LEARNING_RATE, Event, Scalars
from visuai.record.subject import Subject

if TYPE_CHECKING:
    from visuai.record.run import Run
    from visuai.record.series import Series

Array = NDArray[np.float64]

_CELLS, _MOST_COLUMNS, _FEWEST_COLUMNS = 400_000, 2000, 64


@dataclass(frozen=True)
class Statistics:
    """Statistics of one quantity of several subjects: float64, subjects × columns.

    Where there is no record, or one with elements that are not finite, they are NaN.

    Attributes:
        rows: Row of each subject, by FQN.
        mean: Mean of the finite elements.
        mean_abs: Mean of their magnitudes.
        rms: Root of their mean square.
        norm: Euclidean norm of the finite elements.
        zero_share: Share of the elements that is exactly zero.
        count: Number of elements in one record.
        low: Smallest finite element.
        high: Largest finite element.
    """

    rows: dict[str, int]
    mean: Array
    mean_abs: Array
    rms: Array
    norm: Array
    zero_share: Array
    count: Array
    low: Array
    high: Array

    def of(self, names: Sequence[str], statistic: str) -> Array:
        """Gives the rows of one statistic for some subjects; NaN for those that have none."""
        values: Array = getattr(self, statistic)
        result = np.full((len(names), values.shape[1]), np.nan)
        for place, name in enumerate(names):
            row = self.rows.get(name)
            if row is not None:
                result[place] = values[row]
        return result

    def row(self, name: str, statistic: str) -> Array:
        """Gives one statistic of one subject, NaN if it has none."""
        return self.of((name,), statistic)[0]


_STATISTICS = ("mean", "mean_abs", "rms", "norm", "zero_share", "count", "low", "high")


class Evidence:
    """A run as the rules see it, read once. One that goes on is to be read in a snapshot.

    Runs of many steps are read in a coarser form, with neighbouring records merged, so that
    time and memory stay bounded. When something first was not finite is found to the step.

    Args:
        run: The run.

    Attributes:
        name: Name of the run.
        last_step: The last recorded step, -1 if there is none.
        records: Number of recorded steps.
        first: First step of each column, int64, ascending.
        last: Last step of each column.
        structure: The network.
        modules: The modules whose activations were recorded.
        weight: Statistics of the parameters before each step.
        gradient: Statistics of their gradients.
        update: Statistics of what the steps changed.
        activation: Statistics of what the modules gave.
        activity: Statistics of the largest magnitudes of their units.
        nonfinite: For each subject and quantity the first step with an element that is not
            finite.
        scalars: The scalars, by name.
        events: What happened while recording.
        from_start: Whether the first record is of the very first step of training.
    """

    def __init__(self, run: Run) -> None:
        self.name = run.name
        steps = run.steps
        self.records = len(steps)
        self.last_step = int(steps[-1]) if len(steps) else -1
        self.events: list[Event] = run.events
        parameters = run.parameters
        self.modules: dict[str, Subject] = run.modules
        self.structure = Structure(parameters, run.topology)
        self.scalars: dict[str, Scalars] = {name: run.scalar(name) for name in run.scalars}
        most = _CELLS // max(1, len(parameters))
        most = min(_MOST_COLUMNS, max(_FEWEST_COLUMNS, most))
        chosen = np.unique(np.linspace(0, len(steps), min(most, len(steps)) + 1).astype(int)[:-1])
        self.first = steps[chosen] if len(steps) else steps
        ends = np.append(chosen[1:], len(steps)) - 1
        self.last = steps[ends] if len(steps) else steps
        merged = most if len(steps) > most else None
        self.nonfinite: dict[tuple[str, str], int] = {}
        names = tuple(self.structure.parameters)
        self.weight = self._read(run, names, "weight", merged)
        self.gradient = self._read(run, names, "gradient", merged)
        self.update = self._read(run, names, "update", merged)
        self.activation = self._read(run, tuple(self.modules), "activation", merged)
        self.activity = self._read(run, tuple(self.modules), "activity", merged)
        started = [event for event in self.events if event.kind in ("start", "resume")]
        self.from_start = (
            len(steps) > 0
            and int(steps[0]) == 0
            and (not started or (started[0].kind == "start" and started[0].step == 0))
        )

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.first)

    @property
    def losses(self) -> list[Scalars]:
        """The scalars that are losses, by their names; the one called just so comes first."""
        found = [each for name, each in self.scalars.items() if "loss" in name.lower()]
        return sorted(found, key=lambda each: (each.name.lower() != "loss", each.name))

    @property
    def learning_rates(self) -> list[Scalars]:
        """The learning rates of all groups."""
        return [each for name, each in self.scalars.items() if name.startswith(LEARNING_RATE)]

    def scale(self, names: Sequence[str]) -> Array:
        """Gives the norms of weights, parameters × columns, by which other norms are judged.

        A weight that is still near zero counts as large as one that PyTorch has just
        initialised, else every weight that starts from zero would seem to jump.
        """
        norm = self.weight.of(names, "norm")
        for place, name in enumerate(names):
            fan_in = self.structure.fan_in(name)
            if fan_in:
                usual = (self.structure.parameters[name].numel / (3.0 * fan_in)) ** 0.5
                norm[place] = np.fmax(norm[place], usual)
        return np.where(norm > 0, norm, np.nan)

    def ratio(self, names: Sequence[str]) -> Array:
        """Gives the size of each step relative to the weight, parameters × columns; see `scale`."""
        return self.update.of(names, "norm") / self.scale(names)

    def _read(
        self, run: Run, names: Sequence[str], quantity: str, merged: int | None
    ) -> Statistics:
        if not len(self.first):
            names = ()
        values = {name: np.full((len(names), len(self.first)), np.nan) for name in _STATISTICS}
        for row, name in enumerate(names):
            series = run.series(name, quantity, columns=merged, bins=False)
            if not len(series):
                continue
            at = np.maximum(np.searchsorted(self.first, series.steps, side="right") - 1, 0)
            broken = series.nonfinite > 0
            for statistic in _STATISTICS:
                values[statistic][row, at] = np.where(broken, np.nan, _statistic(series, statistic))
            if broken.any():
                self.nonfinite[name, quantity] = _first_nonfinite(run, series)
        return Statistics({name: row for row, name in enumerate(names)}, **values)


def _statistic(series: Series, name: str) -> Array:
    if name == "count":
        return series.count / np.maximum(series.records, 1)
    return getattr(series, {"low": "min", "high": "max"}.get(name, name))


def _first_nonfinite(run: Run, series: Series) -> int:
    """Finds the first step of a series with an element that is not finite."""
    column = int(np.flatnonzero(series.nonfinite)[0])
    if series.records[column] == 1:
        return int(series.steps[column])
    exact = run.series(
        series.subject,
        series.quantity,
        start=int(series.steps[column]),
        stop=int(series.last_steps[column]) + 1,
        bins=False,
    )
    return int(exact.steps[np.flatnonzero(exact.nonfinite)[0]])
