"""Differences between networks: found by structure, told once, and near-linear."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given, settings
from networks import topologies
from rich.console import Console
from torch import nn

import visuai
from visuai.analysis.diff import Diff
from visuai.topology import Topology

x = torch.zeros(1, 4)


def build(*modules: nn.Module, inputs: torch.Tensor = x) -> Topology:
    return visuai.build(nn.Sequential(*modules), inputs)


def linear(size: int = 4, result: int = 4) -> nn.Linear:
    return nn.Linear(size, result)


def told(found: Diff) -> list[tuple[str, str, str | None, str | None]]:
    return [(one.what, one.kind, one.before, one.after) for one in found.changes]


def test_nothing_differs() -> None:
    found = visuai.diff(build(linear(), nn.ReLU()), build(linear(), nn.ReLU()))
    assert not found
    assert found.to_dict()["changes"] == []
    assert str(found) == "No difference.\n"


def test_a_renamed_module_is_renamed_and_nothing_else() -> None:
    def model(name: str) -> nn.Module:
        inner = nn.Sequential(linear(), nn.ReLU())
        return nn.Sequential(OrderedDict([(name, inner), ("head", linear())]))

    found = visuai.diff(visuai.build(model("enc"), x), visuai.build(model("encoder"), x))
    assert told(found) == [("module", "renamed", "enc", "encoder")]


def test_a_renamed_leaf_is_a_renamed_node() -> None:
    def model(name: str) -> nn.Module:
        return nn.Sequential(OrderedDict([(name, linear()), ("act", nn.ReLU())]))

    found = visuai.diff(visuai.build(model("fc"), x), visuai.build(model("proj"), x))
    assert told(found) == [("node", "renamed", "fc", "proj")]


def test_an_inserted_op_is_added_and_moves_the_numbers() -> None:
    found = visuai.diff(
        build(linear(), nn.ReLU(), linear()), build(linear(), nn.Tanh(), nn.ReLU(), linear())
    )
    assert sorted(told(found), key=str) == [
        ("node", "added", None, "1"),
        ("node", "renamed", "1", "2"),
        ("node", "renamed", "2", "3"),
    ]


def test_one_more_at_the_end_of_many_alike() -> None:
    found = visuai.diff(
        build(*(linear() for _ in range(50))), build(*(linear() for _ in range(51)))
    )
    assert told(found) == [
        ("node", "added", None, "50"),
        ("parameter", "added", None, "50.weight"),
        ("parameter", "added", None, "50.bias"),
    ]


def test_a_removed_op() -> None:
    found = visuai.diff(build(linear(), nn.Tanh(), nn.ReLU()), build(linear(), nn.ReLU()))
    assert told(found) == [("node", "removed", "1", None), ("node", "renamed", "2", "1")]


def test_another_width_changes_nodes_shapes_and_parameters() -> None:
    found = visuai.diff(
        build(linear(), nn.ReLU(), linear()), build(linear(4, 5), nn.ReLU(), linear(5, 4))
    )
    assert [one.before for one in found.of("node", "changed")] == ["0", "2"]
    assert [one.before for one in found.of("shape")] == ["0", "1"]
    weights = {one.before: one.details["shape"] for one in found.of("parameter")}
    assert weights == {
        "0.weight": [[4, 4], [5, 4]],
        "0.bias": [[4], [5]],
        "2.weight": [[4, 4], [4, 5]],
    }
    assert not found.of("edge")


def test_another_batch_size_changes_shapes_only() -> None:
    found = visuai.diff(
        build(linear(), nn.ReLU()), build(linear(), nn.ReLU(), inputs=torch.zeros(2, 4))
    )
    assert {one.what for one in found.changes} == {"shape"}
    assert {one.before for one in found.changes} >= {"0", "1"}


def test_a_replaced_op_is_changed() -> None:
    found = visuai.diff(build(linear(), nn.ReLU(), linear()), build(linear(), nn.Tanh(), linear()))
    (change,) = found.changes
    assert (change.what, change.kind, change.before) == ("node", "changed", "1")
    assert change.details == {"op": ["ReLU", "Tanh"]}


class Skip(nn.Module):
    def __init__(self, function: Any = torch.relu, *, early: bool = False) -> None:
        super().__init__()
        self.a, self.b = linear(), linear()
        self.function, self.early = function, early

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        middle = self.function(self.a(inputs))
        return self.b(middle) + (inputs if self.early else middle)


def test_a_replaced_function_is_changed() -> None:
    found = visuai.diff(visuai.build(Skip(), x), visuai.build(Skip(torch.tanh), x))
    (change,) = found.changes
    assert (change.what, change.kind, change.details["op"]) == ("node", "changed", ["relu", "tanh"])


def test_a_moved_edge_is_seen() -> None:
    found = visuai.diff(visuai.build(Skip(), x), visuai.build(Skip(early=True), x))
    assert told(found) == [
        ("edge", "removed", "relu:0 -> add:1", None),
        ("edge", "added", None, "inputs:0 -> add:1"),
    ]


def test_frozen_and_tied_parameters_are_seen() -> None:
    frozen, tied = Skip(), Skip()
    frozen.a.weight.requires_grad_(False)
    tied.b.weight = tied.a.weight
    plain = visuai.build(Skip(), x)
    (change,) = visuai.diff(plain, visuai.build(frozen, x)).changes
    assert (change.before, change.details) == ("a.weight", {"requires_grad": [True, False]})
    (change,) = visuai.diff(plain, visuai.build(tied, x)).changes
    assert (change.before, change.details) == ("b.weight", {"alias_of": [None, "a.weight"]})


def test_resnet34_is_resnet18_with_blocks_added() -> None:
    small, large = (
        visuai.build(getattr(torchvision.models, name)().eval(), torch.zeros(1, 3, 32, 32))
        for name in ("resnet18", "resnet34")
    )
    found = visuai.diff(small, large)
    assert {(one.what, one.kind) for one in found.changes} == {
        ("module", "added"),
        ("node", "added"),
        ("parameter", "added"),
    }
    assert [one.after for one in found.of("module")] == [
        *("layer1.2", "layer2.2", "layer2.3"),
        *("layer3.2", "layer3.3", "layer3.4", "layer3.5", "layer4.2"),
    ]
    assert len(found.matched) == len(small.graph)
    back = visuai.diff(large, small)
    assert [one.before for one in back.of("module", "removed")] == [
        one.after for one in found.of("module", "added")
    ]


def test_it_prints_and_is_json() -> None:
    found = visuai.diff(build(linear(), nn.ReLU()), build(linear(4, 5), nn.ReLU()))
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(found)
    for text in (captured.get(), str(found)):
        assert "Parameters: 2 changed" in text
        assert "~ 0.weight: shape [4, 4] → [5, 4]" in text
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_long_lists_are_cut_and_hostile_names_shown_as_text() -> None:
    name = "[red]<b>\n" + "n" * 10_000
    many = nn.Sequential(OrderedDict((f"{name}{at}", linear()) for at in range(30)))
    found = visuai.diff(build(nn.ReLU()), visuai.build(many, x))
    text = str(found)
    assert "more added" in text
    assert "[red]<b>·nnn" in text
    assert max(map(len, text.splitlines())) < 160


@settings(max_examples=80, deadline=None)
@given(topologies(), topologies())
def test_a_diff_is_empty_only_for_the_same_network(a: Topology, b: Topology) -> None:
    assert not visuai.diff(a, Topology.from_dict(a.to_dict()))
    found = visuai.diff(a, b)
    assert len(set(found.matched.values())) == len(found.matched)
    assert len(found.of("node", "removed")) == len(a.graph) - len(found.matched)
    assert len(found.of("node", "added")) == len(b.graph) - len(found.matched)
    if not found:
        assert len(a.graph) == len(b.graph)
        assert a.graph.number_of_edges() == b.graph.number_of_edges()


@pytest.mark.parametrize("size", [3_000])
def test_deep_and_wide_networks(size: int) -> None:
    module: nn.Module = linear()
    for _ in range(size // 10):
        module = nn.Sequential(module)
    deep = build(module, *(nn.ReLU() for _ in range(size)))
    assert not visuai.diff(deep, deep)
    assert len(visuai.diff(deep, build(linear(), *(nn.ReLU() for _ in range(size)))).changes) < 10


def test_routes_that_spell_an_op_differently_do_not_differ() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.fc(x)
            y += x
            return y

    symbolic, export = (
        visuai.build(Residual(), torch.zeros(1, 4), capture=route)
        for route in ("symbolic", "export")
    )
    targets = {topology.graph.nodes["add"]["target"] for topology in (symbolic, export)}
    assert len(targets) == 2, "the routes no longer spell it differently: this tests nothing"
    assert not visuai.diff(symbolic, export)


def test_what_stands_between_replaced_modules_has_not_changed() -> None:
    def built(**options: Any) -> Topology:
        return visuai.build(torchvision.models.resnet18(**options), torch.zeros(1, 3, 64, 64))

    found = visuai.diff(built(), built(norm_layer=lambda width: nn.GroupNorm(8, width)))
    nodes = [one for one in found.changes if one.what == "node"]
    assert len(nodes) == 20
    assert {one.kind for one in nodes} == {"changed"}
