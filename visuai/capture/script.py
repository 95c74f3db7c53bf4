"""The route ``script``: reads the graph of a scripted or traced ``torch.jit.ScriptModule``.

TorchScript keeps a graph for each method of each module, with calls between them. Those calls
are followed here, so that every op knows in which call of which module it occurs; branches
whose condition is known are taken, all other control flow stays one node that reads what its
blocks read. With inputs, shapes come from running each op on the meta device as it is met.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import fx
from torch.fx.node import map_arg

from visuai.capture.describe import Inventory, parameter_entry, walk
from visuai.capture.inputs import given
from visuai.capture.opaque import Opaque
from visuai.capture.script_call import call_of
from visuai.capture.script_control import Frame, Loop, has_effect, is_counted
from visuai.capture.script_folding import FOLDED, NOTHING, OF_TENSOR, SAME
from visuai.capture.script_values import UNKNOWN, Function, Module, leaves, plain
from visuai.capture.stand_ins import map_tensors, spec_tree, to_meta
from visuai.errors import CaptureError, InputError
from visuai.ops import is_leaf_type
from visuai.program import Program, Site, Source
from visuai.stack_trace import user_frame

_MANGLED = re.compile(r"___torch_mangle_\d+\.")
_FORWARD = re.compile(r"forward\d*")
_MAX_CALLS = 10_000_000  # methods that call themselves would not end


def capture(source: Source) -> Program:
    """Captures a ScriptModule from its own graph; the module is not run.

    Args:
        source: A ``torch.jit.ScriptModule``, with or without inputs.

    Raises:
        InputError: If the inputs do not fit the signature of the forward.
        CaptureError: If the module has no forward.
    """
    model = source.model
    inventory = Inventory(model)
    types = {fqn: _type(module) for fqn, module, _ in walk(model)}
    for fqn, kind in types.items():
        entry = inventory.modules[fqn]
        entry["type"], entry["leaf"], entry["config"] = kind, is_leaf_type(kind), ""
    reader = _Reader(model, types, inventory)
    with torch.no_grad():
        reader.run(_bound(source))
    return Program(
        graph=reader.graph,
        route="script",
        name=types[""].rpartition(".")[2],
        modules=inventory.modules,
        parameters=inventory.parameters,
        calls=reader.calls,
        notes=[]
        if reader.has_shapes
        else ["No inputs given: the shapes of a ScriptModule are then not known. Pass args."],
        versions={"torch": torch.__version__},
    )


def _type(module: torch.nn.Module) -> str:
    name = str(getattr(getattr(module, "_c", None), "qualified_name", ""))
    return _MANGLED.sub("", name).removeprefix("__torch__.")


def _bound(source: Source) -> dict[str, Any]:
    """Gives the inputs by the names of forward's arguments."""
    inputs = given(source, source.model.forward)
    if inputs is None:
        return {}
    names = [a.name for a in source.model.forward.schema.arguments[1:]]
    unknown = sorted(set(inputs.kwargs) - set(names))
    if len(inputs.args) > len(names) or unknown:
        raise InputError(
            f"The inputs do not fit forward({', '.join(names)}): got {len(inputs.args)} "
            f"positional and keywords {sorted(inputs.kwargs)}."
        )
    return {**dict(zip(names, inputs.args, strict=False)), **inputs.kwargs}


class _Reader:
    def __init__(
        self, model: torch.jit.ScriptModule, types: dict[str, str], inventory: Inventory
    ) -> None:
        self.graph = fx.Graph()
        self.calls: dict[str, list[tuple[str, int]]] = {}
        self._model = model
        self._types = types
        self._inventory = inventory
        self._meta: dict[fx.Node, Any] = {}
        self._reads: dict[tuple[str, str, int | None], fx.Node] = {}
        self._left = _MAX_CALLS
        self.has_shapes = True

    def run(self, inputs: dict[str, Any]) -> None:
        handle: Any = self._model._c
        try:
            graph = handle._get_method("forward").graph
        except RuntimeError as error:
            raise CaptureError(
                f"{self._types['']} has no method forward. Script a module that has one."
            ) from error
        frame = self._enter(graph, Site("", 0), None, ())
        own, *arguments = graph.inputs()
        frame.env[own.debugName()] = Module(handle, "")
        forward: Any = self._model.forward
        schema = forward.schema.arguments[1:]
        for value, argument in zip(arguments, schema, strict=True):
            default = argument.default_value if argument.has_default_value() else UNKNOWN
            given_value = inputs.get(argument.name, default)
            frame.env[value.debugName()] = self._input(argument.name, value, given_value)
        frames = [frame]
        while frames:
            frame = frames[-1]
            node = next(frame.nodes, None)
            if node is None:
                frames.pop()
                inner = self._leave(frame)
            else:
                inner = self._step(node, frame)
            if inner is not None:
                self._left -= 1
                if len(frames) > 10_000 or self._left < 0:
                    raise CaptureError("The methods of the ScriptModule call each other endlessly.")
                frames.append(inner)

    def _input(self, name: str, value: Any, given_value: Any) -> Any:
        if given_value is UNKNOWN and value.isCompleteTensor():  # a trace keeps its example
            kind = value.type()
            given_value = torch.empty(kind.sizes(), dtype=kind.dtype(), device="meta")
        tensors: list[torch.Tensor] = []
        map_tensors(tensors.append, given_value)
        if given_value is not UNKNOWN and not tensors:
            return given_value
        node = self.graph.create_node("placeholder", name, name=name)
        node.meta["site"] = Site("", 0)
        if given_value is not UNKNOWN:
            self._set(node, map_tensors(to_meta, given_value))
        else:
            self.has_shapes = False
        return node

    def _enter(
        self, graph: Any, site: Site, caller: Frame | None, targets: tuple[str, ...]
    ) -> Frame:
        return Frame(graph.nodes(), list(graph.outputs()), {}, site, caller, targets)

    def _leave(self, frame: Frame) -> Frame | None:
        results = [frame.env[value.debugName()] for value in frame.results]
        if frame.loop is not None and frame.caller is not None:
            loop = frame.loop._replace(done=frame.loop.done + 1)
            return self._iterate(loop, results[1:], frame.caller, frame.targets)
        if frame.caller is not None:
            frame.caller.env.update(zip(frame.targets, results, strict=True))
            return None
        output = self.graph.output(plain(results[0] if len(results) == 1 else tuple(results)))
        output.meta["site"] = Site("", 0)
        return None

    def _iterate(
        self, loop: Loop, carried: list[Any], frame: Frame, targets: tuple[str, ...]
    ) -> Frame | None:
        """Gives the next iteration of a loop; after the last, hands over what it carried."""
        if loop.done >= loop.trips:
            frame.env.update(zip(targets, carried, strict=True))
            return None
        names = [value.debugName() for value in loop.block.inputs()]
        frame.env.update(zip(names, [loop.done, *carried], strict=True))
        return Frame(
            loop.block.nodes(),
            list(loop.block.outputs()),
            frame.env,
            frame.site,
            frame,
            targets,
            loop,
        )

    def _step(self, node: Any, frame: Frame) -> Frame | None:
        kind: str = node.kind()
        outputs = [value.debugName() for value in node.outputs()]
        if kind == "prim::Constant":
            frame.env[outputs[0]] = self._constant(node, frame)
            return None
        inputs = [frame.env[value.debugName()] for value in node.inputs()]
        if kind == "prim::CallMethod" and isinstance(inputs[0], Module):
            return self._method(node, inputs[0], inputs, frame)
        if kind == "prim::If" and isinstance(inputs[0], (bool, int)):
            block = list(node.blocks())[0 if inputs[0] else 1]
            return Frame(
                block.nodes(), list(block.outputs()), frame.env, frame.site, frame, tuple(outputs)
            )
        if kind == "prim::Loop" and is_counted(node, inputs, frame.env):
            (block,) = node.blocks()
            return self._iterate(Loop(block, inputs[0], 0), inputs[2:], frame, tuple(outputs))
        if kind == "prim::If" and not outputs and not has_effect(node):
            return None
        known = self._known(kind, node, inputs, frame)
        if known is not UNKNOWN:
            if len(outputs) == 1:
                frame.env[outputs[0]] = known
            else:
                frame.env.update(zip(outputs, known, strict=False))
            return None
        new = self._call(kind, node, inputs, frame)
        if len(outputs) == 1:
            frame.env[outputs[0]] = new
        else:
            for index, name in enumerate(outputs):
                frame.env[name] = self._item(new, index, frame.site)
        return None

    def _constant(self, node: Any, frame: Frame) -> Any:
        if node.hasAttribute("name"):
            return Function(node.s("name"))
        value = node.output().toIValue() if node.hasAttribute("value") else None
        if isinstance(value, torch.Tensor):
            return self._read(self._inventory.name_of_tensor(value, frame.site.scope), value, frame)
        return value

    def _method(self, node: Any, module: Module, inputs: list[Any], frame: Frame) -> Frame:
        name = node.s("name")
        site = frame.site
        # What a leaf module calls inside is its own affair, as for the other routes.
        if _FORWARD.fullmatch(name) and not is_leaf_type(self._types.get(site.scope, "")):
            callers = self.calls.setdefault(module.fqn, [])
            callers.append((site.scope, site.scope_call or 0))
            site = Site(module.fqn, len(callers) - 1)
        graph = module.handle._get_method(name).graph
        targets = tuple(value.debugName() for value in node.outputs())
        inner = self._enter(graph, site, frame, targets)
        inner.env.update(zip((value.debugName() for value in graph.inputs()), inputs, strict=True))
        return inner

    def _known(self, kind: str, node: Any, inputs: list[Any], frame: Frame) -> Any:
        """Gives the result of what needs no node: structure, modules, sizes, plain numbers."""
        if kind == "prim::GetAttr" and isinstance(inputs[0], Module):
            return self._attribute(inputs[0], node.s("name"), frame)
        if kind == "prim::TupleConstruct":
            return tuple(inputs)
        if kind == "prim::ListConstruct":
            return list(inputs)
        if kind == "aten::append" and isinstance(inputs[0], list):
            cast("list[Any]", inputs[0]).append(inputs[1])
            return cast("Any", inputs[0])
        if kind in ("prim::ListUnpack", "prim::TupleUnpack"):
            sequence = inputs[0]
            if isinstance(sequence, (tuple, list)):
                items = tuple(cast("list[Any]", sequence))
            elif isinstance(sequence, fx.Node):
                items = tuple(
                    self._item(sequence, index, frame.site) for index in range(node.outputsSize())
                )
            else:
                return UNKNOWN
            return items if node.outputsSize() != 1 else items[0]
        if kind == "prim::DictConstruct" and all(isinstance(k, (str, int)) for k in inputs[::2]):
            return dict(zip(inputs[::2], inputs[1::2], strict=True))
        if kind in SAME:
            return inputs[0]
        if kind in NOTHING:
            return None
        return self._folded(kind, inputs)

    def _folded(self, kind: str, inputs: list[Any]) -> Any:
        first = inputs[0] if inputs else None
        value = self._meta.get(first) if isinstance(first, fx.Node) else None
        if isinstance(value, torch.Tensor) and kind in OF_TENSOR:
            return OF_TENSOR[kind](value, *inputs[1:])
        fold = FOLDED.get(kind)
        if fold is None or any(isinstance(leaf, (fx.Node, Module)) for leaf in leaves(inputs)):
            return UNKNOWN
        try:
            return fold(*inputs)
        except (TypeError, ValueError, ArithmeticError, LookupError):
            return UNKNOWN

    def _attribute(self, module: Module, name: str, frame: Frame) -> Any:
        value = module.handle.getattr(name)
        fqn = f"{module.fqn}.{name}" if module.fqn else name
        if hasattr(value, "_get_method"):
            return Module(value, fqn)
        return self._read(fqn, value, frame) if isinstance(value, torch.Tensor) else value

    def _read(self, fqn: str, tensor: torch.Tensor, frame: Frame) -> fx.Node:
        key = (fqn, frame.site.scope, frame.site.scope_call)
        node = self._reads.get(key)
        if node is None:
            if fqn not in self._inventory.parameters:
                entry = parameter_entry(tensor, "constant", None)
                self._inventory.parameters[fqn] = entry
            node = self.graph.create_node("get_attr", fqn, name=fqn)
            node.meta["site"] = Site(frame.site.scope, frame.site.scope_call, fqn)
            self._set(node, to_meta(tensor))
            self._reads[key] = node
        return node

    def _item(self, sequence: fx.Node, index: int, site: Site) -> fx.Node:
        node = self.graph.call_function(operator.getitem, (sequence, index))
        node.meta["site"] = site
        value = self._meta.get(sequence, UNKNOWN)
        if isinstance(value, (tuple, list)):
            self._set(node, value[index])
        return node

    def _call(self, kind: str, node: Any, inputs: list[Any], frame: Frame) -> fx.Node:
        captured = self._captured(node, frame) if list(node.blocks()) else None
        target, args, kwargs = call_of(node, inputs, captured)
        name = target.__name__ if kind == "prim::CallFunction" else kind.rpartition("::")[2].lower()
        new = self.graph.create_node("call_function", target, args, kwargs, name=name)
        new.meta["site"] = frame.site
        source = user_frame(node.sourceRange().replace("\n", ", in ", 1))
        if source is not None:
            new.meta["source"] = source
        self._execute(new)
        return new

    def _captured(self, node: Any, frame: Frame) -> list[fx.Node]:
        """Lists what the blocks of a node read from outside, and what their modules hold."""
        read: dict[fx.Node, None] = {}
        env = dict(frame.env)
        blocks = list(node.blocks())
        while blocks:
            block = blocks.pop(0)
            for inner in block.nodes():
                values = [env.get(value.debugName()) for value in inner.inputs()]
                if inner.kind() == "prim::GetAttr" and isinstance(values[0], Module):
                    value = self._attribute(values[0], inner.s("name"), frame)
                    env[inner.output().debugName()] = value
                    continue
                for value in leaves(values):
                    if isinstance(value, fx.Node):
                        read[value] = None
                    elif isinstance(value, Module) and inner.kind() == "prim::CallMethod":
                        read.update(dict.fromkeys(self._held(value, frame)))
                blocks.extend(inner.blocks())
            for value in leaves([env.get(value.debugName()) for value in block.outputs()]):
                if isinstance(value, fx.Node):
                    read[value] = None
        return list(read)

    def _held(self, module: Module, frame: Frame) -> list[fx.Node]:
        prefix = f"{module.fqn}." if module.fqn else ""
        return [
            self._read(fqn, self._inventory.tensor(fqn), frame)
            for fqn in self._inventory.parameters
            if fqn.startswith(prefix)
        ]

    def _execute(self, node: fx.Node) -> None:
        """Runs an op on the meta device, if all that it reads is known."""
        if isinstance(node.target, Opaque):
            return
        known = True

        def load(read: fx.Node) -> Any:
            nonlocal known
            value = self._meta.get(read, UNKNOWN)
            known = known and value is not UNKNOWN
            return value

        args: Any = map_arg(node.args, load)
        kwargs: Any = map_arg(node.kwargs, load)
        if not known:
            return
        if "device" in kwargs:
            kwargs = {**kwargs, "device": "meta"}
        try:
            self._set(node, cast("Callable[..., Any]", node.target)(*args, **kwargs))
        except Exception:  # Shapes are a bonus: not every op works on meta.
            return

    def _set(self, node: fx.Node, value: Any) -> None:
        self._meta[node] = value
        node.meta["value"] = spec_tree(value)
