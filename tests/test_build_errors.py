"""What `build` and what comes after it say to those who hand them something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import visuai
from visuai.errors import InputError, ModelError, VisuaiError

X = torch.zeros(2, 4)


@pytest.mark.parametrize(
    ("args", "kwargs", "advice"),
    [
        ((2, 4), None, r"torch\.zeros\(2, 4\)"),
        ([2, 4], None, r"torch\.zeros\(2, 4\)"),
        (torch.Size([2, 4]), None, r"torch\.zeros\(2, 4\)"),
        (np.ones((2, 4), np.float32), None, r"torch\.from_numpy"),
        (X, [1], r"expected a dict"),
    ],
    ids=["shape", "shape as a list", "size", "array", "keywords"],
)
def test_inputs_that_are_none_say_what_to_pass(args: Any, kwargs: Any, advice: str) -> None:
    with pytest.raises(VisuaiError, match=advice):
        visuai.build(nn.Sequential(nn.Linear(4, 4)), args, kwargs)


def test_a_class_and_a_pipeline_that_is_none_are_told() -> None:
    with pytest.raises(InputError, match=r"visuai\.build\(Linear\(\.\.\.\)\)"):
        visuai.build(nn.Linear, X)
    with pytest.raises(VisuaiError, match=r"expected a visuai\.Pipeline"):
        visuai.build(nn.Sequential(nn.Linear(4, 4)), X, pipeline=["export"])  # type: ignore[arg-type]


def test_an_error_inside_library_modules_names_the_module() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(5, 4)))
    with pytest.raises(ModelError, match=r"raises this in 1\.0 \(Linear\)"):
        visuai.build(model, X)


@pytest.mark.parametrize("route", ["symbolic", "eager"])
def test_numbers_of_numpy_are_numbers(route: str) -> None:
    graph = visuai.build(lambda x: x.sin() * np.float32(3), X, capture=route).graph
    assert graph.nodes["mul"]["attributes"] == {"arg1": 3.0}


def test_ragged_sizes_are_saved_by_name(tmp_path: Path) -> None:
    ragged = torch.nested.nested_tensor([torch.ones(2, 4), torch.ones(3, 4)], layout=torch.jagged)
    topology = visuai.build(nn.Sequential(nn.Linear(4, 4)), ragged)
    topology.save(tmp_path / "ragged.json")
    (spec,) = visuai.Topology.load(tmp_path / "ragged.json").graph.nodes["0"]["outputs"]
    assert [type(size) for size in spec["shape"]] == [int, str, int]


def test_what_is_no_topology_or_no_depth_is_told() -> None:
    topology = visuai.build(nn.Sequential(nn.Linear(4, 4)), X)
    with pytest.raises(VisuaiError, match=r"got a NoneType; build it first"):
        visuai.diff(topology, None)  # type: ignore[arg-type]
    for use in (topology.view, topology.summary):
        with pytest.raises(VisuaiError, match=r"got 'a'; expected a whole number"):
            use(depth="a")  # type: ignore[arg-type]


def test_a_single_scope_may_stand_by_itself() -> None:
    inner = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    topology = visuai.build(nn.Sequential(inner, nn.Linear(4, 4)), X)
    assert list(topology.view(expanded="0").graph) == ["input", "0.0", "0.1", "1", "output"]


class Forgetful(nn.Module):
    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.first, self.layers = nn.Linear(4, 4), layers

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        for layer in self.layers:
            x = layer(x)
        return nn.ReLU()(x)


@pytest.mark.parametrize("route", ["eager", "symbolic"])
def test_layers_that_the_model_does_not_hold_are_told(route: str) -> None:
    layers = [nn.Linear(4, 4), nn.Linear(4, 4, bias=False)]
    (note,) = visuai.build(Forgetful(layers), X, capture=route).report.notes
    assert "does not hold: Linear, Linear_1." in note
    assert "miss their 36 parameters" in note
    assert visuai.build(Forgetful(nn.ModuleList(layers)), X, capture=route).report.notes == []
    function = Forgetful(nn.ModuleList(layers))
    assert visuai.build(lambda x: function(x), X, capture=route).report.notes == []


def test_what_is_built_already_or_no_network_says_what_to_do(tmp_path: Path) -> None:
    inner = nn.Sequential(nn.Sequential(nn.Linear(4, 4)), nn.ReLU())
    topology = visuai.build(nn.Sequential(inner, nn.Linear(4, 2)), X)
    for name in ("net.json", "net.json.gz"):
        topology.save(tmp_path / name)
        with pytest.raises(VisuaiError, match=r"visuai\.Topology\.load"):
            visuai.build(tmp_path / name)
    with pytest.raises(InputError, match="is a topology, so it is built already"):
        visuai.build(topology)
    with pytest.raises(InputError, match="the model that they are loaded into"):
        visuai.build(inner.state_dict())
    for wrong in (lambda: topology.show(inner), lambda: topology.widget(inner)):  # type: ignore[arg-type]
        with pytest.raises(VisuaiError, match="Got a Sequential to compare with"):
            wrong()
    with pytest.raises(VisuaiError, match="expected the dict"):
        visuai.Topology.from_dict([])  # type: ignore[arg-type]
    with pytest.raises(VisuaiError, match=r"Pipeline\.parse"):
        visuai.Pipeline.default().insert_after("to-dict", "prune-nodes")  # type: ignore[arg-type]
    with pytest.raises(VisuaiError, match="expanded lists ids of scopes"):
        topology.view(expanded=5)  # type: ignore[arg-type]
    with pytest.raises(VisuaiError, match="Ids of scopes are strings, got 0"):
        topology.subgraph(0)  # type: ignore[arg-type]
    with pytest.raises(VisuaiError, match=r"'0\.0' is no scope, but '0\.0\.0' in it"):
        topology.subgraph("0.0")
