"""Identical siblings are drawn once, and only where that is the whole truth."""

from __future__ import annotations

import pytest
from rendering import residual, topology_of

from visuai.render.fold import drawn, fold


def test_run_of_open_scopes() -> None:
    drawing = fold(residual(4))
    assert drawing.repeats == {"body.0": 4}
    assert list(drawing.topology.scopes) == ["", "body", "body.0"]
    assert drawing.topology.scopes["body"].children == ["body.0"]
    edges = set(drawing.topology.graph.edges())
    assert ("body.0.add", "head") in edges, "the run is left by its stand-in"
    assert ("stem", "body.0.conv") in edges
    assert not any("body.1" in end for edge in edges for end in edge)
    assert drawing.topology.graph.number_of_edges() == 1 + 2 + 2 + 1 + 1


def test_run_of_closed_scopes() -> None:
    drawing = drawn(residual(4), depth=2, expanded=None, fold_repeats=True)
    assert drawing.repeats == {"body.0": 4}
    assert list(drawing.topology.graph) == ["x", "stem", "body.0", "head", "output"]
    assert list(drawing.topology.graph.edges()) == [
        ("x", "stem"),
        ("stem", "body.0"),
        ("body.0", "head"),
        ("head", "output"),
    ]


def test_not_folded_when_told_not_to() -> None:
    topology = residual(4)
    drawing = drawn(topology, depth=None, expanded=None, fold_repeats=False)
    assert drawing.topology is topology
    assert drawing.repeats == {}
    assert "×4" not in str(topology.render("svg", fold_repeats=False))


def test_a_member_that_feeds_something_else_keeps_the_run_unfolded() -> None:
    topology = residual(3)
    topology.graph.add_edge(
        "body.1.add", "output", source_output=0, target_input=1, shape=None, dtype=None
    )
    drawing = fold(topology)
    assert drawing.repeats == {}
    assert set(drawing.topology.graph) == set(topology.graph)


def test_skip_over_a_member_keeps_the_run_unfolded() -> None:
    topology = residual(3)
    topology.graph.add_edge("body.0.add", "body.2.add", source_output=0, target_input=2)
    assert fold(topology).repeats == {}


def test_value_that_all_members_read_is_one_edge() -> None:
    topology = residual(3)
    topology.graph.add_node("mask", **{**topology.graph.nodes["x"], "op_kind": "placeholder"})
    for index in range(3):
        topology.graph.add_edge("mask", f"body.{index}.add", source_output=0, target_input=2)
    folded = fold(topology).topology
    assert folded.graph.number_of_edges("mask", "body.0.add") == 1


def test_side_by_side() -> None:
    nodes = {"x": ("input", ""), "sum": ("add", ""), "output": ("output", "")}
    nodes |= {f"head{i}.fc": ("Linear", f"head{i}") for i in range(3)}
    edges = [("x", f"head{i}.fc") for i in range(3)]
    edges += [(f"head{i}.fc", "sum") for i in range(3)] + [("sum", "output")]
    topology = topology_of(
        "Heads", nodes, edges, {f"head{i}": ("Head", 3 if i == 0 else 0) for i in range(3)}
    )
    assert fold(topology).repeats == {"head0": 3}


@pytest.mark.parametrize("name", ["svg", "text", "dot", "mermaid"])
def test_badge(name: str) -> None:
    assert "×3" in str(residual(3).render(name))


def test_what_every_member_hands_out_is_one_edge() -> None:
    topology = residual(4)
    for index in range(4):
        topology.graph.add_edge(
            f"body.{index}.conv", "output", source_output=0, target_input=1 + index
        )
    drawing = fold(topology)
    assert drawing.repeats == {"body.0": 4}
    edges = list(drawing.topology.graph.edges())
    assert edges.count(("body.0.conv", "output")) == 1
    assert ("body.0.add", "head") in edges, "the run is left by its stand-in"


def test_members_that_hand_out_different_values_stay_unfolded() -> None:
    topology = residual(4)
    for index in range(4):
        source = f"body.{index}.{'add' if index == 2 else 'conv'}"
        topology.graph.add_edge(source, "output", source_output=0, target_input=1 + index)
    assert fold(topology).repeats == {}
