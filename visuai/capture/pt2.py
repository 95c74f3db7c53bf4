"""Reads the archive that ``torch.export.save`` writes, as data: nothing is unpickled.

``torch.export.load`` unpickles weights, constants and sample inputs, so that a stranger's file
can run any code. The graph itself is JSON, and tells the shapes and dtypes of all tensors; so
that JSON is all that is read here.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterable
from typing import IO, Any, cast

import torch

from visuai.capture.lowering import Exported, Lowered, lower
from visuai.capture.lowering_values import Path
from visuai.capture.pt2_archive import graph_document, tensor_files
from visuai.capture.pt2_graph import SerialisedGraph
from visuai.errors import FormatError, VisuaiError
from visuai.ir import Parameter
from visuai.module_table import module_table
from visuai.program import Program, Spec


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
            document = graph_document(archive, name)
            shared = tensor_files(archive)
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


def _program(document: dict[str, Any], shared: dict[str, str]) -> Program:
    module = document["graph_module"]
    signature = module["signature"]
    graph = SerialisedGraph(module["graph"])
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
