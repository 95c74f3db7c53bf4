"""Rules of the loss: growing, or not falling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Array, Evidence
from visuai.record.scalars import Scalars

GROWN = 3.0
"""The loss at the end relative to the loss at the start or, if lower since, to its best."""

FALLEN = 0.01
"""Share of the first loss by which it has to fall to count as falling."""

FEWEST, FEWEST_FLAT = 10, 20
"""Recorded losses before anything is said."""

_WINDOWS = 1000

_CAUSES = ("update-too-large", "exploding-gradient", "weight-growth", "nonfinite")


def loss_diverging(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A loss that ends at three times what it was. An error if the steps or weights tell why.

    By itself it is a warning: the losses of a generator and its judge may well grow.

    Source: Goodfellow, Bengio and Courville 2016, section 11.4.1, on the learning rate above
    which the training error grows; the factor is this project's.
    """
    for each in _long(evidence.losses, FEWEST):
        values, steps = each.values, each.steps
        smooth = _smooth(values)
        first, last = float(smooth[0]), float(smooth[-1])
        best = float(np.min(smooth))
        scale = abs(first) if best < 0 else best
        limit = max(first, best + (GROWN - 1.0) * scale)
        if last <= limit or last <= 0:
            continue
        above = np.flatnonzero(smooth <= limit)
        onset = int(above[-1]) + 1 if len(above) else 0
        causes = [one for one in found if one.rule in _CAUSES and one.severity != "info"]
        yield Diagnosis(
            "loss-diverging",
            "error" if causes else "warning",
            next((one.parameter for one in causes if one.module), ""),
            next((one.module for one in causes if one.module), ""),
            int(steps[onset]),
            int(steps[-1]),
            f"{each.name} diverges: it ends at {last:.3g}, started at {first:.3g} and was "
            f"{best:.3g} at best (threshold {limit:.3g}).",
            "Lower the learning rate, and look at the diagnoses of steps and gradients."
            if causes
            else "Lower the learning rate. If it is the loss of one of two adversaries, look at "
            "both.",
            {"last": last, "first": first, "best": best, "threshold": limit},
        )


def loss_not_falling(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A loss that stays where it was. Worth knowing, no more: the cause may be in the data.

    Where no other rule has found anything, gradients arrive and steps have a usual size: then
    it is not the optimisation. So it is with labels that have nothing to do with the inputs.

    Source: Zhang et al. 2017, on random labels; Amazon SageMaker Debugger, rule
    LossNotDecreasing.
    """
    for each in _long(evidence.losses, FEWEST_FLAT):
        values, steps = each.values, each.steps
        smooth = _smooth(values)
        first, last = float(smooth[0]), float(smooth[-1])
        noise = 1.4826 * float(np.median(np.abs(values - np.median(values))))
        fallen = first - float(np.min(smooth))
        # Medians of a tenth of the values: their noise is smaller than that of one value.
        if fallen >= max(FALLEN * abs(first), noise / np.sqrt(max(3, len(values) // 10))):
            continue
        if any(one.rule == "loss-diverging" for one in found):
            continue
        causes = [one for one in found if one.severity != "info"]
        yield Diagnosis(
            "loss-not-falling",
            "info",
            "",
            "",
            int(steps[0]),
            int(steps[-1]),
            f"{each.name} does not fall: it started at {first:.3g} and ends at {last:.3g} after "
            f"{len(values)} records (threshold {FALLEN:.0%}).",
            f"See the diagnosis {causes[0].rule}."
            if causes
            else "Gradients arrive and steps have a usual size, so look at the data: do the labels "
            "belong to the inputs? Can the model fit ten examples?",
            {"first": first, "last": last, "fallen": fallen, "noise": noise},
        )


def _long(losses: Sequence[Scalars], least: int) -> list[Scalars]:
    """Gives the losses that have enough finite values, without those that are not."""
    finite = [each.finite() for each in losses]
    return [each for each in finite if len(each) >= least]


def _smooth(values: Array) -> Array:
    """Gives running medians over a tenth of the values, at least 3."""
    width = min(max(3, len(values) // 10), 101, len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    # A few at a time: the median copies its windows, of a long run a hundred times its losses.
    parts = [windows[at : at + _WINDOWS] for at in range(0, len(windows), _WINDOWS)]
    middle = np.concatenate([np.median(part, axis=1) for part in parts])
    # As long as the values, so that places are steps: a window counts for its last value.
    return np.concatenate([np.full(width - 1, middle[0]), middle])
