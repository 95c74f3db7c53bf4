"""A serialised graph of ``torch.export``, read back as an ``fx.Graph``."""

from __future__ import annotations

import operator
from typing import Any, cast

import torch
from torch import fx

from visuai.capture.opaque import Opaque
from visuai.capture.pt2_size import read_size
from visuai.errors import FormatError
from visuai.program import Spec

_MAX_RANK = 1024


class SerialisedGraph:
    """One serialised graph as an ``fx.Graph`` with specs and subgraphs in the nodes' meta."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.graph = fx.Graph()
        self._document = document
        self._env: dict[str, fx.Node] = {}
        for argument in document["inputs"]:
            self._placeholder(argument)
        for node in document["nodes"]:
            self._node(node)
        outputs = [self._argument(argument) for argument in document["outputs"]]
        single = bool(document.get("is_single_tensor_return")) and len(outputs) == 1
        self.graph.output(outputs[0] if single else tuple(outputs))

    def trained(self, content: dict[str, Any]) -> bool:
        """Tells whether the tensor of an input spec requires a gradient."""
        meta = self._document["tensor_values"].get(content["arg"]["name"], {})
        return bool(meta.get("requires_grad"))

    def _placeholder(self, argument: dict[str, Any]) -> None:
        ((kind, content),) = argument.items()
        name = str(content.get("name", content.get("as_name", ""))) if _is_map(content) else ""
        node = self.graph.create_node("placeholder", name or kind, name=name or kind)
        if name:
            self._env[name] = node
            node.meta["val"] = self._value(name)
        else:
            node.meta["val"] = content if kind != "as_none" else None

    def _node(self, document: dict[str, Any]) -> None:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for item in document["inputs"]:
            value = self._argument(item["arg"])
            if item.get("kind") == 2:
                kwargs[str(item["name"])] = value
            else:
                args.append(value)
        outputs = document["outputs"]
        named = [self._names(output) for output in outputs]
        name = document.get("name") or (named[0] if named and isinstance(named[0], str) else "")
        node = self.graph.create_node(
            "call_function",
            _target(str(document["target"])),
            tuple(args),
            kwargs,
            name=str(name) or "op",
        )
        node.meta.update(_metadata(document.get("metadata") or {}))
        single = document.get("is_hop_single_tensor_return")
        if len(named) == 1 and isinstance(named[0], str) and single is not False:
            self._env[named[0]] = node
            node.meta["val"] = self._value(named[0])
            return
        parts = named[0] if len(named) == 1 and isinstance(named[0], list) else named
        node.meta["val"] = tuple(
            self._value(part) if isinstance(part, str) else None for part in parts
        )
        for at, part in enumerate(parts):
            if isinstance(part, str):
                got = self.graph.call_function(operator.getitem, (node, at))
                got.meta.update(_metadata(document.get("metadata") or {}))
                got.meta["val"] = self._value(part)
                self._env[part] = got

    def _names(self, output: dict[str, Any]) -> str | list[str | None] | None:
        """Gives the name, or names, under which an output is read."""
        ((_, content),) = output.items()
        if isinstance(content, list):
            return [self._name(item) for item in cast("list[Any]", content)]
        return self._name(content)

    def _name(self, content: Any) -> str | None:
        if not _is_map(content):
            return None
        inner: Any = content.get("as_tensor", content)
        name = inner.get("name", inner.get("as_name")) if _is_map(inner) else None
        return None if name is None else str(name)

    def _argument(self, argument: dict[str, Any]) -> Any:
        ((kind, content),) = argument.items()
        if kind == "as_none" or kind == "as_custom_obj":
            return None
        if kind == "as_graph":
            node = self.graph.create_node("get_attr", str(content["name"]))
            node.meta["subgraph"] = SerialisedGraph(content["graph"]).graph
            return node
        if kind == "as_string_to_argument":
            return {str(key): self._argument(value) for key, value in content.items()}
        if kind == "as_scalar_type":
            return _DTYPES.get(content, str(content))
        if kind == "as_device":
            return str(content["type"])
        if kind == "as_complex":
            return complex(content["real"], content["imag"])
        if isinstance(content, list):
            return [self._item(item) for item in cast("list[Any]", content)]
        return self._item(content)

    def _item(self, item: Any) -> Any:
        """Reads one element of an argument: a name, a literal, or a list of them."""
        if isinstance(item, list):
            return [self._item(inner) for inner in cast("list[Any]", item)]
        if not _is_map(item):
            return item
        name = self._name(item)
        if name is not None:
            node = self._env.get(name)
            if node is None:
                raise FormatError(f"it reads {name[:100]!r} before it is computed.")
            return node
        ((kind, content),) = item.items()
        return None if kind == "as_none" else content

    def _value(self, name: str) -> Any:
        meta = self._document["tensor_values"].get(name)
        if meta is not None:
            sizes = [read_size(size) for size in meta["sizes"]]
            if len(sizes) > _MAX_RANK:
                raise FormatError(f"{name[:100]!r} has {len(sizes)} dimensions.")
            return Spec(tuple(sizes), _DTYPES.get(meta["dtype"], "unknown"))
        size = self._document.get("sym_int_values", {}).get(name)
        return None if size is None else read_size(size)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Gives ``stack_trace`` and ``nn_module_stack`` in the form of nodes in memory."""
    stack: dict[str, tuple[str, str]] = {}
    for entry in str(metadata.get("nn_module_stack") or "").split(";"):
        parts = entry.split(",")
        if len(parts) == 3:
            stack[parts[0]] = (parts[1], parts[2])
    function = str(metadata.get("torch_fn") or "").split(";")
    return {
        "nn_module_stack": stack,
        "stack_trace": metadata.get("stack_trace"),
        "torch_fn": function if len(function) == 2 else None,
    }


def _target(name: str) -> Any:
    """Finds the op of that name among torch's own and ``operator``; imports nothing."""
    if name.startswith("torch.ops.aten.") and len(name) < 200:
        found: Any = torch.ops.aten
        for part in name.split(".")[3:]:
            found = getattr(found, part, None)
        if type(found).__name__ in ("OpOverload", "OpOverloadPacket"):
            return found
    module, _, short = name.rpartition(".")
    if module in ("_operator", "operator") and short in operator.__all__:
        return getattr(operator, short)
    return Opaque(name)


_DTYPES: dict[Any, str] = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
    33: "float8_e8m0fnu",
    34: "uint32",
    35: "uint64",
}
