"""Many values between two nodes are one line that tells how many they are."""

from __future__ import annotations

import networkx as nx
import pytest
from rendering import topology_of

from visuai.render.bundle import bundled
from visuai.render.fold import Drawn
from visuai.topology import Topology


def cache(values: int) -> Topology:
    """A node that hands many values to the output, and one more to a head as well."""
    nodes = {"x": ("input", ""), "stack": ("split", ""), "head": ("Linear", "")}
    nodes["output"] = ("output", "")
    edges: list[tuple[str, str] | tuple[str, str, int, int]] = [("x", "stack")]
    edges += [("stack", "output", index, index) for index in range(values)]
    edges += [("stack", "head", 0, 0), ("head", "output", 0, values)]
    return topology_of("Cache", nodes, edges, shape=[1, 4])


def test_values_between_two_nodes_are_joined() -> None:
    topology = cache(24)
    graph = bundled(Drawn(topology, {})).topology.graph
    joined = [data for _, _, data in graph.edges(data=True) if "bundle" in data]
    assert [(data["bundle"], data["shape"]) for data in joined] == [(23, None)]
    assert graph.number_of_edges("stack", "output") == 2, "value 0 also goes to the head"
    assert set(nx.DiGraph(graph).edges) == set(nx.DiGraph(topology.graph).edges)
    assert topology.graph.number_of_edges("stack", "output") == 24, "the topology is as it was"


def test_a_few_values_stay_apart() -> None:
    drawing = Drawn(cache(4), {})
    assert bundled(drawing) is drawing


@pytest.mark.parametrize("renderer", ["svg", "pyvis", "dot", "mermaid"])
def test_the_picture_tells_how_many(renderer: str) -> None:
    assert "23 values" in str(cache(24).render(renderer))
