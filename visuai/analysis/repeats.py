"""Repeats: groups of identical blocks, wherever they stand in the network."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from visuai.topology import Topology


@dataclass(frozen=True, slots=True)
class Repeat:
    """Module calls that are the same inside.

    Attributes:
        type: Qualified class name.
        scopes: Ids, in order of execution.
        nodes: Number of ops in each.
    """

    type: str
    scopes: tuple[str, ...]
    nodes: int


def repeats(topology: Topology, *, nested: bool = False) -> list[Repeat]:
    """Finds the groups of identical blocks, in time linear in the network's size.

    Two blocks are identical if they have the same class, the same ops with the same
    configuration, shapes and dtypes (of parameters too) in the same order, and the same edges
    between them. Names and values of parameters do not matter.

    Args:
        topology: The network.
        nested: Whether to list groups inside of blocks that are in a group themselves.

    Examples:
        >>> import torch, visuai
        >>> from visuai.analysis.repeats import repeats
        >>> block = lambda: torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
        >>> topology = visuai.build(torch.nn.Sequential(block(), block()), torch.zeros(1, 4))
        >>> repeats(topology)[0].scopes
        ('0', '1')
    """
    numbers: dict[Hashable, int] = {}
    kinds = block_kinds(
        topology, _labels(topology), lambda key: numbers.setdefault(key, len(numbers))
    )
    size = dict.fromkeys(topology.scopes, 0)
    for _, data in topology.graph.nodes(data=True):
        size[data["scope"]] += data.get("nodes", 1)
    alike: dict[int, list[str]] = {}
    for key in reversed(list(topology.scopes)):  # children come after their parents
        scope = topology.scopes[key]
        alike.setdefault(kinds[key], []).append(key)
        if scope.parent is not None:
            size[scope.parent] += size[key]
    groups = {kind: keys for kind, keys in alike.items() if len(keys) > 1 and size[keys[0]] > 0}
    covered: set[str] = set()
    shown: dict[int, list[str]] = {}
    for key, scope in topology.scopes.items():
        around = scope.parent
        if around is not None and (around in covered or kinds[around] in groups):
            covered.add(key)
        if kinds[key] in groups and (nested or key not in covered):
            shown.setdefault(kinds[key], []).append(key)
    return [
        Repeat(topology.scopes[keys[0]].type, tuple(keys), size[keys[0]])
        for keys in shown.values()
        if len(keys) > 1
    ]


def block_kinds(
    topology: Topology, labels: Mapping[str, Hashable], number: Callable[[Hashable], int]
) -> dict[str, int]:
    """Numbers each scope by its class and what is inside, whatever the names.

    Args:
        topology: The network.
        labels: What each node does, by id.
        number: Gives equal keys one number.

    Returns:
        Numbers by scope id.
    """
    inside = _edges_inside(topology)
    kinds: dict[str, int] = {}
    for key in reversed(list(topology.scopes)):  # children come after their parents
        scope = topology.scopes[key]
        places = {child: at for at, child in enumerate(scope.children)}
        edges = sorted((places[a], places[b], *rest) for a, b, *rest in inside.get(key, ()))
        children = [kinds[child] if child in kinds else labels[child] for child in scope.children]
        kinds[key] = number((scope.type, scope.config, tuple(children), tuple(edges)))
    return kinds


def _labels(topology: Topology) -> dict[str, Hashable]:
    """Labels each node by what it does, whatever its name."""
    labels: dict[str, Hashable] = {}
    for key, data in topology.graph.nodes(data=True):
        read = [topology.parameters.get(name) for name in data["parameters"]]
        labels[key] = (
            data["op_kind"],
            data["op"],
            data["target"],
            repr(data["attributes"]),
            repr(data["outputs"]),
            repr([held and (held["shape"], held["dtype"], held["requires_grad"]) for held in read]),
        )
    return labels


def _edges_inside(topology: Topology) -> dict[str, list[tuple[Any, ...]]]:
    """Gives for each scope the edges between its children: of ops exactly, of scopes as flows."""
    inside: dict[str, list[tuple[Any, ...]]] = {}
    nodes = topology.graph.nodes
    for source, target, data in topology.graph.edges(data=True):
        scope = nodes[source]["scope"]
        if scope == nodes[target]["scope"]:
            ends = data["source_output"], data["target_input"]
            inside.setdefault(scope, []).append((source, target, *ends))
    for key, scope in topology.scopes.items():
        for flow in scope.flows:
            if flow.source in topology.scopes or flow.target in topology.scopes:
                inside.setdefault(key, []).append((flow.source, flow.target, flow.values, -1))
    return inside
