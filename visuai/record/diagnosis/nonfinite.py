"""The rule of what is not finite: where the first NaN or infinity came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Evidence
from visuai.record.diagnosis.span import largest

RUNAWAY = 100.0
"""A weight that has grown by this factor before the first NaN is named as what led to it."""


def nonfinite(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """The first number that is not finite, and where it arose.

    At the first such step: if outputs were recorded, the first module in execution order. If
    not, gradients tell: a NaN that arises in the backward pass spreads to what was executed
    before, so it arose behind the last parameter that has it; if all have it, it arose in the
    forward pass or in the loss. A step that a gradient scaler skipped does no harm and does not
    count.

    Source: IEEE 754 (a NaN stays one through every sum and product), and the design of
    `torch.autograd.detect_anomaly`.
    """
    at = dict(evidence.nonfinite)
    skipped = {event.step for event in evidence.events if event.kind == "skipped"}
    harmless = not any(quantity in ("weight", "update") for _, quantity in at)
    if skipped and harmless:
        at = {key: step for key, step in at.items() if step not in skipped}
    loss_step = _loss_step(evidence) if not skipped or not harmless else None
    steps = [*at.values(), *(() if loss_step is None else (loss_step,))]
    if not steps:
        return
    step = min(steps)
    quantities = ("weight", "activation", "gradient", "update")
    here = {quantity: list[str]() for quantity in quantities}
    for (name, quantity), first in at.items():
        if first == step and quantity in here:
            here[quantity].append(name)
    parameter, module, told, advice = _origin(evidence, here, step)
    numbers: dict[str, float] = {f"{quantity}s": len(names) for quantity, names in here.items()}
    if loss_step is not None:
        numbers["loss_step"] = loss_step
    yield Diagnosis(
        "nonfinite", "error", parameter, module, step, evidence.last_step, told, advice, numbers
    )


def _origin(evidence: Evidence, here: dict[str, list[str]], step: int) -> tuple[str, str, str, str]:
    """Gives the parameter, the module, what is told, and the advice."""
    structure = evidence.structure
    order = {name: place for place, name in enumerate(structure.parameters)}
    begin = f"At step {step} the first NaN or infinity appears:"
    if here["weight"]:
        name = min(here["weight"], key=order.__getitem__)
        return (
            name,
            structure.parameters[name].module,
            f"{begin} in the weight {name}, before the step was taken.",
            "It comes from the initialisation, a checkpoint, or a step between records; record "
            "with every=1 to see which.",
        )
    if here["activation"]:
        places = structure.module_order
        name = min(here["activation"], key=lambda each: places.get(each, len(places)))
        return (
            "",
            name,
            f"{begin} in the output of {name}, the first in execution order of "
            f"{len(here['activation'])} modules that give some.",
            "Look at its inputs and at what happens in front of it: a logarithm or root of 0, a "
            "division by 0, a mask of a whole row, an overflow of float16.",
        )
    column = max(int(np.searchsorted(evidence.first, step, side="right")) - 1, 0)
    grown, factor = _largest_growth(evidence, column)
    if factor >= RUNAWAY:
        what = "the gradients" if here["gradient"] else "a step" if here["update"] else "the loss"
        return (
            grown,
            structure.parameters[grown].module,
            f"{begin} in {what}, after the weight {grown} had grown by a factor of {factor:.3g} "
            f"(threshold {RUNAWAY:g}): training diverged before.",
            "Lower the learning rate, clip the gradient's norm, or warm up.",
        )
    if here["gradient"]:
        return _from_gradients(evidence, here["gradient"], column, begin)
    if here["update"]:
        name = min(here["update"], key=order.__getitem__)
        return (
            name,
            structure.parameters[name].module,
            f"{begin} in what the optimizer's step did to {name}, whose gradient is finite.",
            "The optimizer itself divides by 0 or overflows: in float16 Adam's eps of 1e-8 is 0, "
            "so keep its weights in float32.",
        )
    look = (
        "Look at the batch, for a NaN in the inputs or the targets, and at the loss function: a "
        "logarithm of 0, a division by an empty batch."
    )
    if evidence.columns and evidence.last[column] < step:
        return (
            "",
            "",
            f"{begin} in the loss. The last record before it is of step {evidence.last[column]}, "
            "so it may have arisen anywhere.",
            f"{look} Record with every=1 to see where it arises.",
        )
    return "", "", f"{begin} in the loss, before any gradient or weight that was recorded.", look


def _from_gradients(
    evidence: Evidence, names: list[str], column: int, begin: str
) -> tuple[str, str, str, str]:
    structure = evidence.structure
    order = list(structure.parameters)
    has = np.isfinite(evidence.gradient.of(order, "rms")[:, column])
    bad = [name for name in order if name in set(names)]
    last = bad[-1]
    later = [name for place, name in enumerate(order) if has[place] and place > order.index(last)]
    half = structure.parameters[last].dtype == "float16"
    overflow = " Its float16 cannot hold more than 65,504." if half else ""
    if later:
        return (
            last,
            structure.parameters[last].module,
            f"{begin} in the gradient of {last}; those of {len(later)} parameters behind it, such "
            f"as {later[0]}, are finite, so it arises between the two.{overflow}",
            "Look for a function whose slope is infinite there: a root, norm or power at 0, a "
            "division by something tiny. Add an epsilon inside it.",
        )
    return (
        last,
        structure.parameters[last].module,
        f"{begin} in the gradients of all {len(bad)} parameters, up to the last one executed, "
        f"{last}: it arises in the forward pass or in the loss.{overflow}",
        "Record with activations=True to see the first module that gives it. Look at the step's "
        "batch, and at logarithms, roots and divisions in the loss.",
    )


def _largest_growth(evidence: Evidence, column: int) -> tuple[str, float]:
    """Gives the weight that has grown most since the first record, and by what factor."""
    names = list(evidence.structure.weights)
    rms = evidence.weight.of(names, "rms")[:, : column + 1]
    if not names or rms.shape[1] < 2:
        return "", 0.0
    with np.errstate(all="ignore"):
        growth = np.nan_to_num(largest(np.swapaxes(rms[:, 1:], 0, 1)) / rms[:, 0], posinf=0.0)
    place = int(np.argmax(growth))
    return names[place], float(growth[place])


def _loss_step(evidence: Evidence) -> int | None:
    for each in evidence.losses:
        bad = np.flatnonzero(~np.isfinite(each.values))
        if len(bad) and len(bad) < len(each):
            return int(each.steps[bad[0]])
        if len(bad):
            return int(each.steps[0])
    return None
