"""Reads the archive that ``torch.export.save`` writes, as data: nothing is unpickled.

``torch.export.load`` unpickles weights, constants and sample inputs, so that a stranger's file
can run any code. The graph itself is JSON, and tells the shapes and dtypes of all tensors; so
that JSON is all that is read here.
"""

from __future__ import annotations

import json
import math
import operator
import re
import zipfile
from collections.abc import Iterable
from typing import IO, Any, cast

import torch
from torch import fx

from visuai.capture.lowering import Exported, Lowered, Path, lower
from visuai.errors import FormatError, VisuaiError
from visuai.ir import Parameter
from visuai.module_table import module_table
from visuai.program import Program, Spec

MAX_JSON_BYTES = 1 << 30
"""Largest graph that is read, in bytes; a graph of a million nodes takes about this much."""
_MAX_RATIO = 300  # JSON of graphs compresses about 20 to 1
_MAX_RANK = 1024

_GRAPH = re.compile(r"(?:.*/)?(?:models/[^/]+\.json|serialized_exported_program\.json)")
_TORCHSCRIPT = re.compile(r"(?:[^/]+/)?code/.*\.py")


def read(file: IO[bytes], name: str) -> Program:
    """Reads an exported program from an open ``.pt2`` archive.

    Args:
        file: A seekable binary file.
        name: How to call it in messages.

    Raises:
        FormatError: If it is no such archive, is damaged, or is absurdly large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            document = _document(archive, name)
            shared = _shared(archive)
    except FormatError:
        raise
    except Exception as error:  # zipfile lets many kinds through on damaged archives
        raise FormatError(
            f"{name} is a damaged archive ({type(error).__name__}: {_short(error)}). Copy it "
            "again, or write it again with torch.export.save."
        ) from error
    try:
        return _program(document, shared)
    except VisuaiError as error:
        raise FormatError(f"{name} holds a graph that cannot be read: {_short(error)}") from error
    except Exception as error:
        raise FormatError(
            f"{name} holds a graph that is not of torch.export's schema "
            f"({type(error).__name__}: {_short(error)}). Write it again with torch.export.save; "
            "if it was written by another version of torch, load it there and pass the "
            "ExportedProgram."
        ) from error


def _short(error: BaseException) -> str:
    return str(error)[:300]


def _document(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    entries = archive.namelist()
    graphs = [entry for entry in entries if _GRAPH.fullmatch(entry)]
    if not graphs:
        if any(_TORCHSCRIPT.fullmatch(entry) for entry in entries):
            raise FormatError(
                f"{name} is a TorchScript archive. If you trust it, load it with "
                "torch.jit.load and pass the module."
            )
        if any(entry.endswith("data.pkl") for entry in entries):
            raise FormatError(
                f"{name} was written by torch.save: it is a pickle, which can run any code and "
                "holds no graph. If you trust it, load it yourself and pass the module."
            )
        raise FormatError(
            f"{name} is a zip archive without an exported graph (models/*.json). Expected what "
            "torch.export.save writes; compiled packages (AOTInductor) hold no graph."
        )
    chosen = next((entry for entry in graphs if entry.endswith("models/model.json")), graphs[0])
    document = json.loads(_entry(archive, chosen))
    if not isinstance(document, dict):
        raise FormatError(f"{name}: {chosen!r} is not a JSON object.")
    return cast("dict[str, Any]", document)


def _entry(archive: zipfile.ZipFile, entry: str) -> bytes:
    """Reads an entry, but no more than it may be: its stated size can lie."""
    info = archive.getinfo(entry)
    limit = min(MAX_JSON_BYTES, max(info.compress_size * _MAX_RATIO, 1 << 16))
    with archive.open(info) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(
            f"{entry[:100]!r} inflates from {info.compress_size} to more than {limit} bytes, "
            "which no exported graph does."
        )
    return data


def _shared(archive: zipfile.ZipFile) -> dict[str, str]:
    """Gives FQN to the file that holds its tensor; two of one file are one tensor."""
    files: dict[str, str] = {}
    for entry in archive.namelist():
        if entry.endswith(("_weights_config.json", "_constants_config.json")):
            config = json.loads(_entry(archive, entry)).get("config", {})
            for fqn, payload in config.items():
                files[str(fqn)] = f"{entry}:{payload['path_name']}"
    return files


def _program(document: dict[str, Any], shared: dict[str, str]) -> Program:
    module = document["graph_module"]
    signature = module["signature"]
    graph = _Graph(module["graph"])
    lifted: dict[str, str] = {}
    tensors: dict[str, Parameter] = {}
    first: dict[str, str] = {}
    user_inputs: list[str] = []
    placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
    for node, spec in zip(placeholders, signature["input_specs"], strict=False):
        ((kind, content),) = spec.items()
        if kind in ("user_input", "constant_input"):
            user_inputs.append(node.name)
            continue
        fqn = _fqn(content, node.name)
        lifted[node.name] = fqn
        value = node.meta.get("val")
        if isinstance(value, Spec):
            alias = first.setdefault(shared.get(fqn, f"only {fqn}"), fqn)
            entry = _parameter(kind, value, graph.trained(content))
            entry["alias_of"] = alias if alias != fqn else None
            tensors.setdefault(fqn, entry)
    arguments, paths = _arguments(module["module_call_graph"])
    lowered = lower(
        Exported(
            graph=graph.graph,
            lifted=lifted,
            paths=dict(zip(user_inputs, paths, strict=False)),
            arguments=arguments,
            outputs=[
                at
                for at, spec in enumerate(signature["output_specs"])
                if "user_output" in spec or "loss_output" in spec
            ],
        )
    )
    return _assemble(document, module, lowered, tensors)


def _assemble(
    document: dict[str, Any], module: Any, lowered: Lowered, tensors: dict[str, Parameter]
) -> Program:
    called = (str(entry["fqn"]) for entry in module["module_call_graph"])
    owners = (fqn.rpartition(".")[0] for fqn in tensors)
    modules = module_table(lowered.types, [*called, *owners])
    return Program(
        graph=lowered.graph,
        route="export",
        name=modules[""]["type"].rpartition(".")[2] or "ExportedProgram",
        modules=modules,
        parameters=tensors,
        calls=lowered.calls,
        versions={"torch": str(document.get("torch_version", ""))[:100]},
    )


_NAMES = ("parameter_name", "buffer_name", "tensor_constant_name", "custom_obj_name")


def _fqn(content: dict[str, Any], default: str) -> str:
    return next((str(content[key]) for key in _NAMES if key in content), default)


def _parameter(kind: str, spec: Spec, trained: bool) -> Parameter:
    sizes = [size if isinstance(size, int) else 1 for size in spec.shape]
    width = getattr(getattr(torch, spec.dtype, None), "itemsize", 0)
    return {
        "shape": list(spec.shape),
        "dtype": spec.dtype,
        "bytes": math.prod(sizes) * width,
        "requires_grad": trained,
        "kind": kind if kind in ("parameter", "buffer") else "constant",
        "alias_of": None,
    }


def _arguments(calls: Iterable[Any]) -> tuple[list[str], list[Path]]:
    """Gives the names of forward's arguments, and where each flattened input lies in them."""
    for entry in calls:
        signature = entry.get("signature")
        if entry["fqn"] == "" and signature:
            version, tree = json.loads(signature["in_spec"])
            if version != 1:
                raise FormatError(f"its tree of inputs is of version {version!r}, expected 1.")
            names: list[Any] = signature.get("forward_arg_names") or []
            return [str(name) for name in names], _leaves(tree)
    return [], []


def _leaves(tree: Any) -> list[Path]:
    paths: list[Path] = []
    stack: list[tuple[Any, Path]] = [(tree, ())]
    while stack:
        spec, path = stack.pop()
        if spec["type"] is None:
            paths.append(path)
            continue
        children = spec["children_spec"]
        keys: list[Any] = list(range(len(children)))
        if "ict" in spec["type"]:  # dict, OrderedDict, defaultdict, MappingProxy of keys
            context = json.loads(spec["context"])
            if isinstance(context, list):
                named = cast("list[Any]", context)
                if len(named) == len(children) and all(isinstance(key, str) for key in named):
                    keys = named
        stack.extend(
            (child, (*path, key)) for key, child in reversed(list(zip(keys, children, strict=True)))
        )
    return paths


class _Graph:
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
            node.meta["subgraph"] = _Graph(content["graph"]).graph
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
            sizes = [_size(size) for size in meta["sizes"]]
            if len(sizes) > _MAX_RANK:
                raise FormatError(f"{name[:100]!r} has {len(sizes)} dimensions.")
            return Spec(tuple(sizes), _DTYPES.get(meta["dtype"], "unknown"))
        size = self._document.get("sym_int_values", {}).get(name)
        return None if size is None else _size(size)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _size(size: dict[str, Any]) -> int | str:
    if "as_int" in size:
        value = size["as_int"]
        if type(value) is not int or not -(1 << 63) <= value < 1 << 63:
            raise FormatError(f"a size is {str(value)[:100]!r}, expected a 64-bit integer.")
        return value
    return readable(str(size["as_expr"]["expr_str"])[:1000])


_PLAIN = (
    (re.compile(r"Symbol\('(\w+)'[^()]*\)"), r"\1"),
    (re.compile(r"Integer\((-?\d+)\)"), r"\1"),
)
_FLAT = re.compile(r"(Mul|Add)\(([^(),]+(?:, [^(),]+)*)\)")


def readable(expression: str) -> str:
    """Writes a serialised symbolic size as one would: text in, text out, nothing evaluated.

    Examples:
        >>> readable("Mul(Integer(4), Symbol('s77', positive=True, integer=True))")
        '4*s77'
    """
    for pattern, replacement in _PLAIN:
        expression = pattern.sub(replacement, expression)
    for _ in range(8):
        shorter = _FLAT.sub(
            lambda m: m[2].replace(", ", "*" if m[1] == "Mul" else " + "), expression
        )
        if shorter == expression:
            break
        expression = shorter
    return expression


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


class Opaque:
    """Stands for an op that is only known by name; calling it is an error."""

    def __init__(self, target: str) -> None:
        parts = target.removeprefix("torch.ops.").split(".")
        named = len(parts) > 2 and target.startswith("torch.ops.") and parts[0] != "higher_order"
        self.__name__ = parts[-2] if named else parts[-1]
        self.__qualname__ = self.__name__
        self.__module__ = ".".join(parts[: -2 if named else -1])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.__module__}.{self.__name__} is only known by name.")


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
