"""The op that a node of a TorchScript graph calls, and with what."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from visuai.capture.opaque import Opaque
from visuai.capture.script_values import Function, plain


def call_of(
    node: Any, inputs: list[Any], captured: list[fx.Node] | None
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Gives target, positional and keyword arguments of a node.

    Args:
        node: A ``torch.Node``.
        inputs: What it reads.
        captured: What its blocks read from outside; None if it has no blocks.
    """
    kind: str = node.kind()
    if kind == "prim::CallFunction" and isinstance(inputs[0], Function):
        name = inputs[0].name
        function = getattr(torch.nn.functional, name, None)
        target = function if callable(function) else Opaque(f"torch.jit.{name}")
        return target, plain(tuple(inputs[1:])), {}
    if captured is not None:
        return Opaque(kind.replace("::", ".").lower()), plain((*inputs, *captured)), {}
    found = _overload(kind, node.schema())
    arguments: list[Any] = [] if found is None else list(found._schema.arguments)
    keywords = {at: a.name for at, a in enumerate(arguments) if a.kwarg_only}
    return (
        found or Opaque(kind.replace("::", ".")),
        plain(tuple(value for at, value in enumerate(inputs) if at not in keywords)),
        {keywords[at]: plain(value) for at, value in enumerate(inputs) if at in keywords},
    )


def _overload(kind: str, schema: str) -> Any:
    """Finds the registered op of a schema such as ``aten::gt.Scalar(Tensor self, ...)``."""
    namespace, _, name = kind.partition("::")
    overload = schema.partition("(")[0].partition(".")[2] or "default"
    packet = getattr(getattr(torch.ops, namespace, None), name, None)
    found = getattr(packet, overload, None)
    return found if hasattr(found, "_schema") else None
