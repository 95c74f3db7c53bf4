"""Pass build-hierarchy: graph, scopes, flows, repeats, sharing."""

from __future__ import annotations

import gc
from itertools import pairwise
from weakref import ref

import networkx as nx
import pytest
from hypothesis import given, settings
from strategies import SPECS, edge, irs, module, network, node, parameter

from visuai.errors import PassError
from visuai.ir import IR, Module, Node
from visuai.passes.build_hierarchy import build_hierarchy
from visuai.passes.pipeline import Pipeline
from visuai.passes.split_recycled import split_recycled
from visuai.topology import Topology


def build(ir: IR) -> Topology:
    return build_hierarchy(split_recycled(ir))


def flows(topology: Topology, scope: str) -> list[tuple[str, str, int]]:
    return [(f.source, f.target, f.values) for f in topology.scopes[scope].flows]


def blocks(*shapes: list[list[int]], between: bool = False) -> IR:
    """A chain of blocks, each of Linears whose weights have the given shapes."""
    nodes: dict[str, Node] = {"x": node("placeholder", kind="placeholder")}
    modules: list[Module] = []
    parameters = {}
    for at, weights in enumerate(shapes):
        modules.append(module(f"b{at}", type="net.Block"))
        for index, shape in enumerate(weights):
            fqn = f"b{at}.{index}"
            modules.append(module(fqn, f"b{at}", leaf=True))
            parameters[f"{fqn}.w"] = {**parameter(), "shape": shape}
            nodes[fqn] = node(
                "Linear", kind="call_module", fqn=fqn, fqn_call=0, scope=f"b{at}",
                parameters=[f"{fqn}.w"],
            )  # fmt: skip
        if between:
            nodes[f"add{at}"] = node("add")
    keys = list(nodes)
    return network(
        nodes,
        [edge(a, b) for a, b in pairwise(keys)],
        modules,
        {f"b{at}": [("", 0)] for at in range(len(shapes))},
        parameters,
    )


def test_node_and_edge_attributes() -> None:
    ir = network(
        {"a": node("relu", attributes={"arg1": 2}), "b": node("add")},
        [edge("a", "b", 1, 0, pruned=["clone"]), edge("a", "b", spec=None)],
    )
    topology = build(ir)
    attributes = topology.graph.nodes["relu"]
    expected = {
        **ir.nodes["a"],
        "shared_with": [],
    }
    del expected["scope_call"]
    assert attributes == expected
    assert [data for _, _, data in topology.graph.edges(data=True)] == [
        {"source_output": 0, "target_input": 1, **SPECS[0], "pruned": ["clone"]},
        {"source_output": 0, "target_input": 0, "shape": None, "dtype": None},
    ]
    assert topology.name == "Net"
    assert topology.scopes[""].children == ["relu", "add"]


def test_children_come_in_execution_order_and_edges_at_their_level() -> None:
    ir = network(
        {
            "x": node("placeholder", kind="placeholder"),
            "a": node("relu", scope="out.in"),
            "b": node("neg", scope="out.in"),
            "c": node("exp", scope="out"),
            "d": node("add"),
        },
        [
            edge("x", "a"), edge("a", "b"), edge("b", "c"), edge("a", "c", 1),
            edge("x", "c", 2), edge("c", "d"), edge("x", "d", 1), edge("a", "d", 2),
        ],
        [module("out"), module("out.in", "out")],
        {"out": [("", 0)], "out.in": [("out", 0)]},
    )  # fmt: skip
    topology = build(ir)
    assert list(topology.scopes) == ["", "out", "out.in"]
    assert [scope.children for scope in topology.scopes.values()] == [
        ["x", "out", "add"], ["out.in", "out.exp"], ["out.in.relu", "out.in.neg"],
    ]  # fmt: skip
    assert flows(topology, "") == [("x", "out", 1), ("out", "add", 2), ("x", "add", 1)]
    assert flows(topology, "out") == [("out.in", "out.exp", 2)]
    assert flows(topology, "out.in") == [("out.in.relu", "out.in.neg", 1)]


def test_runs_of_equal_blocks_are_marked() -> None:
    topology = build(blocks([[4, 4]] * 2, [[4, 4]] * 2, [[4, 4]] * 2, [[4, 4], [4, 8]], [[4, 4]]))
    assert {name: scope.repeat for name, scope in topology.scopes.items()} == {
        "": 1, "b0": 3, "b1": 0, "b2": 0, "b3": 1, "b4": 1,
    }  # fmt: skip


def test_blocks_that_are_not_neighbours_are_no_run() -> None:
    topology = build(blocks([[4, 4]] * 2, [[4, 4]] * 2, between=True))
    assert [scope.repeat for scope in topology.scopes.values()] == [1, 1, 1]


def test_inner_edges_and_classes_count() -> None:
    def net(last: int, kind: str) -> Topology:
        ops = ("relu", "neg", "add")
        nodes = {"x": node("placeholder", kind="placeholder")}
        nodes |= {f"{b}{op}": node(op, scope=b) for b in ("p", "q") for op in ops}
        return build(
            network(
                nodes,
                [
                    edge("x", "prelu"),
                    edge("prelu", "pneg"), edge("prelu", "padd"), edge("pneg", "padd", 1),
                    edge("padd", "qrelu"),
                    edge("qrelu", "qneg"), edge("qrelu", "qadd"), edge("qneg", "qadd", last),
                ],
                [module("p", type="net.A"), module("q", type=kind)],
                {"p": [("", 0)], "q": [("", 0)]},
            )
        )  # fmt: skip

    assert net(1, "net.A").scopes["p"].repeat == 2
    assert net(2, "net.A").scopes["p"].repeat == 1
    assert net(1, "net.B").scopes["p"].repeat == 1


def test_calls_of_one_module_and_readers_of_one_parameter_are_shared() -> None:
    ir = network(
        {
            "a": node("Embedding", kind="call_module", fqn="emb", fqn_call=0, parameters=["emb.w"]),
            "b": node("ReLU", kind="call_module", fqn="act", fqn_call=0),
            "c": node("linear", parameters=["head.w", "eps"]),
            "d": node("ReLU", kind="call_module", fqn="act", fqn_call=1),
            "e": node("relu", parameters=["eps"]),
        },
        [],
        parameters={
            "emb.w": parameter(),
            "head.w": parameter(alias_of="emb.w"),
            "eps": parameter("constant"),
        },
    )
    nodes = build(ir).graph.nodes
    assert {key: nodes[key]["shared_with"] for key in nodes} == {
        "emb": ["emb", "linear"], "act": ["act", "act@1"], "linear": ["emb", "linear"],
        "act@1": ["act", "act@1"], "relu": [],
    }  # fmt: skip
    assert nodes["act"]["shared_with"] is nodes["act@1"]["shared_with"]


def test_a_network_that_was_not_split_works_too() -> None:
    ir = blocks([[4, 4]] * 2)
    topology = build_hierarchy(ir)
    assert topology.scopes["b0"].children == ["b0.0", "b0.1"]
    ir.nodes["b0"] = node("relu")
    with pytest.raises(PassError, match="'b0' is the key of a node and of a module"):
        build_hierarchy(ir)


def test_edges_from_the_root_into_a_nest_of_20_000() -> None:
    modules, calls, nodes, parent = list[Module](), {}, {"x": node("neg")}, ""
    for index in range(20_000):
        modules.append(module(f"m{index}", parent))
        calls[f"m{index}"] = [(parent, 0)]
        nodes[f"n{index}"] = node("relu", scope=f"m{index}")
        parent = f"m{index}"
    topology = build(network(nodes, [edge("x", key) for key in list(nodes)[1:]], modules, calls))
    assert flows(topology, "") == [("neg", "m0", 1)]
    assert sum(len(scope.flows) for scope in topology.scopes.values()) == 1


def test_a_topology_goes_with_its_last_reference() -> None:
    """``graph.edges`` and ``graph.degree`` refer back to the graph, so the pass keeps off them.

    A cycle would hold a large topology until the next full collection.
    """
    ir = blocks([[2, 2]], [[2, 2]])
    ir.edges[0]["pruned"] = ["clone"]
    graph = Pipeline.parse("split-recycled,build-hierarchy").run(ir).graph
    gone = ref(graph)
    enabled = gc.isenabled()
    gc.disable()
    try:
        del graph
        assert gone() is None
    finally:
        if enabled:
            gc.enable()


@settings(max_examples=30, deadline=None)
@given(ir=irs())
def test_the_graph_is_as_networkx_makes_it_of_the_same_edges(ir: IR) -> None:
    split = split_recycled(ir)
    graph = build_hierarchy(split).graph
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    made.add_nodes_from(graph.nodes(data=True))
    for one in split.edges:
        shape, dtype = (one["spec"]["shape"], one["spec"]["dtype"]) if one["spec"] else (None,) * 2
        ends = {name: one[name] for name in ("source_output", "target_input")}
        pruned = {"pruned": one["pruned"]} if one.get("pruned") else {}
        made.add_edge(one["source"], one["target"], **ends, shape=shape, dtype=dtype, **pruned)
    assert list(graph.edges(keys=True, data=True)) == list(made.edges(keys=True, data=True))
    assert list(graph.in_edges(keys=True, data=True)) == list(made.in_edges(keys=True, data=True))
    # An edge is one thing, whichever end it is looked at from, and the graph takes more of them.
    for source, target, key, data in graph.edges(keys=True, data=True):
        assert graph.pred[target][source][key] is data
    for source, target in list(graph.edges()):
        graph.add_edge(source, target)
        made.add_edge(source, target)
    assert nx.utils.graphs_equal(graph, made)
