"""The Three.js scene, read by THREE.ObjectLoader of the real `three`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rendering import hostile, residual, skips

from visuai.topology import Topology

HERE = Path(__file__).parent / "threejs"


@pytest.fixture(scope="session")
def node() -> str:
    program = shutil.which("node")
    npm = shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("needs node and npm")
    if not (HERE / "node_modules" / "three").is_dir():
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"npm cannot install three: {done.stderr[-200:]}")
    return program


def read(node: str, topology: Topology, **options: Any) -> dict[str, Any]:
    done = subprocess.run(
        [node, "check.mjs"],
        input=str(topology.render("threejs", **options)),
        cwd=HERE,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["type"] == "Scene"
    assert found["warnings"] == []
    assert found["finite"]
    assert found["segments"]
    assert found["cameras"] == 1
    assert found["vertices"] > 0
    assert found["vertices"] % 2 == 0
    assert found["again"]
    return found


def test_meshes_groups_and_lines(node: str) -> None:
    topology = residual()
    found = read(node, topology, fold_repeats=False)
    assert set(found["nodes"]) == set(topology.graph)
    assert found["instanced"] == 0
    assert found["meshes"] == len(topology.graph)
    assert {key: group["parent"] for key, group in found["groups"].items()} == {
        "body": "",
        "body.0": "body",
        "body.1": "body",
        "body.2": "body",
    }
    for key, entry in found["nodes"].items():
        assert entry["parent"] == topology.graph.nodes[key]["scope"]
        assert entry["data"]["category"] == topology.graph.nodes[key]["category"]
    assert found["nodes"]["stem"]["colour"] == "0072b2"
    assert found["nodes"]["stem"]["data"]["parameters"] == ["stem.weight"]
    assert [edge[:4] for edge in found["edges"]] == [
        [source, target, data["source_output"], data["target_input"]]
        for source, target, data in topology.graph.edges(data=True)
    ]
    heights = [found["nodes"][key]["place"] for key in ("x", "stem", "body.0.conv", "output")]
    assert [y for _, y, _ in heights] == sorted((y for _, y, _ in heights), reverse=True)
    assert heights[2][2] > heights[1][2], "what lies in a scope lies on it"


def test_many_of_a_kind_are_instances_in_the_same_places(node: str) -> None:
    topology = residual()
    single = read(node, topology, fold_repeats=False)
    many = read(node, topology, fold_repeats=False, instances=3)
    assert many["instanced"] == 3, "conv, relu and add"
    assert many["meshes"] + sum(entry["instance"] for entry in many["nodes"].values()) == len(
        topology.graph
    )
    for key, entry in many["nodes"].items():
        for part in ("place", "size"):
            assert entry[part] == pytest.approx(single["nodes"][key][part], abs=1e-3)
        assert entry["data"] == single["nodes"][key]["data"]


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_skips(node: str, direction: str) -> None:
    read(node, skips(), direction=direction, theme="dark")


def test_hostile_names_are_data(node: str) -> None:
    topology = hostile()
    found = read(node, topology)
    shown = {key.encode("utf-16", "surrogatepass") for key in topology.graph}
    assert len(found["nodes"]) == len(shown)


def test_uuids_are_unique_and_steady() -> None:
    text = str(residual().render("threejs"))
    document = json.loads(text)
    assert document["metadata"] == {"version": 4.6, "type": "Object", "generator": "visuai"}
    seen: list[str] = [part["uuid"] for part in document["geometries"] + document["materials"]]
    pending = [document["object"]]
    while pending:
        part = pending.pop()
        seen.append(part["uuid"])
        pending.extend(part.get("children", []))
    assert len(seen) == len(set(seen))
    assert text == residual().render("threejs")
