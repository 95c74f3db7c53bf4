"""What holds for every network, by random ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import irs, random_ir

from visuai.ir import IR, Edge, validate
from visuai.passes.build_hierarchy import build_hierarchy
from visuai.passes.prune_modules import prune_modules
from visuai.passes.prune_nodes import prune_nodes
from visuai.passes.split_recycled import split_recycled
from visuai.topology import Topology

PASSES = [prune_nodes, prune_modules, split_recycled]
many = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("step", PASSES, ids=lambda step: step.__name__)
class TestEveryPass:
    @many
    @given(ir=irs())
    def test_gives_a_valid_ir_and_leaves_its_input_alone(
        self, step: Callable[[IR], IR], ir: IR
    ) -> None:
        before = copy.deepcopy(ir)
        after = step(ir)
        assert ir == before
        validate(after)
        assert IR.from_dict(json.loads(json.dumps(after.to_dict()))) == after
        positions = {key: index for index, key in enumerate(after.nodes)}
        assert all(positions[edge["source"]] < positions[edge["target"]] for edge in after.edges)

    @many
    @given(ir=irs())
    def test_twice_is_once(self, step: Callable[[IR], IR], ir: IR) -> None:
        once = step(ir)
        assert step(once) == once


def _value_graph(ir: IR) -> nx.DiGraph:
    """Nodes and their outputs; a pack or unpack lets each element through for itself."""
    into: dict[str, list[Edge]] = {}
    for edge in ir.edges:
        into.setdefault(edge["target"], []).append(edge)
    graph = nx.DiGraph()
    for key, node in ir.nodes.items():
        graph.add_node((key, None))
        edges = sorted(into.get(key, []), key=lambda edge: edge["target_input"])
        sources = [(edge["source"], edge["source_output"]) for edge in edges]
        graph.add_edges_from((source, (key, None)) for source in sources)
        through = node["op"] in ("pack", "unpack") and sources and node["outputs"]
        for output in range(max(1, len(node["outputs"]))):
            if through:
                place = output if node["op"] == "pack" else node["attributes"]["offset"]
                graph.add_edge(sources[place], (key, output))
            else:
                graph.add_edge((key, None), (key, output))
    return graph


@many
@given(ir=irs())
def test_prune_nodes_keeps_what_reaches_what(ir: IR) -> None:
    after = prune_nodes(ir)
    whole, left = _value_graph(ir), _value_graph(after)
    kept = set(after.nodes)
    for key in kept:
        reached = {end[0] for end in nx.descendants(left, (key, None)) if end[1] is None} - {key}
        before = {end[0] for end in nx.descendants(whole, (key, None)) if end[1] is None} - {key}
        assert reached == before & kept, key


@many
@given(ir=irs())
def test_prune_nodes_adds_no_edge_in_vain(ir: IR) -> None:
    after = prune_nodes(ir)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(after.nodes)
    for index, edge in enumerate(after.edges):
        graph.add_edge(edge["source"], edge["target"], key=index)
    for index, edge in enumerate(after.edges):
        if edge.get("pruned") and edge["spec"] is None and "size" in edge["pruned"]:
            graph.remove_edge(edge["source"], edge["target"], key=index)
            if not nx.has_path(graph, edge["source"], edge["target"]):
                graph.add_edge(edge["source"], edge["target"], key=index)
                continue
            others = [e for e in after.edges if e is not edge and e["target"] == edge["target"]]
            assert any(e["spec"] is None for e in others), edge
            graph.add_edge(edge["source"], edge["target"], key=index)


@many
@given(ir=irs())
def test_prune_nodes_keeps_inputs_outputs_and_parameters_read(ir: IR) -> None:
    after = prune_nodes(ir)
    assert (after.inputs, after.outputs) == (ir.inputs, ir.outputs)
    assert {k for k, n in after.nodes.items() if n["op_kind"] in ("placeholder", "output")} == {
        k for k, n in ir.nodes.items() if n["op_kind"] in ("placeholder", "output")
    }
    assert after.parameters == ir.parameters
    for node in after.nodes.values():
        assert len(set(node["parameters"])) == len(node["parameters"])


@many
@given(ir=irs())
def test_prune_modules_leaves_no_scope_that_says_nothing(ir: IR) -> None:
    after = prune_modules(ir)
    assert after.nodes.keys() == ir.nodes.keys()
    assert after.edges == ir.edges
    topology = build_hierarchy(split_recycled(after))
    for fqn, calls in after.calls.items():
        assert fqn in after.modules
        assert all(caller in after.modules for caller, _ in calls)
    if ir.calls:  # Else calls are told apart afterwards, and pieces may be small.
        children: dict[str, set[str]] = {}
        for scope in topology.scopes.values():
            inside = children.setdefault(scope.fqn, set())
            for child in scope.children:
                if child in topology.scopes:
                    inside.add("m" + topology.scopes[child].fqn)
                else:
                    attributes = topology.graph.nodes[child]
                    is_call = attributes["op_kind"] == "call_module"
                    inside.add("m" + attributes["fqn"] if is_call else "n" + child)
        for fqn, inside in children.items():
            assert not fqn or len(inside - {"m" + fqn}) > 1 or "m" + fqn in inside, fqn


def _levels(topology: Topology) -> dict[str, nx.DiGraph]:
    """Lifts each edge to the scopes' children anew, by walking up."""
    graphs = {name: nx.DiGraph() for name in topology.scopes}
    for source, target in topology.graph.edges():
        paths = []
        for end in (source, target):
            path = [end]
            scope = topology.graph.nodes[end]["scope"]
            while scope is not None:
                path.append(scope)
                scope = topology.scopes[scope].parent
            paths.append(path[::-1])
        index = 0
        while paths[0][index] == paths[1][index]:
            index += 1
        graphs[paths[0][index - 1]].add_edge(paths[0][index], paths[1][index])
    return graphs


@many
@given(ir=irs())
def test_hierarchy_has_no_cycle_on_any_level(ir: IR) -> None:
    topology = build_hierarchy(split_recycled(ir))
    for name, graph in _levels(topology).items():
        assert nx.is_directed_acyclic_graph(graph), (name, list(graph.edges))
        flows = {(flow.source, flow.target) for flow in topology.scopes[name].flows}
        assert flows == set(graph.edges)


@many
@given(ir=irs())
def test_ids_are_unique_and_scopes_hold_every_node_once(ir: IR) -> None:
    split = split_recycled(prune_modules(prune_nodes(ir)))
    assert not split.nodes.keys() & split.modules.keys()
    topology = build_hierarchy(split)
    assert list(topology.graph) == list(split.nodes)
    assert topology.graph.number_of_edges() == len(split.edges)
    children = [child for scope in topology.scopes.values() for child in scope.children]
    assert len(children) == len(set(children))
    assert set(children) == set(split.nodes) | (set(topology.scopes) - {""})
    places = {name: place for place, name in enumerate(topology.scopes)}
    for scope in topology.scopes.values():
        assert scope.parent is None or places[scope.parent] < places[scope.id]
        assert scope.children or scope.id == ""


@many
@given(ir=irs(told=True))
def test_told_calls_keep_their_names(ir: IR) -> None:
    split = split_recycled(ir)
    for old, (key, node) in zip(ir.nodes.values(), split.nodes.items(), strict=True):
        if old["op_kind"] == "call_module":
            call = f"@{old['call']}" if old["call"] else ""
            assert key.rstrip("_") == f"{old['fqn']}{call}".rstrip("_")
            assert (node["fqn"], node["call"]) == (old["fqn"], old["call"])


@many
@given(ir=irs())
def test_shared_with_and_repeats_are_true(ir: IR) -> None:
    topology = build_hierarchy(split_recycled(ir))
    nodes = topology.graph.nodes

    def keys(name: str) -> set[str]:
        attributes = nodes[name]
        read = {
            (ir.parameters[fqn]["alias_of"] or fqn)
            for fqn in attributes["parameters"]
            if ir.parameters[fqn]["kind"] != "constant"
        }
        return read | (
            {f"module {attributes['fqn']}"}
            if attributes["op_kind"] == "call_module" and attributes["fqn"]
            else set()
        )

    for name in nodes:
        expected = [other for other in nodes if keys(other) & keys(name)]
        assert nodes[name]["shared_with"] == (expected if len(expected) > 1 else [])
    for scope in topology.scopes.values():
        runs = [topology.scopes[child] for child in scope.children if child in topology.scopes]
        assert sum(child.repeat for child in runs) == len(runs)


def test_random_networks_are_of_all_kinds() -> None:
    """The strategies would prove nothing if they never came to the hard cases."""
    irs = [random_ir(seed, 40, told) for seed in range(150) for told in (True, False)]
    assert any(len(calls) > 1 for ir in irs for calls in ir.calls.values())
    assert any(caller == fqn for ir in irs for fqn, c in ir.calls.items() for caller, _ in c)
    assert any("@" in key for ir in irs for key in split_recycled(ir).modules)
    assert any(len(prune_nodes(ir).nodes) < len(ir.nodes) / 2 for ir in irs if len(ir.nodes) > 9)
    assert any(len(prune_modules(ir).modules) < len(ir.modules) for ir in irs)
    assert any(
        node["op_kind"] == "call_module"
        for ir in irs
        if not ir.calls
        for node in split_recycled(ir).nodes.values()
    )
