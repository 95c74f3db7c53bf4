"""The table of rules, causes before consequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.drift import weight_collapse, weight_growth
from visuai.record.diagnosis.evidence import Evidence
from visuai.record.diagnosis.flow import (
    exploding_gradient,
    piling_up,
    vanishing_gradient,
    zero_gradient,
)
from visuai.record.diagnosis.idle import frozen, no_gradient, not_in_optimizer, unchanged
from visuai.record.diagnosis.initial import poor_initialisation
from visuai.record.diagnosis.keeping import (
    always_clipped,
    few_records,
    lost_records,
    no_steps,
    skipped_steps,
)
from visuai.record.diagnosis.loss import loss_diverging, loss_not_falling
from visuai.record.diagnosis.nonfinite import nonfinite
from visuai.record.diagnosis.steps import (
    lost_in_rounding,
    underflow,
    update_too_large,
    update_too_small,
)
from visuai.record.diagnosis.units import dead_units, saturated_units

Rule = Callable[[Evidence, Sequence[Diagnosis]], Iterator[Diagnosis]]
"""Looks at the evidence and at what rules before it have found, and gives what it finds."""

RULES: dict[str, Rule] = {
    "no-steps": no_steps,
    "records-lost": lost_records,
    "few-records": few_records,
    "steps-skipped": skipped_steps,
    "frozen": frozen,
    "no-gradient": no_gradient,
    "not-in-optimizer": not_in_optimizer,
    "nonfinite": nonfinite,
    "poor-initialisation": poor_initialisation,
    "gradient-underflow": underflow,
    "dead-units": dead_units,
    "saturated-units": saturated_units,
    "zero-gradient": zero_gradient,
    "vanishing-gradient": vanishing_gradient,
    "exploding-gradient": exploding_gradient,
    "gradients-pile-up": piling_up,
    "update-too-large": update_too_large,
    "update-too-small": update_too_small,
    "update-lost-in-rounding": lost_in_rounding,
    "unchanged": unchanged,
    "weight-collapse": weight_collapse,
    "weight-growth": weight_growth,
    "always-clipped": always_clipped,
    "loss-diverging": loss_diverging,
    "loss-not-falling": loss_not_falling,
}
"""Rules by name. Each one may rely on what those above it have found."""
