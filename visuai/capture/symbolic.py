"""Route ``symbolic``: torch.fx symbolic tracing, then shapes by running the graph on meta.

Needs no inputs. Control flow that depends on values ends it: the eager route is for that.
"""

from __future__ import annotations

import inspect
import operator
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import fx, nn
from torch.fx.node import map_aggregate
from torch.overrides import TorchFunctionMode

from visuai.capture.describe import Inventory
from visuai.capture.in_place import AliasError, refuse_aliases, thread_in_place
from visuai.capture.inputs import (
    Bound,
    bind,
    forward_of,
    given,
    inferred,
    owner,
    program_name,
    required,
)
from visuai.capture.memo import Memo
from visuai.capture.sites import Sites, line_of, user_frame
from visuai.capture.stand_ins import (
    StandIns,
    Substitute,
    holds_tensor,
    map_tensors,
    mutates,
    refuse_dtypes,
    refuse_meta,
    spec_tree,
    stand_in_of,
)
from visuai.program import Program, Site, Source


def capture(source: Source) -> Program:
    """Traces a module or a function symbolically.

    With inputs, or where they can be inferred, every node gets its value's shape and dtype,
    and what depends on shapes alone becomes a constant.

    Args:
        source: An ``nn.Module`` or a callable, with or without inputs.

    Raises:
        Exception: Whatever ends the trace: of torch.fx, of the model, or of running the traced
            graph on the inputs given.
    """
    model = source.model
    entry = None if isinstance(model, nn.Module) else model
    root = model if entry is None else owner(model)
    forward = forward_of(model)
    inventory = Inventory(root)
    inputs = given(source, forward)
    if inputs is not None:
        bound = bind(forward, inputs)
        traced, note = _trace(root, entry, inventory, bound), ""
        _propagate(traced, inventory, bound)
    else:
        traced, note = _capture_inferred(root, entry, inventory, forward)
    return Program(
        graph=traced.graph,
        route="symbolic",
        name=program_name(model),
        modules=inventory.modules,
        parameters=inventory.parameters,
        calls=traced.sites.calls,
        notes=([note] if note else []) + inventory.notes(),
        versions={"torch": torch.__version__},
    )


class _Traced(NamedTuple):
    """What `_trace` gives.

    Attributes:
        graph: The graph, in-place ops threaded.
        sites: The call-sites.
        written: Node that writes into a tensor to the node of that tensor.
    """

    graph: fx.Graph
    sites: Sites
    written: dict[fx.Node, fx.Node]


def _capture_inferred(
    root: nn.Module | None, entry: Any, inventory: Inventory, forward: Callable[..., Any]
) -> tuple[_Traced, str]:
    """Traces with the first inferred inputs that fit, else without any shapes."""
    traces: dict[tuple[str, ...], _Traced] = {}
    first_error = ""
    for inputs in inferred(entry or root, forward):
        try:
            bound = bind(forward, inputs)
            if bound.names not in traces:
                traces[bound.names] = _trace(root, entry, inventory, bound)
            traced = traces[bound.names]
            _propagate(traced, inventory, bound)
            return traced, inputs.note
        except AliasError:
            raise
        except Exception as error:
            first_error = first_error or f"{type(error).__name__}: {error}"
    names = [parameter.name for parameter in required(forward)]
    return (
        _trace(root, entry, inventory, names),
        "No inputs given, and none that were tried fit, so shapes are not known; pass args to "
        f"have them. The first try gave {first_error.rstrip('.') or 'nothing to go by'}.",
    )


class _Tracer(fx.Tracer):
    """torch.fx's tracer, with call-sites, source lines, and no trace left on the model."""

    def __init__(self, inventory: Inventory, arguments: Bound | list[str]) -> None:
        # No autowrap: it would replace functions of `math` for the whole process. What they
        # are given are sizes, and with sizes as numbers the eager route has no need of it.
        super().__init__(autowrap_modules=())
        self.sites = Sites()
        self._inventory = inventory
        self._arguments = arguments
        self._thread = threading.get_ident()
        self._reads: dict[str, fx.Proxy] = {}

    def create_args_for_root(
        self,
        root_fn: Any,
        is_module: bool,
        concrete_args: Any = None,
    ) -> tuple[Any, list[Any]]:
        """Gives the forward as a function without arguments: they are bound already."""
        bound = self._arguments
        if isinstance(bound, list):
            names, values = tuple(bound), [self._placeholder(name) for name in bound]
            keywords = set(names)
        else:
            names = bound.names
            given_values = (*bound.inputs.args, *bound.inputs.kwargs.values())
            values = [
                self._argument(name, value) for name, value in zip(names, given_values, strict=True)
            ]
            keywords = set(bound.inputs.kwargs)
        args = [v for n, v in zip(names, values, strict=True) if n not in keywords]
        kwargs = {n: v for n, v in zip(names, values, strict=True) if n in keywords}
        if isinstance(bound, list) and not is_module:
            args, kwargs = list(kwargs.values()), {}
        leading = [self.root] if is_module else []
        return (lambda: root_fn(*leading, *args, **kwargs)), []

    def _placeholder(self, name: str) -> fx.Proxy:
        return self.create_proxy("placeholder", name, (), {})

    def _argument(self, name: str, value: Any) -> Any:
        """Gives proxies for the tensors of one argument; other values stay as they are."""
        if isinstance(value, torch.Tensor):
            return self._placeholder(name)
        if not holds_tensor(value):
            return value
        if not isinstance(value, (tuple, list, dict)):
            raise TypeError(
                f"argument {name!r} is a {type(value).__name__}, which symbolic tracing cannot "
                "look into"
            )
        return _unpacked(self._placeholder(name), value)

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Keeps track of call-sites."""
        if threading.get_ident() != self._thread:  # Another thread's forward is not ours.
            return forward(*args, **kwargs)
        fqn = self._inventory.name_of(m, self.sites.scope)
        if not self._inventory.is_leaf(fqn):
            with self.sites.inside(fqn):
                return forward(*args, **kwargs)
        return self.create_proxy("call_module", fqn, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, fx.Proxy]) -> Any:
        """Records reads of parameters and buffers."""
        if not isinstance(attr_val, torch.Tensor) or threading.get_ident() != self._thread:
            return attr_val
        name = self._inventory.known_tensor(attr_val)
        if name is None:
            return attr_val
        proxy = self._reads.get(name)
        if proxy is None:
            proxy = self._reads[name] = self.create_proxy("get_attr", name, (), {})
        return proxy

    def create_proxy(self, kind: str, target: Any, *args: Any, **kwargs: Any) -> Any:
        """Looks into functions that ``torch.fx.wrap`` hides, as eager execution does."""
        if target is operator.abs:  # torch itself takes abs(x) for x.abs().
            return super().create_proxy("call_method", "abs", *args, **kwargs)
        if kind == "call_function" and inspect.isfunction(target):
            package = target.__module__.partition(".")[0]
            if package not in ("torch", "_operator"):
                return target(*args[0], **args[1])
        return super().create_proxy(kind, target, *args, **kwargs)

    def create_arg(self, a: Any) -> Any:
        """Refers to tensors by name, instead of hanging them onto the model."""
        if isinstance(a, fx.Proxy):  # Ahead of the base class, which looks at all it could be.
            return a.node
        if a is None or type(a) in _PLAIN:
            return a
        if type(a) is list or type(a) is tuple:
            items = [self.create_arg(item) for item in a]  # pyright: ignore[reportUnknownVariableType]
            return items if isinstance(a, list) else tuple(items)
        if isinstance(a, np.generic):
            return a.item()  # pyright: ignore[reportUnknownVariableType]
        if isinstance(a, torch.Tensor):
            name = self._inventory.name_of_tensor(a, self.sites.scope)
            return self.create_node("get_attr", name, (), {})
        return super().create_arg(a)

    def create_node(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str | None = None,
        type_expr: Any | None = None,
    ) -> fx.Node:
        """Notes where in the model and in the user's code the op occurs."""
        if kind.startswith("call"):
            refuse_meta()  # Shapes are found out later, on meta.
        node = self.graph.create_node(kind, target, args, kwargs, name, type_expr)
        here = self.sites.here
        if kind == "call_module":
            node.meta["site"] = self.sites.leaf(target)
        elif kind == "get_attr":
            node.meta["site"] = Site(here.scope, here.scope_call, target)
        else:
            node.meta["site"] = here
        if kind.startswith("call"):
            node.meta["source"] = line_of(user_frame())
        return node


_PLAIN = (int, float, bool, str)


def _unpacked(proxy: Any, value: Any) -> Any:
    """Gives a container like ``value`` with items of ``proxy`` in place of its tensors."""
    if isinstance(value, torch.Tensor):
        return proxy
    if isinstance(value, dict):
        return {key: _item(proxy, key, item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (tuple, list)):
        items = [_item(proxy, index, item) for index, item in enumerate(value)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if hasattr(value, "_fields"):  # pyright: ignore[reportUnknownArgumentType]
            return type(value)(*items)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return type(value)(items)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return value


def _item(proxy: Any, key: Any, value: Any) -> Any:
    return _unpacked(proxy[key], value) if holds_tensor(value) else value


class _NoWriting(TorchFunctionMode):
    """Ends a trace that would write into a tensor that was there before it."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if args and isinstance(args[0], torch.Tensor) and mutates(func, kwargs):
            raise RuntimeError(
                f"{func.__name__} writes into a tensor that is no part of the traced values"
            )
        return func(*args, **(kwargs or {}))


def _trace(
    root: nn.Module | None, entry: Any, inventory: Inventory, arguments: Bound | list[str]
) -> _Traced:
    tracer = _Tracer(inventory, arguments)
    if entry is None:
        traced: Any = root
    elif inspect.ismethod(entry) and entry.__self__ is root and root is not None:
        tracer.traced_func_name = entry.__name__
        traced = root
    else:
        traced = entry if inspect.isfunction(entry) else _as_function(entry)
    with _NoWriting():
        graph = tracer.trace(traced)
    return _Traced(graph, tracer.sites, thread_in_place(graph, inventory))


def _as_function(entry: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a function that does what a callable object does: torch.fx traces only those."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return entry(*args, **kwargs)

    return call


def _propagate(traced: _Traced, inventory: Inventory, bound: Bound) -> None:
    """Runs the graph on meta tensors and notes on each node what it gave.

    Nothing is noted if the graph does not run.
    """
    inputs = dict(
        zip(bound.names, (*bound.inputs.args, *bound.inputs.kwargs.values()), strict=True)
    )
    stand_ins = StandIns("meta")
    memo = Memo()
    env: dict[fx.Node, Any] = {}
    specs: dict[fx.Node, Any] = {}

    def load(value: Any) -> Any:
        return env[value] if isinstance(value, fx.Node) else value

    swap = Substitute(stand_ins, inventory)

    def run(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        with swap:  # The module's own tensors are not to be touched.
            return module(*args, **kwargs)

    def call(node: fx.Node, args: Any, kwargs: Any) -> Any:
        if node.op == "call_module":
            return memo.module(inventory.module(str(node.target)), args, kwargs, run)
        if node.op == "output":
            return args[0]
        args, kwargs = swap.arguments(args, kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        function: Any = node.target
        refuse_dtypes(function, args, kwargs)
        if mutates(function, kwargs):
            return function(*args, **kwargs)
        return memo.function(function, args, kwargs)

    for node in traced.graph.nodes:
        if node.op == "placeholder":
            env[node] = map_tensors(stand_ins.of, inputs[str(node.target)])
        elif node.op == "get_attr":
            env[node] = stand_in_of(inventory.tensor(str(node.target)), stand_ins)
        else:
            args: Any = map_aggregate(node.args, load)
            kwargs: Any = map_aggregate(node.kwargs, load)
            env[node] = call(node, args, kwargs)
        specs[node] = spec_tree(env[node])
    if traced.written:
        refuse_aliases(traced.written, env)
    for node, spec in specs.items():
        node.meta["value"] = spec
