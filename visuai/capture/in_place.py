"""In-place ops in a symbolic trace, of which torch.fx itself keeps no account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx

from visuai.capture.describe import Inventory
from visuai.capture.memory import memory_of, place_of
from visuai.capture.stand_ins import mutates, turns


class AliasError(RuntimeError):
    """A tensor was written into that is read through another name: of which, fx does not know."""


def thread_in_place(graph: fx.Graph, inventory: Inventory) -> dict[fx.Node, fx.Node]:
    """Lets what comes after an in-place op read the op's result, not the value before it.

    Returns:
        Node that writes into a tensor to the node of that tensor.
    """
    writes: dict[fx.Node, fx.Node] = {}
    order: dict[fx.Node, int] | None = None
    for node in graph.nodes:
        written = _written_by(node, inventory)
        if written is None:
            continue
        if written is node.kwargs.get("out") and written.op == "get_attr":
            raise RuntimeError(f"{node.name} writes into a tensor that is no part of the trace")
        if order is None:
            order = {each: index for index, each in enumerate(graph.nodes)}
        written.replace_all_uses_with(
            node, lambda user, now=order[node], order=order: order[user] > now
        )
        writes[node] = written
    return writes


def _written_by(node: fx.Node, inventory: Inventory) -> fx.Node | None:
    """Gives the node that another writes into, None if it writes into none."""
    if node.op == "call_module":
        writes = getattr(inventory.module(str(node.target)), "inplace", False)
    else:
        writes = node.op.startswith("call") and mutates(node.target, node.kwargs)
    if not writes:
        return None
    written = node.kwargs.get("out") or (node.args or (node.kwargs.get("input"),))[0]
    return written if isinstance(written, fx.Node) else None


def refuse_aliases(written: Mapping[fx.Node, fx.Node], env: Mapping[fx.Node, Any]) -> None:
    """Ends a capture where what was written into one tensor is read through another.

    Args:
        written: What `thread_in_place` gave.
        env: What each node gave on meta.

    Raises:
        AliasError: If a view of a tensor, or a tensor that it is a view of, is read after it
            was written into.
    """
    sharing: dict[Any, list[tuple[fx.Node, torch.Tensor]]] = {}
    order = {node: index for index, node in enumerate(env)}
    for node, value in env.items():
        for tensor in _tensors_in(value):
            sharing.setdefault(memory_of(tensor), []).append((node, tensor))
        target = written.get(node)
        if target is None or turns(node.target) or not isinstance(env[target], torch.Tensor):
            continue
        place = place_of(env[target])
        for other, tensor in sharing[memory_of(env[target])]:
            if other is node or not any(order[user] > order[node] for user in other.users):
                continue
            there = place_of(tensor)
            if place is not None and there is not None and place.overlaps(there):
                raise AliasError(
                    f"{node.name} writes into {target.name}, which is read as {other.name} later"
                )


def _tensors_in(value: Any) -> list[torch.Tensor]:
    if isinstance(value, (tuple, list)):
        return [part for part in value if isinstance(part, torch.Tensor)]  # pyright: ignore[reportUnknownVariableType]
    return [value] if isinstance(value, torch.Tensor) else []
