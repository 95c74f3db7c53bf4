"""Writes ground_truth.json: what networkx and visuai say of networks that the viewer reads.

Run as ``python frontend/test/ground_truth.py``, when the wire changes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import torch
from torch import nn

import visuai
from visuai.analysis.cost import cost
from visuai.wire import wire


class Unit(nn.Module):
    """A convolution with a skip around it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.drop = nn.Dropout(0.1)
        self.same = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.relu(self.drop(self.same(self.conv(x))))


class Net(nn.Module):
    """Repeats, a module called twice, tied weights, two inputs and two outputs."""

    def __init__(self, width: int = 4, units: int = 3, *, head: str = "head") -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2)
        self.units = nn.Sequential(*(Unit(width) for _ in range(units)))
        self.twice = Unit(width)
        self.left = nn.Linear(width, 5)
        self.add_module(head, nn.Linear(width, 5))
        self.get_submodule(head).weight = self.left.weight
        self.head_name = head

    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.units(self.stem(x))
        x = self.twice(self.twice(x)).mean((2, 3)) * scale
        return self.left(x), self.get_submodule(self.head_name)(x)


class Longer(Net):
    """With an op and a module more, and one unit changed."""

    def __init__(self) -> None:
        super().__init__(head="other")
        self.units[1].conv = nn.Conv2d(4, 4, 5, padding=2)
        self.extra = nn.Sequential(nn.Linear(4, 4), nn.Tanh())

    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.units(self.stem(x))
        x = self.extra(self.twice(x).mean((2, 3))) * scale
        return self.left(x), self.other(x)


def _facts(topology: visuai.Topology) -> dict[str, Any]:
    graph, costs = topology.graph, cost(topology)
    ids = list(graph)
    inside: dict[str, list[str]] = {key: [] for key in topology.scopes}
    for node, data in graph.nodes(data=True):
        scope: str | None = data["scope"]
        while scope is not None:
            inside[scope].append(node)
            scope = topology.scopes[scope].parent
    return {
        "ancestors": {node: sorted(nx.ancestors(graph, node)) for node in ids},
        "descendants": {node: sorted(nx.descendants(graph, node)) for node in ids},
        "distances": {
            one: dict(sorted(found.items()))
            for one, found in nx.all_pairs_shortest_path_length(graph)
        },
        "inside": inside,
        "parameters": {
            **{key: one.parameters for key, one in costs.nodes.items()},
            **{key: one.parameters for key, one in costs.scopes.items()},
        },
        "parents": {
            **{node: data["scope"] for node, data in graph.nodes(data=True)},
            **{key: scope.parent for key, scope in topology.scopes.items()},
        },
        "entering": {
            key: sorted(
                {
                    f"{source}:{data['source_output']}"
                    for source, target, data in graph.edges(data=True)
                    if target in within and source not in within
                }
            )
            for key, nodes in inside.items()
            for within in [set(nodes)]
        },
        "shared": {
            node: sorted(set(data["shared_with"]) - {node}) for node, data in graph.nodes(data=True)
        },
        "repeats": {key: scope.repeat for key, scope in topology.scopes.items()},
    }


def main() -> None:
    """Writes the file beside this one."""
    torch.manual_seed(0)
    args = (torch.zeros(1, 3, 16, 16), torch.ones(4))
    one, other = (visuai.build(model.eval(), args) for model in (Net(), Longer()))
    written = {
        "wire": wire(one, other),
        "truth": [_facts(one), _facts(other)],
        "diff": visuai.diff(one, other).to_dict(),
    }
    text = json.dumps(written, separators=(",", ":")).replace(str(Path(__file__).parent) + "/", "")
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
