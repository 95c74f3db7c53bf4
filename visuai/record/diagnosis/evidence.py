"""What the rules look at: a run's statistics as arrays, parameters by columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from visuai.record.diagnosis.structure import Structure
from visuai.record.scalars import LEARNING_RATE, Event, Scalars
from visuai.record.statistics import Array
from visuai.record.subject import Subject
from visuai.record.track import Tracks

if TYPE_CHECKING:
    from visuai.record.run import Run


class Evidence:
    """A run as the rules see it, read once. One that goes on is to be read in a snapshot.

    Runs of many steps are read in a coarser form, with neighbouring records merged, so that
    time and memory stay bounded. When something first was not finite is found to the step.

    Args:
        run: The run.
        tracks: What was read of it before.

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

    def __init__(self, run: Run, tracks: Tracks | None = None) -> None:
        self.name = run.name
        seen = run.glance()
        self.records = seen.records
        self.last_step = -1 if seen.last_step is None else seen.last_step
        self.events: list[Event] = run.events
        self.modules: dict[str, Subject] = run.modules
        self.structure = Structure(run.parameters, run.topology)
        self.scalars: dict[str, Scalars] = {name: run.scalar(name) for name in run.scalars}
        tracks = tracks or Tracks(run)
        self.weight = tracks.of("weight")
        self.gradient = tracks.of("gradient")
        self.update = tracks.of("update")
        self.activation = tracks.of("activation")
        self.activity = tracks.of("activity")
        self.first, self.last = self.weight.first, self.weight.last
        self.nonfinite = {
            (name, quantity): step
            for quantity, read in (
                ("weight", self.weight),
                ("gradient", self.gradient),
                ("update", self.update),
                ("activation", self.activation),
                ("activity", self.activity),
            )
            for name, (first, last) in read.nonfinite().items()
            if (step := _first_nonfinite(run, name, quantity, first, last)) is not None
        }
        started = [event for event in self.events if event.kind in ("start", "resume")]
        self.from_start = seen.first_step == 0 and (
            not started or (started[0].kind == "start" and started[0].step == 0)
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


def _first_nonfinite(run: Run, name: str, quantity: str, first: int, last: int) -> int | None:
    """Finds the first step of a column with an element that is not finite."""
    if first == last:
        return first
    exact = run.series(name, quantity, start=first, stop=last + 1, bins=False)
    at = np.flatnonzero(exact.nonfinite)
    return int(exact.steps[at[0]]) if len(at) else None
