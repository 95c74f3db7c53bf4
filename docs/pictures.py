"""Draws the pictures of the README and the documentation: ``python docs/pictures.py``."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

import visuai

FOLDER = Path(__file__).parent / "images"


class Stage(nn.Module):
    """Two convolutions at one resolution."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


class UNet(nn.Module):
    """Four resolutions, with a skip at each but the lowest."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 256)) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(map(Stage, (3, *widths), widths))
        self.lift = nn.ModuleList(
            nn.ConvTranspose2d(below, width, 2, 2) for width, below in pairwise(widths)
        )
        self.up = nn.ModuleList(Stage(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips: list[torch.Tensor] = []
        for stage in self.down[:-1]:
            skips.append(stage(x))
            x = self.pool(skips[-1])
        x = self.down[-1](x)
        for lift, stage, skip in zip(self.lift[::-1], self.up[::-1], skips[::-1], strict=True):
            x = stage(torch.cat([skip, lift(x)], 1))
        return self.head(x)


def pictures() -> dict[str, tuple[nn.Module, torch.Tensor, dict[str, Any]]]:
    """Gives model, input and the renderer's options by the name of the file."""
    from torchvision.models import resnet18
    from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel

    resnet = resnet18(weights=None), torch.zeros(1, 3, 224, 224)
    bert = BertModel(
        BertConfig(
            hidden_size=128, num_hidden_layers=4, num_attention_heads=2, intermediate_size=512
        )
    )
    unet = UNet(), torch.zeros(1, 3, 64, 64)
    ids = torch.zeros(1, 16, dtype=torch.int64)
    return {
        "resnet18": (*resnet, {}),
        "resnet18-depth2": (*resnet, {"depth": 2}),
        "bert": (bert, ids, {}),
        "gpt2": (GPT2LMHeadModel(GPT2Config()), ids, {"depth": 4}),
        "unet": (*unet, {"depth": 1}),
        "unet-dark": (*unet, {"depth": 1, "theme": "dark"}),
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (model, x, options) in pictures().items():
        drawn = visuai.build(model.eval(), x).render("svg", **options)
        (FOLDER / f"{name}.svg").write_text(str(drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
