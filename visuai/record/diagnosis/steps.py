"""Rules of how large the steps are, relative to the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Evidence
from visuai.record.diagnosis.span import Span, ends_with, largest, lasting

USUAL = 1e-3
"""What the norm of a step relative to that of its weight is like in a healthy run."""

LARGE, LARGE_ERROR, LARGE_LIMIT = 0.1, 1.0, 10.0
"""Too large: for several records on end; as an error; and once is enough."""

SMALL, SMALL_LIMIT = 1e-6, 1e-8
"""Too small, even at its largest; and the limit below which it is an error."""

LEAST, LEAST_LARGE = 5, 10
"""Records in which it has to hold. Sound runs of small networks begin with a few large steps."""

NEAR_LIMIT = 1e-5
"""Mean magnitude of a gradient in float16 that has lost its smaller elements."""

LOST = 0.5
"""Share of a weight's elements that a step in a short format leaves as they are."""


def update_too_large(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Steps of a tenth of the weight or more: the learning rate is too high.

    Weights that start near zero count as large as usual ones (see `Evidence.ratio`). The very
    first record is left out, as optimizers that estimate a scale know nothing yet. Steps below
    the size of the weight that have become smaller by themselves are only worth knowing: small
    networks often begin so, and go on well.

    Source: Karpathy, CS231n, "Ratio of weights:updates" (about 1e-3); the hard limit of 10 is
    the default of Amazon SageMaker Debugger's rule WeightUpdateRatio.
    """
    names = [name for name in evidence.structure.weights if _large_enough(evidence, name)]
    ratio = evidence.ratio(names)
    ratio[:, :1] = np.nan
    known = np.isfinite(ratio)
    hits: list[tuple[int, Span, float, bool]] = []
    with np.errstate(invalid="ignore"):
        for limit, least in ((LARGE_LIMIT, 1), (LARGE_ERROR, 3), (LARGE, LEAST_LARGE)):
            for place in range(len(names)):
                span = lasting(known[place] & (ratio[place] > limit), known[place], least)
                if span is not None and all(place != hit[0] for hit in hits):
                    wider = lasting(known[place] & (ratio[place] > LARGE), known[place], least)
                    span = wider or span
                    value = float(np.nanmax(ratio[place, span.first : span.last + 1]))
                    hits.append((place, span, value, limit >= LARGE_ERROR))
    if not hits:
        return
    first = min(hit[1].first for hit in hits)
    place, span, value, _ = max(hits, key=lambda hit: hit[2])
    name = names[place]
    rates = _rates(evidence, first)
    lasts = any(ends_with(hit[1], known[hit[0]]) for hit in hits)
    yield Diagnosis(
        "update-too-large",
        "error" if any(hit[3] for hit in hits) else "warning" if lasts else "info",
        name,
        evidence.structure.parameters[name].module,
        int(evidence.first[first]),
        max(int(evidence.last[hit[1].last]) for hit in hits),
        f"The steps are too large: those of {name} reach {value:.2g} times its norm (usual "
        f"{USUAL:g}, threshold {LARGE:g}, limit {LARGE_LIMIT:g}), and so it is with {len(hits)} "
        f"of {len(names)} weights.{rates}",
        "Lower the learning rate by 10 and look again; warm up, or clip the gradient's norm.",
        {
            "update_ratio": value,
            "threshold": LARGE,
            "weights_affected": len(hits),
            "steps_affected": span.holds,
        },
        tuple(names[hit[0]] for hit in hits if hit[0] != place),
    )


def update_too_small(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Steps so small, even at their largest, that nothing can come of them.

    The largest step of the run counts, so that the end of a schedule or a warm-up that is done
    does no harm; a warm-up that goes on is waited for. Weights whose gradient itself is too
    small or missing are not meant: other rules tell of them.

    Source: Karpathy, CS231n, "Ratio of weights:updates" (about 1e-3); the hard limit of 1e-8 is
    the default of Amazon SageMaker Debugger's rule WeightUpdateRatio.
    """
    if _warms_up(evidence):
        return
    skip = {
        name
        for each in found
        if each.rule in ("vanishing-gradient", "zero-gradient", "dead-units", "not-in-optimizer")
        for name in (each.parameter, *each.also)
    }
    names = [name for name in evidence.structure.weights if name not in skip]
    ratio = evidence.ratio(names)
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = evidence.gradient.of(names, "norm") / evidence.weight.of(names, "norm")
    pull[~np.isfinite(pull)] = np.nan
    known = np.isfinite(ratio) & (pull > 1e-6)
    several = known.sum(axis=1) >= LEAST
    if not several.any() or _never_learns(evidence):
        return
    peak = np.where(several, largest(np.swapaxes(np.where(known, ratio, np.nan), 0, 1)), np.nan)
    usual = float(np.nanmedian(peak))
    limit = SMALL if usual < SMALL else SMALL_LIMIT
    # Alone without any step, its group does not learn at all: that is told by another rule.
    hits = [
        place
        for place in range(len(names))
        if peak[place] < limit and (limit == SMALL or peak[place] > 0)
    ]
    # One weight that lags is only told of if the others do not.
    if not hits or (limit == SMALL_LIMIT and usual < 1e-5):
        return
    place = min(hits, key=lambda each: float(peak[each]))
    name = names[place]
    columns = np.flatnonzero(known[place])
    whole = limit == SMALL
    yield Diagnosis(
        "update-too-small",
        "error" if whole and usual < SMALL_LIMIT else "warning",
        name,
        evidence.structure.parameters[name].module,
        int(evidence.first[columns[0]]),
        int(evidence.last[columns[-1]]),
        f"The steps are too small: those of {name} never exceed {peak[place]:.2g} times its norm "
        f"(usual {USUAL:g}, threshold {limit:g}), and so it is with {len(hits)} of "
        f"{int(several.sum())} weights.{_rates(evidence, int(columns[0]))}",
        "Raise the learning rate by 10 to 1000, or check that the gradients are not scaled down."
        if whole
        else "Check the learning rate of its group in the optimizer.",
        {"largest_update_ratio": float(peak[place]), "threshold": limit, "median_ratio": usual},
        tuple(names[each] for each in hits if each != place),
    )


def lost_in_rounding(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Steps that a 16-bit weight is too coarse to hold, though the gradient is not zero.

    A bfloat16 keeps 8 bits: a change of less than about 1/512 of a weight leaves it as it is.

    Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.1, on master weights.
    """
    parameters = evidence.structure.parameters
    names = [name for name, each in parameters.items() if each.dtype in ("float16", "bfloat16")]
    update = evidence.update.of(names, "zero_share")
    gradient = evidence.gradient.of(names, "zero_share")
    for place, name in enumerate(names):
        known = np.isfinite(update[place]) & (gradient[place] < LOST)
        lost = known & (update[place] >= LOST)
        span = lasting(lost, known, LEAST)
        if span is None or parameters[name].numel < 16:
            continue
        share = float(np.median(update[place][span.first : span.last + 1]))
        yield Diagnosis(
            "update-lost-in-rounding",
            "warning",
            name,
            parameters[name].module,
            int(evidence.first[span.first]),
            int(evidence.last[span.last]),
            f"{share:.0%} of the elements of {name} do not change in a step (threshold "
            f"{LOST:.0%}), though their gradients are not zero: the step is below what "
            f"{parameters[name].dtype} can tell.",
            "Keep the weights in float32 and compute in 16 bits by torch.autocast.",
            {"unchanged_share": share, "threshold": LOST},
        )


def underflow(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Gradients in float16 that are zero because they are too small for it.

    Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.2, on loss scaling;
    numbers below 6e-8 are zero in float16.
    """
    structure = evidence.structure
    every = evidence.gradient.of(list(structure.parameters), "mean_abs")
    for name in structure.weights:
        if structure.parameters[name].dtype != "float16":
            continue
        share = evidence.gradient.row(name, "zero_share")
        known = np.isfinite(share)
        # Zeros may have other reasons: what is left has to be near the format's limit.
        size = np.where(share < 1.0, evidence.gradient.row(name, "mean_abs"), largest(every))
        lost = known & (share >= LOST) & (size < NEAR_LIMIT)
        span = lasting(lost, known, LEAST)
        if span is None:
            continue
        worst = float(np.median(share[span.first : span.last + 1]))
        yield Diagnosis(
            "gradient-underflow",
            "warning",
            name,
            structure.parameters[name].module,
            int(evidence.first[span.first]),
            int(evidence.last[span.last]),
            f"{worst:.0%} of the gradient of {name} is zero (threshold {LOST:.0%}), and the rest "
            "is near the smallest that float16 can hold, 6e-8.",
            "Scale the loss (torch.amp.GradScaler), or use bfloat16.",
            {"zero_share": worst, "threshold": LOST},
        )


def _large_enough(evidence: Evidence, name: str) -> bool:
    return evidence.structure.parameters[name].numel >= 8


def _rates(evidence: Evidence, column: int) -> str:
    """Tells the learning rate at a column, if it is one for all."""
    rates = evidence.learning_rates
    if len(rates) != 1 or not len(rates[0]):
        return ""
    at = int(np.count_nonzero(rates[0].steps <= evidence.first[column])) - 1
    return f" The learning rate is {rates[0].values[max(at, 0)]:.3g}."


def _warms_up(evidence: Evidence) -> bool:
    """Tells whether a learning rate is still at its highest and has just been lower."""
    for each in evidence.learning_rates:
        rates: list[float] = each.values.tolist()
        if (
            len(rates) >= 2
            and rates[-1] >= max(rates)
            and rates[-1] > 1.01 * rates[len(rates) // 2]
        ):
            return True
    return False


def _never_learns(evidence: Evidence) -> bool:
    """Tells whether all learning rates are 0 all the time."""
    rates = evidence.learning_rates
    return bool(rates) and not any(any(each.values.tolist()) for each in rates)
