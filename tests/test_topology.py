"""The topology: views, subgraphs, counts, and what it prints."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import SHAPE, make, parameter, topologies

from visuai.errors import PluginError, VisuaiError
from visuai.topology import Flow, Topology


@pytest.fixture
def residual() -> Topology:
    """input → [a: x → (y → z)] → + → output, with the input skipping over a."""
    return make(
        {"input": "", "a.x": "a", "a.b.y": "a.b", "a.b.z": "a.b", "add": "", "output": ""},
        [
            ("input", "a.x", 0),
            ("a.x", "a.b.y", 0),
            ("a.b.y", "a.b.z", 0),
            ("a.b.z", "add", 0),
            ("input", "add", 0),
            ("add", "output", 0),
        ],
        {"": None, "a": "", "a.b": "a"},
    )


def test_view_without_arguments_shows_everything(residual: Topology) -> None:
    whole = residual.view()
    assert nx.utils.graphs_equal(whole.graph, residual.graph)
    assert whole.scopes == residual.scopes
    assert whole.graph is not residual.graph


def test_depth_1_shows_the_children_of_the_root(residual: Topology) -> None:
    coarse = residual.view(depth=1)
    assert list(coarse.graph) == ["input", "a", "add", "output"]
    assert sorted(coarse.graph.edges()) == [
        ("a", "add"),
        ("add", "output"),
        ("input", "a"),
        ("input", "add"),
    ]
    node = coarse.graph.nodes["a"]
    assert (node["op_kind"], node["op"], node["target"]) == ("call_module", "A", "my.A")
    assert (node["category"], node["scope"], node["scope_node"]) == ("module", "", True)
    assert (node["nodes"], node["flops"], node["repeat"]) == (3, 30, 1)
    assert node["parameters"] == ["a.x.weight", "a.b.y.weight", "a.b.z.weight"]
    assert node["outputs"] == [{"shape": SHAPE, "dtype": "float32"}]
    assert list(coarse.scopes) == [""]
    assert residual.view(depth=0).graph.edges == coarse.graph.edges


def test_depth_2_opens_the_next_level(residual: Topology) -> None:
    assert list(residual.view(depth=2).graph) == ["input", "a.x", "a.b", "add", "output"]
    assert list(residual.view(depth=2).scopes) == ["", "a"]
    assert list(residual.view(depth=3).graph) == list(residual.graph)


def test_expanded_opens_ancestors_too(residual: Topology) -> None:
    assert list(residual.view(expanded={"a.b"}).graph) == list(residual.graph)
    assert list(residual.view(expanded=set()).graph) == ["input", "a", "add", "output"]
    assert list(residual.view(depth=1, expanded={"a"}).graph) == list(residual.view(depth=2).graph)


def test_view_of_a_view_is_a_view(residual: Topology) -> None:
    twice, once = residual.view(depth=2).view(depth=1), residual.view(depth=1)
    assert nx.utils.graphs_equal(twice.graph, once.graph)
    assert twice.graph.nodes["a"]["nodes"] == 3


def test_lifted_edges_are_distinct_values() -> None:
    topology = make(
        {"input": "", "a.x": "a", "b.x": "b", "b.y": "b", "c": ""},
        [
            ("input", "a.x", 0),
            ("a.x", "b.x", 0),  # one value of a goes to two ops of b: one edge
            ("a.x", "b.y", 0),
            ("a.x", "b.y", 1),  # another value of a: another edge
            ("b.y", "c", 0),
            ("a.x", "c", 1),
        ],
        {"": None, "a": "", "b": ""},
    )
    coarse = topology.view(depth=1).graph
    assert coarse.number_of_edges("a", "b") == 2
    assert [edge["source_output"] for edge in coarse["a"]["b"].values()] == [0, 1]
    assert [edge["target_input"] for edge in coarse["a"]["b"].values()] == [0, 1]
    assert {edge["values"] for edge in coarse["a"]["b"].values()} == {1}
    assert coarse["a"]["c"][0]["source_output"] == 1
    assert len(coarse.nodes["a"]["outputs"]) == 2


def test_parallel_edges_between_ops_stay() -> None:
    topology = make(
        {"input": "", "mul": ""}, [("input", "mul", 0), ("input", "mul", 0)], {"": None}
    )
    assert topology.view(depth=1).graph.number_of_edges("input", "mul") == 2


def test_scopes_without_ops_are_left_out_when_closed() -> None:
    topology = make({"input": ""}, [], {"": None, "unused": "", "unused.deep": "unused"})
    coarse = topology.view(depth=1)
    assert list(coarse.graph) == ["input"]
    assert coarse.scopes[""].children == ["input"]


def test_unknown_flops_make_the_sum_unknown() -> None:
    topology = make({"a.x": "a"}, [], {"": None, "a": ""}, flops=None)
    assert topology.view(depth=1).graph.nodes["a"]["flops"] is None


def test_shared_with_is_lifted() -> None:
    topology = make(
        {"a.x": "a", "a.y": "a", "b.x": "b", "b.y": "b", "c": ""}, [], {"": None, "a": "", "b": ""}
    )
    for group in (["a.x", "b.x"], ["a.y", "b.y", "c"]):
        for key in group:
            topology.graph.nodes[key]["shared_with"] = group
    coarse = topology.view(depth=1).graph.nodes
    assert coarse["a"]["shared_with"] == ["a", "b", "c"]
    assert coarse["a"]["shared_with"] is coarse["b"]["shared_with"]
    assert coarse["c"]["shared_with"] == ["a", "b", "c"]
    assert topology.graph.nodes["a.x"]["shared_with"] == ["a.x", "b.x"]
    assert topology.subgraph("a").graph.nodes["a.x"]["shared_with"] == []


def test_sharing_inside_one_closed_scope_is_not_shown() -> None:
    topology = make({"a.x": "a", "a.y": "a"}, [], {"": None, "a": ""})
    for key in ("a.x", "a.y"):
        topology.graph.nodes[key]["shared_with"] = ["a.x", "a.y"]
    assert topology.view(depth=1).graph.nodes["a"]["shared_with"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"expanded": {"a.c"}}, "No scope 'a.c'.*near are 'a.b'"),
        ({"expanded": {"x" * 10_000}}, "No scope"),
        ({"depth": -1}, "got -1"),
    ],
)
def test_view_says_what_is_wrong(residual: Topology, arguments: Any, says: str) -> None:
    with pytest.raises(VisuaiError, match=says) as caught:
        residual.view(**arguments)
    assert len(str(caught.value)) < 500


def test_subgraph_ends_in_placeholders_and_an_output(residual: Topology) -> None:
    part = residual.subgraph("a")
    assert list(part.graph) == ["input", "a.x", "a.b.y", "a.b.z", "output"]
    assert nx.is_directed_acyclic_graph(part.graph)
    assert part.scopes["a.b"].parent == ""
    assert part.graph.nodes["a.x"]["scope"] == ""
    assert set(part.parameters) == {"a.x.weight", "a.b.y.weight", "a.b.z.weight"}
    assert part.scopes[""].children[0] == part.inputs[0]
    assert Flow(part.inputs[0], "a.x", 1, {"shape": SHAPE, "dtype": "float32"}) in (
        part.scopes[""].flows
    )
    assert list(part.view(depth=1).graph)[1:3] == ["a.x", "a.b"]
    assert residual.graph.nodes["a.x"]["scope"] == "a"
    with pytest.raises(VisuaiError, match="No scope"):
        residual.subgraph("nowhere")


def test_subgraph_of_the_root_is_a_copy(residual: Topology) -> None:
    assert nx.utils.graphs_equal(residual.subgraph("").graph, residual.graph)


def test_num_parameters_counts_shared_tensors_once(residual: Topology) -> None:
    assert residual.num_parameters == 6 * 16
    residual.parameters["tied"] = parameter(alias_of="a.x.weight")
    residual.parameters["buffer"] = {**parameter(), "kind": "buffer"}
    assert residual.num_parameters == 6 * 16


def test_repr_is_short_and_useful(residual: Topology) -> None:
    assert repr(residual) == "Topology('net', 6 nodes, 6 edges, 3 modules, 96 parameters)"


def test_unknown_renderer_is_named(residual: Topology) -> None:
    with pytest.raises(PluginError, match="'oil-on-canvas'"):
        residual.render("oil-on-canvas")


def test_5000_nested_scopes() -> None:
    names = ["", *("m" + ".m" * level for level in range(5_000))]
    topology = make(
        {"input": "", "deep": names[-1]},
        [("input", "deep", 0)],
        {name: names[at - 1] if at else None for at, name in enumerate(names)},
    )
    assert list(topology.view(depth=1).graph) == ["input", "m"]
    assert len(topology.view(depth=5_001).graph) == 2
    assert len(topology.subgraph("m").scopes) == 5_000


@settings(max_examples=100, deadline=None)
@given(topologies(), st.integers(0, 5))
def test_views_keep_ops_flops_and_connections(topology: Topology, depth: int) -> None:
    coarse = topology.view(depth=depth)
    nodes = coarse.graph.nodes(data=True)
    assert sum(data.get("nodes", 1) for _, data in nodes) == len(topology.graph)
    assert sum(data["flops"] for _, data in nodes) == 10 * len(topology.graph)
    assert {data["scope"] for _, data in nodes} <= set(coarse.scopes)
    open_children = {child for scope in coarse.scopes.values() for child in scope.children}
    assert set(coarse.graph) <= open_children <= {*coarse.graph, *coarse.scopes}

    def visible(node: str) -> str:
        trail, scope = [node], topology.graph.nodes[node]["scope"]
        while scope:
            trail.append(scope)
            scope = topology.scopes[scope].parent
        return next(key for key in reversed(trail) if key in coarse.graph)

    pairs = {(visible(source), visible(target)) for source, target in topology.graph.edges()}
    assert set(coarse.graph.edges()) == {(a, b) for a, b in pairs if a != b}
