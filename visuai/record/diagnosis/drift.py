"""Rules of where weights go in the long run: to nothing, or out of hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Array, Evidence
from visuai.record.diagnosis.span import Span, ends_with, lasting

SHRUNK = 0.01
"""Size of a weight relative to its largest so far, below which it has decayed."""

GROWN, GROWN_ERROR = 10.0, 100.0
"""Size of a weight relative to its first, or to a usual first one if that was smaller."""

LEAST = 3


def weight_collapse(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Weights that have shrunk to a hundredth of what they were: decay stronger than learning.

    It is an error if it happened to half of the network's weights or more.

    Source: Krogh and Hertz 1991 and Loshchilov and Hutter 2019: without a gradient, decay shrinks
    a weight by a constant factor each step; the threshold is this project's.
    """
    names = _moving(evidence)
    rms = evidence.weight.of(names, "rms")
    if rms.shape[1] < LEAST:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = rms / np.fmax.accumulate(rms, axis=1)
    hits = _lasting(relative, relative < SHRUNK)
    if not hits:
        return
    place, span = min(hits.items(), key=lambda hit: hit[1].first)
    name, value = names[place], float(np.nanmin(relative[place]))
    yield Diagnosis(
        "weight-collapse",
        "error" if 2 * len(hits) >= len(names) else "warning",
        name,
        evidence.structure.parameters[name].module,
        int(evidence.first[span.first]),
        int(evidence.last[span.last]),
        f"The weight {name} has shrunk to {value:.2g} of its largest size (threshold {SHRUNK:g}), "
        f"and so have {len(hits)} of {len(names)} weights.",
        "Lower the weight decay: times the learning rate, it should be far below the usual step "
        "of 1e-3. With SGD or Adam take care that it is not added to the loss as well.",
        {"relative_size": value, "threshold": SHRUNK, "weights_affected": len(hits)},
        tuple(names[at] for at in hits if at != place),
    )


def weight_growth(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Weights that have grown to ten or a hundred times the size of the first, or a usual first.

    Source: Goodfellow, Bengio and Courville 2016, section 8.2.4, on cliffs and runaway weights;
    the thresholds are this project's.
    """
    names = [name for name in _moving(evidence) if evidence.structure.fan_in(name)]
    rms = evidence.weight.of(names, "rms")
    if not names or rms.shape[1] < LEAST:
        return
    usual = [(3.0 * (evidence.structure.fan_in(name) or 1)) ** -0.5 for name in names]
    first = [next(iter(row[np.isfinite(row)].tolist()), np.nan) for row in rms]
    relative = rms / np.fmax(first, usual)[:, None]
    hits = _lasting(relative, relative > GROWN)
    if not hits:
        return
    peak = {
        at: float(np.nanmax(relative[at, one.first : one.last + 1])) for at, one in hits.items()
    }
    place, value = max(peak.items(), key=lambda hit: hit[1])
    name, span = names[place], hits[place]
    yield Diagnosis(
        "weight-growth",
        "error" if value >= GROWN_ERROR else "warning",
        name,
        evidence.structure.parameters[name].module,
        int(evidence.first[min(one.first for one in hits.values())]),
        int(evidence.last[span.last]),
        f"The weight {name} has grown to {value:.3g} times its first size (threshold {GROWN:g}), "
        f"and {len(hits)} of {len(names)} weights beyond the threshold.",
        "Check the sign of the loss, scale the targets to about 1, lower the learning rate, or "
        "use weight decay.",
        {"growth": value, "threshold": GROWN, "weights_affected": len(hits)},
        tuple(names[at] for at in hits if at != place),
    )


def _lasting(values: Array, holds: NDArray[np.bool_]) -> dict[int, Span]:
    """Finds the rows in which something holds at the end, and since when."""
    found: dict[int, Span] = {}
    for place, known in enumerate(np.isfinite(values)):
        span = lasting(known & holds[place], known, LEAST)
        if span is not None and ends_with(span, known):
            found[place] = span
    return found


def _moving(evidence: Evidence) -> list[str]:
    return [
        name
        for name in evidence.structure.weights
        if evidence.structure.parameters[name].trainable
        and evidence.structure.parameters[name].numel >= 4
    ]
