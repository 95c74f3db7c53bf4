"""Rules of units that no gradient passes: dead, or saturated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Array, Evidence
from visuai.record.diagnosis.span import Span, lasting
from visuai.record.diagnosis.structure import RELUS

DEAD_SHARE, DEAD_ERROR = 0.5, 0.9
"""Share of a module's units that give zero for a whole batch."""

GRADIENT_SHARE, GRADIENT_ERROR = 0.75, 0.95
"""The same, seen by the gradient: surer limits, as how large the batch is may not be known."""

SMALL_BATCH = 16
"""With fewer values for each unit in a batch, many sound units give zero by chance."""

SLOPE, SLOPE_ERROR = 0.05, 0.01
"""Mean slope of a saturated module's function, relative to its steepest."""

LEAST = 5


def dead_units(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Rectified units that give zero for every input of a batch, and so get no gradient.

    Where outputs were recorded, they tell how many units are dead. Else gradients do: the
    gradient of a bias in front of a rectifier is exactly zero for each unit that was dead in
    the whole batch. Which units those are, and whether they are the same at the next step,
    neither tells. Of several modules it is the one where it starts that is named.

    Source: Lu, Shin, Su and Karniadakis 2020, "Dying ReLU and Initialization"; more than 50 %
    dead units is the default limit of Amazon SageMaker Debugger's rule DeadRelu.
    """
    by_output = list(_by_output(evidence))
    yield from by_output
    if not by_output and not any(each.rule == "gradient-underflow" for each in found):
        yield from _by_gradient(evidence)


def _by_output(evidence: Evidence) -> Iterator[Diagnosis]:
    places = evidence.structure.module_order
    names = [
        name
        for name, each in evidence.modules.items()
        if each.type.rpartition(".")[2].lower() in RELUS
    ]
    names.sort(key=lambda name: places.get(name, len(places)))
    share = evidence.activity.of(names, "zero_share")
    units = evidence.activity.of(names, "count")
    inputs = evidence.activation.of(names, "count")
    for place, name in enumerate(names):
        known = np.isfinite(share[place])
        parameter = evidence.structure.feeding(name)
        if parameter:
            module = evidence.structure.parameters[parameter].module
            own = [
                each
                for each in evidence.structure.weights
                if evidence.structure.parameters[each].module == module
            ]
            known &= ~_all_zero(evidence, own).any(axis=0)  # That is what makes them zero.
        if not known.any() or np.nanmax(units[place]) < 4:
            continue
        batch = np.nanmedian(inputs[place] / np.maximum(units[place], 1))
        limit = DEAD_SHARE if batch >= SMALL_BATCH else DEAD_ERROR
        dead = known & (share[place] >= limit)
        span = lasting(dead, known, min(LEAST, max(2, int(known.sum()))))
        if span is None:
            continue
        worst = _over(span, dead, share[place])
        yield Diagnosis(
            "dead-units",
            "error" if worst >= DEAD_ERROR and batch >= SMALL_BATCH else "warning",
            parameter,
            name,
            int(evidence.first[span.first]),
            int(evidence.last[span.last]),
            f"{worst:.0%} of the {int(np.nanmax(units[place]))} units of {name} give zero for "
            f"every input of a batch (threshold {limit:.0%}).",
            _ADVICE,
            {"dead_share": worst, "threshold": limit, "values_per_unit": float(batch)},
        )
        if worst >= GRADIENT_ERROR:
            return  # What comes behind gets the same input always: a consequence.


def _all_zero(evidence: Evidence, names: Sequence[str]) -> Array:
    """Tells, names × steps, where a weight of several dimensions has no element but zeros."""
    parameters = evidence.structure.parameters
    several = np.array([len(parameters[name].shape) > 1 for name in names], dtype=bool)
    return (evidence.weight.of(list(names), "zero_share") == 1.0) & several[:, None]


def _by_gradient(evidence: Evidence) -> Iterator[Diagnosis]:
    structure = evidence.structure
    order = list(structure.parameters)
    gradient = evidence.gradient.of(order, "zero_share")
    with np.errstate(invalid="ignore"):
        alive = gradient < GRADIENT_ERROR
    # Whether anything that is executed later still gets a gradient: else it is not the units.
    later = np.zeros_like(alive)
    if len(order) > 1:
        later[:-1] = np.logical_or.accumulate(alive[::-1], axis=0)[::-1][1:]
    # Behind a weight that is all zero there is no gradient, whatever the units do.
    behind = np.zeros_like(alive)
    if len(order) > 1:
        zero = _all_zero(evidence, order)
        behind[:-1] = np.logical_or.accumulate(zero[::-1], axis=0)[::-1][1:]
    hits: list[tuple[str, Span, float]] = []
    for place, name in enumerate(order):
        subject = structure.parameters[name]
        if len(subject.shape) != 1 or subject.numel < 4 or not name.endswith("bias"):
            continue
        follows = structure.follows(name)
        if follows is None or follows.op not in RELUS:
            continue
        known = np.isfinite(gradient[place]) & later[place] & ~behind[place]
        small = structure.batch is not None and structure.batch < SMALL_BATCH
        dead = known & (gradient[place] >= (GRADIENT_ERROR if small else GRADIENT_SHARE))
        span = lasting(dead, known, LEAST)
        if span is not None:
            hits.append((name, span, _over(span, dead, gradient[place])))
    whole = [hit for hit in hits if hit[2] >= GRADIENT_ERROR]
    consequences = len(whole[:-1])
    for name, span, worst in hits:
        if worst >= GRADIENT_ERROR and name != whole[-1][0]:
            continue
        module = structure.parameters[name].module
        yield Diagnosis(
            "dead-units",
            "error" if worst >= GRADIENT_ERROR else "warning",
            name,
            module,
            int(evidence.first[span.first]),
            int(evidence.last[span.last]),
            f"{worst:.0%} of the {structure.parameters[name].numel} units of {module or name} get "
            f"a gradient of exactly zero (threshold {GRADIENT_SHARE:.0%}): the rectifier behind "
            "them gives zero for every input of a batch.",
            f"{_ADVICE} Record with activations=True to count them.",
            {
                "zero_share_of_gradient": worst,
                "threshold": GRADIENT_SHARE,
                "modules_cut_off_before": consequences if worst >= GRADIENT_ERROR else 0,
            },
        )


_ADVICE = (
    "Lower the learning rate, raise the bias, check the scale of the inputs, or use a leaky "
    "rectifier or a normalisation in front."
)


def saturated_units(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Sigmoids and tanhs whose units sit where their function is flat.

    The mean slope follows exactly from the moments of the outputs: of tanh it is
    ``1 - mean(y^2)``, of a sigmoid ``mean(y) - mean(y^2)``, at most 1 and 0.25. The outputs of
    the network are left alone: sure answers are saturated. Gates (a product comes next) may
    well be shut or open, so of them it is only worth knowing.

    Source: Glorot and Bengio 2010, section 3, on saturation of hidden units; thresholds of 5 %
    and 1 % of the steepest slope are this project's.
    """
    structure = evidence.structure
    for name, subject in evidence.modules.items():
        kind = subject.type.rpartition(".")[2].lower()
        if kind not in ("tanh", "sigmoid") or name in structure.heads:
            continue
        mean, rms = evidence.activation.row(name, "mean"), evidence.activation.row(name, "rms")
        slope: Array = 1.0 - rms**2 if kind == "tanh" else 4.0 * (mean - rms**2)
        known = np.isfinite(slope)
        flat = known & (slope < SLOPE)
        span = lasting(flat, known, min(LEAST, max(2, int(known.sum()))))
        if span is None:
            continue
        worst = _over(span, flat, slope)
        gate = structure.gates(name)
        yield Diagnosis(
            "saturated-units",
            "info" if gate else "error" if worst < SLOPE_ERROR else "warning",
            structure.feeding(name),
            name,
            int(evidence.first[span.first]),
            int(evidence.last[span.last]),
            f"The outputs of {name} sit where its {kind} is flat: its mean slope is "
            f"{max(worst, 0.0):.2%} of the steepest (threshold {SLOPE:.0%}), so hardly any "
            "gradient passes.",
            "Make the weights in front of it smaller (xavier_uniform_), normalise its inputs, or "
            "lower the learning rate.",
            {"relative_slope": max(worst, 0.0), "threshold": SLOPE},
        )


def _over(
    span: Span, holds: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], values: Array
) -> float:
    """Gives the median of values over the columns of a span in which it holds."""
    inside = slice(span.first, span.last + 1)
    return float(np.median(values[inside][holds[inside]]))
