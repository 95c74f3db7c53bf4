"""Checks a captured network against the truth: one real run of the model, with hooks."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as nn_module

from visuai.capture.describe import Inventory, is_leaf
from visuai.capture.stand_ins import children_of
from visuai.ir import IR, validate


def verify(ir: IR, model: nn.Module, args: tuple[Any, ...] = (), kwargs: Any = None) -> list[str]:
    """Compares what was captured with what a real run of a copy of the model shows.

    The five checks: every output is reached by an input or by something that the model holds;
    each leaf module is called as often as forward hooks count; parameters are as many elements
    as ``sum(p.numel())``; the network has no cycle; every parameter that autograd says the
    outputs depend on is read by a node with a path to an output.

    Args:
        ir: The network as ``to-dict`` gave it, before anything is pruned.
        model: The model that was captured.
        args: Positional inputs, with data.
        kwargs: Keyword inputs, with data.

    Returns:
        What does not hold, one sentence each; empty if all is well.
    """
    validate(ir)
    order = {key: index for index, key in enumerate(ir.nodes)}
    problems = [
        f"Edge {edge['source']} -> {edge['target']} runs backwards."
        for edge in ir.edges
        if order[edge["source"]] >= order[edge["target"]]
    ]
    counted = sum(p.numel() for p in model.parameters())
    held = number_of_elements(ir)
    if held != counted:
        problems.append(f"Parameters: {held} elements captured, {counted} in the model.")

    calls, needed, outputs = _run(model, args, dict(kwargs or {}))
    captured = Counter(n["fqn"] for n in ir.nodes.values() if n["op_kind"] == "call_module")
    if captured != calls:
        problems.append(
            f"Leaf calls differ: hooks counted {dict(calls - captured)} more, the capture has "
            f"{dict(captured - calls)} more."
        )
    reaching = _ancestors(ir, ir.outputs)
    read = {
        ir.parameters[name]["alias_of"] or name
        for key in reaching
        for name in ir.nodes[key]["parameters"]
        if name in ir.parameters
    }
    missing = sorted(needed - read)
    if missing:
        problems.append(f"Outputs depend on {missing}, which no node on a path to them reads.")
    into = sum(edge["target"] in ir.outputs for edge in ir.edges)
    if into < outputs:
        problems.append(f"The model returns {outputs} tensors, {into} reach the outputs.")
    if not reaching & set(ir.inputs) and not read and outputs:
        problems.append("No output is reached by an input or by anything that the model holds.")
    return problems


def number_of_elements(ir: IR) -> int:
    """Counts the elements of all parameters, a shared tensor once."""
    total = 0
    for parameter in ir.parameters.values():
        if parameter["kind"] == "parameter" and parameter["alias_of"] is None:
            count = 1
            for size in parameter["shape"]:
                count *= int(size)
            total += count
    return total


def _run(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Counter[str], set[str], int]:
    """Gives calls per leaf, the parameters that outputs depend on, and the number of outputs."""
    model = copy.deepcopy(model)
    inventory = Inventory(model)
    calls: Counter[str] = Counter()
    inside: list[tuple[nn.Module, str, bool]] = []

    def before(module: nn.Module, *_: Any) -> None:
        fqn = inventory.name_of(module, inside[-1][1] if inside else "")
        in_leaf = bool(inside) and inside[-1][2]
        leaf = is_leaf(module) and module is not model
        if leaf and not in_leaf:
            calls[fqn] += 1
        inside.append((module, fqn, leaf or in_leaf))

    def after(module: nn.Module, *_: Any) -> None:
        if inside and module is inside[-1][0]:
            inside.pop()

    handles = [  # Global ones: they also see modules that are registered nowhere.
        nn_module.register_module_forward_pre_hook(before),
        nn_module.register_module_forward_hook(after, always_call=True),
    ]
    try:
        with torch.enable_grad():
            result = model(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    tensors = list(_tensors(result))
    differentiable = [t.sum() for t in tensors if t.requires_grad]
    model.zero_grad(set_to_none=True)
    if differentiable:
        sums = [t.abs() if t.is_complex() else t.float() for t in differentiable]
        torch.stack(sums).sum().backward()  # pyright: ignore[reportUnknownMemberType]
    needed = {name for name, p in model.named_parameters() if p.grad is not None}
    return calls, needed, len(tensors)


def _tensors(value: Any) -> Iterable[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
        return
    if value is None or isinstance(value, (int, float, str, bool)):
        return
    for _, part in children_of(value) or ():
        yield from _tensors(part)


def _ancestors(ir: IR, of: list[str]) -> set[str]:
    before: dict[str, list[str]] = {}
    for edge in ir.edges:
        before.setdefault(edge["target"], []).append(edge["source"])
    seen, stack = set(of), list(of)
    while stack:
        for source in before.get(stack.pop(), ()):
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return seen
