"""Room for deep networks: runs a function with a stack as deep as the network needs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from visuai.capture.describe import walk

Result = TypeVar("Result")

_DEEP = 60  # Nested modules that fit into Python's usual 1000 frames several times over.
_FRAMES = 40  # Python frames that one level of nesting may take while it is traced.
_BYTES = 64 * 1024  # Stack bytes for one level.
_MOST = 1 << 30


def with_room(root: nn.Module | None, function: Callable[..., Result], *args: Any) -> Result:
    """Calls a function; for a deeply nested model on a thread with a larger stack.

    Args:
        root: The model whose forward the function runs; None if there is none.
        function: What to call.
        *args: Its arguments.

    Returns:
        What it returns; what it raises is raised here.
    """
    depth = 0 if root is None else max(fqn.count(".") for fqn, _, _ in walk(root))
    if depth < _DEEP:
        return function(*args)
    outcome: list[Any] = []
    grad = torch.is_grad_enabled()

    def run() -> None:
        try:
            with torch.set_grad_enabled(grad):
                outcome.extend((True, function(*args)))
        except BaseException as error:  # Carried over to the caller's thread.
            outcome.extend((False, error))

    limit, size = sys.getrecursionlimit(), threading.stack_size()
    sys.setrecursionlimit(max(limit, 1000 + depth * _FRAMES))
    threading.stack_size(min(_MOST, max(16 << 20, depth * _BYTES)))
    try:
        thread = threading.Thread(target=run, name="visuai-capture")
        thread.start()
    finally:
        threading.stack_size(size)
    thread.join()
    sys.setrecursionlimit(limit)
    succeeded, value = outcome
    if not succeeded:
        raise value
    return value
