"""The rule of weights that start badly: of the wrong size, or all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Evidence

VARIANCE_RATIO = 10.0
"""Largest ratio between a variance and what is expected of it."""

VARIANCE_LIMIT = 100.0
"""Largest such ratio for weights that are all off alike, as in a network with one scale for
all: a scale that one can mean."""


def poor_initialisation(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Weights of linear, convolutional and recurrent modules whose first variance is far off.

    Expected is what lies between PyTorch's own default, ``1 / (3 fan_in)``, Glorot's
    ``2 / (fan_in + fan_out)`` and He's ``2 / fan_in``, allowing for a factor of 10 either way.
    A weight that is off by less than 100 is named only if its siblings (the other such weights,
    each relative to its fan-in) are not off alike. Before a normalisation the scale
    does not matter, so it is only worth knowing there. Weights that all start at zero are left
    alone (the last of a residual branch, adapters); all equal and not zero is a fault, as units
    that start the same stay the same.

    Source: Glorot and Bengio 2010; He, Zhang, Ren and Sun 2015; the factor of 10 is the default
    of Amazon SageMaker Debugger's rule PoorWeightInitialization.
    """
    if not evidence.from_start:
        return
    structure = evidence.structure
    names = [name for name in structure.weights if structure.fan_in(name)]
    if not names:
        return
    rms = evidence.weight.of(names, "rms")[:, 0]
    mean = evidence.weight.of(names, "mean")[:, 0]
    variance = np.maximum(rms**2 - mean**2, 0.0)
    relative = np.array(
        [variance[i] * (structure.fan_in(each) or 1) for i, each in enumerate(names)]
    )
    for place, name in enumerate(names):
        if not np.isfinite(rms[place]) or rms[place] == 0.0:
            continue
        subject = structure.parameters[name]
        follows = structure.follows(name)
        if variance[place] <= 1e-10 * rms[place] ** 2:
            if subject.numel >= 4 and subject.shape[0] >= 2:
                yield _constant(evidence, name, float(mean[place]))
            continue
        fan_in, fan_out = structure.fan_in(name) or 1, structure.fan_out(name)
        low = min(1.0 / (3.0 * fan_in), 2.0 / (fan_in + fan_out))
        high = max(2.0 / fan_in, 2.0 / (fan_in + fan_out))
        over, under = variance[place] / high, low / variance[place]
        off = max(over, under)
        if off <= VARIANCE_RATIO or subject.numel < 16:
            continue
        siblings = np.delete(relative, place)
        siblings = siblings[siblings > 0]
        usual = float(np.median(siblings)) if len(siblings) else np.nan
        apart = max(relative[place] / usual, usual / relative[place])
        if off <= VARIANCE_LIMIT and not apart > VARIANCE_RATIO:
            continue
        normalised = follows is not None and follows.normalised
        direction = "larger" if over > under else "smaller"
        expected = high if over > under else low
        yield Diagnosis(
            "poor-initialisation",
            "info" if normalised else "warning",
            name,
            subject.module,
            int(evidence.first[0]),
            int(evidence.first[0]),
            f"{name} starts with a variance of {variance[place]:.2g}, {off:.3g} times {direction} "
            f"than the {expected:.2g} expected of a fan-in of {fan_in} and a fan-out of {fan_out} "
            f"(threshold {VARIANCE_RATIO:g}).",
            "Initialise it with torch.nn.init.kaiming_normal_ or xavier_uniform_, or with the "
            "module's own reset_parameters().",
            {
                "variance": float(variance[place]),
                "expected": expected,
                "ratio": float(off),
                "ratio_to_siblings": float(apart),
                "fan_in": fan_in,
                "fan_out": fan_out,
            },
        )


def _constant(evidence: Evidence, name: str, value: float) -> Diagnosis:
    subject = evidence.structure.parameters[name]
    return Diagnosis(
        "poor-initialisation",
        "warning",
        name,
        subject.module,
        int(evidence.first[0]),
        int(evidence.first[0]),
        f"All {subject.numel:,} elements of {name} start at {value:.3g}: units that start the same "
        "get the same gradient, and stay the same.",
        "Initialise it with random numbers, such as torch.nn.init.kaiming_normal_.",
        {"variance": 0.0, "value": value},
    )
