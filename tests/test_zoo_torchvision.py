"""Every model builder of torchvision builds, truly (quantised ones left out)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from test_patterns import facts, nodes
from torchvision.models import get_model, list_models

import visuai
from visuai.errors import CaptureError
from visuai.verify import verify

FAMILIES = {
    module.__name__.rpartition(".")[2]: list_models(module)
    for module in (
        torchvision.models,
        torchvision.models.segmentation,
        torchvision.models.video,
        torchvision.models.optical_flow,
        torchvision.models.detection,
    )
}
SIDES = {"inception_v3": 96, "maxvit_t": 224, "vit_h_14": 56, "s3d": 224}


def network(family: str, name: str) -> tuple[Any, tuple[Any, ...]]:
    """Gives a model in eval mode and inputs, on meta where its forward needs no data."""
    options: dict[str, Any] = {}
    side = SIDES.get(name, 112 if family == "video" else 64)
    if name.startswith("vit"):
        options["image_size"] = side
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    if family in ("detection", "segmentation"):
        options.update(weights=None, weights_backbone=None)
    if "rcnn" in name or name.startswith(("fcos", "retinanet")):
        options.update(min_size=64, max_size=64)
    device = "cpu" if family == "detection" else "meta"
    # RegNet computes its widths with tensors: it cannot be made on meta.
    with torch.device("cpu" if name.startswith("regnet") else device):
        model = get_model(name, **options).eval().to(device)
    if family == "detection":
        torch.manual_seed(0)
        return model, ([torch.rand(3, 64, 64)],)
    if family == "video":
        side = 224 if name.startswith("mvit") else side
        return model, (torch.empty(1, 3, 16, side, side, device=device),)
    if family == "optical_flow":
        return model, tuple(torch.empty(1, 3, 128, 128, device=device) for _ in range(2))
    return model, (torch.empty(1, 3, side, side, device=device),)


@pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family, names in FAMILIES.items() for name in names]
)
def test_torchvision_builds_truly(family: str, name: str) -> None:
    model, args = network(family, name)
    kept: dict[str, Any] = {}
    topology = visuai.build(model, args, after=lambda step, value: kept.update({step.name: value}))
    assert verify(kept["to-dict"], model, args) == []
    assert topology.num_parameters == sum(p.numel() for p in model.parameters())
    try:
        symbolic = visuai.build(model, args, capture="symbolic")
    except CaptureError:
        return  # Control flow on values; not every network can be traced.
    assert facts(symbolic) == facts(topology)
    assert nodes(symbolic) == nodes(topology)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1", "vgg11_bn"])
def test_without_inputs_the_shapes_are_inferred(name: str) -> None:
    model = get_model(name).eval()
    topology = visuai.build(model)
    assert all(data["shape"] for *_, data in topology.graph.edges(data=True))
    assert any("assumed 1x3x" in note for note in topology.report.notes)


def test_in_training_mode_the_inferred_batch_is_two() -> None:
    topology = visuai.build(get_model("resnet18"))
    assert topology.graph.nodes["x"]["outputs"][0]["shape"] == [2, 3, 32, 32]


def test_export_agrees_with_symbolic() -> None:
    model = get_model("resnet18").eval()
    image = torch.zeros(1, 3, 32, 32)
    expected = facts(visuai.build(model, image, capture="symbolic"))
    assert facts(visuai.build(model, image, capture="export")) == expected


def test_an_unknown_route_is_named() -> None:
    with pytest.raises(visuai.VisuaiError, match="eager, symbolic, export, onnx"):
        visuai.build(get_model("resnet18"), capture="telepathy")
    assert issubclass(CaptureError, visuai.VisuaiError)
