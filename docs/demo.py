"""Draws real networks and records a training into demo/: ``make demo``.

ResNet-18 of torchvision, and a GPT-2 of transformers made from its configuration, so that no
weights are downloaded. Each becomes a page (HTML), a picture (SVG) and data (JSON). Then a small
convolutional network learns scikit-learn's handwritten digits, which come with that package,
twice: as one would build it, and with sigmoids, down which its gradients vanish. Both trainings
are recorded into demo/runs.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import visuai
from visuai import Visu

FORMATS = "html", "svg"


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
    for form in FORMATS:
        drawn = topology.render(form)
        path = folder / f"{name}.{form}"
        path.write_bytes(drawn if isinstance(drawn, bytes) else drawn.encode("utf-8"))
        paths.append(path)
    paths.append(folder / f"{name}.json")
    topology.save(paths[-1])
    return paths


class Digits(nn.Sequential):
    """Tells handwritten digits from images of eight times eight pixels."""

    def __init__(self, activation: type[nn.Module], depth: int = 5) -> None:
        parts: list[nn.Module] = [nn.Conv2d(1, 16, 3, padding=1), activation()]
        for _ in range(depth):
            parts += [nn.Conv2d(16, 16, 3, padding=1), activation()]
        parts += [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * 16, 10)]
        super().__init__(*parts)


def digits() -> tuple[DataLoader[tuple[torch.Tensor, ...]], torch.Tensor, torch.Tensor]:
    """Gives batches to learn from, and images and labels to be tested on."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 8 - 1
    y = torch.tensor(labels)
    loader = DataLoader(TensorDataset(x[300:], y[300:]), batch_size=64, shuffle=True)
    return loader, x[:300], y[:300]


def train(name: str, activation: type[nn.Module], logdir: Path, epochs: int) -> float:
    """Trains a network and records it; gives the share of digits told right."""
    torch.manual_seed(0)
    model = Digits(activation)
    loader, x, y = digits()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with Visu(model, loader, logdir=logdir, name=name, every=2, activations=True):
        for _ in range(epochs):
            for images, labels in loader:
                loss = nn.functional.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def record(logdir: Path, console: Console, epochs: int) -> None:
    """Records both trainings, and prints how they went and what is wrong with them."""
    torch.set_num_threads(1)  # networks this small only lose by more
    trainings = {"digits": nn.ReLU, "digits-sigmoid": nn.Sigmoid}
    for name, activation in trainings.items():
        start = time.perf_counter()
        right = train(name, activation, logdir, epochs)
        seconds = time.perf_counter() - start
        with visuai.open_run(logdir / name) as run:
            console.print(
                f"{name}: {right:.0%} of the digits told right, {len(run.steps)} steps recorded "
                f"in {seconds:.1f} s, {run.path.stat().st_size / 1e3:,.0f} kB",
                highlight=False,
                soft_wrap=True,
            )
            console.print(run.diagnose())


def main(folder: Path, epochs: int = 10) -> None:
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
        for step in topology.report.passes:
            sizes = (f"{step.nodes or ''}", f"{step.edges or ''}")
            table.add_row(step.name, f"{1e3 * step.seconds:.1f}", *sizes)
        table.add_section()
        table.add_row("all", f"{1e3 * topology.report.seconds:.1f}")
        console.print(table)
        for path in draw(name, topology, folder):
            console.print(f"  {path}  {path.stat().st_size / 1e3:,.1f} kB", highlight=False)
        console.print()
    console.print("Training on handwritten digits, twice ...")
    record(folder / "runs", console, epochs)
    console.print(f"Open {folder / 'resnet18.html'} in a browser.", highlight=False)
    # As it is typed here: that of an environment which was made for this is not on the path.
    command = Path(os.path.relpath(Path(sys.executable).with_name("visuai")))
    if not command.is_file() or shutil.which("visuai") == str(command.absolute()):
        command = Path("visuai")
    console.print(
        f"See the trainings:  {command} serve -l {folder / 'runs'}", highlight=False, soft_wrap=True
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
