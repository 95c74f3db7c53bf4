"""The wire: what the viewer is sent holds together, is JSON, and has the types promised."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import torch
from rendering import hostile, residual, topology_of

import visuai
from visuai import wire as types
from visuai.errors import FormatError
from visuai.topology import Topology
from visuai.wire import packed, wire

FRONTEND = Path(__file__).parents[1] / "frontend"


def unpacked(document: Any) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(gzip.decompress(packed(document)), parse_constant=refuse)


def test_one_network() -> None:
    document = unpacked(wire(residual()))
    assert document["diff"] is None
    (network,) = document["networks"]
    assert Topology.from_dict(network["topology"]).to_dict() == residual().to_dict()
    assert len(network["node_costs"]["flops"]) == len(network["topology"]["nodes"]["id"])
    assert len(network["scope_costs"]["flops"]) == len(network["topology"]["scopes"]["id"])
    assert network["scope_costs"]["nodes"][0] == 11, "input and output are no ops"


def test_two_networks_and_what_differs() -> None:
    a, b = residual(), residual(4)
    diff = unpacked(wire(a, b))["diff"]
    assert len(diff["nodes"]) == a.graph.number_of_nodes()
    names = list(b.graph)
    for number, key in enumerate(a.graph):
        assert diff["nodes"][number] == -1 or names[diff["nodes"][number]] == key
    assert diff["scopes"][0] == 0, "the roots are the same"
    assert {change["kind"] for change in diff["changes"]} >= {"added"}


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_numbers_that_json_cannot_say(value: float) -> None:
    a, b = residual(), residual()
    a.graph.nodes["stem"]["attributes"] = {"fill": value}
    b.graph.nodes["stem"]["attributes"] = {"fill": 0.5}
    document = unpacked(wire(a, b))
    (change,) = document["diff"]["changes"]
    assert change["details"]["fill"] == [{"float": repr(value)}, 0.5]
    held = document["networks"][0]["topology"]["nodes"]["attributes"]
    assert {"fill": {"float": repr(value)}} in held.get("of", held.get("rows"))


def test_what_json_cannot_say_at_all_is_told() -> None:
    topology = residual()
    topology.graph.nodes["stem"]["attributes"] = {"how": object()}
    with pytest.raises(FormatError, match=r"Residuals.*object"):
        packed(wire(topology))


def test_a_network_without_edges_has_all_columns() -> None:
    document = unpacked(wire(topology_of("Still", {"x": ("input", "")}, [])))
    edges = document["networks"][0]["topology"]["edges"]
    assert edges["source_output"] == edges["target_input"] == {"rows": []}


def test_same_bytes_each_time() -> None:
    assert packed(wire(residual())) == packed(wire(residual()))


def small_network() -> Topology:
    relu = torch.nn.ReLU()
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), relu, torch.nn.Dropout(), relu)
    return visuai.build(model, torch.zeros(2, 4))


@pytest.mark.parametrize("make", [small_network, hostile])
def test_documents_have_the_types_that_are_promised(make: Callable[[], Topology]) -> None:
    """Walks a document along its types: the TypeScript ones are made from them."""
    topology = make()
    for node in topology.graph.nodes.values():
        node.pop("scope_call", None)  # those made by hand have it, those built have not
    waiting: list[tuple[str, Any, Any]] = [("wire", types.Wire, unpacked(wire(topology, topology)))]
    seen = 0
    while waiting:
        where, kind, value = waiting.pop()
        if hasattr(kind, "__required_keys__"):
            assert kind.__required_keys__ <= value.keys(), where
            extra = value.keys() - kind.__required_keys__ - kind.__optional_keys__
            assert not extra, f"{where} has what no type promises: {extra}"
            seen += 1
            hints = get_type_hints(kind)
            waiting += [(f"{where}.{name}", hints[name], value[name]) for name in value]
        elif kind == types.Column:
            assert set(value) in ({"all"}, {"rows"}, {"of", "at"}), where
        elif getattr(kind, "__origin__", None) is list:
            assert isinstance(value, list), where
            waiting += [(f"{where}[]", kind.__args__[0], one) for one in value[:50]]
    assert seen > 10


def test_the_typescript_types_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, FRONTEND / "wire_types.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
