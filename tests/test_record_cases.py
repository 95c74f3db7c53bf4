"""Networks and loops that recorders trip over."""

from __future__ import annotations

import copy
import gc
import io
import multiprocessing
import os
import pickle
import weakref
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recording import one_thread
from torch import nn
from torch.utils.checkpoint import checkpoint

import visuai
from visuai import Run, Visu
from visuai.record.folder import find_runs

__all__ = ["one_thread"]


def record(
    model: nn.Module,
    loss: Callable[[], torch.Tensor],
    logdir: Path,
    steps: int = 3,
    optimizer: torch.optim.Optimizer | None = None,
    **options: Any,
) -> Run:
    """Trains for some steps, every one recorded, and gives the run."""
    chosen = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, None, logdir, "model", **{"every": 1, **options}):
        for _ in range(steps):
            chosen.zero_grad()
            loss().backward()
            chosen.step()
    run = visuai.open_run(logdir)
    assert not [event for event in run.events if event.kind in ("failed", "lost")], run.events
    return run


class Parameters(nn.Module):
    """Parameters by name, and a forward that is the sum of what `use` makes of each."""

    def __init__(self, **tensors: torch.Tensor) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_parameter(name, nn.Parameter(tensor))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + sum(p.abs().to(torch.float32).sum() for p in self.parameters())


def test_odd_tensors(tmp_path: Path) -> None:
    model = Parameters(
        scalar=torch.tensor(2.0),
        empty=torch.empty(0, 3),
        constant=torch.ones(5),
        nan=torch.full((4,), torch.nan),
        partly=torch.tensor([1.0, torch.nan, torch.inf, -torch.inf, 0.0]),
        fp16=torch.ones(3, dtype=torch.float16),
        bf16=torch.full((3,), -2.0, dtype=torch.bfloat16),
        fp64=torch.full((3,), 1e-300, dtype=torch.float64),
        rotor=torch.tensor([3 + 4j, 0j]),
        strided=torch.arange(12.0).reshape(3, 4).T,
        channels=torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last),
        holes=torch.arange(12.0)[::2],
    )
    run = record(model, lambda: model(torch.zeros(1)).sum(), tmp_path)
    assert list(run.parameters) == [name for name, _ in model.named_parameters()]

    def last(name: str, quantity: str = "weight") -> dict[str, float]:
        series = run.series(name, quantity)
        assert series.steps.tolist() == [0, 1, 2], (name, quantity)
        keys = ("count", "zeros", "nonfinite", "min", "max", "mean")
        return {key: getattr(series, key)[0].item() for key in keys}

    assert last("scalar")["mean"] == 2.0
    assert last("empty")["count"] == 0
    assert np.isnan(last("empty")["mean"])
    assert last("constant") == {
        "count": 5, "zeros": 0, "nonfinite": 0, "min": 1.0, "max": 1.0, "mean": 1.0,
    }  # fmt: skip
    assert run.series("constant", "weight").std[0] == 0.0
    assert last("nan")["nonfinite"] == 4
    assert np.isnan(last("nan")["max"])
    assert (last("partly")["nonfinite"], last("partly")["zeros"]) == (3, 1)
    assert (last("partly")["min"], last("partly")["max"]) == (0.0, 1.0)
    assert last("fp16")["mean"] == 1.0
    assert last("bf16")["mean"] == -2.0
    assert last("fp64")["zeros"] == 0
    assert last("rotor")["count"] == 4
    assert (last("rotor")["zeros"], last("rotor")["max"]) == (2, 4.0)
    assert last("strided")["mean"] == 5.5
    assert last("channels")["count"] == 96
    assert last("holes")["mean"] == 5.0
    for name in model._parameters:
        last(name, "gradient")
        last(name, "update")
    assert run.parameters["rotor"].dtype == "complex64"


def test_frozen_none_and_unfrozen_later(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3))
    model[0].requires_grad_(False)
    detached = model[1]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1):
        for step in range(6):
            if step == 3:
                model[0].requires_grad_(True)
            optimizer.zero_grad()
            x = model[0](torch.randn(4, 3))
            model[2](x).sum().backward()  # The one in the middle never has a gradient.
            optimizer.step()
    run = visuai.open_run(tmp_path)
    assert run.series("0.weight", "weight").steps.tolist() == [0, 3, 4, 5]
    assert run.series("0.weight", "gradient").steps.tolist() == [3, 4, 5]
    assert run.parameters["0.weight"].trainable
    assert run.series("1.weight", "weight").steps.tolist() == list(range(6))
    assert len(run.series("1.weight", "gradient")) == 0
    assert (run.series("1.weight", "update").zero_share == 1).all()
    assert detached.weight.grad is None


def test_sparse_gradients(tmp_path: Path) -> None:
    model = nn.Embedding(10, 4, sparse=True)
    optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.1)
    run = record(model, lambda: model(torch.tensor([1, 1, 7])).sum(), tmp_path, optimizer=optimizer)
    gradient = run.series("weight", "gradient")
    assert gradient.count.tolist() == [40] * 3
    assert gradient.zeros.tolist() == [32] * 3
    assert gradient.max.tolist() == [2.0] * 3
    assert (run.series("weight", "update").zeros == 32).all()


def test_tied_parameters_are_one_record_of_several_names(tmp_path: Path) -> None:
    model = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    model["b"].weight = model["a"].weight
    run = record(model, lambda: model["b"](model["a"](torch.ones(2, 4))).sum(), tmp_path)
    assert list(run.parameters) == ["a.weight", "a.bias", "b.bias"]
    assert run.parameters["a.weight"].aliases == ("b.weight",)
    by_one, by_other = run.series("a.weight", "gradient"), run.series("b.weight", "gradient")
    assert by_one.norm.tolist() == by_other.norm.tolist()


def test_attention_and_lstm(tmp_path: Path) -> None:
    model = nn.ModuleDict(
        {"attention": nn.MultiheadAttention(8, 2, batch_first=True), "lstm": nn.LSTM(8, 5)}
    )
    x = torch.randn(2, 3, 8)

    def loss() -> torch.Tensor:
        return model["lstm"](model["attention"](x, x, x)[0])[0].square().mean()

    run = record(model, loss, tmp_path, activations=True)
    assert run.series("attention.in_proj_weight", "gradient").count.tolist() == [192] * 3
    assert run.series("lstm.weight_hh_l0", "gradient").count.tolist() == [100] * 3
    assert run.series("lstm", "activation").count.tolist() == [30] * 3


def test_lazy_and_replaced_parameters_and_adapters(tmp_path: Path) -> None:
    model = nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 2))
    visu = Visu(model, logdir=tmp_path, every=1)
    x = torch.ones(2, 3)
    model(x)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    step()
    model.load_state_dict(
        {key: torch.zeros_like(value) for key, value in model.state_dict().items()}, assign=True
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step()
    model[1] = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2))  # An adapter, late.
    optimizer.add_param_group({"params": list(model[1].parameters()), "lr": 0.01})
    step()
    model[0].weight = nn.Parameter(torch.ones(4, 3, dtype=torch.float64).float()[:, :3])
    model[1][1] = nn.Linear(2, 5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step()
    visu.close()
    run = visuai.open_run(tmp_path)
    assert not [event for event in run.events if event.kind == "failed"]
    weight = run.series("0.weight", "weight")
    assert weight.steps.tolist() == [0, 1, 2, 3], "replaced, but the same shape: it goes on"
    assert weight.zeros.tolist() == [0, 12, 12, 0]
    assert run.series("1.1.weight", "weight").count.tolist() == [4, 10], "two shapes, one name"
    assert run.series("1.0.weight", "update").steps.tolist() == [2, 3]
    assert run.learning_rates["learning rate 0.1"].values.tolist() == [0.01]


def test_a_gan_and_several_optimizers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    generator, critic = nn.Linear(2, 4), nn.Linear(4, 1)
    of_generator = torch.optim.SGD(generator.parameters(), lr=0.1)
    of_critic = torch.optim.SGD(critic.parameters(), lr=0.1)
    both = nn.ModuleDict({"generator": generator, "critic": critic})
    visus = [
        Visu(generator, logdir=tmp_path, name="generator", every=1),
        Visu(critic, logdir=tmp_path, name="critic", every=1),
        Visu(both, logdir=tmp_path, name="both", every=10),
    ]
    for turn in range(40):
        of_critic.zero_grad()
        critic(generator(torch.ones(3, 2)).detach()).sum().backward()
        of_critic.step()
        if turn % 4 == 3:
            of_generator.zero_grad()
            (-critic(generator(torch.ones(3, 2))).sum()).backward()
            of_generator.step()
    for visu in visus:
        visu.close()
    with visuai.open_run(tmp_path / "generator") as run:
        assert run.series("weight", "update").steps.tolist() == list(range(10))
    with visuai.open_run(tmp_path / "critic") as run:
        assert run.series("weight", "update").steps.tolist() == list(range(40))
    with visuai.open_run(tmp_path / "both") as run:
        assert run.series("critic.weight", "update").steps.tolist() == [0, 10, 20, 30]
        # It steps when no record is due; its own are made at its first chance after one was.
        assert run.series("generator.weight", "update").steps.tolist() == [3, 11, 23, 31]
        assert len(run.learning_rates) == 2


def test_optimizer_include_and_exclude_narrow(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    first = torch.optim.SGD(model[0].parameters(), lr=0.1)
    second = torch.optim.SGD(model[1].parameters(), lr=0.1)
    visu = Visu(
        model, logdir=tmp_path, every=1, optimizer=second, exclude="*.bias", include="[01]*"
    )
    for _ in range(3):
        model(torch.ones(1, 2)).sum().backward()
        first.step()
        second.step()
    visu.close()
    run = visuai.open_run(tmp_path)
    assert list(run.parameters) == ["0.weight", "1.weight"]
    assert len(run.series("0.weight", "update")) == 0
    assert len(run.series("1.weight", "update")) == 3


def test_the_same_model_again_ends_the_recording_before(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    paths = []
    for _ in range(3):  # A cell of a notebook, run three times.
        visu = Visu(model, logdir=tmp_path, every=1)
        paths.append(visu.path)
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    other = Visu(model, logdir=tmp_path, name="other", every=1)
    optimizer.step()
    visu.close()
    other.close()
    assert len(set(paths)) == 3
    assert find_runs(tmp_path / "model") == paths
    for path, steps in zip(paths, (2, 2, 3), strict=True):
        assert len(visuai.open_run(path).steps) == steps
    assert len(visuai.open_run(tmp_path / "other").steps) == 1


def test_a_model_that_is_gone_ends_its_recording(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    Visu(model, logdir=tmp_path, every=1)  # Nobody holds it.
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    alive = weakref.ref(model)
    del model, optimizer
    gc.collect()
    assert alive() is None, "the recorder does not keep a model alive"
    run = visuai.open_run(tmp_path)
    assert [event.kind for event in run.events] == ["start", "close"]
    assert run.steps.tolist() == [0]


def test_copies_and_pickles_record_nothing(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    visu = Visu(model, logdir=tmp_path, every=1, activations=True)
    average = copy.deepcopy(model)
    loaded = pickle.loads(pickle.dumps(model))
    file = io.BytesIO()
    torch.save(model, file)
    for _ in range(3):
        for each in (average, loaded):
            each(torch.full((1, 2), torch.nan))
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        with torch.no_grad():
            for one, other in zip(average.parameters(), model.parameters(), strict=True):
                one.lerp_(other, 0.1)
    same = copy.deepcopy(visu)
    assert same.path is None
    same.scalar("told", 1.0)
    same.step()
    same.close()
    visu.close()
    run = visuai.open_run(tmp_path)
    assert run.series("1", "activation").nonfinite.tolist() == [0, 0, 0]
    assert run.scalars == ("learning rate", "loss")
    assert copy.deepcopy(model)(torch.ones(1, 2)).shape == (1, 2)


def _child(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Steps without a backward pass: autograd's threads, if it has any, do not survive a fork."""
    for _ in range(5):
        model(torch.ones(1, 2))
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_do_not_write_to_the_run(method: str, tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    visu = Visu(model, logdir=tmp_path, every=1)
    _child(model, optimizer)
    process = multiprocessing.get_context(method).Process(target=_child, args=(model, optimizer))
    process.start()
    process.join(100)
    assert process.exitcode == 0
    _child(model, optimizer)
    visu.close()
    assert len(find_runs(tmp_path)) == 1
    assert visuai.open_run(tmp_path).steps.tolist() == list(range(10))


def test_only_the_first_of_distributed_processes_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "3")
    visu = Visu(nn.Linear(2, 2), logdir=tmp_path)
    assert visu.path is None
    assert find_runs(tmp_path) == []
    Visu(nn.Linear(2, 2), logdir=tmp_path, all_ranks=True).close()
    assert len(find_runs(tmp_path)) == 1


def test_checkpointing_records_a_forward_once(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    x = torch.ones(2, 3, requires_grad=True)
    run = record(
        model,
        lambda: checkpoint(model, x, use_reentrant=False).sum(),  # type: ignore[union-attr]
        tmp_path,
        activations=True,
    )
    assert run.series("1", "activation").steps.tolist() == [0, 1, 2]


def test_accumulation_records_the_whole_gradient(tmp_path: Path) -> None:
    model = nn.Linear(3, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(2):
            optimizer.zero_grad()
            for _ in range(4):
                model(torch.ones(1, 3)).sum().backward()
            nn.utils.clip_grad_value_(model.parameters(), 3.0)
            optimizer.step()
    gradient = visuai.open_run(tmp_path).series("weight", "gradient")
    assert gradient.max.tolist() == [3.0, 3.0], "added up, then clipped"


@pytest.mark.parametrize("fused", [False, True])
def test_a_gradient_scaler(fused: bool, tmp_path: Path) -> None:
    model = nn.Linear(3, 1, bias=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with Visu(model, logdir=tmp_path, every=1):
        for turn in range(4):
            optimizer.zero_grad()
            factor = torch.inf if turn == 1 else 2.0
            scaler.scale(model(torch.ones(1, 3)).sum() * factor).backward()
            scaler.step(optimizer)
            scaler.update()
    run = visuai.open_run(tmp_path)
    gradient = run.series("weight", "gradient")
    skipped = [event.step for event in run.events if event.kind == "skipped"]
    if fused:  # The step is taken, and does nothing.
        assert gradient.steps.tolist() == [0, 1, 2, 3]
        assert gradient.nonfinite.tolist() == [0, 3, 0, 0]
        assert skipped == [1]
        assert run.series("weight", "update").zeros.tolist() == [0, 3, 0, 0]
    else:  # The step is not taken, so there is none.
        assert gradient.steps.tolist() == [0, 1, 2]
        assert skipped == []
    assert set(gradient.max[gradient.nonfinite == 0].tolist()) == {2.0}, "without the scale"


def test_a_closure(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    x, y = torch.randn(20, 3), torch.randn(20, 1)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        return loss

    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(3):
            optimizer.step(closure)
    run = visuai.open_run(tmp_path)
    assert run.series("weight", "gradient").steps.tolist() == [0, 1, 2]
    assert (run.series("weight", "update").norm > 0).all()


def test_a_loop_without_an_optimizer_of_torchs(tmp_path: Path) -> None:
    model = nn.Linear(2, 1, bias=False)
    with Visu(model, logdir=tmp_path, every=2) as visu:
        for _ in range(6):
            model.zero_grad()
            model(torch.ones(1, 2)).sum().backward()
            with torch.no_grad():
                model.weight -= 0.25 * model.weight.grad  # type: ignore[operator]
            visu.step()
    run = visuai.open_run(tmp_path)
    assert run.steps.tolist() == [0, 2, 4]
    update = run.series("weight", "update")
    assert update.steps.tolist() == [2, 4], "before the first step nobody knew of the loop"
    assert update.min == pytest.approx([-0.25, -0.25])
    assert run.series("weight", "gradient").max.tolist() == [1.0] * 3


def test_step_beside_an_optimizer_does_nothing(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1) as visu:
        for _ in range(3):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
            visu.step()
    assert visuai.open_run(tmp_path).steps.tolist() == [0, 1, 2]


@pytest.mark.parametrize("given", [lambda model, _: model, lambda _, compiled: compiled])
def test_compiled(given: Callable[..., nn.Module], tmp_path: Path) -> None:
    """The hooks stay out of the graph (it must be whole), and hear the steps all the same.

    Of what is in the graph they hear nothing, which is said.
    """
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    visu = Visu(given(model, compiled), logdir=tmp_path, every=1, activations=True)
    for step in range(3):
        optimizer.zero_grad()
        compiled(torch.ones(2, 3)).sum().backward()
        if step == 1:
            with pytest.warns(RuntimeWarning, match=r"activations .* torch.compile"):
                optimizer.step()
        else:
            optimizer.step()
    visu.close()
    run = visuai.open_run(tmp_path)
    assert next(iter(run.parameters)) == "0.weight"
    assert run.series("2.weight", "gradient").steps.tolist() == [0, 1, 2]
    assert run.topology is not None
    assert [event.kind for event in run.events] == ["start", "unheard", "close"]
    assert not run.modules


def test_modules_outside_of_what_is_compiled_are_heard(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    model[0].compile(backend="eager")
    record(model, lambda: model(torch.ones(2, 3)).sum(), tmp_path, activations=True)
    run = visuai.open_run(tmp_path)
    assert run.series("1", "activation").steps.tolist() == [0, 1, 2]
    assert [event.kind for event in run.events] == ["start", "close"]


def test_a_compiled_step(tmp_path: Path) -> None:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=torch.tensor(0.5))
    step = torch.compile(optimizer.step, backend="eager")
    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(2, 3)).sum().backward()
            step()
    run = visuai.open_run(tmp_path)
    assert run.series("weight", "update").steps.tolist() == [0, 1, 2]
    assert run.learning_rates["learning rate"].values.tolist() == [0.5] * 3


def test_hostile_names(tmp_path: Path) -> None:
    model = nn.Module()
    names = ['a"b', "<script>alert(1)</script>", "line\nbreak", "\u202eright", "'; DROP TABLE x;--"]
    for name in (*names, "n" * 10_000):
        model.register_parameter(name, nn.Parameter(torch.ones(1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, name="../../e\0vil\ud800", every=1) as visu:
        sum(model.parameters()).backward()  # type: ignore[union-attr,arg-type]
        optimizer.step()
        visu.scalar("loss \ud800 '", 1.0)
    assert visu.path is not None
    assert visu.path.parent.parent == tmp_path
    run = visuai.open_run(visu.path)
    assert list(run.parameters) == [*names, "n" * 10_000]
    assert run.series(names[4], "weight").max.tolist() == [1.0]
    assert run.scalar("loss ? '").values.tolist() == [1.0]
    with pytest.raises(visuai.VisuaiError, match="Nothing called 'none'") as error:
        run.series("none", "weight")
    assert len(str(error.value)) < 1500


def test_a_network_that_cannot_be_captured_is_recorded_all_the_same(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))
            self.strict = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.strict:
                raise RuntimeError("not now")
            return x * self.weight

    model = Odd()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    visu = Visu(model, logdir=tmp_path, every=1)
    model(torch.ones(1)).sum().backward()
    model.strict = True
    with pytest.warns(RuntimeWarning, match="the network could not be captured"):
        optimizer.step()
    visu.close()
    run = visuai.open_run(tmp_path)
    assert run.topology is None
    assert "topology" in [event.kind for event in run.events]
    assert run.steps.tolist() == [0]


def test_an_error_in_the_recorder_never_stops_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def broken(*_: object, **__: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr("visuai.record.gather.measure", broken)
    visu = Visu(model, logdir=tmp_path, every=1)
    model(torch.ones(1, 2)).sum().backward()
    with pytest.warns(RuntimeWarning, match="training goes on: KeyError: 'planted'"):
        optimizer.step()
    optimizer.step()  # One warning is enough.
    monkeypatch.undo()
    optimizer.step()
    visu.close()
    run = visuai.open_run(tmp_path)
    assert run.steps.tolist() == [2]
    assert [event.kind for event in run.events].count("failed") == 2


def test_scalars_belong_to_their_step(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1) as visu:
        for turn in range(3):
            loss = model(torch.ones(1, 2)).sum() * 0 + turn
            visu.scalar("before", loss)
            loss.backward()
            optimizer.step()
            visu.scalar("after", loss)
            visu.scalar("own", torch.nan if turn else torch.inf, step=turn * 100)
    run = visuai.open_run(tmp_path)
    for name in ("before", "after"):
        assert run.scalar(name).steps.tolist() == [0, 1, 2]
        assert run.scalar(name).values.tolist() == [0.0, 1.0, 2.0]
    assert run.scalar("own").steps.tolist() == [0, 100, 200]
    assert np.isinf(run.scalar("own").values[0])
    assert np.isnan(run.scalar("own").values[1])
    assert len(run.scalar("none")) == 0


def test_options_are_checked() -> None:
    model = nn.Linear(2, 2)
    for options, message in (
        ({"every": 0}, "every=0"),
        ({"overhead": 0.0}, "overhead=0.0"),
        ({"overhead": 2.0}, "overhead=2.0"),
        ({"journal": "off"}, "journal='off'"),
        ({"resume": -3}, "resume=-3"),
    ):
        with pytest.raises(ValueError, match=message):
            Visu(model, **options)
    for options, message in (
        ({"evry": 3}, "no option 'evry'; did you mean 'every'"),
        ({"colour": 3}, "no option 'colour'; it has optimizer"),
        ({"include": 3}, "include=3"),
        ({"include": ["a", 3]}, "include="),
        ({"resume": "yes"}, "resume='yes'"),
        ({"optimizer": "adam"}, "optimizer='adam': expected a torch.optim.Optimizer"),
        ({"optimizer": [nn.ReLU()]}, "visu.step"),
    ):
        with pytest.raises(TypeError, match=message):
            Visu(model, **options)
    with pytest.raises(TypeError, match="Module, got int"):
        Visu(3)  # type: ignore[arg-type]
    assert not os.path.exists("sample")


class Wrapper:
    """What libraries hand out in place of an optimizer."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    def step(self) -> None:
        self.optimizer.step()


def test_an_optimizer_in_a_wrapper_is_known(tmp_path: Path) -> None:
    model = nn.Linear(4, 2)
    inner = torch.optim.SGD(model.parameters(), lr=0.1)
    other = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapped = Wrapper(Wrapper(inner))
    with Visu(model, logdir=tmp_path, every=1, optimizer=wrapped):
        for _ in range(3):
            model(torch.ones(3, 4)).sum().backward()
            wrapped.step()
            other.step()
    with visuai.open_run(tmp_path) as run:
        assert run.steps.tolist() == [0, 1, 2]


class Nested(torch.optim.Optimizer):
    """Takes its steps by another optimizer, as those that look ahead or for flat minima do."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, {"lr": 0.1})
        self.inner = torch.optim.SGD(self.param_groups, lr=0.1)

    def step(self, closure: Any = None) -> Any:  # type: ignore[override]
        loss = None if closure is None else closure()
        self.inner.step()
        return loss


@pytest.mark.parametrize("closure", [True, False])
def test_an_optimizer_in_an_optimizer_takes_one_step(closure: bool, tmp_path: Path) -> None:
    model = nn.Linear(4, 2)
    optimizer = Nested(model.parameters())
    weights: list[torch.Tensor] = []
    printed: list[float] = []

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(torch.randn(3, 4)).square().mean()
        loss.backward()
        printed.append(loss.item())
        return loss

    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(6):
            weights.append(model.weight.detach().clone())
            if closure:
                optimizer.step(loss)
            else:
                loss()
                optimizer.step()
        weights.append(model.weight.detach().clone())
    steps = list(range(6))
    with visuai.open_run(tmp_path) as run:
        assert run.steps.tolist() == run.scalar("loss").steps.tolist() == steps
        assert run.scalar("loss").values.tolist() == printed
        assert run.learning_rates["learning rate"].steps.tolist() == steps
        norms = [float(weight.norm()) for weight in weights]
        assert run.series("weight", "weight").norm == pytest.approx(norms[:-1], rel=1e-4)
        moved = [float((after - one).norm()) for one, after in pairwise(weights)]
        assert run.series("weight", "update").norm == pytest.approx(moved, rel=1e-4)


def test_an_inner_step_that_fails_does_not_silence_others(tmp_path: Path) -> None:
    model = nn.Linear(4, 2)
    failing, other = Nested(model.parameters()), torch.optim.SGD(model.parameters(), lr=0.1)

    def fails() -> None:
        raise ZeroDivisionError

    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(3):
            model(torch.ones(3, 4)).sum().backward()
            with pytest.raises(ZeroDivisionError):
                failing.step(fails)
            other.step()
    with visuai.open_run(tmp_path) as run:
        assert len(run.series("weight", "update")) >= 3


def test_what_matches_nothing_is_told(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.warns(RuntimeWarning, match="include='zzz', exclude=.* leave no parameter"):
        Visu(model, logdir=tmp_path, include="zzz").close()
    with pytest.warns(RuntimeWarning, match="activations='typo\\*' matches no module"):
        Visu(model, logdir=tmp_path, activations="typo*").close()


def test_the_network_is_that_of_training_and_not_of_a_look_before(tmp_path: Path) -> None:
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1):
        with torch.no_grad():
            model(torch.zeros(500, 4))
        model(torch.ones(16, 4)).sum().backward()
        optimizer.step()
    with visuai.open_run(tmp_path) as run:
        assert run.topology is not None
        assert run.topology.graph.nodes["output"]["outputs"][0]["shape"] == [16, 2]


def test_without_a_forward_there_is_no_graph_and_all_else(tmp_path: Path) -> None:
    model = nn.ModuleDict({"one": nn.Linear(4, 2)})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1):
        model["one"](torch.ones(3, 4)).sum().backward()
        with pytest.warns(RuntimeWarning, match="no graph: it has no forward of its own"):
            optimizer.step()
    with visuai.open_run(tmp_path) as run:
        assert run.topology is None
        assert run.steps.tolist() == [0]
