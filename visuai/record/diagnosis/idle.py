"""Rules of parameters that do not learn: frozen, cut off, forgotten by the optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from visuai.record.diagnosis.diagnosis import Diagnosis
from visuai.record.diagnosis.evidence import Evidence
from visuai.record.diagnosis.span import column_medians, ends_with, lasting

LEAST = 5
"""Recorded steps before anything is said of a parameter that does not move. A branch that a
zero factor cuts off at first (zero-initialised residual gains, low-rank adapters) is open after
one or two."""

MATERIAL = 1e-4
"""Mean magnitude of a gradient relative to the median of all, below which it is rounding."""

_REASONS = (
    "update-too-small",
    "update-lost-in-rounding",
    "vanishing-gradient",
    "zero-gradient",
    "gradient-underflow",
    "dead-units",
    "saturated-units",
)


def frozen(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Parameters with ``requires_grad=False``: never more than worth knowing.

    Source: PyTorch, "Autograd mechanics", on locally disabling gradient computation.
    """
    parameters = evidence.structure.parameters
    names = [name for name, each in parameters.items() if not each.trainable]
    # What takes turns with others is trained, whether or not it was when it was last looked at.
    pulled = np.isfinite(evidence.gradient.of(names, "count"))
    names = [name for place, name in enumerate(names) if not pulled[place].any()]
    if not names or not evidence.records:
        return
    order = list(parameters)
    trainable = [place for place, name in enumerate(order) if parameters[name].trainable]
    first = order.index(names[0])
    between = bool(trainable) and trainable[0] < first < trainable[-1]
    elements = sum(parameters[name].numel for name in names)
    total = sum(each.numel for each in parameters.values())
    where = " It lies between parameters that are trained." if between else ""
    yield _all_along(
        evidence,
        "frozen",
        "info",
        names[0],
        f"{len(names)} of {len(parameters)} parameters do not require a gradient "
        f"({elements / max(total, 1):.0%} of all elements), the first is {names[0]}.{where}",
        "If that is not on purpose, call requires_grad_(True) on it before the optimizer is made.",
        {"parameters": len(names), "share_of_elements": elements / max(total, 1)},
        tuple(names[1:]),
    )


def no_gradient(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Trainable parameters that never got a gradient, while others did.

    Source: PyTorch, `torch.Tensor.grad`: None until a backward pass reaches the tensor.
    """
    structure = evidence.structure
    names = [name for name, each in structure.parameters.items() if each.trainable]
    known = np.isfinite(evidence.gradient.of(names, "count"))
    if known.shape[1] < 2 or not known.any():
        return
    finite = {name for name, quantity in evidence.nonfinite if quantity == "gradient"}
    for place in np.flatnonzero(~known.any(axis=1)):
        name = names[place]
        if name in finite:
            continue
        module = structure.parameters[name].module or "the network itself"
        used = name not in structure.unused
        yield _all_along(
            evidence,
            "no-gradient",
            "warning" if used else "info",
            name,
            f"{name} never got a gradient in {evidence.records} recorded steps, though it is "
            "trainable and others got one."
            if used
            else f"{name} gets no gradient, and the captured network does not use it.",
            f"Look for detach(), torch.no_grad(), .item() or .data between {module} and the loss."
            if used
            else f"Remove it, or call {module} in the forward.",
            {"steps_with_gradient": 0, "recorded_steps": evidence.records},
        )


def not_in_optimizer(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Parameters that get gradients, and that no optimizer ever moved, while it moved others.

    Source: PyTorch, `torch.optim`: an optimizer moves what it was given, nothing else.
    """
    structure = evidence.structure
    names = [name for name, each in structure.parameters.items() if each.trainable]
    gradient = evidence.gradient.of(names, "mean_abs")
    pulled = np.nansum(np.isfinite(gradient) & (gradient > 0), axis=1)
    moved = np.isfinite(evidence.update.of(names, "count")).any(axis=1)
    weight = evidence.weight
    if moved.any():
        idle = ~moved
    else:  # Updates were not recorded: the weights themselves tell.
        idle = np.ones(len(names), dtype=bool)
        for statistic in ("mean", "rms", "low", "high"):
            values = weight.of(names, statistic)
            with np.errstate(invalid="ignore"):
                idle &= ~(np.abs(values - values[:, :1]) > 0).any(axis=1)
        if idle.all():
            return
    for place in np.flatnonzero(idle & (pulled >= LEAST)):
        name = names[place]
        yield _all_along(
            evidence,
            "not-in-optimizer",
            "warning",
            name,
            f"{name} got a gradient in {int(pulled[place])} recorded steps, and no optimizer "
            "step ever changed it.",
            "Give it to the optimizer (made before the module was added or moved?), or set "
            "requires_grad_(False) to say that it is frozen.",
            {"steps_with_gradient": int(pulled[place]), "steps_with_update": 0},
        )


def unchanged(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Parameters whose steps are exactly zero, though their gradients are not.

    Source: Amazon SageMaker Debugger, rule UnchangedTensor; here exact equality, for longer.
    """
    parameters = evidence.structure.parameters
    explained = {
        parameters[name].module
        for each in found
        if each.rule in _REASONS
        for name in (each.parameter, *each.also)
        if name in parameters
    }
    names = [
        name
        for name, each in parameters.items()
        if each.trainable and each.numel and each.module not in explained
    ]
    if _at_rest(evidence):
        return
    update = evidence.update.of(names, "zero_share")
    pull = evidence.gradient.of(names, "mean_abs")
    usual = column_medians(evidence.gradient.of(list(parameters), "mean_abs"))
    # Less is but rounding, as in a bias before a normalisation.
    known = np.isfinite(update) & (pull > MATERIAL * usual) & (pull > 0)
    still = known & (update == 1.0)
    rates = [each.values[-LEAST:] for each in evidence.learning_rates if len(each)]
    all_zero = bool(rates) and all(not values.any() for values in rates)
    some_zero = any(not values.any() for values in rates)
    for place, name in enumerate(names):
        span = lasting(still[place], known[place], LEAST)
        if span is None or not ends_with(span, known[place]):
            continue
        always = not (known[place] & ~still[place]).any()
        if all_zero:
            why = " The learning rate is 0."
        elif some_zero:
            why = " A group of the optimizer has a learning rate of 0."
        else:
            why = ""
        since = (
            "in any recorded step" if always else f"since step {int(evidence.first[span.first])}"
        )
        yield Diagnosis(
            "unchanged",
            "info" if all_zero and not always else "warning",
            name,
            evidence.structure.parameters[name].module,
            int(evidence.first[span.first]),
            int(evidence.last[span.last]),
            f"{name} has not changed by one bit {since}, though it gets a gradient.{why}",
            "Check the learning rate of its group, the scheduler, and whether the step is so "
            "small that it is lost in rounding.",
            {
                "still_steps": span.holds,
                "gradient_mean_abs": float(np.median(pull[place][known[place]])),
            },
        )


def _all_along(
    evidence: Evidence,
    rule: str,
    severity: str,
    name: str,
    message: str,
    advice: str,
    numbers: dict[str, float],
    also: tuple[str, ...] = (),
) -> Diagnosis:
    """Makes a diagnosis of a parameter that holds from the first record to the last."""
    module = evidence.structure.parameters[name].module
    first, last = int(evidence.first[0]), evidence.last_step
    return Diagnosis(rule, severity, name, module, first, last, message, advice, numbers, also)


def _at_rest(evidence: Evidence) -> bool:
    """Tells whether all weights have come to rest after they moved: it has converged."""
    update = evidence.update.of(evidence.structure.weights, "zero_share")
    last = update[:, -1:][np.isfinite(update[:, -1:])]
    moved = np.isfinite(update) & (update < 1.0)
    stopped = any(not each.values[-1:].any() for each in evidence.learning_rates)
    return len(last) > 0 and bool((last == 1.0).all() and moved.any()) and not stopped
