"""Route ``eager``: run the forward once, on stand-ins, and record what it does.

Module calls are seen by a scoped replacement of what ``nn.Module.__call__`` calls, and functions
by a ``TorchFunctionMode``. The first of three kinds of stand-ins that gets through is taken: meta
tensors (no data), fake tensors (no data, but a device), real copies. Control flow runs as it
would without Visuai, so nothing in plain Python stops this route.
"""

from __future__ import annotations

from torch import nn

from visuai.capture.blame import blame_on_inputs
from visuai.capture.inputs import (
    bind,
    forward_of,
    given,
    inferred,
    owner,
    program_name,
)
from visuai.capture.recorder import Recorder
from visuai.capture.stand_ins import Kind
from visuai.errors import CaptureError
from visuai.program import Program, Source

_KINDS: tuple[Kind, ...] = ("meta", "fake", "real")
_WITHOUT_DATA = _KINDS[:2]  # For guessed inputs, which are not worth a run with data.


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
    candidates = [inputs] if inputs is not None else list(inferred(model, forward))
    failures: dict[str, BaseException] = {}
    partial: Program | None = None
    for kind in _KINDS if inputs is not None else _WITHOUT_DATA:
        for candidate in candidates:
            bound = bind(forward, candidate)
            recorder = Recorder(root, entry, bound, kind)
            try:
                recorder.record_forward()
            except Exception as error:
                source.restore()
                failures.setdefault(kind, error)
                if partial is None or kind == "real":
                    partial = recorder.program(program_name(model), [])
                if kind == "real":
                    blame_on_inputs(model, candidate, error, partial)
            else:
                notes = [note] if (note := bound.inputs.note) else []
                if kind != "meta":
                    notes.append(f"The forward was run on {kind} tensors: {_why(failures)}.")
                notes += recorder.inventory.notes()
                return recorder.program(program_name(model), notes)
    if not failures:
        raise CaptureError("No inputs were given, and none could be inferred; pass args.")
    raise CaptureError(
        f"The forward did not run: {_why(failures)}.", failures=failures, program=partial
    )


def _why(failures: dict[str, BaseException]) -> str:
    return "; ".join(
        f"on {kind} tensors it raised {type(error).__name__}: {str(error).strip()[:150]}"
        for kind, error in failures.items()
    )
