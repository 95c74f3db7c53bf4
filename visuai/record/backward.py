"""The number whose gradient is being computed, and what it was scaled by: read off the stack.

Torch tells no hook where a backward pass began. But while the pass is under way, the call that
asked for it is on the stack of some thread, with the tensors it was given. Looking there changes
nothing, unlike putting a function in place of ``backward``, and costs nothing while no hook looks.
"""

from __future__ import annotations

import inspect
import sys
from types import CodeType, FrameType
from typing import Any, cast

import torch


def _code(function: Any) -> CodeType | None:
    return getattr(inspect.unwrap(function), "__code__", None)


_system: Any = sys
_BACKWARD, _GRAD = _code(torch.autograd.backward), _code(torch.autograd.grad)
_SCALED_STEP = _code(torch.amp.GradScaler.step)


def root() -> torch.Tensor | None:
    """Gives the tensor of which ``backward`` was called; to be asked in a hook of that pass.

    Returns:
        None if it was called of several tensors or of one that is not a single number, if
        gradients are asked for without it, as by ``torch.autograd.grad``, or if it cannot be
        told which of several threads asked.
    """
    frame = _outermost(inspect.currentframe())
    if frame is None:  # Hooks of what is on a device run in a thread of that device's.
        frames = map(_outermost, _system._current_frames().values())
        asking = [each for each in frames if each is not None]
        frame = asking[0] if len(asking) == 1 else None
    if frame is None or frame.f_code is not _BACKWARD:
        return None
    given: object = frame.f_locals.get("tensors")
    several = cast("tuple[object]", given) if isinstance(given, (tuple, list)) else (given,)
    first = several[0] if len(several) == 1 else None
    # Not of a subclass: to read a distributed tensor, all processes have to.
    return first if type(first) is torch.Tensor and first.numel() == 1 else None


def scale(device: torch.device) -> torch.Tensor | None:
    """Gives what a gradient scaler multiplied the loss by; to be asked in the step it takes.

    Args:
        device: Where the loss is.

    Returns:
        A tensor of one element on that device; None if no gradient scaler takes this step.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code is _SCALED_STEP:
            scaler = frame.f_locals.get("self")
            one = torch.ones((), device=device)
            return scaler.scale(one) if isinstance(scaler, torch.amp.GradScaler) else None
        frame = frame.f_back
    return None


def _outermost(frame: FrameType | None) -> FrameType | None:
    """Finds the call that asked for gradients; checkpoints ask for some inside of it."""
    found: FrameType | None = None
    while frame is not None:
        if frame.f_code is _BACKWARD or frame.f_code is _GRAD:
            found = frame
        frame = frame.f_back
    return found
