"""What TorchScript computes on plain numbers, and on what is known of a tensor without data."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

SAME = frozenset(
    [
        *("prim::unchecked_cast", "prim::NumToTensor", "aten::ScalarImplicit", "prim::data"),
        *("aten::IntImplicit", "aten::FloatImplicit", "aten::detach_", "aten::list"),
    ]
)
"""Kinds of nodes that give their first input."""

NOTHING = frozenset(["prim::RaiseException", "prim::Print", "aten::warn", "prim::SetAttr"])
"""Kinds of nodes that say nothing about the network."""


def _size(tensor: Any, *dim: int) -> Any:
    return tensor.shape[dim[0]] if dim else list(tensor.shape)


def _and(left: Any, right: Any) -> Any:
    return left and right


def _or(left: Any, right: Any) -> Any:
    return left or right


def _add(left: Any, right: Any, alpha: Any = 1) -> Any:
    return left + right if alpha == 1 else left + right * alpha


def _sub(left: Any, right: Any, alpha: Any = 1) -> Any:
    return left - right * alpha


def _div(left: Any, right: Any) -> Any:
    return left / right


def _floordiv(left: Any, right: Any) -> Any:
    return left // right


OF_TENSOR: dict[str, Callable[..., Any]] = {
    "aten::size": _size,
    "aten::dim": operator.methodcaller("dim"),
    "aten::numel": operator.methodcaller("numel"),
    "aten::len": len,
    "prim::dtype": operator.attrgetter("dtype"),
    "prim::device": operator.attrgetter("device"),
    "prim::layout": operator.attrgetter("layout"),
    "aten::is_floating_point": operator.methodcaller("is_floating_point"),
}
"""Kind of node to what it gives of a tensor on the meta device."""

FOLDED: dict[str, Callable[..., Any]] = {
    "aten::__is__": operator.is_,
    "aten::__isnot__": operator.is_not,
    "aten::__not__": operator.not_,
    "aten::__and__": _and,
    "aten::__or__": _or,
    "aten::eq": operator.eq,
    "aten::ne": operator.ne,
    "aten::lt": operator.lt,
    "aten::le": operator.le,
    "aten::gt": operator.gt,
    "aten::ge": operator.ge,
    "aten::add": _add,
    "aten::sub": _sub,
    "aten::mul": operator.mul,
    "aten::div": _div,
    "aten::floordiv": _floordiv,
    "aten::floor_divide": _floordiv,
    "aten::remainder": operator.mod,
    "aten::neg": operator.neg,
    "aten::len": len,
    "aten::Bool": bool,
    "aten::Int": int,
    "aten::Float": float,
    "aten::__getitem__": operator.getitem,
    "aten::__contains__": operator.contains,
    "prim::TupleIndex": operator.getitem,
    "prim::min": min,
    "prim::max": max,
}
"""Kind of node to what it gives of plain numbers, lists and strings."""
