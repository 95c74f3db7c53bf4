"""Rules of how gradients flow through the network: lost, too small, too large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Array, Evidence
from visuai.record.diagnosis.span import (
    column_medians,
    earlier_spread,
    ends_with,
    largest,
    lasting,
    row_medians,
)

TINY = 1e-7
"""Mean magnitude below which a gradient counts as vanishing."""

BELOW_OTHERS = 1e-4
"""It also has to be this small against the largest mean magnitude of what comes behind it:
gradients of a loss that has become small are small everywhere."""

DECADES, DECADES_ERROR, CORRELATION = 3.0, 5.0, 0.8
"""Decay with depth: powers of ten between the first and the last third of the weights, and how
well the logarithm of the gradient's size goes along with the position."""

FEWEST_WEIGHTS = 4
"""With fewer weights nothing is said of a decay with depth."""

GRADIENT_OVER_WEIGHT = 1e6
"""Largest ratio of the norms of a gradient and its weight."""

SCORE, JUMP = 6.0, 100.0
"""Robust z-score of the gradient's norm against the records before it, and the factor by which
it has to exceed their median, and a tenth of which their largest."""

WINDOW, FEWEST_BEFORE = 50, 8

LEAST = 3

PILES = 6
"""First records that have to show gradients piling up."""


def zero_gradient(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Weights whose gradient is exactly zero, record after record.

    Dead units and what lies in front of them are told by their own rule.

    Source: Hanin 2018 and Lu et al. 2020 on gradients that die; the limit of 5 records is this
    project's: zero-initialised gains and adapters open within one or two.
    """
    structure = evidence.structure
    names = [name for name in structure.weights if structure.parameters[name].numel]
    share = evidence.gradient.of(names, "zero_share")
    least = 5
    dead = [each for each in found if each.rule == "dead-units" and each.severity == "error"]
    if any(each.rule == "gradient-underflow" for each in found):
        return
    place_of = {name: place for place, name in enumerate(structure.parameters)}
    hits: list[tuple[str, int, int, int]] = []
    for place, name in enumerate(names):
        known = np.isfinite(share[place])
        span = lasting(known & (share[place] == 1.0), known, least)
        if span is None or not ends_with(span, known):
            continue
        # The next weight behind dead units has inputs of zero, so its gradient is zero too.
        explained = any(
            place_of[name] <= place_of.get(each.parameter, -1) + 2 or not each.parameter
            for each in dead
        )
        if not explained:
            hits.append((name, span.first, span.last, span.holds))
    if not hits:
        return
    everything = len(hits) == len(names)
    # A weight that is zero itself cuts off what is in front of it, and may never move.
    zero = [hit for hit in hits if evidence.weight.row(hit[0], "zero_share")[hit[1]] == 1.0]
    name, first, last, holds = zero[0] if zero else hits[-1]
    where = (
        "No weight of the network gets a gradient other than zero"
        if everything
        else f"The gradient of {name} is exactly zero"
    )
    yield Diagnosis(
        "zero-gradient",
        "warning",
        name,
        structure.parameters[name].module,
        int(evidence.first[first]),
        int(evidence.last[last]),
        f"{where} in {holds} recorded steps on end (threshold {least}).",
        "Look for a factor of zero behind it (two weights in a row that start at zero, a mask, "
        "dead rectifiers), or a loss that nothing can lower any more.",
        {"zero_steps": holds, "weights_without_gradient": len(hits)},
        tuple(each[0] for each in hits if each[0] != name),
    )


def vanishing_gradient(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Gradients that get lost on their way from the loss to the first weights.

    Either the size of the gradient falls geometrically with depth, by three powers of ten or
    more, or the mean magnitude of a weight's gradient is below 1e-7 while behind it there are
    gradients 10,000 times as large. Biases, gains and lookup tables are left out: theirs may be
    zero but for rounding in a sound network.

    Source: Bengio, Simard and Frasconi 1994; Glorot and Bengio 2010, on the decay; 1e-7 is the
    default of Amazon SageMaker Debugger's rule VanishingGradient.
    """
    names = _flowing(evidence)
    if not names:
        return
    size, mean_abs = _sizes(evidence, names)
    known = np.isfinite(size).sum(axis=0) > 0
    tiny = _tiny(evidence, names, mean_abs)
    slope = _decades(size) if len(names) >= FEWEST_WEIGHTS else np.zeros(len(known))
    span = lasting((slope >= DECADES) | tiny.any(axis=0), known, min(LEAST, int(known.sum())))
    if span is None:
        return
    inside = slice(span.first, span.last + 1)
    middle = row_medians(size[:, inside])
    means = row_medians(mean_abs[:, inside])
    place, cliff = _where_lost(middle)
    lost = [i for i in range(len(names)) if middle[i] <= np.nanmax(middle[i:]) * 1e-3]
    top = int(np.nanargmax(middle))
    decades = float(np.log10(middle[top] / middle[place]))
    severe = decades >= DECADES_ERROR and means[place] < TINY and span.holds >= LEAST
    name, subject = names[place], evidence.structure.parameters[names[place]]
    how = (
        f"it is lost between there and {names[cliff]}"
        if cliff >= 0
        else f"it falls {_times(middle, place, top)} for each weight from {names[top]} on"
    )
    yield Diagnosis(
        "vanishing-gradient",
        "error" if severe else "warning",
        name,
        subject.module,
        int(evidence.first[span.first]),
        int(evidence.last[span.last]),
        f"The gradient vanishes: at {name} its mean magnitude is {means[place]:.2g}"
        f"{_told(means[place] < TINY, TINY)}, {10.0**decades:.2g} times less in size than at "
        f"{names[top]}{_told(decades >= DECADES, 10.0**DECADES)}; {how}.",
        "Use rectifiers instead of sigmoid or tanh, residual connections or a normalisation, and "
        "an initialisation that keeps the variance.",
        {
            "mean_magnitude": float(means[place]),
            "threshold": TINY,
            "decades_lost": decades,
            "weights_affected": len(lost),
        },
        tuple(names[i] for i in lost if i != place),
    )


def _told(met: bool, threshold: float) -> str:
    """Names the threshold that was met, and not the other one."""
    return f" (threshold {threshold:g})" if met else ""


def exploding_gradient(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Gradients that grow without bounds: from the start, with depth, or all at once.

    From the start: the norm of a gradient is a million times that of its weight. With depth: it
    grows geometrically towards the first weights, by three powers of ten or more. All at once:
    the norm over all parameters stands out of the records before it, by a robust z-score of its
    logarithm above 6 and a factor of 100. It is an error only if the steps got too large by it
    (a tenth of the weights or more) or NaN followed: an optimizer that normalises gradients
    copes with any.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
    networks"; Leys et al. 2013, on the median absolute deviation for outliers.
    """
    names = _flowing(evidence)
    if not names:
        return
    norm = evidence.gradient.of(names, "norm")
    over = norm / evidence.scale(names)
    known = np.isfinite(norm).sum(axis=0) > 0
    size, _ = _sizes(evidence, names)
    slope = _decades(size) if len(names) >= FEWEST_WEIGHTS else np.zeros(len(known))
    huge = largest(over) >= GRADIENT_OVER_WEIGHT
    least = min(LEAST, int(known.sum()))
    for holds, kind, enough in ((huge, "start", 1), (slope <= -DECADES, "depth", least)):
        span = lasting(known & holds, known, enough)
        if span is not None:
            column = span.first
            if kind == "start":  # Of several the first that is executed is where it begins.
                place = int(np.flatnonzero(over[:, column] >= GRADIENT_OVER_WEIGHT)[0])
                value = float(over[place, column])
                told = (
                    f"the norm of the gradient of {names[place]} is {value:.2g} times that of the "
                    f"weight (threshold {GRADIENT_OVER_WEIGHT:g})"
                )
            else:
                place = int(np.nanargmax(size[:, column]))
                low = int(np.nanargmin(size[:, column]))
                value = float(size[place, column] / size[low, column])
                told = (
                    f"its size at {names[place]} is {value:.2g} times that at {names[low]} "
                    f"(threshold {10.0**DECADES:g})"
                )
            yield _exploding(evidence, names[place], column, span.last, told, value)
            return
    yield from _jump(evidence, names, norm, known)


def piling_up(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Gradients that grow by as much at each step, as they are never cleared.

    In the first records the norm of most gradients grows in proportion to the number of steps.

    Source: PyTorch, `torch.optim.Optimizer.zero_grad`: gradients are added up until then. The
    thresholds are this project's.
    """
    norm = evidence.gradient.of(_flowing(evidence), "norm")[:, :PILES]
    if not evidence.from_start or norm.shape[1] < PILES or not len(norm):
        return
    age = evidence.first[:PILES] - evidence.first[0] + 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = column_medians(np.where(norm[:, :1] > 0, norm / norm[:, :1], np.nan))
        slope = np.log(growth[1:]) / np.log(age[1:])
    if not (np.diff(growth) > 0).all() or not ((slope > 0.6) & (slope < 1.15)).all():
        return
    yield Diagnosis(
        "gradients-pile-up",
        "warning",
        "",
        "",
        int(evidence.first[0]),
        int(evidence.last[PILES - 1]),
        f"Gradients are not cleared, it seems: within {age[-1]:g} steps their norms have grown to "
        f"{growth[-1]:.2g} times the first, in proportion to the steps.",
        "Call optimizer.zero_grad() once in every step.",
        {"growth": float(growth[-1]), "steps": float(age[-1]), "exponent": float(slope[-1])},
    )


def _jump(
    evidence: Evidence, names: list[str], norm: Array, known: NDArray[np.bool_]
) -> Iterator[Diagnosis]:
    """Finds the first record whose gradient stands out of those before it."""
    total = np.sqrt(np.nansum(norm**2, axis=0))
    with np.errstate(divide="ignore"):
        logs = np.where(known & (total > 0), np.log10(total), np.nan)
    median, spread = earlier_spread(logs, WINDOW, FEWEST_BEFORE)
    highest = np.concatenate([[np.nan], np.fmax.accumulate(logs)[:-1]])
    with np.errstate(invalid="ignore"):
        out = (
            ((logs - median) / np.fmax(spread, 0.1) > SCORE)
            & (logs - median >= np.log10(JUMP))
            & (logs - highest >= 1.0)
        )
    columns = np.flatnonzero(out)
    if not len(columns):
        return
    column = int(columns[0])
    before = np.nan_to_num(row_medians(norm[:, max(0, column - WINDOW) : column]))
    growth = norm[:, column] / np.maximum(before, 1e-30)
    growth = np.nan_to_num(growth)
    # Of those that jumped alike, the first that is executed is where it begins.
    place = int(np.flatnonzero(growth >= 0.1 * growth.max())[0])
    factor = 10.0 ** float(logs[column] - median[column])
    told = (
        f"its norm over all parameters is {factor:.2g} times the median of the records before it "
        f"(threshold {JUMP:g}), most of all at {names[place]}"
    )
    yield _exploding(evidence, names[place], column, int(columns[-1]), told, factor)


def _exploding(
    evidence: Evidence, name: str, first: int, last: int, told: str, value: float
) -> Diagnosis:
    steps = evidence.ratio(evidence.structure.weights)[:, first : last + 2]
    largest = float(np.nanmax(steps)) if np.isfinite(steps).any() else float("nan")
    broken = any(step >= evidence.first[first] for step in evidence.nonfinite.values())
    return Diagnosis(
        "exploding-gradient",
        "error" if broken or largest >= 0.1 else "warning",
        name,
        evidence.structure.parameters[name].module,
        int(evidence.first[first]),
        int(evidence.last[last]),
        f"The gradient explodes: {told}.",
        "Clip the gradient's norm (torch.nn.utils.clip_grad_norm_), lower the learning rate, "
        "look at the step's batch; in a recurrent network start from orthogonal weights.",
        {"ratio": value, "largest_update_ratio": largest, "nonfinite_followed": float(broken)},
    )


def _flowing(evidence: Evidence) -> list[str]:
    """Lists the weights that get gradients, in execution order."""
    names = [name for name in evidence.structure.weights if name not in evidence.structure.unused]
    has = np.isfinite(evidence.gradient.of(names, "rms")).sum(axis=1) > 0
    moved = np.isfinite(evidence.update.of(names, "norm")).sum(axis=1) > 0
    if moved.sum():  # Nobody clears the gradients of what is in no optimizer: they pile up.
        has &= moved
    return [names[place] for place in np.flatnonzero(has)]


def _sizes(evidence: Evidence, names: list[str]) -> tuple[Array, Array]:
    """Gives root mean square and mean magnitude of the gradients' elements that are not zero."""
    share = 1.0 - evidence.gradient.of(names, "zero_share")
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(share > 0, evidence.gradient.of(names, "rms") / np.sqrt(share), np.nan)
        mean = np.where(share > 0, evidence.gradient.of(names, "mean_abs") / share, np.nan)
    size[size == 0] = np.nan
    return size, mean


def _tiny(evidence: Evidence, names: list[str], mean_abs: Array) -> NDArray[np.bool_]:
    """Tells which gradients are tiny while there are far larger ones behind them."""
    order = list(evidence.structure.parameters)
    behind = evidence.gradient.of(order, "mean_abs")
    behind = np.fmax.accumulate(behind[::-1], axis=0)[::-1]
    places = [order.index(name) for name in names]
    with np.errstate(invalid="ignore"):
        return (mean_abs < TINY) & (mean_abs < BELOW_OTHERS * behind[places])


def _decades(size: Array) -> Array:
    """Gives by how many powers of ten sizes grow from the first weights to the last, per column.

    Positive if they decay towards the first weights, 0 where position and size do not go along.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(size)
    here = np.isfinite(logs)
    count = here.sum(axis=0)
    enough = count >= FEWEST_WEIGHTS
    x = np.where(here, np.arange(len(size), dtype=np.float64)[:, None], 0.0)
    y = np.where(here, logs, 0.0)
    n = np.maximum(count, 1)
    dx = np.where(here, x - x.sum(axis=0) / n, 0.0)
    dy = np.where(here, y - y.sum(axis=0) / n, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        together = (dx * dy).sum(axis=0) / np.sqrt((dx**2).sum(axis=0) * (dy**2).sum(axis=0))
    third = max(1, len(size) // 3)
    difference = column_medians(logs[-third:]) - column_medians(logs[:third])
    sound = enough & np.isfinite(difference) & (np.abs(np.nan_to_num(together)) >= CORRELATION)
    return np.where(sound & (difference * np.nan_to_num(together) > 0), difference, 0.0)


def _where_lost(size: Array) -> tuple[int, int]:
    """Gives the weight to name, and, if most is lost in one place, the weight behind it."""
    logs = np.log10(size)
    place = int(np.nanargmin(logs))
    top = place + int(np.nanargmax(logs[place:]))
    path = [i for i in range(place, top + 1) if np.isfinite(logs[i])]
    if len(path) < 3:
        return place, path[-1] if len(path) == 2 else -1
    drops = np.diff(logs[path])
    largest = int(np.argmax(drops))
    if drops[largest] >= 0.7 * (logs[top] - logs[place]):
        return path[largest], path[largest + 1]
    return place, -1


def _times(size: Array, low: int, high: int) -> str:
    steps = max(1, abs(high - low))
    return f"by a factor of {(size[high] / size[low]) ** (1.0 / steps):.2g}"
