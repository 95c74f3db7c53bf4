"""Costs by hand, against torch's own counts on real networks, and the summary's table."""

from __future__ import annotations

import pytest
import torch
import torchvision
from networks import make
from rich.console import Console
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import visuai
from visuai import archive
from visuai.analysis.cost import cost, element_bits, tensor_bytes
from visuai.errors import VisuaiError
from visuai.topology import Topology


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        ("float32", 32),
        ("float", 32),
        ("bfloat16", 16),
        ("float8_e4m3fn", 8),
        ("float4_e2m1fn_x2", 8),
        ("complex64", 64),
        ("complex128", 128),
        ("bool", 8),
        ("int4", 4),
        ("uint1", 1),
        ("qint8", 8),
        ("int64", 64),
        ("mystery", None),
        ("", None),
        ("float" + "9" * 10_000, None),
    ],
)
def test_element_sizes(dtype: str, bits: int | None) -> None:
    assert element_bits(dtype) == bits


def test_every_dtype_of_torch_has_its_size() -> None:
    for dtype in {value for value in vars(torch).values() if isinstance(value, torch.dtype)}:
        name = str(dtype).removeprefix("torch.")
        if name.startswith(("bits", "int", "uint", "quint")) and not name.endswith(
            ("8", "16", "32", "64")
        ):
            continue  # torch holds a sub-byte element in a whole byte
        assert element_bits(name) == 8 * dtype.itemsize, name


def test_tensor_sizes() -> None:
    assert tensor_bytes({"shape": [], "dtype": "float32"}) == 4
    assert tensor_bytes({"shape": [3], "dtype": "int4"}) == 2
    assert tensor_bytes({"shape": [0, 3], "dtype": "float64"}) == 0
    assert tensor_bytes({"shape": [2, "n"], "dtype": "float64"}) is None
    assert tensor_bytes(None) is None


def shared() -> Topology:
    """Two calls of one weight, in two scopes two levels down."""
    topology = make(
        {"input": "", "a.b.x": "a.b", "a.c.x": "a.c", "d": ""},
        [("input", "a.b.x", 0), ("a.b.x", "a.c.x", 0), ("a.c.x", "d", 0)],
        {"": None, "a": "", "a.b": "a", "a.c": "a"},
    )
    nodes = topology.graph.nodes
    nodes["a.c.x"]["parameters"] = ["alias"]
    nodes["input"].update(parameters=[], flops=0)
    topology.parameters["alias"] = {
        **topology.parameters["a.c.x.weight"],
        "alias_of": "a.b.x.weight",
    }
    return topology


def test_a_shared_tensor_counts_once_in_each_scope() -> None:
    costs = cost(shared())
    counts = {key: one.parameters for key, one in costs.scopes.items()}
    assert counts == {"": 32, "a": 16, "a.b": 16, "a.c": 16}
    assert costs.nodes["a.c.x"].parameters == 16
    assert costs.total.parameter_bytes == 128
    assert costs.total.flops == 30
    assert costs.total.nodes == 3
    assert costs.total.activation_bytes == 3 * 16


def test_a_tensor_read_at_many_depths_counts_once() -> None:
    names = [".".join("m" * level) for level in range(1, 30)]
    scopes = {"": None, **{name: name.rpartition(".")[0] for name in names}}
    topology = make({f"{name}.x": name for name in names}, [], scopes)
    for name in names:
        topology.graph.nodes[f"{name}.x"]["parameters"] = ["m.x.weight", "m.x.weight"]
    assert {one.parameters for one in cost(topology).scopes.values()} == {16}


def test_frozen_parameters_and_buffers_are_told_apart() -> None:
    topology = shared()
    topology.parameters["d.weight"]["requires_grad"] = False
    topology.parameters["a.b.x.weight"]["kind"] = "buffer"
    total = cost(topology).total
    assert (total.parameters, total.trainable, total.buffer_bytes) == (16, 0, 64)


def test_unknown_costs_are_counted_as_unknown() -> None:
    topology = shared()
    topology.graph.nodes["d"].update(flops=None, outputs=[None])
    total = cost(topology).total
    assert (total.flops, total.unknown_flops, total.unknown_activations) == (20, 1, 1)
    assert "at least 20" in str(topology.summary())


NETWORKS = ["resnet18", "densenet121", "googlenet", "mobilenet_v2", "shufflenet_v2_x1_0", "swin_t"]
LIMITS = {"resnet18": 24_000, "googlenet": 73_000, "mobilenet_v2": 54_000}  # bytes


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:The default weight initialization of GoogleNet")
def test_real_networks_as_torch_counts(name: str) -> None:
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(num_classes=10).eval()
        inputs = torch.zeros(1, 3, 64, 64)
    with FlopCounterMode(display=False) as counter:
        model(inputs)
    topology = visuai.build(model, inputs)
    total = cost(topology).total
    assert total.unknown_flops == total.unknown_activations == 0
    assert total.flops == counter.get_total_flops()
    assert topology.num_parameters == sum(one.numel() for one in model.parameters())
    coarse = topology.view(depth=1).graph
    assert sum(flops for _, flops in coarse.nodes(data="flops")) == total.flops
    data = archive.save_bytes(topology)
    assert len(data) < LIMITS.get(name, 100_000)
    assert archive.load_bytes(data).to_dict() == topology.to_dict()


def test_a_summary_lists_modules_as_torchinfo_does() -> None:
    model = torchvision.models.resnet18(num_classes=10).eval()
    summary = visuai.build(model, torch.zeros(1, 3, 32, 32)).summary(depth=2)
    rows = {row.id: row for row in summary.rows}
    assert list(rows)[:4] == ["conv1", "bn1", "relu", "maxpool"]
    assert (rows["layer1.0"].kind, rows["layer1.0"].level, rows["layer1.0"].repeat) == (
        "BasicBlock",
        2,
        2,
    )
    assert "layer1.1" not in rows
    assert rows["layer3"].output == [1, 256, 2, 2]
    assert rows["layer3"].cost.parameters == sum(p.numel() for p in model.layer3.parameters())
    text = str(summary)
    assert "0  BasicBlock  ×2" in text
    assert "11,181,642  (trainable 11,181,642)" in text
    assert "74,033,152  (multiply-add = 2)" in text
    flat = visuai.build(model, torch.zeros(1, 3, 32, 32)).summary(fold=False)
    assert {"layer1.1.conv1", "layer1.1"} <= {row.id for row in flat.rows}


def test_a_summary_tells_calls_and_what_is_frozen_or_unused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.unused = nn.Linear(4, 4), nn.Linear(4, 4)
            self.fc.bias.requires_grad_(False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.fc(x))

    summary = visuai.build(Twice(), torch.zeros(1, 4)).summary()
    assert [(row.id, row.calls) for row in summary.rows] == [("fc", 2), ("fc@1", 2)]
    assert "40  (trainable 36)" in str(summary)


def test_a_summary_of_hostile_names_stays_a_table() -> None:
    name = "[red]<b>\n\u202e" + "n" * 10_000
    summary = make({f"{name}.x": name}, [], {"": None, name: ""}).summary()
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(summary)
    assert "[red]<b>··nnn" in captured.get()
    assert max(map(len, captured.get().splitlines())) <= 80
    assert len(str(summary).splitlines()) < 20


def test_a_summary_of_5000_nested_modules() -> None:
    names = ["", *("m" + ".m" * level for level in range(5_000))]
    scopes = {name: names[at - 1] if at else None for at, name in enumerate(names)}
    topology = make({"input": "", "deep": names[-1]}, [("input", "deep", 0)], scopes)
    assert len(topology.summary().rows) == 5_001
    with pytest.raises(VisuaiError, match="got -1"):
        topology.summary(depth=-1)


class Mapped(nn.Module):
    """A convolution and matrix products of one sample at a time, in two levels of ``vmap``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.weights = nn.Parameter(torch.ones(6, 4, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        def one(sample: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
            channels = self.conv(sample).relu().mean((-2, -1))
            return torch.einsum("i,ij->j", channels, weight) @ weight.T

        return torch.vmap(torch.vmap(one, in_dims=(0, None)), in_dims=(1, 0))(x, self.weights)


def test_under_vmap_shapes_and_flops_are_those_of_all_samples() -> None:
    model, x = Mapped(), torch.ones(2, 6, 3, 8, 8)
    with FlopCounterMode(display=False) as counter:
        out = model(x)
    topology = visuai.build(model, x)
    assert cost(topology).total.flops == counter.get_total_flops() > 0
    shapes = [data["shape"] for _, _, data in topology.graph.in_edges("output", data=True)]
    assert shapes == [list(out.shape)] == [[6, 2, 4]]
    assert topology.graph.nodes["conv"]["outputs"][0]["shape"] == [6, 2, 4, 6, 6]


class LowRank(nn.Module):
    """Adds a product of two small matrices to a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.zeros(2, 8))
        self.up = nn.Parameter(torch.zeros(8, 2))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + self.up @ self.down


def test_a_parametrised_layer_on_its_own_reads_what_makes_its_weight() -> None:
    model, x = nn.Linear(8, 8), torch.zeros(3, 8)
    nn.utils.parametrize.register_parametrization(model, "weight", LowRank())
    topology = visuai.build(model, x)
    read = {name for _, data in topology.graph.nodes(data=True) for name in data["parameters"]}
    assert read == {name for name, _ in model.named_parameters()}
    with FlopCounterMode(display=False) as counter:
        model(x)
    assert cost(topology).total.flops == counter.get_total_flops()
