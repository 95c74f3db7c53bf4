"""Saved topologies: exact round trips, small files, and nothing believed when read."""

from __future__ import annotations

import copy
import gzip
import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import make, topologies

from visuai import archive
from visuai.errors import FormatError
from visuai.report import PassRecord, Report
from visuai.topology import Flow, Topology


def rich_topology() -> Topology:
    """One of everything that a topology can hold."""
    topology = make(
        {"input": "", "a.x": "a", "a.y": "a", "mul": "", 'out"<b>\n\u2603\ud800': ""},
        [
            ("input", "a.x", 0),
            ("a.x", "a.y", 0),
            ("a.y", "mul", 0),
            ("a.y", "mul", 0),
            ("mul", 'out"<b>\n\u2603\ud800', 1),
        ],
        {"": None, "a": ""},
    )
    graph = topology.graph
    graph.nodes["a.x"].update(shared_with=["a.y"], flops=None, call=None, source=None)
    graph.nodes["a.y"].update(shared_with=["a.x"], outputs=[None], parameters=["elsewhere"])
    graph.nodes["mul"]["shared_with"] = ["a.y", "a.x"]  # not in order
    graph.nodes["mul"]["attributes"] = {
        "value": float("-inf"),
        "zero": -0.0,
        "one": 1,
        "true": True,
        "none": None,
        "text": "1",
    }
    graph.nodes["input"].update(scope_node=True, nodes=3, repeat=2)
    graph.edges["input", "a.x", 0]["pruned"] = ["view", "to"]
    graph.edges["a.x", "a.y", 0].update(shape=None, dtype=None)
    graph.edges["a.y", "mul", 1].update(shape=["batch", 3])
    topology.scopes["a"].repeat = 0
    topology.scopes["a"].call = None
    topology.scopes[""].flows = [Flow("input", "a", 1, None), Flow("a", "mul", 2, spec())]
    topology.parameters["a.x.weight"]["alias_of"] = "a.y.weight"
    topology.origin = {"route": "symbolic", "torch": torch.__version__}  # a subclass of str
    topology.report = Report("symbolic", {"eager": "x"}, ["one"], [PassRecord("p", 0.5, 1, 2)])
    topology.report.passes[0].removed = {"view": 2}
    return topology


def spec() -> Any:
    return {"shape": [1, "n"], "dtype": "bfloat16"}


def fields(topology: Topology) -> dict[str, Any]:
    held = {name: value for name, value in vars(topology).items() if name != "graph"}
    held["nodes"] = list(topology.graph.nodes(data=True))
    held["out"] = [(key, list(ends)) for key, ends in topology.graph.succ.items()]
    held["in"] = [(key, list(ends)) for key, ends in topology.graph.pred.items()]
    return held


def assert_same(one: Topology, other: Topology) -> None:
    assert fields(one) == fields(other)
    assert list(one.scopes) == list(other.scopes)
    assert nx.utils.graphs_equal(one.graph, other.graph)
    assert repr(one.graph.nodes(data=True)) == repr(other.graph.nodes(data=True))  # 1 is not True


def test_dictionary_round_trip_is_exact() -> None:
    topology = rich_topology()
    before = copy.deepcopy(topology)
    document = topology.to_dict()
    assert_same(Topology.from_dict(document), topology)
    assert_same(Topology.from_dict(json.loads(json.dumps(document))), topology)
    assert_same(topology, before)


@settings(max_examples=60, deadline=None)
@given(topologies())
def test_any_topology_round_trips(topology: Topology) -> None:
    assert_same(archive.load_bytes(archive.save_bytes(topology)), topology)
    coarse = topology.view(depth=1)
    assert_same(Topology.from_dict(coarse.to_dict()), coarse)


def test_files_are_compressed_or_plain_and_deterministic(tmp_path: Path) -> None:
    topology = rich_topology()
    topology.save(tmp_path / "net.json.gz")
    topology.save(tmp_path / "again.json.gz")
    topology.save(tmp_path / "net.json")
    data = (tmp_path / "net.json.gz").read_bytes()
    assert data == (tmp_path / "again.json.gz").read_bytes()
    assert data.startswith(b"\x1f\x8b")
    assert data[4:8] == b"\0\0\0\0"  # no time in it
    assert json.loads((tmp_path / "net.json").read_text())["schema"] == "visuai/topology@1"
    assert_same(Topology.load(tmp_path / "net.json.gz"), topology)
    assert_same(Topology.load(str(tmp_path / "net.json")), topology)


def test_saving_what_does_not_hold_together_says_so() -> None:
    topology = rich_topology()
    topology.outputs.append("gone")
    with pytest.raises(FormatError, match=r"does not hold together.*'gone'"):
        topology.to_dict()
    topology = rich_topology()
    topology.graph.nodes["mul"]["mine"] = object()
    with pytest.raises(FormatError, match="JSON cannot say"):
        archive.save_bytes(topology)


def test_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Topology.load(tmp_path / "nothing.json.gz")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JSON"),
        (b"\x80\x04\x95\x10", "no JSON"),  # the start of a pickle
        (b"[1, 2]", "is a list"),
        (b"{}", "got schema 'None'"),
        (b'{"schema": "visuai/topology@9"}', "@9.*expected 'visuai/topology@1'"),
        (b'{"schema": "visuai/topology@1"}', "KeyError: 'nodes'"),
        (b"[" * 1_000_000, "no JSON|Too large"),
        (b"\x1f\x8b\x08", "ends before"),
        (b"\x1f\x8bnonsense", "gzip cannot"),
        (gzip.compress(b"{}") + b"more", "more behind"),
        (gzip.compress(b"{}")[:-3], "ends before"),
    ],
)
def test_what_is_no_topology_is_refused(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=says) as caught:
        Topology.load(path)
    assert str(path) in str(caught.value)


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visuai.archive.file.MAX_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) < 20_000
    with pytest.raises(FormatError, match="more than 1,000,000 bytes"):
        archive.load_bytes(bomb)
    monkeypatch.setattr("visuai.archive.file.MAX_CONTAINERS", 1_000)
    with pytest.raises(FormatError, match="lists and objects"):
        archive.load_bytes(b"[" + b"[]," * 1_001 + b"[]]")
    monkeypatch.setattr("visuai.archive.file.MAX_VALUES", 1_000)
    with pytest.raises(FormatError, match="values"):
        archive.load_bytes(b"[" + b"0," * 1_001 + b"0]")


def test_sharers_have_one_list_in_common() -> None:
    topology = rich_topology()
    together = ["a.x", "a.y", "mul"]
    for key in together:
        topology.graph.nodes[key]["shared_with"] = together
    loaded = archive.load_bytes(archive.save_bytes(topology)).graph.nodes
    assert loaded["a.x"]["shared_with"] == together
    assert loaded["a.x"]["shared_with"] is loaded["mul"]["shared_with"]


BROKEN: list[tuple[str, Any]] = [
    ("scopes.parent", [-1, 1]),
    ("scopes.parent", [1, -1]),
    ("scopes.parent", [-1, -1]),
    ("scopes.parent", [-1]),
    ("scopes.id", ["", "mul"]),
    ("scopes.id", ["", ""]),
    ("scopes.id", ["root", "a"]),
    ("scopes.children", [[0, 0], [1, 2]]),
    ("scopes.children", [[1], []]),
    ("scopes.children", [[-1], []]),
    ("scopes.children", [[99], []]),
    ("scopes.repeat", {"all": -1}),
    ("nodes.id", ["a", "a", "b", "c", "d"]),
    ("nodes.id", ["a"]),
    ("nodes.scope", {"all": 7}),
    ("nodes.scope", {"all": -1}),
    ("nodes.op_kind", {"all": "call_home"}),
    ("nodes.op_kind", {"all": []}),
    ("nodes.flops", {"all": "many"}),
    ("nodes.flops", {"all": True}),
    ("nodes.flops", {"all": 1e300}),
    ("nodes.outputs", {"all": [99]}),
    ("nodes.outputs", {"rows": [[0]] * 4}),
    ("nodes.attributes", {"all": {"a": [1]}}),
    ("nodes.source", {"all": ["file"]}),
    ("nodes.call", {"of": [0], "at": [-1, -1, 0, 0, 0]}),
    ("nodes.call", {"of": [0], "at": [1, 0, 0, 0, 0]}),
    ("nodes.call", {"of": [0], "at": [0.0, 0, 0, 0, 0]}),
    ("nodes.call", None),
    ("nodes.groups", [[9], [9], [9], [9]]),
    ("nodes.shared_with", {"all": 9}),
    ("edges.target", [0, 1, 2, 3, 99]),
    ("edges.back", [9, 9, 9, 9, 9]),
    ("edges.back", [1, 1]),
    ("edges.spec", [0, 0, 0, 0, True]),
    ("edges.key", {"all": 0}),
    ("flows.source", [1, 1]),
    ("flows.scope", [1, 1]),
    ("parameters.bytes", {"all": 2**63}),
    ("parameters.kind", {"all": "secret"}),
    ("parameters.alias_of", {"all": "nowhere"}),
    ("inputs", [99]),
    ("inputs", 3),
    ("name", None),
    ("origin", {"route": 1}),
    ("report", {"route": "x"}),
    ("report.passes", [{"name": "x"}]),
    ("specs", [[]]),
    ("specs", [["float32", -1]]),
]


@pytest.mark.parametrize(("where", "value"), BROKEN)
def test_each_broken_promise_is_found(where: str, value: Any) -> None:
    document = json.loads(json.dumps(rich_topology().to_dict()))
    holder = document
    *path, last = where.split(".")
    for key in path:
        holder = holder[key]
    assert holder.get(last) != value
    holder[last] = value
    with pytest.raises(FormatError):
        Topology.from_dict(document)


def use(topology: Topology) -> None:
    """Does what a reader of an untrusted file would do with it."""
    topology.view(depth=1)
    repr(topology)
    assert_same(Topology.from_dict(topology.to_dict()), topology)


def test_flipped_bytes_and_cut_files_never_crash() -> None:
    chance = random.Random(0)
    packed = archive.save_bytes(rich_topology())
    plain = archive.save_bytes(rich_topology(), compress=False)
    refused = 0
    for trial in range(1_500):
        damaged = bytearray(packed if trial % 3 == 0 else plain)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.choice(b'0123456789[]{}",-:e.\x00\xff')
        if trial % 5 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        try:
            use(archive.load_bytes(bytes(damaged)))
        except FormatError:
            refused += 1
    assert refused > 1_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_values_of_any_type_anywhere_never_crash(data: st.DataObject) -> None:
    document = json.loads(json.dumps(rich_topology().to_dict()))
    holder: Any = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if isinstance(inner, (dict, list)) and inner and data.draw(st.booleans()):
            holder = inner
            continue
        holder[key] = data.draw(json_values)
        break
    with suppress(FormatError):
        use(Topology.from_dict(document))
