"""Control flow in a TorchScript graph: what is being read, loops, and what branches do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from visuai.program import Site


class Loop(NamedTuple):
    """A loop of a known number of iterations that is unrolled; ``done`` of them are over."""

    block: Any
    trips: int
    done: int


@dataclass(slots=True, eq=False)
class Frame:
    """A graph or block that is being read, and where its results go."""

    nodes: Iterator[Any]
    results: list[Any]
    env: dict[str, Any]
    site: Site
    caller: Frame | None = None
    targets: tuple[str, ...] = ()
    loop: Loop | None = None


def is_counted(node: Any, inputs: list[Any], env: dict[str, Any]) -> bool:
    """Tells whether a loop runs a known number of times, few enough to be unrolled."""
    (block,) = node.blocks()
    goes_on = env.get(next(block.outputs()).debugName())
    return goes_on is True and inputs[1] is True and type(inputs[0]) is int and inputs[0] <= 1000


def has_effect(node: Any) -> bool:
    """Tells whether the blocks of a node may change anything, and not only check."""
    blocks = list(node.blocks())
    while blocks:
        for inner in blocks.pop().nodes():
            kind: str = inner.kind()
            if kind.endswith("_") or kind in ("prim::SetAttr", "prim::CallMethod", "aten::append"):
                return True
            blocks.extend(inner.blocks())
    return False
