"""Tells whether the model itself is what raises: runs it without anything that records."""

from __future__ import annotations

from typing import Any

from torch import nn

from visuai.capture.describe import Inventory
from visuai.capture.inputs import (
    Inputs,
    arbitrary,
    forward_of,
    inferred,
    owner,
    program_name,
    unlikely,
)
from visuai.capture.sites import is_user_file
from visuai.capture.snapshot import unchanged
from visuai.capture.stand_ins import Kind, StandIns, Substitute, map_tensors
from visuai.errors import PARTIAL, ModelError
from visuai.program import Program, Source


def blame_on_inputs(model: Any, inputs: Inputs, error: Exception, partial: Program) -> None:
    """Runs a model on copies of the inputs given; if it raises too, the model is at fault.

    Args:
        model: A module or a callable.
        inputs: The inputs given.
        error: What the eager route failed with.
        partial: What the eager route captured before it failed.

    Raises:
        ModelError: With the model's own exception as its cause.
    """
    own = _raised(model, inputs, "real")
    if own is not None:
        raise ModelError(
            f"{_told(own)}\n{partial.name} raises this{_module(own, model)} on the inputs given, "
            f"with or without Visuai.{unlikely(inputs)} {PARTIAL}",
            failures={"eager": error},
            program=partial,
        ) from own


def blame_without_inputs(
    source: Source, failures: dict[str, BaseException], partial: Program | None
) -> None:
    """Finds the model at fault if it raises whatever it is given.

    The symbolic route gives it values without a shape or a dtype. What it raises on these and,
    from the same line, on tensors is not about the inputs; inputs that fit even less may raise
    something else before. Nothing is run with data.

    Args:
        source: A module or a callable, for which no inputs were given.
        failures: What routes failed with, by name; without the symbolic one nothing is said.
        partial: What was captured before the failure, if anything.

    Raises:
        ModelError: With the model's own exception as its cause.
    """
    traced = failures.get("symbolic")
    if traced is None:
        return
    forward = forward_of(source.model)
    guesses = list(inferred(source.model, forward)) or list(arbitrary(forward))
    for guess in guesses:
        own = _raised(source.model, guess, "meta")
        if own is not None and _told(own) == _told(traced):
            raise ModelError(
                f"{_told(own)}\n{program_name(source.model)} raised this"
                f"{_module(own, source.model)} with nothing known of its "
                "inputs, since none were given. If it takes others than were tried, pass "
                "them: visuai.build(model, args, kwargs).",
                failures=failures,
                program=partial,
            ) from own


def _raised(model: Any, inputs: Inputs, kind: Kind) -> Exception | None:
    """Runs a model on stand-ins for the inputs and its tensors; gives what it raises."""
    root = model if isinstance(model, nn.Module) else owner(model)
    inventory = Inventory(root)
    stand_ins = StandIns(kind)
    args, kwargs = map_tensors(stand_ins.of, (inputs.args, inputs.kwargs))
    try:
        with unchanged(root), Substitute(stand_ins, inventory):
            model(*args, **kwargs)
    except Exception as own:
        return own
    return None


def _module(error: BaseException, model: Any) -> str:
    """Tells the innermost module that an exception comes from, "" if that is the root."""
    root = model if isinstance(model, nn.Module) else owner(model)
    names: dict[int, str] = {}
    if root is not None:
        names = {id(module): name for name, module in root.named_modules()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    where = ""
    trace = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_locals.get("self")
        name = names.get(id(module), "") if isinstance(module, nn.Module) else ""
        where = f" in {name} ({type(module).__name__})" if name else where
        trace = trace.tb_next
    return where


def _told(error: BaseException) -> str:
    """Tells an exception with the line of the user's that it comes from."""
    where = ""
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if is_user_file(path):
            where = f" at {path}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}{where}: {error}"
