"""The loss that is recorded without being told, against what the loop itself computed."""

from __future__ import annotations

import copy
import io
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from recording import one_thread
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import visuai
from visuai import Visu
from visuai.record.backward import root

__all__ = ["one_thread"]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(16, 6), torch.randint(3, (16,))


def losses(path: Path, name: str = "loss") -> list[float]:
    """Gives the losses recorded, after making sure that they are of steps without a gap."""
    with visuai.open_run(path) as run:
        assert not [event for event in run.events if event.kind in ("failed", "lost")], run.events
        scalar = run.scalar(name)
        assert scalar.steps.tolist() == list(range(len(scalar)))
        return scalar.values.tolist()


def with_module(model: nn.Module) -> torch.Tensor:
    x, y = batch()
    return nn.CrossEntropyLoss()(model(x), y)


def with_function(model: nn.Module) -> torch.Tensor:
    x, y = batch()
    return functional.cross_entropy(model(x), y)


def with_a_formula(model: nn.Module) -> torch.Tensor:
    x, _ = batch()
    return (model(x) - 1).square().mean()


def with_several_terms(model: nn.Module) -> torch.Tensor:
    penalty = torch.stack([each.square().sum() for each in model.parameters()]).sum()
    return with_module(model) + 0.01 * penalty


def without_reduction(model: nn.Module) -> torch.Tensor:
    x, y = batch()
    return functional.cross_entropy(model(x), y, reduction="none").mean()


def in_half_precision(model: nn.Module) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return with_a_formula(model)


def in_checkpoints(model: nn.Module) -> torch.Tensor:
    x, y = batch()
    twice: Any = checkpoint(model[0], x.requires_grad_(), use_reentrant=True)  # type: ignore[index]
    again: Any = checkpoint(model[1:], twice, use_reentrant=True)  # type: ignore[index]
    return functional.cross_entropy(again, y)


def not_by_forward(model: nn.Module) -> torch.Tensor:
    """Its parameters are used, and its forward is not."""
    x, y = batch()
    return functional.cross_entropy(x @ model[0].weight[:3].T + model[2].bias, y)  # type: ignore


KINDS: list[Callable[[nn.Module], torch.Tensor]] = [
    with_module,
    with_function,
    with_a_formula,
    with_several_terms,
    without_reduction,
    in_half_precision,
    in_checkpoints,
    not_by_forward,
]


def train(
    compute: Callable[[nn.Module], torch.Tensor], logdir: Path | None
) -> tuple[list[float], list[torch.Tensor]]:
    """Trains; gives what the loop would print, and the weights at the end."""
    torch.manual_seed(1)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    visu = None if logdir is None else Visu(model, logdir=logdir, every=3)
    printed: list[float] = []
    for _ in range(7):
        loss = compute(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        printed.append(loss.item())
    if visu is not None:
        visu.close()
        assert not any(each._backward_hooks for each in model.parameters())
    return printed, list(model.state_dict().values())


@pytest.mark.parametrize("compute", KINDS)
def test_it_is_what_the_loop_would_print(
    compute: Callable[[nn.Module], torch.Tensor], tmp_path: Path
) -> None:
    without, weights = train(compute, None)
    printed, recorded = train(compute, tmp_path)
    assert losses(tmp_path) == printed, "at every step, also where nothing else is recorded"
    assert printed == without
    assert all(map(torch.equal, weights, recorded))


def test_a_model_that_gives_its_loss(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=20))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for _ in range(4):
            ids = torch.randint(20, (2, 6))
            loss = model(input_ids=ids, labels=ids).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            printed.append(loss.item())
    assert losses(tmp_path) == printed


def test_evaluation_is_no_loss_of_a_step(tmp_path: Path) -> None:
    model, criterion = network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for _ in range(5):
            x, y = batch()
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            with torch.no_grad():
                criterion(model(x) * 2, y)
            criterion(model(x) * 3, y)  # computed, and nothing is made of it
            optimizer.step()
            printed.append(loss.item())
    assert losses(tmp_path) == printed


@pytest.mark.parametrize("parts", [1, 4])
def test_accumulation_adds_up(parts: int, tmp_path: Path) -> None:
    """It is the number whose gradient the optimizer gets; divided or not, as the loop has it."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for _ in range(5):
            optimizer.zero_grad()
            total = 0.0
            for _ in range(parts):
                loss = with_module(model) / parts
                loss.backward()
                total += loss.item()
            optimizer.step()
            printed.append(total)
    assert losses(tmp_path) == pytest.approx(printed, rel=1e-12)


def test_gradients_that_were_cleared_belong_to_no_step(tmp_path: Path) -> None:
    """An attack on the inputs goes through the parameters too."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for _ in range(4):
            x, y = batch()
            x.requires_grad_()
            for _ in range(3):
                functional.cross_entropy(model(x), y).backward()
                optimizer.zero_grad()
            loss = functional.cross_entropy(model(x + 0.1 * x.grad.sign()), y)  # type: ignore
            loss.backward()
            optimizer.step()
            printed.append(loss.item())
    assert losses(tmp_path) == printed


@pytest.mark.parametrize("once", [False, True])
def test_a_closure(once: bool, tmp_path: Path) -> None:
    """Evaluated again and again by L-BFGS: the first is what its step gives back."""
    model = network()
    if once:
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    else:
        optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for _ in range(5):
            x, y = batch()

            def closure(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
                loss = functional.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                return loss

            printed.append(optimizer.step(closure).item())  # type: ignore[union-attr]
    assert losses(tmp_path) == printed


@pytest.mark.parametrize("fused", [False, True])
def test_without_the_scale_of_a_gradient_scaler(fused: bool, tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for turn in range(6):
            optimizer.zero_grad()
            loss = with_module(model) * (torch.inf if turn == 3 else 1.0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            if fused or turn != 3:  # The other one takes no step then.
                printed.append(loss.item())
    with visuai.open_run(tmp_path) as run:
        recorded = run.scalar("loss").values.tolist()
    # What is infinite is no number in the file.
    assert [x if x == x else torch.inf for x in recorded] == pytest.approx(printed, rel=1e-7)


@pytest.mark.parametrize("to_none", [True, False])
def test_two_that_train_against_each_other(to_none: bool, tmp_path: Path) -> None:
    """Each has its own: gradients of the judge's last turn of the other are cleared."""
    maker, judge, criterion = nn.Linear(2, 6), nn.Linear(6, 1), nn.BCEWithLogitsLoss()
    of_maker = torch.optim.Adam(maker.parameters(), lr=0.01)
    of_judge = torch.optim.Adam(judge.parameters(), lr=0.01)
    made, judged = [], []
    both = [
        Visu(model, logdir=tmp_path, name=name, every=2)
        for name, model in (("maker", maker), ("judge", judge))
    ]
    real, fake = torch.ones(4, 1), torch.zeros(4, 1)
    for _ in range(6):
        of_judge.zero_grad(set_to_none=to_none)
        of_real = criterion(judge(torch.randn(4, 6) + 2), real)
        of_real.backward()
        images = maker(torch.randn(4, 2))
        of_fake = criterion(judge(images.detach()), fake)
        of_fake.backward()
        of_judge.step()
        judged.append(of_real.item() + of_fake.item())
        of_maker.zero_grad(set_to_none=to_none)
        loss = criterion(judge(images), real)
        loss.backward()
        of_maker.step()
        made.append(loss.item())
    for visu in both:
        visu.close()
    assert losses(tmp_path / "maker") == made
    assert losses(tmp_path / "judge") == judged


def test_two_optimizers_of_one_model(tmp_path: Path) -> None:
    model = nn.ModuleDict({"maker": nn.Linear(2, 6), "judge": nn.Linear(6, 1)})
    of_judge = torch.optim.SGD(model["judge"].parameters(), lr=0.01)
    of_maker = torch.optim.SGD(model["maker"].parameters(), lr=0.01)
    first, second, together = [], [], []
    with Visu(model, logdir=tmp_path, name="apart", every=2):
        for _ in range(4):
            images = model["maker"](torch.randn(4, 2))
            model.zero_grad()
            loss = model["judge"](images.detach()).square().mean()
            loss.backward()
            of_judge.step()
            first.append(loss.item())
            model.zero_grad()
            loss = model["judge"](images).sigmoid().mean()
            loss.backward()
            of_maker.step()
            second.append(loss.item())
    with Visu(model, logdir=tmp_path, name="together", every=2):
        for _ in range(4):
            loss = model["judge"](model["maker"](torch.randn(4, 2))).square().mean()
            model.zero_grad()
            loss.backward()
            of_judge.step()
            of_maker.step()
            together.append(loss.item())
    assert losses(tmp_path / "apart") == first
    assert losses(tmp_path / "apart", "loss 1") == second
    with visuai.open_run(tmp_path / "together") as run:
        assert "loss 1" not in run.scalars
    assert losses(tmp_path / "together") == together


def test_what_takes_too_long_is_looked_at_less_often(tmp_path: Path) -> None:
    """Of a step of microseconds; what is there is right."""
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    printed: list[float] = []
    with Visu(model, [torch.ones(1, 1)], logdir=tmp_path, overhead=1e-6):
        for _ in range(200):
            loss = model(torch.randn(1, 1)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            printed.append(loss.item())
    with visuai.open_run(tmp_path) as run:
        scalar = run.scalar("loss")
    assert 2 <= len(scalar) < 20
    assert scalar.values.tolist() == [printed[step] for step in scalar.steps]


def test_a_loop_without_an_optimizer_of_torchs(tmp_path: Path) -> None:
    model = network()
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2) as visu:
        for _ in range(4):
            model.zero_grad()
            loss = with_module(model)
            loss.backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad  # type: ignore[operator]
            visu.step()
            printed.append(loss.item())
    assert losses(tmp_path) == printed


def test_what_is_told_is_right(tmp_path: Path) -> None:
    """A loop that gives its loss gets what it gave; under another name, both."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2) as visu:
        for turn in range(4):
            loss = with_module(model)
            optimizer.zero_grad()
            (1000 * loss).backward()
            optimizer.step()
            visu.scalar("loss", loss)
            visu.scalar("accuracy", turn / 4)
            printed.append(loss.item())
    assert losses(tmp_path) == printed
    assert losses(tmp_path, "accuracy") == [0.0, 0.25, 0.5, 0.75]


def test_what_is_no_number_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=2) as visu:
        for turn in range(4):
            optimizer.zero_grad()
            with_module(model).backward()
            optimizer.step()
            visu.scalar("right", turn)
            if turn == 1:
                with pytest.warns(RuntimeWarning, match=r"a tensor of the shape \(16,\)"):
                    visu.scalar("per image", torch.ones(16))
            else:
                visu.scalar("per image", torch.ones(1))
    with visuai.open_run(tmp_path) as run:
        assert run.scalar("per image").steps.tolist() == [0, 2, 3]
        assert run.scalar("right").values.tolist() == [0, 1, 2, 3]


def test_parameters_that_are_frozen_or_replaced(tmp_path: Path) -> None:
    """The one that is listened to goes; at the step after, another one is."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for turn in range(9):
            if turn == 3:
                model[2].requires_grad_(False)
            if turn == 6:
                model.load_state_dict(copy.deepcopy(model.state_dict()), assign=True)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            loss = with_module(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            printed.append(loss.item())
    with visuai.open_run(tmp_path) as run:
        scalar = run.scalar("loss")
        assert set(range(9)) - set(scalar.steps.tolist()) <= {3, 6}
        assert scalar.values.tolist() == [printed[step] for step in scalar.steps]


def test_gradients_without_backward_are_not_seen(tmp_path: Path) -> None:
    """It gives up looking for what is not there, and leaves no hooks."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    visu = Visu(model, logdir=tmp_path, every=1)
    for _ in range(6):
        parameters = list(model.parameters())
        for parameter, gradient in zip(
            parameters, torch.autograd.grad(with_module(model), parameters), strict=True
        ):
            parameter.grad = gradient
        optimizer.step()
    assert not any(each._backward_hooks for each in model.parameters())
    visu.close()
    with visuai.open_run(tmp_path) as run:
        assert run.steps.tolist() == list(range(6))
        assert "loss" not in run.scalars


def test_it_is_found_from_another_thread_too() -> None:
    """Where a device has a thread of its own for its part of a backward pass."""
    found: list[torch.Tensor | None] = []

    def elsewhere(_: torch.Tensor) -> None:
        thread = threading.Thread(target=lambda: found.append(root()))
        thread.start()
        thread.join()

    model = network()
    model[2].weight.register_hook(elsewhere)
    loss = with_module(model)
    loss.backward()
    assert found[0] is loss
    torch.autograd.grad(with_module(model), [model[2].weight])
    torch.autograd.backward([with_module(model), with_module(model)])
    assert found[1:] == [None, None], "no number, or not one"


@pytest.mark.parametrize("compiled_first", [True, False])
def test_compiled(compiled_first: bool, tmp_path: Path) -> None:
    """No break in the graph, and nothing is compiled anew, neither when it ends."""
    torch._dynamo.reset()
    graphs = 0

    def backend(graph: torch.fx.GraphModule, _: Any) -> Callable[..., Any]:
        nonlocal graphs
        graphs += 1
        return graph.forward

    model = network()
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []

    def step() -> None:
        optimizer.zero_grad()
        loss = with_module(compiled)  # type: ignore[arg-type]
        loss.backward()
        optimizer.step()
        printed.append(loss.item())

    if compiled_first:
        step()
        printed.clear()
    with Visu(model, [torch.zeros(2, 6)], logdir=tmp_path, every=2):
        for _ in range(4):
            step()
    assert losses(tmp_path) == printed
    step()
    assert graphs == 1


def test_copies_do_not_tell(tmp_path: Path) -> None:
    """Also made and saved without a warning, which would be an error here."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=2):
        for _ in range(3):
            loss = with_module(model)
            optimizer.zero_grad()
            loss.backward()
            average = copy.deepcopy(model)
            torch.save(model, io.BytesIO())
            for other in (average, pickle.loads(pickle.dumps(model))):
                (5 * with_module(other)).backward()
            optimizer.step()
            printed.append(loss.item())
    assert losses(tmp_path) == printed


def test_distributed_and_parallel(tmp_path: Path) -> None:
    model = network()
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    try:
        for wrap in (nn.parallel.DistributedDataParallel, nn.DataParallel):
            wrapped = wrap(model)
            optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.1)
            printed: list[float] = []
            with Visu(wrapped, logdir=tmp_path, name=wrap.__name__, every=2):
                for _ in range(4):
                    loss = with_module(wrapped)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    printed.append(loss.item())
            assert losses(tmp_path / wrap.__name__) == printed
    finally:
        torch.distributed.destroy_process_group()


def test_with_a_head_for_each_task_it_is_found_again(tmp_path: Path) -> None:
    """Each head is missed when it is trained for the first time, and not again."""
    model = nn.ModuleList([nn.Linear(6, 3) for _ in range(4)])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: dict[int, float] = {}
    with Visu(model, logdir=tmp_path, every=1):
        for step in range(24):
            x, y = batch()
            loss = functional.cross_entropy(model[step % 4](x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            printed[step] = loss.item()
    with visuai.open_run(tmp_path) as run:
        scalar = run.scalar("loss")
    found = dict(zip(scalar.steps.tolist(), scalar.values.tolist(), strict=True))
    assert found == {step: printed[step] for step in found}
    assert len(found) >= 24 - 3
    assert found.keys() >= set(range(12, 24))


def test_what_is_frozen_in_turns_is_found_again(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=1):
        for step in range(20):
            model[0].requires_grad_(step % 2 == 0)
            model[1].requires_grad_(step % 2 == 1)
            loss = with_module(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            printed.append(loss.item())
    with visuai.open_run(tmp_path) as run:
        scalar = run.scalar("loss")
    assert scalar.values.tolist() == [printed[step] for step in scalar.steps]
    assert set(scalar.steps.tolist()) >= set(range(6, 20))


def test_a_judge_that_is_frozen_meanwhile_hides_no_loss(tmp_path: Path) -> None:
    model = nn.ModuleDict({"maker": nn.Linear(4, 4), "judge": nn.Linear(4, 1)})
    makes = torch.optim.SGD(model["maker"].parameters(), lr=0.1)
    judges = torch.optim.SGD(model["judge"].parameters(), lr=0.1)
    printed: list[tuple[float, float]] = []
    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(12):
            made = model["maker"](torch.randn(8, 4))
            model["judge"].requires_grad_(True)
            judges.zero_grad()
            judged = (model["judge"](made.detach()) - 1).square().mean()
            judged.backward()
            judges.step()
            model["judge"].requires_grad_(False)
            makes.zero_grad()
            fooled = model["judge"](made).square().mean()
            fooled.backward()
            makes.step()
            printed.append((judged.item(), fooled.item()))
    with visuai.open_run(tmp_path) as run:
        first, second = run.scalar("loss"), run.scalar("loss 1")
    assert first.values.tolist() == [one for one, _ in printed]
    assert second.values.tolist() == [printed[step][1] for step in second.steps]
    assert len(second) >= 10


@pytest.mark.parametrize("to_none", [True, False])
def test_what_was_before_gradients_were_cleared_does_not_count(
    to_none: bool, tmp_path: Path
) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed: list[float] = []
    with Visu(model, logdir=tmp_path, every=1):
        for _ in range(8):
            with_module(model).backward()  # A look at the gradients of other data.
            model.zero_grad(set_to_none=to_none)
            parts = [with_module(model) / 2 for _ in range(2)]
            for part in parts:
                part.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            optimizer.zero_grad(set_to_none=to_none)
            printed.append(sum(part.item() for part in parts))
    assert losses(tmp_path) == pytest.approx(printed)
