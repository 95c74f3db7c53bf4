"""Memory, critical paths, cut points and repeats: by hand and by brute force."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from networks import make, topologies
from torch import nn

import visuai
from visuai.analysis.memory import memory
from visuai.analysis.paths import critical_path, cut_points
from visuai.analysis.repeats import repeats
from visuai.errors import VisuaiError
from visuai.topology import Topology

SIZE = 16  # bytes of each tensor in `make`


def network(edges: list[tuple[str, str, int]]) -> Topology:
    nodes = dict.fromkeys([*(e[0] for e in edges), *(e[1] for e in edges)], "")
    order = ["input", *(key for key in nodes if key not in ("input", "output")), "output"]
    topology = make(dict.fromkeys(order, ""), edges, {"": None})
    for key in ("input", "output"):
        topology.graph.nodes[key].update(parameters=[], flops=0)
    topology.graph.nodes["output"]["outputs"] = []
    return topology


def skip() -> Topology:
    """input → a → b → c → + → output, with a kept for the sum."""
    return network(
        [
            ("input", "a", 0),
            ("a", "b", 0),
            ("b", "c", 0),
            ("c", "sum", 0),
            ("a", "sum", 0),
            ("sum", "output", 0),
        ]
    )


def test_memory_by_hand() -> None:
    found = memory(skip())
    # input is held throughout; a until the sum; each other tensor until its one use
    assert found.timeline == tuple(SIZE * n for n in (1, 2, 3, 4, 4, 2))
    assert (found.peak, found.node, found.unknown) == (4 * SIZE, "c", 0)
    assert {live.node for live in found.live} == {"input", "a", "b", "c"}


@pytest.mark.parametrize(
    "change",
    [
        {"op": "view", "op_kind": "call_method", "target": "torch.Tensor.view"},
        {"op": "add", "op_kind": "call_method", "target": "torch.Tensor.add_"},
        {"op": "add", "op_kind": "call_function", "target": "_operator.iadd"},
        {"op": "ReLU", "attributes": {"config": "inplace=True"}},
        {"op": "relu", "op_kind": "call_function", "attributes": {"inplace": True}},
    ],
)
def test_views_and_in_place_ops_take_no_memory(change: dict[str, Any]) -> None:
    topology = skip()
    topology.graph.nodes["b"].update(change)
    # b lies in the memory of a, which the sum keeps alive
    assert memory(topology).timeline == tuple(SIZE * n for n in (1, 2, 2, 3, 4, 2))


def test_memory_tells_what_it_does_not_know() -> None:
    topology = skip()
    topology.graph.nodes["b"]["outputs"] = [None]
    assert memory(topology).unknown == 1
    assert memory(make({}, [], {"": None})).peak == 0


def test_memory_of_a_chain_is_two_tensors_and_the_input() -> None:
    model = nn.Sequential(*(nn.Linear(8, 8) for _ in range(10)))
    assert memory(visuai.build(model, torch.zeros(4, 8))).peak == 3 * 4 * 8 * 4


def test_critical_path_by_flops_and_by_hops() -> None:
    topology = network(
        [
            ("input", "heavy", 0),
            ("input", "light", 0),
            ("light", "lighter", 0),
            ("heavy", "sum", 0),
            ("lighter", "sum", 0),
            ("sum", "output", 0),
        ]
    )
    topology.graph.nodes["heavy"]["flops"] = 1_000
    assert critical_path(topology).nodes == ("input", "heavy", "sum", "output")
    assert critical_path(topology).length == 1_010
    hops = critical_path(topology, "hops")
    assert hops.nodes == ("input", "light", "lighter", "sum", "output")
    assert hops.length == 4
    assert critical_path(make({}, [], {"": None})).nodes == ()
    with pytest.raises(VisuaiError, match="'miles'"):
        critical_path(topology, "miles")  # type: ignore[arg-type]


def test_a_cycle_is_told() -> None:
    topology = skip()
    topology.graph.add_edge("c", "a", **topology.graph.edges["a", "b", 0])
    for analysis in (critical_path, cut_points):
        with pytest.raises(VisuaiError, match="has a cycle"):
            analysis(topology)


def test_cuts_are_where_one_tensor_crosses() -> None:
    cuts = cut_points(skip())
    assert [cut.node for cut in cuts] == ["a"]  # the sum's tensor is only returned
    assert (cuts[0].flops_before, cuts[0].flops_after) == (10, 30)
    assert cuts[0].spec == {"shape": [1, 4], "dtype": "float32"}


def test_constants_and_dead_ends_do_not_stop_a_cut() -> None:
    topology = network(
        [
            ("mask", "b", 0),
            ("input", "a", 0),
            ("a", "b", 0),
            ("a", "unused", 0),
            ("b", "c", 0),
            ("c", "output", 0),
        ]
    )
    assert [cut.node for cut in cut_points(topology)] == ["a", "b"]


def test_two_outputs_of_one_node_are_two_values() -> None:
    topology = network(
        [("input", "split", 0), ("split", "sum", 0), ("split", "sum", 1), ("sum", "output", 0)]
    )
    assert cut_points(topology) == []


@settings(max_examples=100, deadline=None)
@given(topologies())
def test_cuts_are_those_that_brute_force_finds(topology: Topology) -> None:
    graph = topology.graph
    nodes = list(graph)
    topology.inputs, topology.outputs = nodes[:1], nodes[-1:]
    graph.nodes[nodes[0]]["op_kind"] = "placeholder"
    after, before = nx.descendants(graph, nodes[0]), nx.ancestors(graph, nodes[-1])
    live = (after | {nodes[0]}) & (before | {nodes[-1]})
    expected = set()
    for at in range(1, len(nodes)):
        crossing = {
            (source, data["source_output"])
            for source, target, data in graph.edges(data=True)
            if {source, target} <= live - {nodes[-1]}
            if nodes.index(source) < at <= nodes.index(target)
        }
        if len(crossing) == 1:
            expected |= crossing
    found = {(cut.node, cut.output) for cut in cut_points(topology)}
    assert found == {one for one in expected if one[0] != nodes[0]}


def test_what_is_returned_early_does_not_stop_a_cut() -> None:
    topology = network(
        [("input", "a", 0), ("a", "b", 0), ("b", "output", 0), ("b", "c", 1), ("c", "output", 0)]
    )
    assert [(cut.node, cut.output) for cut in cut_points(topology)] == [("a", 0), ("b", 1)]


def block(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Sequential(nn.Linear(4, width), nn.ReLU()), nn.Linear(width, 4))


def test_repeats_are_the_outermost_identical_blocks() -> None:
    model = nn.Sequential(block(), block(), block(8), block())
    topology = visuai.build(model, torch.zeros(1, 4))
    (group,) = repeats(topology)
    assert (group.scopes, group.nodes) == (("0", "1", "3"), 3)
    assert group.type.endswith("Sequential")


def test_nested_repeats_on_request() -> None:
    model = nn.Sequential(nn.Sequential(block(), nn.ReLU()), nn.Sequential(block(), nn.ReLU()))
    topology = visuai.build(model, torch.zeros(1, 4))
    assert [group.scopes for group in repeats(topology)] == [("0", "1")]
    assert ("0.0", "1.0") in [group.scopes for group in repeats(topology, nested=True)]


def test_blocks_that_differ_in_wiring_or_shape_are_no_repeats() -> None:
    def two(second: tuple[str, str, int]) -> Topology:
        return make(
            {"a.x": "a", "a.y": "a", "b.x": "b", "b.y": "b"},
            [("a.x", "a.y", 0), second],
            {"": None, "a": "", "b": ""},
        )

    same = two(("b.x", "b.y", 0))
    same.scopes["b"].type = same.scopes["a"].type
    assert [group.scopes for group in repeats(same)] == [("a", "b")]
    wired = two(("b.x", "b.y", 1))
    wired.scopes["b"].type = wired.scopes["a"].type
    assert repeats(wired) == []
    same.graph.nodes["b.x"]["outputs"] = [None]
    assert repeats(same) == []
