"""Small training runs, recorded: some with a fault planted in them, some sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.optim import SGD, Adam, AdamW, Optimizer

from visuai import Visu

LossOf = Callable[[int], Tensor]


@dataclass(frozen=True)
class Fault:
    """A run with a fault.

    Attributes:
        train: Trains in a log directory, and gives the run's file.
        rule: The rule that has to find it.
        module: The module it has to name.
        step: The step at which it has to say that it began, give or take one record.
    """

    train: Callable[[Path], Path]
    rule: str
    module: str
    step: int


FAULTS: dict[str, Fault] = {}
HEALTHY: dict[str, Callable[[Path], Path]] = {}


def fault(rule: str, module: str, step: int = 0) -> Callable[[Any], Any]:
    def register(train: Callable[[Path], Path]) -> Callable[[Path], Path]:
        FAULTS[train.__name__] = Fault(train, rule, module, step)
        return train

    return register


def healthy(train: Callable[[Path], Path]) -> Callable[[Path], Path]:
    HEALTHY[train.__name__] = train
    return train


def fit(
    logdir: Path,
    model: nn.Module,
    optimizers: Optimizer | Iterable[Optimizer],
    loss_of: LossOf,
    steps: int = 30,
    after: Callable[[int], None] | None = None,
    before: Callable[[int], None] | None = None,
    **options: Any,
) -> Path:
    """Trains: ``before`` comes between backward and step, ``after`` after the step."""
    several = [optimizers] if isinstance(optimizers, Optimizer) else list(optimizers)
    with Visu(model, None, logdir, "net", every=options.pop("every", 1), **options) as visu:
        for step in range(steps):
            loss = loss_of(step)
            for optimizer in several:
                optimizer.zero_grad()
            loss.backward()
            if before is not None:
                before(step)
            for optimizer in several:
                optimizer.step()
            visu.scalar("loss", loss)
            if after is not None:
                after(step)
    assert visu.path is not None
    return visu.path


class Task:
    """Three classes of points in eight dimensions that a small network can tell apart."""

    def __init__(
        self, inputs: int = 8, classes: int = 3, batch: int = 32, apart: float = 2.0
    ) -> None:
        self.generator = torch.Generator().manual_seed(7)
        self.centres = apart * torch.randn(classes, inputs, generator=self.generator)
        self.batch = batch

    def sample(self) -> tuple[Tensor, Tensor]:
        labels = torch.randint(len(self.centres), (self.batch,), generator=self.generator)
        noise = torch.randn(self.batch, self.centres.shape[1], generator=self.generator)
        return self.centres[labels] + noise, labels

    def loss(self, model: nn.Module) -> LossOf:
        def of(step: int) -> Tensor:
            inputs, labels = self.sample()
            return F.cross_entropy(model(inputs), labels)

        return of


def mlp(*widths: int, act: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    modules: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        modules.append(nn.Linear(inputs, outputs))
        if index < len(widths) - 2:
            modules.append(act())
    return nn.Sequential(*modules)


class Functional(nn.Module):
    """Three linear modules with rectifiers that are no modules."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.two(F.relu(self.one(x)))))


# Gradients that vanish or explode ---------------------------------------------------------------


@fault("vanishing-gradient", "0")
def sigmoids_in_depth(logdir: Path) -> Path:
    model = mlp(8, *[16] * 9, 3, act=nn.Sigmoid)
    return fit(logdir, model, SGD(model.parameters(), lr=0.1), Task().loss(model))


@fault("vanishing-gradient", "0")
def sigmoids_in_depth_with_adam(logdir: Path) -> Path:
    model = mlp(8, *[16] * 9, 3, act=nn.Sigmoid)
    return fit(logdir, model, Adam(model.parameters(), lr=1e-3), Task().loss(model))


@fault("vanishing-gradient", "4")
def one_flat_module(logdir: Path) -> Path:
    """Large weights hold the units of one tanh where it is flat; all in front is cut off."""
    model = mlp(8, 16, 16, 16, 16, 3, act=nn.Tanh)
    with torch.no_grad():
        model[4].weight.mul_(0.05)
        model[4].bias.copy_(6.0 * torch.randn(16).sign())
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model))


@fault("vanishing-gradient", "0", step=20)
def vanishing_from_a_step_on(logdir: Path) -> Path:
    model = mlp(8, 16, 16, 16, 16, 3, act=nn.Tanh)

    def after(step: int) -> None:
        if step == 19:
            with torch.no_grad():
                for module in model:
                    if isinstance(module, nn.Linear) and module.out_features == 16:
                        module.bias.copy_(5.0 * torch.randn(16).sign())

    loss = Task().loss(model)
    return fit(logdir, model, SGD(model.parameters(), lr=0.01), loss, steps=40, after=after)


class Recurrent(nn.Module):
    def __init__(self, scale: float, kind: str = "relu") -> None:
        super().__init__()
        self.rnn, self.head = nn.RNN(4, 16, nonlinearity=kind, batch_first=True), nn.Linear(16, 1)
        with torch.no_grad():
            nn.init.orthogonal_(self.rnn.weight_hh_l0).abs_().mul_(scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


@fault("exploding-gradient", "rnn")
def recurrent_net_explodes(logdir: Path) -> Path:
    model = Recurrent(scale=0.8)
    data = torch.randn(16, 20, 4)

    def loss_of(step: int) -> Tensor:
        return model(data).square().mean()

    return fit(logdir, model, SGD(model.parameters(), lr=1e-9), loss_of, steps=12)


@fault("exploding-gradient", "0", step=25)
def one_mad_batch(logdir: Path) -> Path:
    """One batch whose inputs were never scaled."""
    model, task = mlp(8, 32, 3), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        if step == 25:
            inputs, labels = inputs * 3e4, labels.roll(1)
        return F.cross_entropy(model(inputs), labels)

    return fit(logdir, model, SGD(model.parameters(), lr=0.01), loss_of, steps=40)


@fault("gradients-pile-up", "")
def gradients_never_cleared(logdir: Path) -> Path:
    model, task = mlp(8, 32, 3), Task()
    optimizer = SGD(model.parameters(), lr=0.01)
    with Visu(model, None, logdir, "net", every=1) as visu:
        for step in range(20):
            loss = task.loss(model)(step)
            loss.backward()
            optimizer.step()
            visu.scalar("loss", loss)
    assert visu.path is not None
    return visu.path


# Dead and saturated units -----------------------------------------------------------------------


@fault("dead-units", "1")
def dead_by_bias(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    nn.init.constant_(model[0].bias, -40.0)
    optimizer = SGD(model.parameters(), lr=0.1)
    return fit(logdir, model, optimizer, Task().loss(model), activations=True)


@fault("dead-units", "0")
def dead_by_bias_seen_by_gradients(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    nn.init.constant_(model[0].bias, -40.0)
    return fit(logdir, model, SGD(model.parameters(), lr=0.1), Task().loss(model))


@fault("dead-units", "two")
def dead_functional_rectifier(logdir: Path) -> Path:
    model = Functional()
    nn.init.constant_(model.two.bias, -40.0)
    return fit(logdir, model, SGD(model.parameters(), lr=0.1), Task().loss(model))


@fault("dead-units", "3")
def most_units_dead(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    nn.init.constant_(model[2].bias[:24], -40.0)
    optimizer = SGD(model.parameters(), lr=0.05)
    return fit(logdir, model, optimizer, Task().loss(model), activations=["1", "3"])


@fault("dead-units", "3", step=15)
def killed_at_a_step(logdir: Path) -> Path:
    """One step far too large kills the units for good."""
    model = mlp(8, 32, 32, 3)

    def after(step: int) -> None:
        if step == 14:
            with torch.no_grad():
                model[2].bias.sub_(100.0)

    optimizer = SGD(model.parameters(), lr=0.05)
    return fit(logdir, model, optimizer, Task().loss(model), after=after, activations=True)


@fault("saturated-units", "1")
def saturated_tanh(logdir: Path) -> Path:
    model = mlp(8, 32, 3, act=nn.Tanh)
    with torch.no_grad():
        model[0].weight.mul_(200.0)
    optimizer = SGD(model.parameters(), lr=0.1)
    return fit(logdir, model, optimizer, Task().loss(model), activations=True)


@fault("saturated-units", "3")
def saturated_sigmoid(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3, act=nn.Sigmoid)
    with torch.no_grad():
        model[2].bias.copy_(15.0 * torch.randn(32).sign())
    optimizer = SGD(model.parameters(), lr=0.1)
    return fit(logdir, model, optimizer, Task().loss(model), activations=True)


# Steps too large or too small -------------------------------------------------------------------


@fault("update-too-large", "2", step=1)
def rate_too_high_adam(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    return fit(logdir, model, Adam(model.parameters(), lr=0.5), Task(apart=0.5).loss(model))


@fault("loss-diverging", "2", step=4)
def rate_too_high_sgd(logdir: Path) -> Path:
    torch.manual_seed(2)
    model = mlp(8, 32, 1)
    inputs, targets = torch.randn(64, 8), torch.randn(64, 1)

    def loss_of(step: int) -> Tensor:
        return F.mse_loss(model(inputs), targets)

    return fit(logdir, model, SGD(model.parameters(), lr=0.8), loss_of, steps=20)


@fault("update-too-large", "2", step=20)
def rate_jumps_at_a_step(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    optimizer = Adam(model.parameters(), lr=1e-3)

    def after(step: int) -> None:
        if step == 19:
            optimizer.param_groups[0]["lr"] = 1.0

    return fit(logdir, model, optimizer, Task(apart=0.5).loss(model), steps=40, after=after)


@fault("update-too-small", "0")
def rate_too_low(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    return fit(logdir, model, SGD(model.parameters(), lr=1e-7), Task().loss(model))


@fault("update-too-small", "0")
def rate_absurdly_low(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    return fit(logdir, model, Adam(model.parameters(), lr=1e-11), Task().loss(model))


@fault("unchanged", "2")
def group_without_rate(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    groups = [
        {"params": [*model[0].parameters(), *model[4].parameters()]},
        {"params": model[2].parameters(), "lr": 0.0},
    ]
    return fit(logdir, model, SGD(groups, lr=0.05), Task().loss(model))


@fault("update-lost-in-rounding", "0")
def step_lost_in_bfloat16(logdir: Path) -> Path:
    model, task = mlp(8, 32, 3).to(torch.bfloat16), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        return F.cross_entropy(model(inputs.bfloat16()).float(), labels)

    return fit(logdir, model, SGD(model.parameters(), lr=1e-4), loss_of)


@fault("gradient-underflow", "0")
def gradients_lost_in_float16(logdir: Path) -> Path:
    """The loss is so small that its gradients are near what float16 can tell from zero."""
    model, task = mlp(8, 32, 3).half(), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        return F.cross_entropy(model(inputs.half()).float(), labels) * 4e-6

    return fit(logdir, model, SGD(model.parameters(), lr=1e3), loss_of)


# Parameters that do not learn -------------------------------------------------------------------


@fault("frozen", "2")
def frozen_by_mistake(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    model[2].requires_grad_(False)
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model))


@fault("not-in-optimizer", "2")
def forgotten_by_the_optimizer(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    trained = [*model[0].parameters(), *model[4].parameters()]
    return fit(logdir, model, SGD(trained, lr=0.05), Task().loss(model))


@fault("not-in-optimizer", "2")
def forgotten_and_updates_not_recorded(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    trained = [*model[0].parameters(), *model[4].parameters()]
    return fit(logdir, model, SGD(trained, lr=0.05), Task().loss(model), update=False)


class Branches(nn.Module):
    """Two branches, of which one is detached; and a module that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(8, 16), nn.Linear(8, 16)
        self.head, self.spare = nn.Linear(16, 3), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.left(x)) + torch.tanh(self.right(x)).detach())


@fault("no-gradient", "right")
def detached_branch(logdir: Path) -> Path:
    model = Branches()
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model))


@fault("no-gradient", "spare")
def module_never_called(logdir: Path) -> Path:
    model = Branches()
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model))


@fault("zero-gradient", "2")
def two_zero_weights_in_a_row(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3, act=nn.Tanh)
    for index in (2, 4):
        nn.init.zeros_(model[index].weight)
        nn.init.zeros_(model[index].bias)
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model))


@fault("no-steps", "")
def optimizer_of_another_model(logdir: Path) -> Path:
    model, other = mlp(8, 32, 3), mlp(8, 32, 3)
    optimizer = SGD(other.parameters(), lr=0.05)
    return fit(logdir, model, optimizer, Task().loss(model), steps=5)


# What is not finite -----------------------------------------------------------------------------


@fault("nonfinite", "2", step=12)
def log_of_zero_in_the_loss(logdir: Path) -> Path:
    model, task = mlp(8, 32, 3), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        shares = model(inputs).softmax(dim=-1)
        if step == 12:
            shares = shares * 0.0
        return -shares.gather(1, labels[:, None]).log().mean()

    return fit(logdir, model, SGD(model.parameters(), lr=0.05), loss_of)


class Rooted(nn.Module):
    """A square root between two modules: its slope at zero is infinite."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.dropout(self.two(torch.tanh(self.one(x)))).abs().sqrt())


@fault("nonfinite", "two")
def root_of_zero_inside(logdir: Path) -> Path:
    model = Rooted()
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model), steps=10)


class Divided(nn.Module):
    """Divides by the spread of a batch, which one batch does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.one(x)
        return self.head(torch.relu(self.two((x - x.mean(dim=0)) / x.std(dim=0))))


@fault("nonfinite", "two", step=9)
def division_by_zero_inside(logdir: Path) -> Path:
    model, task = Divided(), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        return F.cross_entropy(model(inputs * (0.0 if step == 9 else 1.0)), labels)

    optimizer = SGD(model.parameters(), lr=0.05)
    return fit(logdir, model, optimizer, loss_of, activations=True)


@fault("nonfinite", "0", step=7)
def nan_in_the_data(logdir: Path) -> Path:
    model, task = mlp(8, 32, 3), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        if step == 7:
            inputs[3, 2] = math.nan
        return F.cross_entropy(model(inputs), labels)

    optimizer = SGD(model.parameters(), lr=0.05)
    return fit(logdir, model, optimizer, loss_of, activations=True)


@fault("nonfinite", "2", step=10)
def overflow_in_float16(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3).half()
    task = Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        return F.cross_entropy(model(inputs.half() * (4e3 if step == 10 else 1.0)).float(), labels)

    with torch.no_grad():
        model[2].weight.mul_(30.0)
    optimizer = SGD(model.parameters(), lr=1e-3)
    return fit(logdir, model, optimizer, loss_of, activations=True)


@fault("nonfinite", "0", step=1)
def adam_in_float16(logdir: Path) -> Path:
    """Its eps is zero in float16, and the first gradient of units that were dead is too."""
    model = mlp(8, 32, 3).half()
    nn.init.constant_(model[0].bias[:8], -40.0)
    task = Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        return F.cross_entropy(model(inputs.half()).float(), labels)

    return fit(logdir, model, Adam(model.parameters(), lr=1e-3, foreach=False), loss_of)


@fault("nonfinite", "2")
def nan_in_the_first_weights(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    with torch.no_grad():
        model[2].weight[0, 0] = math.nan
    return fit(logdir, model, SGD(model.parameters(), lr=0.05), Task().loss(model), steps=8)


@fault("steps-skipped", "", step=2)
def scaler_skips_all_the_time(logdir: Path) -> Path:
    model, task = mlp(8, 16, 3), Task()
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=10_000)
    # Only a fused optimizer is called for a step that is then skipped.
    optimizer = SGD(model.parameters(), lr=0.05, fused=True)
    with Visu(model, None, logdir, "net", every=1) as visu:
        for step in range(40):
            inputs, labels = task.sample()
            loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            scaler.scale(loss * (math.inf if step % 3 == 2 else 1.0)).backward()
            scaler.step(optimizer)
            scaler.update(4.0)
    assert visu.path is not None
    return visu.path


# Weights that start or end badly ----------------------------------------------------------------


@fault("poor-initialisation", "2")
def one_start_too_large(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    nn.init.normal_(model[2].weight, std=2.0)
    return fit(logdir, model, SGD(model.parameters(), lr=1e-3), Task().loss(model), steps=8)


@fault("poor-initialisation", "4")
def one_start_too_small(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 32, 3)
    nn.init.normal_(model[4].weight, std=1e-3)
    return fit(logdir, model, SGD(model.parameters(), lr=1e-3), Task().loss(model), steps=8)


@fault("poor-initialisation", "2")
def all_units_the_same(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    nn.init.constant_(model[2].weight, 0.1)
    return fit(logdir, model, SGD(model.parameters(), lr=1e-3), Task().loss(model), steps=8)


@fault("weight-collapse", "0", step=4)
def decay_to_zero(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    optimizer = AdamW(model.parameters(), lr=1e-3, weight_decay=700.0)
    return fit(logdir, model, optimizer, Task().loss(model))


@fault("weight-growth", "2", step=3)
def loss_with_the_wrong_sign(logdir: Path) -> Path:
    model, task = mlp(8, 32, 3), Task()

    def loss_of(step: int) -> Tensor:
        inputs, labels = task.sample()
        return -F.cross_entropy(model(inputs), labels)

    return fit(logdir, model, SGD(model.parameters(), lr=1.0), loss_of, steps=25)


@fault("always-clipped", "")
def clipped_at_every_step(logdir: Path) -> Path:
    model = mlp(8, 32, 3)

    def before(step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1e-3)

    loss = Task().loss(model)
    return fit(logdir, model, SGD(model.parameters(), lr=0.1), loss, before=before)


# Sound runs -------------------------------------------------------------------------------------


@healthy
def plain_mlp(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    optimizer = Adam(model.parameters(), lr=3e-3)
    return fit(logdir, model, optimizer, Task().loss(model), steps=60, activations=True)


@healthy
def warm_up(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3, act=nn.GELU)
    optimizer = AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 60)
    loss = Task().loss(model)
    return fit(logdir, model, optimizer, loss, steps=50, after=lambda _: schedule.step())


@healthy
def large_first_steps(logdir: Path) -> Path:
    torch.manual_seed(0)
    model, task = mlp(64, 50, 10, act=nn.Sigmoid), Task(64, 10, apart=0.3)
    return fit(logdir, model, SGD(model.parameters(), lr=0.5), task.loss(model), steps=300)


@healthy
def cosine_to_nothing(logdir: Path) -> Path:
    model = mlp(8, 32, 3)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50, eta_min=1e-9)
    loss = Task().loss(model)
    return fit(logdir, model, optimizer, loss, steps=60, after=lambda _: schedule.step())


class Texts(nn.Module):
    """A large table of which a batch looks up a few rows."""

    def __init__(self, sparse: bool) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(2000, 16, sparse=sparse), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.table(x).mean(dim=1))


@healthy
def sparse_embedding(logdir: Path) -> Path:
    model = Texts(sparse=True)

    def loss_of(step: int) -> Tensor:
        words = torch.randint(2000, (8, 6))
        return F.cross_entropy(model(words), words[:, 0] % 2)

    return fit(logdir, model, SGD(model.parameters(), lr=0.5), loss_of, steps=40)


@healthy
def frozen_backbone(logdir: Path) -> Path:
    backbone = mlp(8, 32, 32, 16)
    model = nn.Sequential(backbone, nn.ReLU(), nn.Linear(16, 3))
    backbone.requires_grad_(False)
    optimizer = Adam(model[2].parameters(), lr=1e-2)
    return fit(logdir, model, optimizer, Task().loss(model), steps=40)


class Adversaries(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.maker = mlp(4, 32, 2)
        self.judge = mlp(2, 32, 1, act=lambda: nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        return self.judge(self.maker(x))


@healthy
def adversaries(logdir: Path) -> Path:
    model = Adversaries()
    maker = Adam(model.maker.parameters(), lr=2e-3, betas=(0.5, 0.999))
    judge = Adam(model.judge.parameters(), lr=2e-3, betas=(0.5, 0.999))
    with Visu(model, None, logdir, "net", every=1) as visu:
        for _ in range(60):
            real, noise = torch.randn(32, 2) * 0.5 + 2.0, torch.randn(32, 4)
            judge.zero_grad()
            told = F.softplus(-model.judge(real)).mean()
            fooled = F.softplus(model.judge(model.maker(noise).detach())).mean()
            (told + fooled).backward()
            judge.step()
            maker.zero_grad()
            loss = F.softplus(-model(noise)).mean()
            loss.backward()
            maker.step()
            visu.scalar("loss_judge", told + fooled)
            visu.scalar("loss_maker", loss)
    assert visu.path is not None
    return visu.path


class Sequence(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 24, 2, batch_first=True), nn.Linear(24, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


@healthy
def lstm(logdir: Path) -> Path:
    model = Sequence()

    def loss_of(step: int) -> Tensor:
        data = torch.randn(16, 20, 4)
        return F.cross_entropy(model(data), (data[:, -3:, 0].sum(dim=1) > 0).long())

    return fit(logdir, model, Adam(model.parameters(), lr=5e-3), loss_of, steps=40)


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 32)
        part = nn.TransformerEncoderLayer(32, 4, 64, 0.1, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(part, 3, nn.LayerNorm(32), enable_nested_tensor=False)
        self.head = nn.Linear(32, 50)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.table(x)))


@healthy
def transformer(logdir: Path) -> Path:
    model = Transformer()

    def loss_of(step: int) -> Tensor:
        words = torch.randint(50, (16, 12))
        return F.cross_entropy(model(words).transpose(1, 2), words.roll(1, dims=1))

    return fit(logdir, model, AdamW(model.parameters(), lr=1e-3), loss_of, steps=40)


@healthy
def convolutions_with_norm(logdir: Path) -> Path:
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 2),
    )

    def loss_of(step: int) -> Tensor:
        images = torch.randn(8, 3, 12, 12)
        return F.cross_entropy(model(images), (images.mean(dim=(1, 2, 3)) > 0).long())

    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    return fit(logdir, model, optimizer, loss_of, steps=40, activations=True)


class Residual(nn.Module):
    """Residual branches that are shut at first: their gains start at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(8, 32), nn.Linear(32, 3)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32))
            for _ in range(4)
        )
        for branch in self.branches:
            nn.init.zeros_(branch[3].weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for branch in self.branches:
            x = x + branch(x)
        return self.head(x)


@healthy
def zero_gains(logdir: Path) -> Path:
    model = Residual()
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    return fit(logdir, model, optimizer, Task().loss(model), steps=40)


class Adapted(nn.Module):
    """A frozen weight with a low-rank adapter whose second factor starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.down = nn.Linear(8, 32), nn.Linear(8, 4, bias=False)
        self.up, self.head = nn.Linear(4, 32, bias=False), nn.Linear(32, 3)
        self.base.requires_grad_(False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.base(x) + self.up(self.down(x))))


@healthy
def low_rank_adapter(logdir: Path) -> Path:
    model = Adapted()
    trained = [each for each in model.parameters() if each.requires_grad]
    return fit(logdir, model, Adam(trained, lr=1e-2), Task().loss(model), steps=40)


@healthy
def batches_of_one(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    optimizer = SGD(model.parameters(), lr=0.01)
    return fit(logdir, model, optimizer, Task(batch=1).loss(model), steps=80, activations=True)


@healthy
def converged(logdir: Path) -> Path:
    """It fits its data so well that all gradients get tiny."""
    model = mlp(8, 64, 1, act=nn.Tanh)
    inputs = torch.randn(16, 8)
    targets = inputs[:, :1]

    def loss_of(step: int) -> Tensor:
        return F.mse_loss(model(inputs), targets)

    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=20)
    with Visu(model, None, logdir, "net", every=1) as visu:
        for step in range(40):

            def closure(step: int = step) -> Tensor:
                optimizer.zero_grad()
                loss = loss_of(step)
                loss.backward()
                return loss

            visu.scalar("loss", optimizer.step(closure))
    assert visu.path is not None
    return visu.path


@healthy
def deep_residual_tanh(logdir: Path) -> Path:
    model = mlp(8, *[32] * 6, 3, act=nn.Tanh)
    for module in model:
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    return fit(logdir, model, optimizer, Task().loss(model), steps=60, activations=True)


@healthy
def accumulated_and_clipped(logdir: Path) -> Path:
    model, task = mlp(8, 32, 3), Task()
    optimizer = AdamW(model.parameters(), lr=1e-2)
    with Visu(model, None, logdir, "net", every=1) as visu:
        for step in range(80):
            inputs, labels = task.sample()
            loss = F.cross_entropy(model(inputs), labels) / 4
            loss.backward()
            if step % 4 == 3:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
                visu.scalar("loss", loss)
    assert visu.path is not None
    return visu.path


@healthy
def fine_tuning(logdir: Path) -> Path:
    model = mlp(8, 32, 32, 3)
    task = Task()
    before = Adam(model.parameters(), lr=1e-2)
    for step in range(100):
        before.zero_grad()
        task.loss(model)(step).backward()
        before.step()
    model[4].reset_parameters()
    groups = [{"params": model[:4].parameters(), "lr": 1e-5}, {"params": model[4:].parameters()}]
    return fit(logdir, model, AdamW(groups, lr=1e-3), task.loss(model), steps=40)


def shuffled_labels(logdir: Path) -> Path:
    """Labels that have nothing to do with the inputs: no fault of the optimisation."""
    model = mlp(8, 32, 32, 3)

    def loss_of(step: int) -> Tensor:
        return F.cross_entropy(model(torch.randn(64, 8)), torch.randint(3, (64,)))

    return fit(logdir, model, SGD(model.parameters(), lr=0.02), loss_of, steps=80)
