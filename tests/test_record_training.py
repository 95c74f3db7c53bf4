"""Training with the recorder and without: the same batches, the same numbers, bit for bit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recording import one_thread
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import visuai
from visuai import Visu

__all__ = ["one_thread"]


class Noisy(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Items that depend on three random generators and on how often they were asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.generator = np.random.default_rng(0)

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        self.asked += 1
        noise = random.random() + np.random.rand() + self.generator.random() + self.asked
        return torch.randn(3, 8, 8) + noise * 1e-3, torch.tensor(index % 5)


class Stream(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """A stream: what is read from it is gone."""

    def __init__(self) -> None:
        self.source = iter(range(10_000))

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for number in self.source:
            yield torch.full((3, 8, 8), number / 100), torch.tensor(number % 5)


def plain() -> TensorDataset:
    return TensorDataset(torch.randn(64, 3, 8, 8), torch.arange(64) % 5)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(288, 5),
    )


LOADERS: dict[str, Any] = {
    "plain": lambda: DataLoader(plain(), batch_size=8, shuffle=True),
    "noisy": lambda: DataLoader(Noisy(), batch_size=8, shuffle=True),
    "workers": lambda: DataLoader(Noisy(), batch_size=8, shuffle=True, num_workers=2),
    "generator": lambda: DataLoader(
        plain(), batch_size=8, shuffle=True, generator=torch.Generator().manual_seed(5)
    ),
    "stream": lambda: DataLoader(Stream(), batch_size=8),
    "list": lambda: [(torch.randn(8, 3, 8, 8), torch.arange(8) % 5) for _ in range(8)],
}


def train(kind: str, logdir: Path | None, steps: int, **options: Any) -> list[Any]:
    """Trains, and gives all that training can depend on or lead to."""
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    model, loader = network(), LOADERS[kind]()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    visu = None if logdir is None else Visu(model, loader, logdir, "model", **options)
    batches: list[torch.Tensor] = []
    losses: list[torch.Tensor] = []
    while len(losses) < steps:
        for images, labels in loader:
            batches.append(images.clone())
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            if visu is not None:
                visu.scalar("loss", loss)
            if len(losses) == steps:
                break
    if visu is not None:
        visu.close()
    hooks = [*model._forward_pre_hooks, *model._forward_hooks]
    assert not hooks
    return [
        *batches,
        *losses,
        *model.state_dict().values(),
        *(
            tensor
            for state in optimizer.state_dict()["state"].values()
            for tensor in state.values()
        ),
        torch.get_rng_state(),
        torch.tensor(random.getstate()[1]),
        torch.tensor(np.random.get_state()[1].astype(np.int64)),  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("plain", 200),
        ("noisy", 200),
        ("workers", 200),
        ("generator", 24),
        ("stream", 24),
        ("list", 24),
    ],
)
def test_training_is_the_same_bit_for_bit(kind: str, steps: int, tmp_path: Path) -> None:
    without = train(kind, None, steps)
    recorded = train(kind, tmp_path, steps, every=1, activations=True)
    assert len(without) == len(recorded)
    for one, other in zip(without, recorded, strict=True):
        assert torch.equal(one, other)
    with visuai.open_run(tmp_path) as run:
        assert run.steps.tolist() == list(range(steps))
        assert run.topology is not None
        assert run.topology.num_parameters == 1685
        assert len(run.series("0.weight", "gradient")) == steps
        assert run.scalar("loss").steps.tolist() == list(range(steps))
        losses = [float(loss) for loss in without[steps : 2 * steps]]
        assert run.scalar("loss").values.tolist() == losses


def test_with_the_default_options_too(tmp_path: Path) -> None:
    for one, other in zip(train("plain", None, 200), train("plain", tmp_path, 200), strict=True):
        assert torch.equal(one, other)
    with visuai.open_run(tmp_path) as run:
        assert run.steps[:2].tolist() == [0, 1]


def test_what_is_recorded_is_what_happened(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    weights, gradients, updates = [], [], []
    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(70):  # More than a chunk.
            optimizer.zero_grad()
            model(torch.randn(4, 6)).square().sum().backward()
            weights.append(model.weight.detach().clone())
            gradients.append(model.weight.grad.clone())  # type: ignore[union-attr]
            optimizer.step()
            updates.append(model.weight.detach() - weights[-1])
    with visuai.open_run(tmp_path) as run:
        for quantity, truth in (("weight", weights), ("gradient", gradients), ("update", updates)):
            series = run.series("weight", quantity)
            assert series.steps.tolist() == list(range(70))
            stacked = torch.stack(truth).double().flatten(1).numpy()
            assert np.allclose(series.norm, np.linalg.norm(stacked, axis=1), rtol=5e-5)
            assert np.allclose(series.mean, stacked.mean(axis=1), rtol=2e-5, atol=1e-6)
            assert np.allclose(series.std, stacked.std(axis=1), rtol=1e-4)
            assert (series.min == stacked.min(axis=1)).all()
            assert (series.max == stacked.max(axis=1)).all()
            for row in range(70):
                expected, _ = np.histogram(stacked[row], bins=series.histogram.edges)
                assert (series.histogram.counts[row] == expected).all()
        assert run.at(33, "weight")["weight"].norm == run.series("weight", "weight").norm[33]
        assert run.at(68, "bias") == {}
        assert run.learning_rates["learning rate"].values.tolist() == [0.1] * 70
        assert run.quantities("bias") == ("weight", "gradient", "update")
        names, steps, values = run.overview("gradient", "norm", columns=7)
        assert names == ["weight", "bias"]
        assert (len(steps), values.shape) == (7, (2, 7))
        assert np.isfinite(values).all()


def test_read_while_it_is_written(tmp_path: Path) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, [torch.zeros(2, 6)], tmp_path, every=1) as visu:
        assert visu.path is not None
        run = visuai.open_run(visu.path)
        before = run.version
        for step in range(150):
            model(torch.randn(4, 6)).square().sum().backward()
            optimizer.step()
            if step % 10 == 0:
                visu.flush()
                assert run.last_step == step
                assert run.series("bias", "update").steps.tolist() == list(range(step + 1))
        assert run.version != before
        assert run.topology is not None
    assert len(run.series("bias", "update")) == 150
    run.close()


def test_activations_and_dead_units(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    with torch.no_grad():
        model[0].bias[:] = torch.tensor([0.0, -1e3, 0.0, -1e3])  # type: ignore[operator]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-9)
    with Visu(model, logdir=tmp_path, every=2, activations=["1", "3"]):
        for _ in range(5):
            model.eval()
            model(torch.full((2, 1, 8, 8), torch.nan))  # Validation is not training.
            model.train()
            model(torch.randn(2, 1, 8, 8)).sum().backward()
            optimizer.step()
    with visuai.open_run(tmp_path) as run:
        assert list(run.modules) == ["1", "3"]
        units = run.series("1", "activity")
        assert units.steps.tolist() == [0, 2, 4]
        assert units.count.tolist() == [4] * 3
        assert units.zeros.tolist() == [2] * 3
        outputs = run.series("1", "activation")
        assert outputs.count.tolist() == [2 * 4 * 36] * 3
        assert not outputs.nonfinite.any()
        assert (outputs.zero_share >= 0.5).all()
        assert len(run.series("3", "update")) == 0


class Graph:
    """A batch with attributes, as graph networks have it."""

    def __init__(self, seed: int) -> None:
        self.x = torch.randn(8, 6, generator=torch.Generator().manual_seed(seed))
        self.visits = 0


class Normalising(nn.Module):
    """Writes into its batch, and has a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(6, 3)
        self.noise = torch.Generator().manual_seed(4)

    def forward(self, batch: Graph) -> torch.Tensor:
        batch.x = batch.x / batch.x.std()
        batch.visits += 1
        batch.out = self.lin(batch.x) * batch.visits  # type: ignore[attr-defined]
        return batch.out + torch.rand((), generator=self.noise)  # type: ignore[attr-defined]


@pytest.mark.parametrize("given", [True, False], ids=["loader", "no loader"])
def test_a_forward_that_writes_into_its_batch_stays_the_same(given: bool, tmp_path: Path) -> None:
    def trained(logdir: Path | None) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model, loader = Normalising(), [Graph(seed) for seed in range(4)]
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        if logdir is not None:
            Visu(model, loader if given else None, logdir, every=1)
        outputs: list[torch.Tensor] = []
        for batch in loader * 2:
            model(batch).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
            outputs.append(batch.out.detach() + batch.visits)  # type: ignore[attr-defined]
        return [*outputs, *model.state_dict().values(), model.noise.get_state()]

    for one, other in zip(trained(None), trained(tmp_path), strict=True):
        assert torch.equal(one, other)
    with visuai.open_run(tmp_path) as run:
        assert run.topology is not None
