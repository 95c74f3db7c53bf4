"""Draws each call of a leaf module as one node, where the source looked into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from visuai.ir import Edge, Module, Node, Scalar, TensorSpec
from visuai.ops import category
from visuai.passes.call_tree import CallTree

_Value = tuple[str, int]


class Network:
    """Nodes, edges and the boxes that the nodes lie in, while ids are still the captured ones.

    Args:
        nodes: Nodes in execution order.
        edges: Edges between them, all forward.
        tree: Where the nodes lie.
    """

    __slots__ = ("edges", "nodes", "tree")

    def __init__(self, nodes: Mapping[str, Node], edges: Sequence[Edge], tree: CallTree) -> None:
        self.nodes = nodes
        self.edges = edges
        self.tree = tree


def collapse_leaves(
    network: Network, modules: Mapping[str, Module], parameters: Iterable[str]
) -> Network:
    """Puts one ``call_module`` node in place of the ops in each box of a leaf module.

    The node takes the id and the source of its first op, reads what its module holds and what
    its ops read, and returns the values that leave it, in the order in which they are made.
    Values that enter it are counted once each.

    Args:
        network: A network in which no box lies on a cycle.
        modules: The modules before ``split-recycled``.
        parameters: FQNs of all parameters, buffers and constants.
    """
    tree = network.tree
    tops = [-1] * len(tree.boxes)
    for number in range(1, len(tree.boxes)):
        outer = tops[tree.parents[number]]
        tops[number] = number if outer < 0 and tree.boxes[number].leaf else outer
    if all(tops[home] < 0 for home in tree.homes):
        return network
    members: dict[int, list[str]] = {}
    unit: dict[str, str] = {}
    home: dict[str, int] = {}
    for key, box in zip(network.nodes, tree.homes, strict=True):
        top = tops[box]
        if top >= 0:
            members.setdefault(top, []).append(key)
            unit[key] = members[top][0]
            home[unit[key]] = tree.parents[top]
        else:
            unit[key] = key
            home[key] = box
    edges, leaving = _edges_between(network, unit, {keys[0] for keys in members.values()})
    held: dict[str, list[str]] = {}
    for name in parameters:
        held.setdefault(name.rpartition(".")[0], []).append(name)
    tops_by_key = {keys[0]: top for top, keys in members.items()}
    nodes: dict[str, Node] = {}
    for key in _sorted(list(home), edges):
        if key in tops_by_key:
            top = tops_by_key[key]
            box = tree.boxes[top]
            ops = [network.nodes[member] for member in members[top]]
            nodes[key] = _module_call(
                modules[box.fqn], box.call, ops, network, leaving.get(key), held.get(box.fqn, [])
            )
        else:
            nodes[key] = network.nodes[key]
    return Network(nodes, edges, CallTree(tree.boxes, tree.parents, [home[key] for key in nodes]))


def _edges_between(
    network: Network, unit: Mapping[str, str], collapsed: set[str]
) -> tuple[list[Edge], dict[str, list[_Value]]]:
    """Gives the edges between units, and for each collapsed one the values that leave it."""
    place = {key: index for index, key in enumerate(network.nodes)}
    crossing = [edge for edge in network.edges if unit[edge["source"]] != unit[edge["target"]]]
    crossing.sort(key=lambda edge: (place[edge["target"]], edge["target_input"]))
    values: dict[str, set[_Value]] = {}
    for edge in crossing:
        if unit[edge["source"]] in collapsed:
            value = (edge["source"], edge["source_output"])
            values.setdefault(unit[edge["source"]], set()).add(value)
    leaving = {
        key: sorted(found, key=lambda value: (place[value[0]], value[1]))
        for key, found in values.items()
    }
    outputs = {value: index for found in leaving.values() for index, value in enumerate(found)}
    entered: dict[str, set[_Value]] = {}
    edges: list[Edge] = []
    for edge in crossing:
        source, target = unit[edge["source"]], unit[edge["target"]]
        value = (edge["source"], edge["source_output"])
        inputs = entered.setdefault(target, set())
        if target in collapsed and value in inputs:
            continue
        new: Edge = {**edge, "source": source, "target": target}
        if source in collapsed:
            new["source_output"] = outputs[value]
        if target in collapsed:
            new["target_input"] = len(inputs)
            inputs.add(value)
        edges.append(new)
    return edges, leaving


def _module_call(
    module: Module,
    call: int | None,
    ops: Sequence[Node],
    network: Network,
    leaving: Sequence[_Value] | None,
    held: Sequence[str],
) -> Node:
    name = module["type"].rpartition(".")[2] or module["fqn"]
    outputs: list[TensorSpec | None] = ops[-1]["outputs"]
    if leaving:
        outputs = []
        for key, index in leaving:
            specs = network.nodes[key]["outputs"]
            outputs.append(specs[index] if index < len(specs) else None)
    known = [op["flops"] for op in ops if op["flops"] is not None]
    attributes: dict[str, Scalar] = {"config": module["config"]} if module["config"] else {}
    return Node(
        op_kind="call_module",
        op=name,
        target=module["type"],
        fqn=module["fqn"],
        call=call,
        scope=ops[0]["scope"],
        scope_call=None,
        category=category(name),
        parameters=list(dict.fromkeys([*held, *(fqn for op in ops for fqn in op["parameters"])])),
        outputs=outputs,
        attributes=attributes,
        source=ops[0]["source"],
        flops=sum(known) if known else None,
    )


def _sorted(keys: Sequence[str], edges: Sequence[Edge]) -> list[str]:
    """Sorts topologically, near the order given."""
    place = {key: index for index, key in enumerate(keys)}
    missing = dict.fromkeys(keys, 0)
    consumers: dict[str, list[str]] = {}
    for edge in edges:
        missing[edge["target"]] += 1
        consumers.setdefault(edge["source"], []).append(edge["target"])
    ready = [place[key] for key in keys if not missing[key]]
    heapify(ready)
    result: list[str] = []
    while ready:
        key = keys[heappop(ready)]
        result.append(key)
        for consumer in consumers.get(key, ()):
            missing[consumer] -= 1
            if not missing[consumer]:
                heappush(ready, place[consumer])
    return result
