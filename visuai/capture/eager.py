"""Route ``eager``: run the forward once, on stand-ins, and record what it does.

Module calls are seen by a scoped replacement of ``nn.Module.__call__`` and functions by a
``TorchFunctionMode``. The first of three kinds of stand-ins that gets through is taken: meta
tensors (no data), fake tensors (no data, but a device), real copies. Control flow runs as it
would without Visuai, so nothing in plain Python stops this route.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from visuai.capture.describe import Inventory
from visuai.capture.inputs import (
    Bound,
    bind,
    forward_of,
    given,
    inferred,
    owner,
    program_name,
)
from visuai.capture.recorder import Recorder
from visuai.capture.sites import is_user_file
from visuai.capture.snapshot import keep, unchanged
from visuai.capture.stand_ins import Kind, StandIns, Substitute, map_tensors
from visuai.errors import CaptureError, ModelError
from visuai.program import Program, Source

_KINDS: tuple[Kind, ...] = ("meta", "fake", "real")


def capture(source: Source) -> Program:
    """Runs a module or a function once and records it.

    Args:
        source: An ``nn.Module`` or a callable, with inputs or with ones that can be inferred.

    Raises:
        ModelError: If the model raises on the inputs given also when nothing records it.
        CaptureError: If no kind of stand-in gets through.
    """
    model = source.model
    entry = None if isinstance(model, nn.Module) else model
    root = model if entry is None else owner(model)
    forward = forward_of(model)
    inputs = given(source, forward)
    candidates = [inputs] if inputs is not None else inferred(model, forward)
    failures: dict[str, BaseException] = {}
    restore = keep(root)
    for candidate in candidates:
        bound = bind(forward, candidate)
        for kind in _KINDS:
            if kind == "real" and inputs is None:
                break  # A guess is not worth a run with data.
            recorder = Recorder(root, entry, bound, kind)
            try:
                recorder.record_forward()
            except Exception as error:
                restore()
                failures.setdefault(kind, error)
                if kind == "real":
                    _blame(root, entry, bound, error, recorder.program(program_name(model), []))
            else:
                notes = [note] if (note := bound.inputs.note) else []
                if kind != "meta":
                    notes.append(f"The forward was run on {kind} tensors: {_why(failures)}.")
                return recorder.program(program_name(model), notes)
    if not failures:
        raise CaptureError("No inputs were given, and none could be inferred; pass args.")
    raise CaptureError(f"The forward did not run: {_why(failures)}.", failures=failures)


def _why(failures: dict[str, BaseException]) -> str:
    return "; ".join(
        f"on {kind} tensors it raised {type(error).__name__}: {str(error).strip()[:300]}"
        for kind, error in failures.items()
    )


def _blame(
    root: nn.Module | None, entry: Any, bound: Bound, error: Exception, partial: Program
) -> None:
    """Runs the forward unrecorded; if it raises too, the model is at fault.

    Raises:
        ModelError: With the model's own exception as its cause.
    """
    inventory = Inventory(root)
    stand_ins = StandIns("real")
    args, kwargs = map_tensors(stand_ins.of, (bound.inputs.args, bound.inputs.kwargs))
    forward: Any = root if entry is None else entry
    try:
        with unchanged(root), Substitute(stand_ins, inventory):
            forward(*args, **kwargs)
    except Exception as own:
        line = _user_frame(own)
        where = f" at {line[0]}:{line[1]}" if line else ""
        raise ModelError(
            f"{type(own).__name__}{where}: {own}\n{partial.name} raises this on the inputs "
            "given, with or without Visuai. The part of the network up to there is in the "
            "error's attribute `partial`.",
            failures={"eager": error},
            program=partial,
        ) from own


def _user_frame(error: BaseException) -> tuple[str, int] | None:
    found = None
    trace = error.__traceback__
    while trace is not None:
        if is_user_file(trace.tb_frame.f_code.co_filename):
            found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return found
