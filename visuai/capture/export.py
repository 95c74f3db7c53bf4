"""The route ``export``: ``torch.export``, and ``ExportedProgram`` as users hold it."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.utils import _pytree as pytree

from visuai.capture.describe import Inventory, parameter_entry
from visuai.capture.inputs import Inputs, first_that_fits, forward_of, given
from visuai.capture.lowering import Exported, lower
from visuai.capture.lowering_values import Path
from visuai.capture.snapshot import unchanged
from visuai.ir import Parameter
from visuai.module_table import module_table
from visuai.program import Program, Source

if TYPE_CHECKING:
    from torch.export import ExportedProgram


def capture(source: Source) -> Program:
    """Captures a model by ``torch.export`` (non-strict), or reads an ``ExportedProgram``.

    The model is traced on fake tensors; it is neither copied nor changed.

    Args:
        source: A module, a callable, or an ``ExportedProgram``.

    Raises:
        InputError: If no inputs are given and none could be inferred.
        Exception: Whatever ``torch.export`` raises.
    """
    from torch.export import ExportedProgram

    model = source.model
    if isinstance(model, ExportedProgram):
        return from_exported_program(model)
    root = as_module(model)
    note, exported = "", None
    with unchanged(root):
        inputs = given(source, forward_of(model))
        if inputs is not None:
            exported = export_quietly(root, inputs)
        else:
            note, exported = first_that_fits(
                model, "torch.export", lambda guess: export_quietly(root, guess)
            )
    program = from_exported_program(exported, root)
    program.notes.extend([note] if note else [])
    return program


def export_quietly(root: nn.Module, inputs: Inputs) -> ExportedProgram:
    """Calls ``torch.export.export`` without its warnings, on inputs made to fit."""
    args, kwargs = fit(root, (inputs.args, inputs.kwargs))
    # Where a branch hangs on data it prints the whole graph so far, for each input tried.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return torch.export.export(root, args, kwargs or None, strict=False)


def from_exported_program(exported: ExportedProgram, model: nn.Module | None = None) -> Program:
    """Reads an ``ExportedProgram``, which stays as it is.

    Args:
        exported: From ``torch.export.export`` or after ``run_decompositions``.
        model: The module that was exported, if at hand: it knows modules that ran no op.

    Examples:
        >>> import torch
        >>> linear = torch.nn.Linear(4, 2)
        >>> exported = torch.export.export(linear, (torch.zeros(1, 4),))
        >>> program = from_exported_program(exported)
        >>> [node.op for node in program.graph.nodes]
        ['placeholder', 'get_attr', 'get_attr', 'call_function', 'output']
    """
    inventory = None if model is None else Inventory(model)
    tree = exported.call_spec.in_spec
    user_inputs = [
        str(spec.arg.name)
        for spec in exported.graph_signature.input_specs
        if spec.kind.name == "USER_INPUT"
    ]
    lowered = lower(
        Exported(
            graph=exported.graph,
            lifted=_lifted(exported),
            paths=dict(zip(user_inputs, _paths(tree), strict=False)),
            arguments=_argument_names(exported, tree),
            outputs=[
                at
                for at, spec in enumerate(exported.graph_signature.output_specs)
                if spec.kind.name in ("USER_OUTPUT", "LOSS_OUTPUT")
            ],
            name_of=_names(model, inventory),
        )
    )
    tensors = _tensors(exported)
    if inventory is None:
        modules = module_table(lowered.types, (fqn.rpartition(".")[0] for fqn in tensors))
        parameters = tensors
        name = modules[""]["type"].rpartition(".")[2] or "ExportedProgram"
    else:
        modules = {**inventory.modules}
        for fqn, module in module_table(lowered.types).items():
            modules.setdefault(fqn, module)
        parameters = {**tensors, **inventory.parameters}
        name = type(model).__name__
    return Program(
        graph=lowered.graph,
        route="export",
        name=name if not isinstance(model, _Calls) else model.name,
        modules=modules,
        parameters=parameters,
        calls=lowered.calls,
        versions={"torch": torch.__version__},
    )


def _names(model: nn.Module | None, inventory: Inventory | None) -> Callable[[str], str]:
    """Gives a function from any name of a module to its first one."""
    first: dict[str, str] = {}

    def name_of(fqn: str) -> str:
        if model is None or inventory is None or fqn in inventory.modules:
            return fqn
        if fqn not in first:
            try:
                first[fqn] = inventory.name_of(model.get_submodule(fqn), "")
            except AttributeError:
                first[fqn] = fqn
        return first[fqn]

    return name_of


class _Calls(nn.Module):
    """A plain callable as a module, which is what ``torch.export`` takes."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self._function = function
        self.name = str(getattr(function, "__name__", type(function).__name__))
        self.forward = function  # its own signature, not one of *args


def as_module(model: Any) -> nn.Module:
    """Gives a module as it is, and a plain callable as a module that calls it."""
    return model if isinstance(model, nn.Module) else _Calls(model)


def fit(root: nn.Module, tree: Any) -> Any:
    """Makes inputs all distinct, and brings them to the model's side of the meta device.

    Export takes two arguments that are one tensor for one, and fake tensors of different
    devices clash.
    """
    held = next(root.parameters(), None)
    meta = held is not None and held.is_meta
    seen: set[int] = set()

    def one(tensor: torch.Tensor) -> torch.Tensor:
        repeated = id(tensor) in seen
        seen.add(id(tensor))
        if meta and not tensor.is_meta:
            return torch.empty_like(tensor, device="meta")
        if tensor.is_meta and not meta:
            device = "cpu" if held is None else held.device
            return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
        return tensor.detach().requires_grad_(tensor.requires_grad) if repeated else tensor

    return pytree.tree_map_only(torch.Tensor, one, tree)


def _lifted(exported: ExportedProgram) -> dict[str, str]:
    return {
        str(spec.arg.name): str(spec.target or spec.arg.name)
        for spec in exported.graph_signature.input_specs
        if spec.kind.name != "USER_INPUT"
    }


def _paths(tree: Any) -> list[Path]:
    """Gives, for each flattened input, where in ``(args, kwargs)`` it lies."""
    skeleton = pytree.tree_unflatten(range(tree.num_leaves), tree)
    located, _ = pytree.tree_flatten_with_path(skeleton)
    return [tuple(_step(key) for key in path) for path, _ in located]


def _step(key: Any) -> Any:
    if isinstance(key, pytree.SequenceKey):
        return cast("Any", key).idx
    if isinstance(key, pytree.MappingKey):
        return cast("Any", key).key
    return getattr(key, "name", str(key))


def _argument_names(exported: ExportedProgram, tree: Any) -> list[str]:
    for entry in exported.module_call_graph:
        if entry.fqn == "" and entry.signature is not None:
            names = entry.signature.forward_arg_names
            if names:
                return list(names)
    return []


def _tensors(exported: ExportedProgram) -> dict[str, Parameter]:
    signature = exported.graph_signature
    trained = set(signature.parameters)
    entries: dict[str, Parameter] = {}
    first: dict[Any, str] = {}
    for fqn, tensor in _named_tensors(exported):
        if fqn in entries:
            continue
        alias = first.setdefault(_identity(tensor), fqn)
        kind = "parameter" if fqn in trained else "buffer"
        if fqn not in exported.state_dict and fqn not in signature.buffers:
            kind = "constant"
        entries[fqn] = parameter_entry(tensor, kind, None if alias == fqn else alias)
    return entries


def _identity(tensor: torch.Tensor) -> Any:
    """Gives what two names of one tensor have in common, also after a file was loaded."""
    try:
        start = tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # sparse, meta, fake
        return id(tensor)
    if not start:
        return id(tensor)
    return start, tensor.storage_offset(), tensor.shape, tensor.stride(), tensor.dtype


def _named_tensors(exported: ExportedProgram) -> Iterator[tuple[str, torch.Tensor]]:
    for table in (exported.state_dict, exported.constants):
        for fqn, tensor in table.items():
            if isinstance(tensor, torch.Tensor):
                yield fqn, tensor
