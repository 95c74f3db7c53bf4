"""What each pass makes of small networks, as files to read and compare.

`pytest tests/test_pass_goldens.py --update-goldens` writes them anew; read the diff.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import visuai
from visuai.ir import IR, Edge, TensorSpec
from visuai.topology import Scope, Topology


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(x + self.body(x))


class Repeats(nn.Module):
    """Identical blocks, a size, a dropout, a wrapper with one child."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[Residual(4) for _ in range(3)])
        self.head = nn.Sequential(nn.Linear(4 * 8 * 8, 2))
        self.drop = nn.Dropout()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.blocks(x)
        return self.head(self.drop(y.contiguous().view(x.size(0), -1)))


class Recycled(nn.Module):
    """relu between three linears, and a block called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.relu = nn.ReLU()
        self.block = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block(self.c(self.relu(self.b(self.relu(self.a(x))))))
        return self.block(x) + x


class Tied(nn.Module):
    """Tied weights, a bare parameter, a buffer, functions on parameters."""

    mask: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.embed.weight
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("mask", torch.zeros(3, 3).fill_(1))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids) * self.scale
        scores = (x @ x.transpose(1, 2)).masked_fill(self.mask == 0, float("-inf"))
        return self.head(scores.softmax(-1) @ x)


class Tuples(nn.Module):
    """Tuples out of and into modules, lists of modules woven together, a cast to the same."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 4, batch_first=True)
        self.convs = nn.ModuleList(nn.Linear(2, 2) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(2) for _ in range(2))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        y, (h, _) = self.rnn(x)
        left, right = y.chunk(2, dim=-1)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            left = norm(conv(left)) + right
        return {"left": left.to(x.dtype), "hidden": h}


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], torch.Tensor]]] = {
    "repeats": (Repeats, lambda: torch.zeros(2, 4, 8, 8)),
    "recycled": (Recycled, lambda: torch.zeros(2, 4)),
    "tied": (Tied, lambda: torch.zeros(2, 3, dtype=torch.long)),
    "tuples": (Tuples, lambda: torch.zeros(2, 3, 4)),
}


def _spec(spec: TensorSpec | None) -> str:
    return "?" if spec is None else f"{spec['dtype']}{spec['shape']}"


def _wire(edge: Edge) -> str:
    pruned = f" through {' '.join(edge['pruned'])}" if edge.get("pruned") else ""
    return (
        f"    {edge['target_input']} <- {edge['source']}:{edge['source_output']} "
        f"{_spec(edge['spec'])}{pruned}"
    )


def _ir_lines(ir: IR) -> list[str]:
    into: dict[str, list[Edge]] = {}
    for edge in ir.edges:
        into.setdefault(edge["target"], []).append(edge)
    lines = ["modules"]
    for key, module in ir.modules.items():
        where = f" in {module['parent']!r}" if module["parent"] is not None else ""
        lines.append(f"  {key!r} {module['type']}{where} call={module['call']}")
    lines += [f"calls {fqn}: {sites}" for fqn, sites in ir.calls.items()] + ["nodes"]
    for key, node in ir.nodes.items():
        read = f" reads {' '.join(node['parameters'])}" if node["parameters"] else ""
        outputs = ", ".join(map(_spec, node["outputs"]))
        lines.append(
            f"  {key} = {node['op']} [{node['op_kind']}] in {node['scope']!r}"
            f"#{node['scope_call']} -> {outputs}{read}"
        )
        lines += map(_wire, sorted(into.get(key, []), key=lambda edge: edge["target_input"]))
    return lines


def _scope_lines(topology: Topology, scope: Scope, depth: int) -> list[str]:
    repeat = f" x{scope.repeat}" if scope.repeat > 1 else " (same)" * (scope.repeat == 0)
    lines = [f"{'  ' * depth}{scope.id or '(root)'} {scope.type.rpartition('.')[2]}{repeat}"]
    for child in scope.children:
        if child in topology.scopes:
            lines += _scope_lines(topology, topology.scopes[child], depth + 1)
        else:
            shared = [key for key in topology.graph.nodes[child]["shared_with"] if key != child]
            lines.append(f"{'  ' * (depth + 1)}{child}{' = ' * bool(shared)}{' '.join(shared)}")
    lines += [
        f"{'  ' * (depth + 1)}| {flow.source} -> {flow.target} ({flow.values})"
        for flow in scope.flows
    ]
    return lines


def _text(value: Any) -> str:
    is_ir = isinstance(value, IR)
    lines = _ir_lines(value) if is_ir else _scope_lines(value, value.scopes[""], 0)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", NETWORKS)
def test_each_pass_gives_what_it_gave(name: str, golden: Callable[[str, str], None]) -> None:
    make, inputs = NETWORKS[name]
    texts: dict[str, str] = {}
    visuai.build(
        make().eval(), inputs(), capture="symbolic",  # It has the most for the passes to do.
        after=lambda step, value: texts.update({step.name: _text(value)})
        if step.name != "export" else None,
    )  # fmt: skip
    for step, text in texts.items():
        golden(f"{name}/{step}.txt", text)
