"""Values in an ONNX model that are sizes, on which PyTorch computes in plain Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto

_SIZES = frozenset({"Shape", "Size"})
# On 1-d integers these compute sizes; others (Range, ConstantOfShape) make tensors of them.
_ON_SIZES = frozenset(
    [
        *("Add", "Sub", "Mul", "Div", "Mod", "Neg", "Abs", "Min", "Max", "Floor", "Ceil"),
        *("Gather", "Slice", "Concat", "Squeeze", "Unsqueeze", "Reshape", "Cast", "Identity"),
        *("ReduceProd", "ReduceSum", "Equal", "Where", "Sqrt", "Pow", "Split", "Less", "Greater"),
    ]
)


def size_values(nodes: Iterable[NodeProto], outputs: set[str]) -> set[str]:
    """Gives the values that are computed from sizes and constants alone.

    If the network returns one of them they are values like all others, and none are given.
    """
    sizes: set[str] = set()
    constants: set[str] = set()
    for node in nodes:
        named = [name for name in node.output if name]
        if node.op_type == "Constant":
            constants.update(named)
        elif node.op_type in _SIZES:
            sizes.update(named)
        elif node.op_type in _ON_SIZES:
            read = [name for name in node.input if name]
            if any(name in sizes for name in read) and all(
                name in sizes or name in constants for name in read
            ):
                sizes.update(named)
    return set() if sizes & outputs else sizes
