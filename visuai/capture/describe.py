"""What a model is made of: its modules, parameters and buffers, by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cache
from operator import is_
from typing import Any, Literal

import torch
from torch import nn
from torch._C._functorch import is_functorch_wrapped_tensor as is_wrapped

from visuai.ir import Module, Parameter
from visuai.ops import is_leaf_type

# What a module's attributes mostly are: to look for tensors among them takes longer.
_PLAIN = frozenset((bool, int, float, str, type(None), tuple, list, dict, OrderedDict, set))


def walk(root: nn.Module) -> Iterator[tuple[str, nn.Module, str | None]]:
    """Gives each distinct module once: FQN, module, FQN of its parent; parents first.

    Like ``named_modules``, with the same first-name-wins rule, but without its recursion, so
    that depth is no limit.
    """
    seen = {id(root)}
    stack: list[tuple[str, nn.Module, str | None]] = [("", root, None)]
    while stack:
        fqn, module, parent = stack.pop()
        yield fqn, module, parent
        # Straight from the dictionary: a subclass may override named_children.
        registered = module._modules  # pyright: ignore[reportPrivateUsage]
        if not registered:
            continue
        children: list[tuple[str, nn.Module, str | None]] = []
        for name, child in registered.items():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                children.append((f"{fqn}.{name}" if fqn else name, child, fqn))
        stack.extend(reversed(children))


def modules_of(root: nn.Module) -> list[nn.Module]:
    """Gives each distinct module once, where names and order do not matter."""
    seen = {id(root)}
    found: list[nn.Module] = []
    stack = [root]
    while stack:
        module = stack.pop()
        found.append(module)
        for child in module._modules.values():  # pyright: ignore[reportPrivateUsage]
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                stack.append(child)
    return found


def type_name(module: nn.Module) -> str:
    """Gives the qualified class name of a module.

    A parametrised module is of the class that it was before (``torch.nn.utils.parametrize``
    puts a class of its own in front).
    """
    kind: type[Any] = type(module)
    registered = module._modules  # pyright: ignore[reportPrivateUsage]
    if kind.__name__.startswith("Parametrized") and "parametrizations" in registered:
        kind = kind.__mro__[1]
    return f"{kind.__module__}.{kind.__qualname__}"


def is_leaf(module: nn.Module) -> bool:
    """Tells whether a module is looked at as one op."""
    return is_leaf_type(type_name(module))


def module_entry(fqn: str, module: nn.Module, parent: str | None) -> Module:
    """Gives the entry of one module for `visuai.ir.IR.modules`."""
    config = ""
    if type(module).extra_repr is not nn.Module.extra_repr:
        try:
            config = str(module.extra_repr())
        except Exception:  # A user's extra_repr must not stop a capture.
            config = ""
    elif isinstance(module, nn.MultiheadAttention):  # It has none, and FLOPs hang on its layout.
        options = "embed_dim", "num_heads", "batch_first", "add_zero_attn"
        config = ", ".join(f"{name}={getattr(module, name, None)}" for name in options)
    name = type_name(module)
    return {
        "fqn": fqn,
        "type": name,
        "parent": parent,
        "leaf": is_leaf_type(name),
        "call": None,
        "config": config,
    }


def parameter_entry(
    tensor: torch.Tensor, kind: Literal["parameter", "buffer", "constant"], alias_of: str | None
) -> Parameter:
    """Gives the entry of one tensor for `visuai.ir.IR.parameters`."""
    lazy = torch.nn.parameter.is_lazy(tensor)
    return {
        "shape": [] if lazy else list(tensor.shape),
        "dtype": dtype_name(tensor.dtype),
        "bytes": 0 if lazy else tensor.numel() * tensor.element_size(),
        "requires_grad": tensor.requires_grad,
        "kind": kind,
        "alias_of": alias_of,
    }


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """Gives a dtype's name without the ``torch.`` prefix."""
    return str(dtype)[6:]


_Held = tuple[list[torch.Tensor | None], list[torch.Tensor | None]]


def _held(module: nn.Module) -> _Held:
    """Gives the parameters and the buffers that a module itself holds now."""
    return list(module._parameters.values()), list(module._buffers.values())  # pyright: ignore[reportPrivateUsage]


_MOST_NAMES = 4


class Inventory:
    """Modules and tensors of a model by name, and names by identity.

    Modules that a forward uses although they are registered nowhere (kept in a plain list,
    made on the fly) are named and entered when they are first met.

    Attributes:
        modules: As `visuai.ir.IR.modules`.
        parameters: As `visuai.ir.IR.parameters`.
    """

    def __init__(self, root: nn.Module | None) -> None:
        self.modules: dict[str, Module] = {}
        self.parameters: dict[str, Parameter] = {}
        # By identity, and the other way round: that keeps alive what identity stands for.
        self._module_names: dict[int, str] = {}
        self._named: dict[str, nn.Module] = {}
        self._tensor_names: dict[int, str] = {}
        self._tensors: dict[str, torch.Tensor] = {}
        self._held: dict[str, _Held] = {}
        self._strays: dict[str, int] = {}  # Modules registered nowhere: what they would train.
        self._has_root = root is not None
        if root is None:
            root = nn.Module()
        for fqn, module, parent in walk(root):
            self._enter(fqn, module, parent)

    def name_of(self, module: nn.Module, scope: str) -> str:
        """Gives a module's FQN; one that is registered nowhere is named after ``scope``."""
        name = self._module_names.get(id(module))
        if name is None:
            base = f"{scope}.{type(module).__name__}" if scope else type(module).__name__
            name = self._free(base, self.modules)
            with torch._C.DisableTorchFunction():  # pyright: ignore[reportPrivateUsage]
                self._enter_stray(name, module, scope)
        return name

    def _enter_stray(self, name: str, module: nn.Module, scope: str) -> None:
        self._strays[name] = sum(
            parameter.numel()
            for parameter in module.parameters()
            if parameter.requires_grad
            and not parameter.is_meta  # A shell for the weights of others.
            and id(parameter) not in self._tensor_names
        )
        for fqn, inner, parent in walk(module):
            if id(inner) not in self._module_names:
                full = f"{name}.{fqn}" if fqn else name
                above = scope if parent is None else f"{name}.{parent}" if parent else name
                self._enter(full, inner, above, registered=False)

    def notes(self) -> list[str]:
        """Warns of layers that a forward calls and the model does not hold."""
        strays = {name: size for name, size in self._strays.items() if size}
        if not strays or not self._has_root:
            return []
        names = ", ".join(list(strays)[:_MOST_NAMES]) + (" …" if len(strays) > _MOST_NAMES else "")
        return [
            f"The forward calls layers that the model does not hold: {names}. parameters(), to() "
            f"and state_dict() miss their {sum(strays.values()):,} parameters, so that an "
            "optimizer does not train them. Keep layers as attributes, or in an nn.ModuleList or "
            "nn.ModuleDict in place of a list or dict."
        ]

    def is_leaf(self, fqn: str) -> bool:
        """Tells whether the module of that name is looked at as one op."""
        return self.modules[fqn]["leaf"]

    def module(self, fqn: str) -> nn.Module:
        """Gives the module of that name."""
        return self._named[fqn]

    def every_module(self) -> Iterable[nn.Module]:
        """Gives each module once."""
        return self._named.values()

    def name_of_tensor(self, tensor: torch.Tensor, scope: str) -> str:
        """Gives a tensor's FQN; one that the model does not hold is entered as a constant."""
        name = self._tensor_names.get(id(tensor))
        if name is None:
            name = self._free(f"{scope}.constant" if scope else "constant", self.parameters)
            self._enter_tensor(name, tensor, "constant")
        return name

    def tensor(self, fqn: str) -> torch.Tensor:
        """Gives the tensor of that name."""
        return self._tensors[fqn]

    def known_tensor(self, tensor: object) -> str | None:
        """Gives the FQN of a tensor that the model holds, None for any other object."""
        return self._tensor_names.get(id(tensor))

    def _holds_its_own(self, module: nn.Module, fqn: str) -> bool:
        held = self._held.get(fqn)
        return held is not None and (
            all(map(is_, module._parameters.values(), held[0]))  # pyright: ignore[reportPrivateUsage]
            and all(map(is_, module._buffers.values(), held[1]))  # pyright: ignore[reportPrivateUsage]
        )

    def replaced(self, module: nn.Module, fqn: str) -> dict[str, torch.Tensor]:
        """Gives what stands in for the tensors of a module now, by FQN, as in `functional_call`.

        Args:
            module: A module of the model, also with modules in it.
            fqn: Its name.
        """
        its_own = self._holds_its_own(module, fqn)
        if its_own and not module._modules:  # pyright: ignore[reportPrivateUsage]
            return {}  # Most.
        found: dict[str, torch.Tensor] = {}
        if not its_own:
            for tensors in (module._parameters, module._buffers):  # pyright: ignore[reportPrivateUsage]
                for name, tensor in tensors.items():
                    own = self._tensors.get(f"{fqn}.{name}")
                    if tensor is None or own is None:
                        continue
                    # One met under vmap only has what stands in for its own.
                    if tensor is not own or is_wrapped(tensor):
                        found[f"{fqn}.{name}"] = tensor
        for name, child in module._modules.items():  # pyright: ignore[reportPrivateUsage]
            if child is not None:
                found |= self.replaced(child, f"{fqn}.{name}")
        return found

    def _enter(
        self, fqn: str, module: nn.Module, parent: str | None, *, registered: bool = True
    ) -> None:
        self._named[fqn] = module
        self._module_names[id(module)] = fqn
        self.modules[fqn] = module_entry(fqn, module, parent)
        if registered:
            self._held[fqn] = _held(module)
        prefix = f"{fqn}." if fqn else ""
        parameters = module._parameters  # pyright: ignore[reportPrivateUsage]
        for name, parameter in parameters.items():
            if parameter is not None:
                kind = "parameter" if registered else "constant"
                self._enter_tensor(prefix + name, parameter, kind)
        buffers = module._buffers  # pyright: ignore[reportPrivateUsage]
        for name, buffer in buffers.items():
            if buffer is not None:
                self._enter_tensor(prefix + name, buffer, "buffer" if registered else "constant")
        attributes = module.__dict__
        if not _PLAIN.issuperset(map(type, attributes.values())):
            for name, value in attributes.items():
                if isinstance(value, torch.Tensor):
                    self._enter_tensor(prefix + name, value, "constant")

    def _enter_tensor(
        self, fqn: str, tensor: torch.Tensor, kind: Literal["parameter", "buffer", "constant"]
    ) -> None:
        first = self._tensor_names.setdefault(id(tensor), fqn)
        self._tensors[fqn] = tensor
        self.parameters[fqn] = parameter_entry(tensor, kind, None if first == fqn else first)

    @staticmethod
    def _free(name: str, taken: dict[str, Any]) -> str:
        number, free = 1, name
        while free in taken:
            free = f"{name}_{number}"
            number += 1
        return free
