"""Records one forward: module calls and functions of torch, with where each value came from."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch._C._functorch import get_unwrapped as unwrapped
from torch._C._functorch import is_functorch_wrapped_tensor as is_wrapped
from torch._C._functorch import is_gradtrackingtensor as is_differentiated
from torch.overrides import TorchFunctionMode

from visuai.capture.describe import Inventory
from visuai.capture.inputs import Bound
from visuai.capture.mapped import is_transformed, mapped_call
from visuai.capture.memo import Memo
from visuai.capture.memory import Place, Writes, memory_of, place_of, write_view
from visuai.capture.operators import operator_of
from visuai.capture.sites import Sites, line_of, user_frame
from visuai.capture.stand_ins import (
    Kind,
    StandIns,
    children_of,
    holds_tensor,
    map_tensors,
    mutates,
    refuse_dtypes,
    refuse_meta,
    spec_of,
    spec_tree,
    stand_in_of,
    substituted,
    to_meta,
    turns,
)
from visuai.program import Program, Site

# On a tensor: the recorder, the node that gave it, the path therein, and when that was.
_MARK = "_visuai_origin"
_COMPILED = "_compiled_call_impl"
_set_args: Any = fx.Node.args.fset
_set_kwargs: Any = fx.Node.kwargs.fset
_LITERALS = (int, float, str, bool, type(None), torch.dtype, torch.device)
_Origin = tuple[Any, Any, tuple[Any, ...], int]
_NOW = "_visuai_now"  # On a constant that a meta tensor was written into: its meta twin.


class Recorder(TorchFunctionMode):
    """Records one forward into an ``fx.Graph``.

    A tensor's origin is kept on the tensor itself: the node that gave it, and the path to it
    within what the node gave. Only tensors that the capture made are written to.
    """

    def __init__(self, root: nn.Module | None, entry: Any, bound: Bound, kind: Kind) -> None:
        super().__init__()
        self.graph = fx.Graph()
        self.sites = Sites()
        self.inventory = Inventory(root)
        self._root = root
        self._entry = entry
        self._bound = bound
        self._kind: Kind = kind
        self._stand_ins = StandIns(kind)
        self._memo = Memo()
        self._thread = threading.get_ident()
        self._in_leaf = 0
        self._writes = Writes()
        self._unknown: set[fx.Node] = set()  # Those that wrote what has no values.
        self._twins: dict[Any, tuple[torch.Tensor, Place]] = {}
        self._inputs: dict[int, tuple[torch.Tensor, fx.Node, tuple[Any, ...]]] = {}
        self._reads: dict[str, fx.Node] = {}
        self._items: dict[tuple[fx.Node, Any], fx.Node] = {}
        self._call: Callable[..., Any] = nn.Module._call_impl  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]

    def program(self, name: str, notes: list[str]) -> Program:
        """Gives what was recorded, also after a failure."""
        return Program(
            graph=self.graph,
            route="eager",
            name=name,
            modules=self.inventory.modules,
            parameters=self.inventory.parameters,
            calls=self.sites.calls,
            notes=notes,
            versions={"torch": torch.__version__},
        )

    def record_forward(self) -> None:
        """Runs the forward on stand-ins."""
        inputs = self._bound.inputs
        values = [
            self._argument(name, value)
            for name, value in zip(
                self._bound.names, (*inputs.args, *inputs.kwargs.values()), strict=True
            )
        ]
        args = values[: len(inputs.args)]
        kwargs = dict(zip(inputs.kwargs, values[len(inputs.args) :], strict=True))
        with self._stand_ins.active(), self._module_calls():
            with self:
                if self._entry is not None:
                    result = self._entry(*args, **kwargs)
                else:
                    result = self._call(self._root, *args, **kwargs)
            output = self.graph.output(self._nodes_in(result))
        output.meta["site"] = Site("", 0)
        output.meta["value"] = spec_tree(result)

    @contextmanager
    def _module_calls(self) -> Generator[None]:
        """Has this thread's module calls recorded; those of other threads run as ever.

        What is replaced is what ``nn.Module.__call__`` calls, and not that itself: Python keeps
        special methods in slots, which it would have to update in every subclass of the process.
        """
        original = self._call

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread or self._in_leaf or module is self._root:
                return original(module, *args, **kwargs)
            fqn = self.inventory.name_of(module, self.sites.scope)
            if self.inventory.is_leaf(fqn):
                return self._leaf(module, fqn, args, kwargs)
            self.sites.enter(fqn)
            try:
                return original(module, *args, **kwargs)
            finally:
                self.sites.leave()

        compiled = [  # By `module.compile()`, after which what was compiled is called instead.
            (module.__dict__, known)
            for module in self.inventory.every_module()
            if (known := module.__dict__.get(_COMPILED)) is not None
        ]
        for state, _ in compiled:
            state[_COMPILED] = None
        nn.Module._call_impl = call  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        try:
            yield
        finally:
            for state, known in compiled:
                state[_COMPILED] = known
            nn.Module._call_impl = original  # pyright: ignore[reportPrivateUsage]

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        keywords: dict[str, Any] = kwargs or {}
        new_args, new_kwargs = substituted(self._swap, args, keywords, self._kind)
        written = mutates(func, keywords)
        before: Any = None
        changed: Any = None
        if written:
            before, changed = _written_of(args, keywords), _written_of(new_args, new_kwargs)
            if before is changed and self._is_differentiated(before):
                raise RuntimeError("torch.func writes into a parameter, of which it has no copy")
        if self._kind != "real":
            refuse_dtypes(func, new_args, new_kwargs)
        if self._kind != "meta" or func.__name__ == "__get__":
            result = func(*new_args, **new_kwargs)
        elif written:
            result = self._memo.writing(func, new_args, new_kwargs)
        else:
            refuse_meta()
            result = self._memo.function(func, new_args, new_kwargs)
        if self._in_leaf:
            return result
        if not written and not isinstance(result, torch.Tensor) and not holds_tensor(result):
            return result
        if not written:
            if func is torch.Tensor.requires_grad_:
                return result  # It says something of the tensor itself.
            result = _apart(result, new_args)
            self._note(func, args, keywords, result)
            return result
        node = self._note(func, args, keywords, changed if result is None else result)
        if isinstance(changed, torch.Tensor):
            self._note_writing(node, self._swap(before), changed)
        return result

    def _note(
        self,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        result: Any,
    ) -> fx.Node:
        """Adds a node for a function call, and marks what it gave."""
        nodes, keywords = self._operands(args, kwargs)
        owner_name = getattr(func, "__self__", None)
        found = operator_of(func.__name__, user_frame())
        if func.__name__ == "__get__" and owner_name is not None:
            nodes = (nodes[0], owner_name.__name__)
            node = self._add("call_function", getattr, nodes, {}, self.sites.here)
        elif found is not None:
            operands = nodes[::-1] if found[1] else nodes
            node = self._add("call_function", found[0], operands, keywords, self.sites.here)
        elif getattr(func, "__objclass__", None) is not None or "Tensor." in getattr(
            func, "__qualname__", ""
        ):
            node = self._add("call_method", func.__name__, nodes, keywords, self.sites.here)
        else:
            node = self._add("call_function", func, nodes, keywords, self.sites.here)
        self._give(node, result, (args, kwargs))
        return node

    def _add(
        self, op: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], site: Site
    ) -> fx.Node:
        """Adds a node for a call that the user's code makes now."""
        name = target.replace(".", "_") if op == "call_module" else None
        node = self.graph.create_node(op, target, name=name)
        # Set, and not handed over: create_node looks for symbolic sizes in them, of which there
        # are none, and takes half its time for that. Set past Node.__setattr__, which files the
        # node anew.
        _set_args(node, args)
        if kwargs:
            _set_kwargs(node, kwargs)
        node.meta["site"] = site
        node.meta["source"] = line_of(user_frame())
        return node

    def _note_writing(self, node: fx.Node, before: torch.Tensor, after: torch.Tensor) -> None:
        """Has what reads a tensor from now on read what was written into it.

        Args:
            node: The op that wrote.
            before: The tensor as the model holds it.
            after: The one that was written into: another if a constant with values met a meta
                tensor, for then its values are known no longer.
        """
        if before is not after:
            self._set_twin(before, after)
        place = self._place(after)
        if place is not None and not turns(node.target):
            self._writes.add(place, node)
            if after.is_meta:
                self._unknown.add(node)
        setattr(after, _MARK, (self, node, (), self._writes.now))

    def _set_twin(self, constant: torch.Tensor, twin: torch.Tensor) -> None:
        """Has a meta tensor stand for a constant whose values are known no longer."""
        setattr(constant, _NOW, twin)
        place, twins = self._place(constant), place_of(twin)
        if place is not None and twins is not None:
            # The constant is kept, as its memory would be given to another tensor otherwise.
            self._twins[twins.memory] = (constant, place)

    def _place(self, tensor: torch.Tensor) -> Place | None:
        """Gives where a tensor lies; the twin of a constant lies where the constant does."""
        while is_wrapped(tensor):
            tensor = unwrapped(tensor)
        place = place_of(tensor)
        if place is None or place.memory not in self._twins:
            return place
        _, original = self._twins[place.memory]
        if place.offset is None or original.offset is None:
            return Place(original.memory)
        return place._replace(memory=original.memory, offset=place.offset + original.offset)

    def _leaf(
        self, module: nn.Module, fqn: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Runs a leaf module and adds one node for it."""
        with torch._C.DisableTorchFunction():  # pyright: ignore[reportPrivateUsage]
            site = self.sites.leaf(fqn)
            args, kwargs = substituted(self._swap, args, kwargs, self._kind)
            nodes, keywords = self._operands(args, kwargs)
            replaced = self.inventory.replaced(module, fqn)
            run = self._run_leaf
            if self._kind == "meta":
                refuse_meta()
            if self._kind == "meta" and not replaced:
                result = self._memo.module(module, args, kwargs, run)
            else:
                result = run(module, *args, **kwargs)
            if not getattr(module, "inplace", False):
                result = _apart(result, args)
            if replaced:
                keywords |= {name: self._node_of(held) for name, held in replaced.items()}
            node = self._add("call_module", fqn, nodes, keywords, site)
            if replaced:
                node.meta["replaced"] = frozenset(replaced)
            self._give(node, result, (args, kwargs))
            if args and result is args[0]:
                self._note_writing(node, result, result)
        return result

    def _run_leaf(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        self._in_leaf += 1
        try:
            with torch._C._EnableTorchFunction():  # pyright: ignore[reportPrivateUsage]
                return self._call(module, *args, **kwargs)
        finally:
            self._in_leaf -= 1

    def _give(self, node: fx.Node, result: Any, operands: Any) -> None:
        """Notes what a node gave, and marks the tensors in it with their origin."""
        node.meta["value"] = spec_tree(result)
        if is_transformed() and (mapped := mapped_call(operands, result)):
            node.meta["mapped"] = mapped
        self._mark(result, node, ())

    def _mark(self, value: Any, node: fx.Node, path: tuple[Any, ...]) -> None:
        if isinstance(value, torch.Tensor):
            setattr(value, _MARK, (self, node, path, self._writes.now))
            if is_wrapped(value):  # Under vmap; unwrapped outside it.
                self._mark(unwrapped(value), node, path)
            return
        if value is None or isinstance(value, (int, float, str, bool)):
            return
        for key, part in children_of(value) or ():
            self._mark(part, node, (*path, key))

    def _argument(self, name: str, value: Any) -> Any:
        """Makes a placeholder for an argument that holds tensors; gives what to call with."""
        if not holds_tensor(value):
            return map_tensors(lambda t: t, value)
        node = self.graph.placeholder(name)
        node.meta["site"] = Site("", 0)
        value = map_tensors(self._once, value)
        node.meta["value"] = spec_tree(value)
        self._enter_inputs(value, node, ())
        return map_tensors(self._swap, value)

    def _once(self, tensor: torch.Tensor) -> torch.Tensor:
        """Gives another object for a tensor that is given for two inputs, to tell them apart."""
        return tensor.detach() if id(tensor) in self._inputs else tensor

    def _enter_inputs(self, value: Any, node: fx.Node, path: tuple[Any, ...]) -> None:
        if isinstance(value, torch.Tensor):
            self._inputs[id(value)] = (value, node, path)
            return
        if value is None or isinstance(value, (int, float, str, bool)):
            return
        for key, part in children_of(value) or ():
            self._enter_inputs(part, node, (*path, key))

    def _swap(self, tensor: torch.Tensor) -> torch.Tensor:
        """Gives the stand-in of a tensor that was there before; others are their own."""
        now: torch.Tensor = getattr(tensor, _NOW, tensor)
        origin = self._origin(now)
        if origin is not None:
            if self._writes.now and self._kind == "meta" and not now.is_meta:
                now = self._without_values(now, origin)
            return now
        entry = self._inputs.get(id(tensor))
        if entry is not None:
            stand_in = self._stand_ins.of(tensor)
            if getattr(stand_in, _MARK, None) is None:
                setattr(stand_in, _MARK, (self, entry[1], entry[2], self._writes.now))
            return stand_in
        if self._in_leaf and self.inventory.known_tensor(tensor) is None:
            return tensor  # Made inside the leaf.
        if type(tensor).__name__ == "FakeTensor" or self._is_differentiated(tensor):
            return tensor
        stand_in = stand_in_of(tensor, self._stand_ins)
        if getattr(stand_in, _MARK, None) is None:
            # Its node is added where it is read as a value, which inside a leaf it is not.
            setattr(stand_in, _MARK, (self, tensor, (), self._writes.now))
        return stand_in

    def _is_differentiated(self, value: Any) -> bool:
        """Tells whether a value is a parameter that ``torch.func`` differentiates by."""
        return (
            self._kind != "meta"
            and isinstance(value, torch.Tensor)
            and is_differentiated(value)
            and self._origin(value) is None
        )

    def _without_values(self, constant: torch.Tensor, origin: _Origin) -> torch.Tensor:
        """Gives a constant's twin on meta if one of another tensor's values was written there."""
        place = self._place(constant)
        writes = () if place is None else self._writes.since(origin[3], place)
        if self._unknown.isdisjoint(writes):
            return constant
        twin = to_meta(constant)
        setattr(twin, _MARK, origin)
        self._set_twin(constant, twin)
        return twin

    def _origin(self, tensor: torch.Tensor) -> _Origin | None:
        """Gives a tensor's mark, or that of the tensor that it wraps or is a view of."""
        related: torch.Tensor | None = tensor
        while related is not None:
            mark = getattr(related, _MARK, None)
            if mark is not None and mark[0] is self:
                return mark
            related = unwrapped(related) if is_wrapped(related) else related._base
        return None

    def _read(self, tensor: torch.Tensor) -> fx.Node:
        while is_wrapped(tensor):  # Under vmap, or under grad.
            tensor = unwrapped(tensor)
        name = self.inventory.name_of_tensor(tensor, self.sites.scope)
        node = self._reads.get(name)
        if node is None:
            node = self._reads[name] = self.graph.create_node("get_attr", name, (), {})
            here = self.sites.here
            node.meta["site"] = Site(here.scope, here.scope_call, name)
            node.meta["value"] = spec_of(tensor)
        return node

    def _operands(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Gives a call's arguments as those of a node."""
        nodes = [self._nodes_in(arg) for arg in args]
        return tuple(nodes), {key: self._nodes_in(arg) for key, arg in kwargs.items()}

    def _nodes_in(self, value: Any) -> Any:
        """Gives a value with nodes in place of its tensors, as the arguments of a node."""
        if isinstance(value, _LITERALS):
            return value
        if isinstance(value, np.generic):
            return value.item()  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, torch.Tensor):
            return self._node_of(value)
        if isinstance(value, slice):
            bounds: tuple[Any, ...] = (value.start, value.stop, value.step)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            return slice(*(self._nodes_in(bound) for bound in bounds))
        if isinstance(value, torch.Size):
            return tuple(value)
        if isinstance(value, (tuple, list)):
            items = [self._nodes_in(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
            return tuple(items) if isinstance(value, tuple) else items
        parts = children_of(value)
        if parts is None:
            if callable(value):
                return getattr(value, "__name__", "function")
            return str(value)[:200]
        return {str(key): self._nodes_in(part) for key, part in parts}

    def _node_of(self, tensor: torch.Tensor) -> fx.Node:
        tensor = self._swap(tensor)
        origin = self._origin(tensor)
        if origin is None:
            return self._read(tensor)
        _, node, path, time = origin
        if isinstance(node, torch.Tensor):
            node = self._read(node)
        for key in path:
            node = self._item(node, key)
        return self._written(tensor, node, time) if self._writes.now > time else node

    def _written(self, tensor: torch.Tensor, node: fx.Node, time: int) -> fx.Node:
        """Gives the node that a tensor is after what was written to its memory since a time."""
        memory = memory_of(unwrapped(tensor) if is_wrapped(tensor) else tensor)
        if not self._writes.reach(memory, time) and memory not in self._twins:
            return node
        place = self._place(tensor)
        for by in () if place is None else self._writes.since(time, place):
            known = node.meta["value"]
            node = self.graph.call_function(write_view, (node, by))
            node.meta.update(site=by.meta["site"], source=by.meta["source"], value=known)
        setattr(tensor, _MARK, (self, node, (), self._writes.now))
        return node

    def _item(self, container: fx.Node, key: Any) -> fx.Node:
        known = self._items.get((container, key))
        if known is None:
            known = self.graph.call_function(operator.getitem, (container, key))
            known.meta["site"] = container.meta["site"]._replace(fqn="", call=None)
            known.meta["value"] = container.meta["value"][key]
            self._items[(container, key)] = known
        return known


def _written_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Gives the argument that a function which writes writes into."""
    out = kwargs.get("out")
    return (args[0] if args else kwargs.get("input")) if out is None else out


def _apart(result: Any, args: tuple[Any, ...]) -> Any:
    """Gives an object of its own for a result that is one of the arguments.

    An identity (dropout in eval mode) hands its argument back; what comes after it and what
    comes after its argument must be told apart.
    """
    if isinstance(result, torch.Tensor):
        for arg in args:
            if result is arg:
                return result.view_as(result)
    return result
