"""Python's operators, told from the methods of tensors that they call."""

from __future__ import annotations

import operator
from collections.abc import Callable
from opcode import opmap
from types import FrameType
from typing import Any

_INSTRUCTIONS = frozenset(
    code
    for name, code in opmap.items()
    if name.startswith(("BINARY_", "INPLACE_", "UNARY_", "COMPARE_", "CALL_INTRINSIC_"))
)
"""What Python runs for an operator; a method is called by other instructions."""

_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "div": "truediv", "true_divide": "truediv",
    "truediv": "truediv", "floor_divide": "floordiv", "floordiv": "floordiv", "remainder": "mod",
    "mod": "mod", "pow": "pow", "matmul": "matmul", "neg": "neg", "positive": "pos",
    "bitwise_not": "invert", "invert": "invert", "bitwise_and": "and_", "and": "and_",
    "bitwise_or": "or_", "or": "or_", "bitwise_xor": "xor", "xor": "xor", "lshift": "lshift",
    "rshift": "rshift", "eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge",
    "getitem": "getitem",
}  # fmt: skip
"""Names in the module ``operator`` by those under which torch tells of a call, without ``_``."""

_BY_NAME: dict[str, tuple[Callable[..., Any], bool]] = {
    spelled: (getattr(operator, name), spelled == f"__r{bare}__")
    for bare, name in _OPERATORS.items()
    for spelled in (bare, f"{bare}_", f"__{bare}__", f"__i{bare}__", f"__r{bare}__")
}
"""The operator that may be behind a call, and whether its operands come the other way round."""


def operator_of(name: str, frame: FrameType | None) -> tuple[Callable[..., Any], bool] | None:
    """Gives the operator by which a method was called, None if it was called by its name.

    torch tells of ``x + y`` as it does of ``x.add(y)``. Which one it was is seen from the
    instruction that the frame runs.

    Args:
        name: The method's name, as torch tells it.
        frame: The frame that called it.

    Returns:
        A function of the module ``operator``, and whether the operands come the other way round.
    """
    known = _BY_NAME.get(name)
    if known is None or frame is None:
        return None
    return known if frame.f_code.co_code[frame.f_lasti] in _INSTRUCTIONS else None
