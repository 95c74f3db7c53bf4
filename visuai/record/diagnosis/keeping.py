"""Rules of the recording itself: nothing heard, too little, steps skipped, every one clipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Evidence

SKIPPED, GRACE = 0.1, 10
"""Share of recorded steps that a gradient scaler may skip, and the steps that it has to find
its scale."""

CLIPPED, FEWEST = 0.9, 10
"""Share of recorded steps in which the gradient has the same norm."""

ENOUGH = 5
"""So many records on end are what most rules ask for."""


def no_steps(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A run that has ended, and no step of an optimizer was ever heard.

    Source: PyTorch, `torch.optim`, "Constructing it": an optimizer keeps the tensors that it was
    given, whatever the model holds later.
    """
    if evidence.records or not any(event.kind == "close" for event in evidence.events):
        return
    yield Diagnosis(
        "no-steps",
        "warning",
        "",
        "",
        0,
        0,
        "The run has ended, and no optimizer step ever touched the model's parameters.",
        "Make the optimizer after the model has been moved, wrapped or given new parameters, "
        "from that model's parameters(); without an optimizer of torch's, call visu.step().",
        {"recorded_steps": 0},
    )


def lost_records(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Records that could not be kept, or an error in the recorder: the picture has gaps.

    Source: the run's own events.
    """
    gaps = [event for event in evidence.events if event.kind in ("lost", "failed")]
    if gaps:
        yield Diagnosis(
            "records-lost",
            "info",
            "",
            "",
            gaps[0].step,
            gaps[-1].step,
            f"The recording has gaps: {gaps[0].detail[:200]}",
            "Training is not harmed; what is said here rests on the records that were kept.",
            {"events": len(gaps)},
        )


def few_records(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Most steps of a run left no record, and those that did are too few to judge it by.

    Source: ours. Without it, a run that hardly any rule could look at would seem sound.
    """
    told = [int(each.steps[-1]) for each in evidence.scalars.values() if len(each.steps)]
    steps = 1 + max([evidence.last_step, *told, *(event.step for event in evidence.events)])
    if not 0 < evidence.records < ENOUGH or steps < 2 * evidence.records:
        return
    yield Diagnosis(
        "few-records",
        "info",
        "",
        "",
        int(evidence.first[0]),
        steps - 1,
        f"Only {evidence.records} of {steps:,} steps were recorded, and most rules need {ENOUGH}: "
        "what is wrong may not be found.",
        "Pass every=1 to Visu, which records each step, or a larger overhead.",
        {"records": evidence.records, "steps": steps},
    )


def skipped_steps(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A gradient scaler that skips step after step, long after it should have found its scale.

    Source: PyTorch, `torch.amp.GradScaler`: some steps are skipped at first; Micikevicius et al.
    2018, section 3.2.
    """
    steps = [event.step for event in evidence.events if event.kind == "skipped"]
    if evidence.records <= GRACE or not steps:
        return
    after = int(evidence.first[min(GRACE, evidence.columns - 1)])
    late = sum(step >= after for step in steps)
    share = late / (evidence.records - GRACE)
    if share < SKIPPED:
        return
    yield Diagnosis(
        "steps-skipped",
        "warning",
        "",
        "",
        steps[0],
        steps[-1],
        f"The gradient scaler skipped {share:.0%} of the recorded steps after the first {GRACE} "
        f"(threshold {SKIPPED:.0%}): gradients overflow.",
        "Use bfloat16, or find the overflow: record with activations=True.",
        {"skipped": len(steps), "share": share, "threshold": SKIPPED},
    )


def always_clipped(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A gradient of the same norm in nearly every step: it is always clipped.

    Then the learning rate alone sets the length of the steps. That may be what is wanted.

    Source: Pascanu, Mikolov and Bengio 2013, who clip at the norm's usual size or above.
    """
    names = list(evidence.structure.parameters)
    norm = evidence.gradient.of(names, "norm")
    update = evidence.update.of(names, "norm")
    still = (np.isfinite(update).sum(axis=0) > 0) & ~(np.nan_to_num(update).sum(axis=0) > 0)
    known = (np.isfinite(norm).sum(axis=0) > 0) & ~still
    total = np.sqrt(np.square(np.nan_to_num(norm[:, known])).sum(axis=0))
    limit = float(np.median(total)) if len(total) >= FEWEST else 0.0
    if limit <= 0.0:
        return
    share = np.count_nonzero(np.abs(total - limit) <= 1e-3 * limit) / len(total)
    if share < CLIPPED:
        return
    yield Diagnosis(
        "always-clipped",
        "info",
        "",
        "",
        int(evidence.first[np.flatnonzero(known)[0]]),
        evidence.last_step,
        f"The gradient over all parameters has a norm of {limit:.4g} in {share:.0%} of the "
        f"recorded steps (threshold {CLIPPED:.0%}): it is clipped nearly always.",
        "If clipping is meant for rare spikes, raise its max_norm to a multiple of the usual norm.",
        {"norm": limit, "share": share, "threshold": CLIPPED},
    )
