"""Draws real networks into demo/: ``make demo``.

ResNet-18 of torchvision, and a GPT-2 of transformers made from its configuration, so that no
weights are downloaded. Each becomes a page (HTML), a picture (SVG) and data (JSON).
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import visuai

FILES = {"html": "pyvis", "svg": "svg"}


def networks() -> dict[str, tuple[torch.nn.Module, torch.Tensor]]:
    """Gives the networks and their inputs, by the name of the files."""
    from torchvision.models import resnet18
    from transformers import GPT2Config, GPT2LMHeadModel

    gpt2 = GPT2LMHeadModel(GPT2Config()).eval()
    return {
        "resnet18": (resnet18(weights=None).eval(), torch.zeros(1, 3, 224, 224)),
        "gpt2": (gpt2, torch.zeros(1, 64, dtype=torch.int64)),
    }


def draw(name: str, topology: visuai.Topology, folder: Path) -> list[Path]:
    """Writes one topology in each form, and gives the files."""
    paths: list[Path] = []
    for suffix, renderer in FILES.items():
        drawn = topology.render(renderer)
        path = folder / f"{name}.{suffix}"
        path.write_bytes(drawn if isinstance(drawn, bytes) else drawn.encode("utf-8"))
        paths.append(path)
    paths.append(folder / f"{name}.json")
    topology.save(paths[-1])
    return paths


def main(folder: Path) -> None:
    """Builds and draws each network, and prints what was made and how long each pass took."""
    console = Console()
    folder.mkdir(parents=True, exist_ok=True)
    console.print("Making the networks ...")
    visuai.build(torch.nn.ReLU(), torch.zeros(1))  # so that imports are in no network's time
    for name, (model, x) in networks().items():
        topology = visuai.build(model, x)
        console.print(
            f"{topology.name}: {topology.num_parameters:,} parameters, "
            f"route {topology.report.route}",
            highlight=False,
        )
        table = Table()
        for head in ("pass", "ms", "nodes", "edges"):
            table.add_column(head, justify="left" if head == "pass" else "right")
        for record in topology.report.passes:
            sizes = (f"{record.nodes or ''}", f"{record.edges or ''}")
            table.add_row(record.name, f"{1e3 * record.seconds:.1f}", *sizes)
        table.add_section()
        table.add_row("all", f"{1e3 * topology.report.seconds:.1f}")
        console.print(table)
        for path in draw(name, topology, folder):
            console.print(f"  {path}  {path.stat().st_size / 1e3:,.1f} kB", highlight=False)
        console.print()
    console.print(f"Open {folder / 'resnet18.html'} in a browser.", highlight=False)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
