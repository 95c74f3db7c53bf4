"""Stand-ins for the caller's tensors, so that a capture never touches the originals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch._C._functorch import (
    TransformType,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    peek_interpreter_stack,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
)
from torch.overrides import TorchFunctionMode

from visuai.capture.describe import Inventory, dtype_name
from visuai.capture.mapped import mapped_sizes
from visuai.program import Spec

Kind = Literal["meta", "fake", "real"]

# Buffers and constants up to this many elements keep their values in a meta run, so that
# `int(self.offset)` or a table of relative positions does not end it.
_SMALL = 4096


class StandIns:
    """Gives, for each tensor that existed before the capture, one that may be used up.

    - ``meta``: no data and no compute. Small buffers and constants keep a copy of their values
      until they meet a meta tensor.
    - ``fake``: no data, but the device is as it was.
    - ``real``: copies with data.

    Args:
        kind: One of the three.
        inputs: Tensors among the inputs: never kept with values in a meta run.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self._table: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._fake_mode: Any = None
        if kind == "fake":
            from torch._subclasses.fake_tensor import FakeTensorMode

            self._fake_mode = FakeTensorMode(allow_non_fake_inputs=True)

    def active(self) -> AbstractContextManager[Any]:
        """The context in which ops on stand-ins run."""
        return self._fake_mode if self._fake_mode is not None else nullcontext()

    def of(self, tensor: torch.Tensor, *, keep_value: bool = False) -> torch.Tensor:
        """Gives the stand-in of a tensor, the same one each time.

        Args:
            tensor: A tensor of the caller's, any shape and dtype.
            keep_value: In a meta run, let a small tensor keep its values.
        """
        known = self._table.get(id(tensor))
        if known is not None:
            return known[1]
        stand_in = self._make(tensor, keep_value)
        self._table[id(tensor)] = (tensor, stand_in)
        return stand_in

    def _make(self, tensor: torch.Tensor, keep_value: bool) -> torch.Tensor:
        if self.kind == "real":
            return tensor.detach().clone()
        if self.kind == "fake":
            # Not detach: what it gives counts the writes into it as writes into the original.
            return self._fake_mode.from_tensor(tensor.data)
        if keep_value and tensor.device.type != "meta" and tensor.numel() <= _SMALL:
            return tensor.detach().clone()
        return to_meta(tensor)


def to_meta(tensor: torch.Tensor) -> torch.Tensor:
    """Gives a new tensor on the meta device, of the same shape, strides and dtype."""
    if type(tensor) in _PLAIN and tensor.layout is torch.strided and not tensor.is_quantized:
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    return tensor.detach().to("meta")


_PLAIN = (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)


def stand_in_of(tensor: torch.Tensor, stand_ins: StandIns) -> torch.Tensor:
    """Gives the stand-in of a tensor that the model holds; a small buffer keeps its values."""
    return stand_ins.of(tensor, keep_value=not isinstance(tensor, torch.nn.Parameter))


class Substitute(TorchFunctionMode):
    """Lets torch's functions meet stand-ins in place of the tensors that a model holds."""

    def __init__(self, stand_ins: StandIns, inventory: Inventory) -> None:
        super().__init__()
        self._stand_ins = stand_ins
        self._known = inventory.known_tensor

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        args, kwargs = self.arguments(args, kwargs or {})
        if self._stand_ins.kind != "real":
            refuse_dtypes(func, args, kwargs)
        return func(*args, **kwargs)

    def arguments(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Gives a call's arguments with stand-ins in place of the model's tensors."""
        return substituted(self._swap, args, kwargs, self._stand_ins.kind)

    def _swap(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if self._known(tensor) is None else stand_in_of(tensor, self._stand_ins)


def substituted(
    swap: Callable[[torch.Tensor], torch.Tensor],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    kind: Kind,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Swaps the tensors among a call's arguments; in a meta run, one on meta makes all so."""
    if len(args) == 1 and not kwargs and isinstance(args[0], torch.Tensor):
        return (swap(args[0]),), kwargs
    seen: list[bool] = []

    def swap_and_look(tensor: torch.Tensor) -> torch.Tensor:
        tensor = swap(tensor)
        seen.append(tensor.is_meta)
        return tensor

    new_args: Any = tuple([map_tensors(swap_and_look, arg) for arg in args])
    new_kwargs: Any = {k: map_tensors(swap_and_look, v) for k, v in kwargs.items()}
    if kind == "meta" and len(seen) > 1 and any(seen) and not all(seen):
        new_args = map_tensors(_meta, new_args)
        new_kwargs = map_tensors(_meta, new_kwargs)
    return new_args, new_kwargs


def _meta(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.is_meta else to_meta(tensor)


def mutates(function: Any, kwargs: Any = None) -> bool:
    """Tells whether a function or method writes into its first argument."""
    name: str = function if isinstance(function, str) else getattr(function, "__name__", "")
    if kwargs and (kwargs.get("out") is not None or kwargs.get("inplace") is True):
        return True
    if name.startswith("__"):
        return name == "__setitem__" or (name.startswith("__i") and name in _IN_PLACE_DUNDERS)
    return (name.endswith("_") and name not in _NOT_IN_PLACE) or name in _IN_PLACE_OPERATORS


_IN_PLACE_OPERATORS = frozenset(
    {
        *("iadd", "isub", "imul", "itruediv", "ifloordiv", "ipow", "imod", "imatmul"),
        *("iand", "ior", "ixor", "setitem"),
    }
)
_IN_PLACE_DUNDERS = frozenset(f"__{name}__" for name in _IN_PLACE_OPERATORS)
_NOT_IN_PLACE = frozenset(["and_", "or_", "not_", "requires_grad_", "is_", "retain_grad_"])


def turns(function: Any) -> bool:
    """Tells whether what changes a tensor changes its shape or strides, and not its elements."""
    name: str = function if isinstance(function, str) else getattr(function, "__name__", "")
    return name in _TURNS


_TURNS = frozenset(
    ["t_", "transpose_", "swapaxes_", "swapdims_", "squeeze_", "unsqueeze_", "detach_"]
)


def holds_tensor(value: Any) -> bool:
    """Tells whether there is a tensor in a tree of containers and objects."""
    return _holds_tensor(value, 4)


def map_tensors(function: Callable[[torch.Tensor], Any], value: Any) -> Any:
    """Applies a function to the tensors in a tree of tuples, lists, dicts and slices."""
    if isinstance(value, torch.Tensor):
        return function(value)
    if value is None or isinstance(value, (int, float, str, bool)):
        return value
    tree: Any = value  # Not narrowed by the checks: of a bare tuple, no items are known.
    kind: Any = type(tree)  # pyright: ignore[reportUnknownVariableType]
    if kind is tuple or kind is list:
        items = [map_tensors(function, item) for item in tree]
        return items if kind is list else tuple(items)
    if kind is torch.Size:
        return value
    if isinstance(value, tuple) and hasattr(tree, "_fields"):
        return kind(*(map_tensors(function, item) for item in tree))
    if isinstance(value, (tuple, list)):
        return kind(map_tensors(function, item) for item in tree)
    if isinstance(value, dict):
        return {key: map_tensors(function, item) for key, item in tree.items()}
    if kind is slice:
        return slice(*(map_tensors(function, i) for i in (value.start, value.stop, value.step)))
    return value


def refuse_meta() -> None:
    """Ends a meta run where more than shapes is asked for.

    Raises:
        RuntimeError: Under autocast, which goes by the device, and under the transforms of
            ``torch.func`` that differentiate: calls on meta are not followed by autograd.
    """
    if torch._C._is_any_autocast_enabled():  # pyright: ignore[reportPrivateUsage]
        raise RuntimeError("under autocast, dtypes depend on the device, which meta tensors lack")
    interpreter: Any = peek_interpreter_stack()
    if interpreter is not None and interpreter.key() in _DIFFERENTIATE:
        raise RuntimeError("torch.func differentiates, and not all is computed on meta tensors")


_DIFFERENTIATE: tuple[Any, ...] = (TransformType.Grad, TransformType.Jvp)  # pyright: ignore[reportUnknownMemberType]


def refuse_dtypes(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Ends a run without data where dtypes differ that torch compares only when it computes.

    Raises:
        RuntimeError: If so; a run with data will tell whether it is an error.
    """
    name: str = getattr(function, "__name__", "")
    if name not in _OF_ONE_DTYPE or torch._C._is_any_autocast_enabled():  # pyright: ignore[reportPrivateUsage]
        return
    firsts = [arg[0] if isinstance(arg, (tuple, list)) and arg else arg for arg in args]  # pyright: ignore[reportUnknownVariableType]
    values: list[Any] = [*firsts, *kwargs.values()]
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if len({tensor.dtype for tensor in tensors}) < 2:
        return
    if name in _NORMS and tensors[0].dtype in (torch.float16, torch.bfloat16):
        return  # Its statistics may be float32.
    found = " and ".join(sorted({dtype_name(tensor.dtype) for tensor in tensors}))
    raise RuntimeError(f"{name} was given {found}, which is not looked at without data")


_NORMS = frozenset(["batch_norm", "layer_norm", "group_norm", "instance_norm"])
_OF_ONE_DTYPE = _NORMS | frozenset(
    [
        *("linear", "bilinear", "matmul", "__matmul__", "__rmatmul__", "mm", "mv", "addmm"),
        *("conv1d", "conv2d", "conv3d", "lstm", "gru", "rnn_tanh", "rnn_relu"),
        *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    ]
)


def spec_of(tensor: torch.Tensor) -> Spec:
    """Gives shape and dtype of a tensor, of all samples under ``torch.vmap``."""
    try:
        sizes = (*mapped_sizes(tensor), *tensor.shape)
        if tensor.is_nested:  # Of ragged ones the size has a name.
            sizes = tuple(size if type(size) is int else str(size) for size in sizes)
        return Spec(sizes, dtype_name(tensor.dtype))
    except RuntimeError:  # A nested tensor with ragged dimensions has no shape.
        return Spec(("?",) * tensor.dim(), dtype_name(tensor.dtype))


def spec_tree(value: Any) -> Any:
    """Gives a value with a `Spec` in place of each tensor, and what is opaque left out.

    Objects that hold tensors as attributes (a dataclass, a distribution) become dicts.
    """
    if isinstance(value, torch.Tensor):
        return spec_of(value)
    if value is None or isinstance(value, (int, float, str, bool)):
        return value
    parts = children_of(value)
    if parts is None:
        return None
    if isinstance(value, (tuple, list)):
        return tuple(spec_tree(part) for _, part in parts)
    return {key: spec_tree(part) for key, part in parts}


def children_of(value: Any) -> list[tuple[Any, Any]] | None:
    """Gives key and value of the parts of a container, None for what is no container.

    Containers are tuples, lists, mappings (``UserDict``, ``ModelOutput``), and objects that
    hold tensors as attributes (dataclasses, distributions).
    """
    if isinstance(value, (tuple, list)):
        return list(enumerate(value))  # pyright: ignore[reportUnknownArgumentType]
    if hasattr(value, "items") and hasattr(value, "keys"):
        return list(value.items())
    if isinstance(value, (torch.nn.Module, type)) or callable(value):
        return None
    attributes = getattr(value, "__dict__", None)
    if attributes is None:
        slots: Any = getattr(type(value), "__slots__", ())  # pyright: ignore[reportUnknownArgumentType]
        attributes = {name: getattr(value, name, None) for name in slots}
    held = [(k, v) for k, v in attributes.items() if _holds_tensor(v, 3)]
    return held or None


def _holds_tensor(value: Any, depth: int) -> bool:
    if isinstance(value, torch.Tensor):
        return True
    if depth == 0 or value is None or isinstance(value, (int, float, str, bool, torch.nn.Module)):
        return False
    if isinstance(value, (tuple, list)):
        return any(_holds_tensor(item, depth - 1) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return any(_holds_tensor(item, depth - 1) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
    attributes = getattr(value, "__dict__", None)
    return isinstance(attributes, dict) and any(
        _holds_tensor(item, depth - 1)
        for item in attributes.values()  # pyright: ignore[reportUnknownVariableType]
    )
