"""To TensorBoard's event files and back, and from what torch's own writer makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import visuai
from visuai import Run, Visu
from visuai.errors import FormatError
from visuai.record.series import STATISTICS
from visuai.record.tensorboard import from_tensorboard, to_tensorboard

pytest.importorskip("tensorboard")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1, activations="1") as visu:
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(torch.randn(8, 20)).square().mean()
            loss.backward()
            optimizer.step()
            visu.scalar("loss", loss)
    return visuai.open_run(tmp_path)


def test_there_and_back(run: Run, tmp_path: Path) -> None:
    to_tensorboard(run, tmp_path / "events", columns=None)
    back = visuai.open_run(from_tensorboard(tmp_path / "events", tmp_path / "back"))
    assert set(run.parameters) <= set(back.parameters)
    assert back.scalar("loss").values == pytest.approx(run.scalar("loss").values)
    for name in run.parameters:
        for quantity in ("weight", "gradient", "update"):
            one, other = run.series(name, quantity), back.series(name, quantity)
            assert other.steps.tolist() == one.steps.tolist()
            assert other.count.tolist() == one.count.tolist()
            for statistic in ("mean", "norm", "min", "max"):
                values = getattr(one, statistic)
                assert getattr(other, statistic) == pytest.approx(values, rel=1e-4, abs=1e-7)
            assert other.mean_abs == pytest.approx(one.mean_abs, rel=0.2)
    assert back.parameters["0.weight"].numel == 200


def test_what_tensorboard_itself_reads(run: Run, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    to_tensorboard(run, tmp_path / "events")
    read = EventAccumulator(str(tmp_path / "events"), size_guidance={"histograms": 0}).Reload()
    assert "gradient/0.weight" in read.Tags()["histograms"]
    histograms: Any = read.Histograms("weight/0.weight")
    assert [each.step for each in histograms] == [0, 1, 2, 3, 4]
    value = histograms[0].histogram_value
    assert value.num == 200
    assert sum(value.bucket) == pytest.approx(200)
    assert value.sum_squares == pytest.approx(run.series("0.weight", "weight").square_sum[0])
    assert "norm/weight/0.weight" in read.Tags()["scalars"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_histograms_of_torchs_writer(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    values = torch.randn(5000, generator=torch.Generator().manual_seed(0)) - 0.5
    with SummaryWriter(str(tmp_path / "events")) as writer:
        for step in range(3):
            writer.add_histogram("gradient/conv.weight", values * (step + 1), step)
            writer.add_histogram("anything", values, step)
            writer.add_scalar("loss", step, step)
    run = visuai.open_run(from_tensorboard(tmp_path / "events", tmp_path / "runs"))
    series = run.series("conv.weight", "gradient")
    assert series.steps.tolist() == [0, 1, 2]
    assert series.max[0] == pytest.approx(values.max().item())
    spread = values.std().item()
    assert series.std == pytest.approx([spread, 2 * spread, 3 * spread], rel=1e-3)
    assert series.mean_abs[0] == pytest.approx(values.abs().mean().item(), rel=0.03)
    histogram = series.histogram
    below = histogram.counts[0][histogram.edges[1:] <= 0].sum()
    assert below == pytest.approx((values < 0).sum().item(), rel=0.03)
    assert run.series("anything", "weight").count.tolist() == [5000] * 3
    assert run.scalar("loss").values.tolist() == [0, 1, 2]


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no event file"):
        from_tensorboard(tmp_path)
    path = tmp_path / "x.tfevents.1"
    path.write_bytes(b"nonsense" * 100)
    with pytest.raises((FormatError, visuai.VisuaiError)):
        from_tensorboard(path, tmp_path)


def test_to_pandas(run: Run) -> None:
    pytest.importorskip("pandas")
    table = run.to_pandas()
    assert set(table.columns) == {"subject", "quantity", "step", *STATISTICS}
    chosen = table[(table.subject == "0.weight") & (table.quantity == "gradient")]
    assert np.array_equal(chosen["norm"], run.series("0.weight", "gradient").norm)
    assert set(table.quantity) == {"weight", "gradient", "update", "activation", "activity"}
