"""text, dot, mermaid, model-explorer and the notebook."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rendering import Golden, hostile, residual, skips

from visuai.render.notebook import readable


@pytest.mark.parametrize(
    ("name", "file"),
    [("text", "txt"), ("dot", "dot"), ("mermaid", "mmd"), ("model-explorer", "json")],
)
def test_golden(golden: Golden, name: str, file: str) -> None:
    golden(f"render/residual.{file}", str(residual().render(name)))


def test_text_names_the_inputs_that_are_not_the_line_before() -> None:
    lines = str(skips(2).render("text")).splitlines()
    (cat,) = [line for line in lines if "cat1" in line]
    assert cat.endswith("← bottom, down1")
    (pool,) = [line for line in lines if "pool0" in line]
    assert "←" not in pool


def test_text_has_one_line_per_node_and_open_scope() -> None:
    topology = residual()
    lines = str(topology.render("text", fold_repeats=False)).splitlines()
    assert len(lines) == 1 + len(topology.graph) + len(topology.scopes) - 1


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs graphviz")
@pytest.mark.parametrize("topology", [residual(), skips(), hostile()], ids=lambda t: t.name[:8])
def test_graphviz_reads_dot(topology: Any, tmp_path: Path) -> None:
    text = str(topology.render("dot", fold_repeats=False))
    done = subprocess.run(
        ["dot", "-Tsvg"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr, done.stderr.decode()
    root = ElementTree.fromstring(done.stdout)
    kinds = [group.attrib.get("class") for group in root.iter("{http://www.w3.org/2000/svg}g")]
    assert kinds.count("node") == len(topology.graph)
    assert kinds.count("edge") == topology.graph.number_of_edges()
    assert kinds.count("cluster") == len(topology.scopes) - 1
    words = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    if topology.name == "Residuals":
        assert words.count("Conv2d") == 4
    elif topology.name != "UNet":
        assert "<script>alert(1)</script>" in words
        assert "%% comment; #quot; &amp; &lt;" in words
        assert "back\\slash \\n \\u0041" in words


def test_model_explorer_reads_its_format() -> None:
    """Fills the format's own dataclasses, which refuse unknown fields."""
    package = importlib.util.find_spec("model_explorer")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs ai-edge-model-explorer")
    home = Path(package.submodule_search_locations[0]) / "graph_builder.py"
    spec = importlib.util.spec_from_file_location("graph_builder", home)
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = builder  # dataclasses look their module up
    spec.loader.exec_module(builder)

    def fill(kind: type, document: dict[str, Any], **parts: Any) -> Any:
        assert is_dataclass(kind)
        assert set(document) <= {field.name for field in fields(kind)}
        return kind(**{**document, **parts})

    for topology in (residual(), hostile()):
        document = json.loads(str(topology.render("model-explorer")))
        for graph in document["graphs"]:
            nodes = [
                fill(
                    builder.GraphNode,
                    node,
                    attrs=[fill(builder.KeyValue, pair) for pair in node["attrs"]],
                    incomingEdges=[
                        fill(builder.IncomingEdge, edge) for edge in node["incomingEdges"]
                    ],
                    outputsMetadata=[
                        fill(
                            builder.MetadataItem,
                            item,
                            attrs=[fill(builder.KeyValue, pair) for pair in item["attrs"]],
                        )
                        for item in node["outputsMetadata"]
                    ],
                    style=fill(builder.GraphNodeStyle, node["style"]),
                )
                for node in graph["nodes"]
            ]
            fill(
                builder.GraphCollection, document, graphs=[fill(builder.Graph, graph, nodes=nodes)]
            )


def test_model_explorer_holds_together() -> None:
    for topology in (residual(), hostile()):
        (graph,) = json.loads(str(topology.render("model-explorer")))["graphs"]
        ids = [node["id"] for node in graph["nodes"]]
        assert len(set(ids)) == len(ids) == len(topology.graph)
        edges = [edge for node in graph["nodes"] for edge in node["incomingEdges"]]
        assert len(edges) == topology.graph.number_of_edges()
        assert all(edge["sourceNodeId"] in ids for edge in edges)
        depths = [len(node["namespace"].split("/")) for node in graph["nodes"] if node["namespace"]]
        assert max(depths) <= max(3, len(topology.scopes))
        assert {node["namespace"] for node in graph["nodes"]} <= set(graph["groupNodeAttributes"])


def test_notebook() -> None:
    bundle = residual()._repr_mimebundle_()
    assert sorted(bundle) == ["image/svg+xml", "text/plain"]
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "Residual ×3" in bundle["text/plain"]


def test_notebook_shows_what_fits() -> None:
    small = residual(3)
    assert set(readable(small).scopes) == set(small.scopes)
    large = residual(100)
    large.scopes["body.0"].repeat = 1
    for index in range(1, 100):
        large.scopes[f"body.{index}"].repeat = 1
    assert set(readable(large).scopes) == {""}
