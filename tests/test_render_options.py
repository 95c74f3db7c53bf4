"""Renderers refuse what they do not know, and say what they know."""

from __future__ import annotations

from typing import Any

import pytest
from rendering import residual

from visuai import plugins
from visuai.errors import PluginError, RenderError

NAMES = ["pyvis", "threejs", "svg", "dot", "mermaid", "text", "model-explorer"]


def test_all_are_built_in() -> None:
    assert set(NAMES) <= set(plugins.names(plugins.RENDERERS))


@pytest.mark.parametrize("name", NAMES)
def test_unknown_option_names_the_known(name: str) -> None:
    with pytest.raises(RenderError, match=rf"'{name}' has no option 'dept'.*'depth'.*expanded"):
        residual().render(name, dept=1)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("depth", -1, "a whole number from 0 or None"),
        ("depth", True, "a whole number from 0 or None"),
        ("depth", "2", "a whole number from 0 or None"),
        ("expanded", "body", "a set of scope ids or None"),
        ("expanded", [1], "a set of scope ids or None"),
        ("fold_repeats", 1, "True or False"),
        ("theme", "pink", "'light' or 'dark'"),
        ("direction", "up", "'TB' or 'LR'"),
        ("title", 3, "a text or None"),
    ],
)
def test_wrong_values(option: str, value: Any, expected: str) -> None:
    with pytest.raises(RenderError, match=f"'{option}'.*'svg'.*expected {expected}"):
        residual().render("svg", **{option: value})


@pytest.mark.parametrize("name", NAMES)
def test_unknown_scope(name: str) -> None:
    with pytest.raises(RenderError, match="nowhere"):
        residual().render(name, expanded={"nowhere"})


def test_needs_a_topology() -> None:
    render = plugins.load(plugins.RENDERERS, "svg")
    with pytest.raises(RenderError, match="takes a Topology, got dict"):
        render({})
    with pytest.raises(PluginError, match="paper"):
        residual().render("paper")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [{}, {"depth": 1}, {"depth": 2}, {"expanded": ["body"]}])
def test_same_bytes_each_time_and_nothing_changed(name: str, options: dict[str, Any]) -> None:
    topology = residual()
    before = repr((topology.graph.nodes(data=True), topology.graph.edges(data=True)))
    scopes = repr(topology.scopes)
    first = topology.render(name, **options)
    assert first
    assert first == residual().render(name, **options)
    assert scopes == repr(topology.scopes)
    assert before == repr((topology.graph.nodes(data=True), topology.graph.edges(data=True)))
