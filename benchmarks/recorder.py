"""What recording costs: against a plain read of the parameters, and against other recorders.

    python -m benchmarks.recorder cost       statistics of one step, ratios in one run
    python -m benchmarks.recorder overhead   ResNet-18 with and without, step by step in turns
    python -m benchmarks.recorder size       bytes of 1000 steps of 300 parameters
    python -m benchmarks.recorder read       one parameter's history of 100,000 steps
    python -m benchmarks.recorder kill       kill -9 at 200 random moments

Times are processor time, but for ``read``: the best (``cost``) or the median (``overhead``,
``read``) of several turns, taken in turns, so that what else the machine does falls on all of
them alike.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import visuai
from visuai.record import compiled
from visuai.record.compaction import pending, transpose
from visuai.record.measure import measure
from visuai.record.options import Options
from visuai.record.schema import series_id
from visuai.record.store import Batch, Record, Store, create_run
from visuai.record.subject import Subject


def seconds(do: Callable[[], object]) -> float:
    """Gives the processor time of all threads: what else the machine does is left out."""
    start = time.process_time()
    do()
    return time.process_time() - start


def tensors(count: int = 150, total: int = 26_000_000) -> list[torch.Tensor]:
    """Gives tensors of sizes as in a ResNet-50: two thirds small, the rest up to 2.4M."""
    small = [int(size) for size in np.geomspace(64, 2048, count * 2 // 3)]
    large = np.geomspace(20_000, 2_400_000, count - len(small))
    large = large * (total - sum(small)) / large.sum()
    return [torch.randn(size) * 0.02 for size in [*small, *(int(size) for size in large)]]


OWN = "visuai, all three quantities"


def cost(turns: int) -> None:
    """Weights, gradients and updates of 26M parameters in 150 tensors, once each."""
    weights = tensors()
    gradients = [torch.randn_like(weight) * 1e-3 for weight in weights]
    before = [weight.clone() for weight in weights]

    def ours(kernel: Callable[..., None] | None) -> None:
        compiled._kernel = kernel
        measure(weights, keep=before)
        measure(gradients)
        measure(weights, minus=before)

    kernel = compiled.load()
    ways: dict[str, Callable[[], object]] = {
        "sum of the parameters": lambda: [weight.sum() for weight in weights],
        OWN: lambda: ours(kernel),
    }
    if kernel is None:
        print("numba is not installed: not compared", file=sys.stderr)
    else:
        ways["visuai without numba"] = lambda: ours(None)
    with tempfile.TemporaryDirectory() as folder:
        add_tensorboard(ways, weights, gradients, before, folder)
        add_wandb(ways, weights, gradients, before)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(turns):
            for name, way in ways.items():
                times[name].append(seconds(way))
    read = min(times["sum of the parameters"])
    own = min(times[OWN])
    print(f"{'':44}      ms   reads   × visuai")
    for name, taken in times.items():
        best = min(taken)
        print(f"{name:44} {best * 1e3:7.1f} {best / read:7.1f} {best / own:9.1f}")


def add_tensorboard(
    ways: dict[str, Callable[[], object]],
    weights: list[torch.Tensor],
    gradients: list[torch.Tensor],
    before: list[torch.Tensor],
    folder: str,
) -> None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("tensorboard is not installed: not compared", file=sys.stderr)
        return
    writer = SummaryWriter(folder)

    def histograms() -> None:
        for number, (weight, gradient, old) in enumerate(
            zip(weights, gradients, before, strict=True)
        ):
            writer.add_histogram(f"weight/{number}", weight, 0)
            writer.add_histogram(f"gradient/{number}", gradient, 0)
            writer.add_histogram(f"update/{number}", weight - old, 0)

    ways["TensorBoard add_histogram, the same tensors"] = histograms


def add_wandb(
    ways: dict[str, Callable[[], object]],
    weights: list[torch.Tensor],
    gradients: list[torch.Tensor],
    before: list[torch.Tensor],
) -> None:
    """Adds what ``wandb.watch(log="all")`` does to each tensor, for the updates too."""
    try:
        import wandb
        from wandb.integration.torch.wandb_torch import TorchHistory
    except ImportError:
        print("wandb is not installed: not compared", file=sys.stderr)
        return

    class Kept:
        """Takes what is logged, and does nothing with it."""

        def _log(self, data: Any, commit: bool) -> None:
            pass

    wandb.run = Kept()  # type: ignore[assignment]
    history = TorchHistory()

    def all_() -> None:
        for number, (weight, gradient, old) in enumerate(
            zip(weights, gradients, before, strict=True)
        ):
            history.log_tensor_stats(weight, f"parameters/{number}")
            history.log_tensor_stats(gradient, f"gradients/{number}")
            history.log_tensor_stats(weight - old, f"updates/{number}")

    ways["wandb.watch's way, the same tensors"] = all_


STRETCH = 40
"""Steps of each model in a pair: enough for some of them to be recorded."""

LONGEST = 300.0
"""Seconds after which `overhead` starts no further pair."""


class Training:
    """A ResNet-18 that learns images as those of CIFAR, a step at a time."""

    def __init__(self, batches: list[list[torch.Tensor]]) -> None:
        import torchvision

        torch.manual_seed(0)
        self._batches = itertools.cycle(batches)
        self.model = torchvision.models.resnet18(num_classes=10)
        self._optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)

    def step(self) -> None:
        x, y = next(self._batches)
        self._optimizer.zero_grad()
        nn.functional.cross_entropy(self.model(x), y).backward()
        self._optimizer.step()


def overhead(turns: int) -> None:
    """Slows down ResNet-18 on images as those of CIFAR how much; pairs of stretches, median.

    Two models in one process take turns at each step, so what else the machine does falls on
    both. All that the recorder does for a step, in whatever thread, is counted to that step. It
    takes the time between its model's steps for training, and so would afford twice of what it
    is to: hence it is given half of the default share of it.
    """
    images, labels = torch.randn(512, 3, 32, 32), torch.randint(0, 10, (512,))
    dataset = torch.utils.data.TensorDataset(images, labels)
    batches = list(torch.utils.data.DataLoader(dataset, batch_size=64))
    plain, recorded = Training(batches), Training(batches)
    with tempfile.TemporaryDirectory() as folder:
        share = Options().overhead / 2
        visu = visuai.Visu(recorded.model, batches, folder, overhead=share)

        def recorded_step() -> None:
            recorded.step()
            visu.flush()

        pairs: list[tuple[float, float]] = []
        start = time.perf_counter()
        for turn in range(-1, turns):  # The first pair, in which everything starts, is left out.
            with_, without = 0.0, 0.0
            for number in range(STRETCH):
                if number % 2:
                    with_ += seconds(recorded_step)
                without += seconds(plain.step)
                if not number % 2:
                    with_ += seconds(recorded_step)
            if turn >= 0:
                pairs.append((with_, without))
            if time.perf_counter() - start > LONGEST:
                break
        visu.close()
        assert visu._recording is not None
        assert visu.path is not None
        cadence = visu._recording._cadence
        with visuai.open_run(visu.path) as run:
            steps = run.steps
    times = np.array(pairs)
    slower = 100 * (times[:, 0] / times[:, 1] - 1)
    chosen = np.random.default_rng(0).integers(len(slower), size=(10_000, len(slower)))
    low, high = np.quantile(np.median(slower[chosen], axis=1), [0.025, 0.975])
    quarter, median, three = np.quantile(slower, [0.25, 0.5, 0.75])
    total = 100 * (times[:, 0].sum() / times[:, 1].sum() - 1)
    print(f"slower by {median:.2f} %, the median of {len(slower)} pairs of {STRETCH} steps")
    print(f"  95 % interval of the median {low:.2f} to {high:.2f} %")
    print(f"  quartiles of the pairs {quarter:.2f} to {three:.2f} %, all together {total:.2f} %")
    inside = 100 * cadence.spent / (cadence.trained / 2)
    print(f"seconds in the recorder / seconds of training: {inside:.2f} % ({cadence.spent:.2f} s)")
    print(
        f"{len(steps)} of {(1 + len(pairs)) * STRETCH} steps recorded; "
        f"{1e3 * times[:, 1].sum() / len(pairs) / STRETCH:.0f} ms a step"
    )


def size(turns: int) -> None:
    """1000 steps of 300 parameters, all quantities and bins, numbers as training gives them."""
    generator = torch.Generator().manual_seed(0)
    shapes = [int(each) for each in np.geomspace(64, 16_384, 300)]
    weights = [torch.randn(each, generator=generator) * 0.02 for each in shapes]
    with tempfile.TemporaryDirectory() as folder:
        path = create_run(Path(folder), {"name": "size"})
        store = Store(path)
        subjects = [
            (number, Subject(f"stage.{number}.weight", "parameter", shape=(each,)))
            for number, each in enumerate(shapes)
        ]
        store.write(Batch(subjects=tuple(subjects)))
        writing = packing = 0.0
        largest = 0
        for step in range(1000):
            scale = 1e-3 / (1 + step / 200)
            gradients = [
                torch.randn(weight.shape, generator=generator) * scale * (1 + number % 7)
                for number, weight in enumerate(weights)
            ]
            updates = [gradient * 0.1 for gradient in gradients]
            weights = [weight - each for weight, each in zip(weights, updates, strict=True)]
            record = as_record(step, {"weight": weights, "gradient": gradients, "update": updates})
            writing += seconds(lambda record=record: store.write(Batch(records=(record,))))
            if pending(store.connection) == 64:
                packing += seconds(lambda: pack(store))
            largest = max(largest, path.stat().st_size)
        pack(store)
        store.close()
        megabytes = path.stat().st_size / 1e6
        rows = 1000 * 3 * len(weights)
        print(f"{megabytes:.1f} MB ({path.stat().st_size / rows:.1f} bytes a record and series)")
        print(f"{largest / 1e6:.1f} MB at most while it was written, its log left out")
        print(f"writing {writing:.2f} ms a step, packing {packing:.2f} ms a step")


def pack(store: Store) -> None:
    with store.compacting() as connection:
        transpose(connection)


def as_record(step: int, quantities: dict[str, list[torch.Tensor]]) -> Record:
    from visuai.record.columns import concatenate

    columns = concatenate([measure(each).columns(step) for each in quantities.values()])
    keys = [
        series_id(number, quantity)
        for quantity, each in quantities.items()
        for number in range(len(each))
    ]
    return Record(step, float(step), columns, np.array(keys, dtype=np.int64))


def read(turns: int) -> None:
    """A parameter of 4096 elements over 100,000 recorded steps, read as 2,000 columns."""
    generator = torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = create_run(Path(folder), {"name": "read"})
        store = Store(path)
        store.write(Batch(subjects=((0, Subject("weight", "parameter", shape=(4096,))),)))
        some = [torch.randn(4096, generator=generator) * 1e-3 for _ in range(50)]
        measured = [as_record(0, {"gradient": [each]}) for each in some]
        waiting: list[Record] = []
        for step in range(100_000):
            record = measured[step % 50]
            columns = record.columns.__class__(
                **{**vars(record.columns), "first": np.array([step]), "last": np.array([step])}
            )
            waiting.append(Record(step, float(step), columns, record.keys))
            if len(waiting) == 64:
                store.write(Batch(records=tuple(waiting)))
                pack(store)
                waiting = []
        store.write(Batch(records=tuple(waiting)))
        times: list[float] = []
        for _ in range(turns):
            with visuai.open_run(path) as run:
                start = time.perf_counter()
                series = run.series("weight", "gradient", columns=2000)
                counts = series.histogram.counts
                times.append(time.perf_counter() - start)
        print(f"{len(series)} columns, {counts.shape[1]} bins of {series.records.sum()} records")
        print(f"{1e3 * statistics.median(times):.1f} ms (best {1e3 * min(times):.1f})")
        with visuai.open_run(path) as run:
            every = seconds(lambda: run.series("weight", "gradient"))
        print(f"every record: {1e3 * every:.0f} ms; file {path.stat().st_size / 1e6:.1f} MB")
        store.close()


LIFE = 140
"""Steps that a training to be killed takes: records are packed after every 64, and at the end."""

CLOSING, CLOSED = LIFE, LIFE + 1
"""What is told by the pipe after the last step."""


def live(folder: str, told: int, journal: str) -> None:
    """Trains, records every step, and tells each one by a pipe once it is in the file."""
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    visu = visuai.Visu(model, logdir=folder, name="model", every=1, journal=journal)
    for step in range(LIFE):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        visu.flush()
        os.write(told, step.to_bytes(8, "big"))
    os.write(told, CLOSING.to_bytes(8, "big"))
    visu.close()
    os.write(told, CLOSED.to_bytes(8, "big"))


def warm_up(folder: str) -> None:
    """Loads what recording needs, so that each child has it from the start.

    No backward is run here: torch refuses it in a child whose parent has done so.
    """
    model = nn.Linear(4, 3)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    with visuai.Visu(model, logdir=folder, name="model", every=1):
        model(torch.ones(2, 4))
        optimizer.step()
    with visuai.open_run(folder) as run:
        run.series("weight", "gradient")


class Child:
    """A training in a process of its own, and what it has told so far."""

    def __init__(self, folder: str, journal: str) -> None:
        self._pipe, writing = os.pipe()
        self.start = time.perf_counter()
        self.number = os.fork()
        if self.number == 0:
            try:
                os.close(self._pipe)
                live(folder, writing, journal)
            finally:
                os._exit(0)
        os.close(writing)
        self.told = 0

    def wait_for(self, told: int) -> float:
        """Waits until so much has been told, or it has ended; gives the time since its start."""
        while self.told < told and os.read(self._pipe, 8):
            self.told += 1
        return time.perf_counter() - self.start

    def kill(self) -> int:
        """Kills it; gives how many steps it has acknowledged."""
        os.kill(self.number, signal.SIGKILL)
        os.waitpid(self.number, 0)
        self.wait_for(CLOSED + 1)
        os.close(self._pipe)
        return min(self.told, LIFE)


def kill(turns: int) -> None:
    """Kills a training that records every step, at random moments of its life.

    A quarter each while it starts, while it records, while records are packed and while it
    closes its run, with either journal in turn; how long each of these takes is seen from a few
    that are left alone. But for the start a reader has the run open meanwhile.
    """
    with tempfile.TemporaryDirectory() as folder:
        warm_up(folder)
    lives: list[tuple[float, float, float, float]] = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            child = Child(folder, "wal")
            moments = [child.wait_for(told) for told in (1, 62, 63, 64, LIFE + 1, LIFE + 2)]
            child.kill()
            first, before, full, packed, closing, closed = moments
            lives.append((first, full - before, packed - full, closed - closing))
    spans = [statistics.median(span) for span in zip(*lives, strict=True)]
    phases = ("start", "recording", "packing", "closing")
    print(
        ", ".join(f"{name} {1e3 * span:.1f} ms" for name, span in zip(phases, spans, strict=True))
    )
    whole = dict.fromkeys(phases, 0)
    acknowledged = least = 0
    for turn in range(turns):
        phase = turn % 4
        with tempfile.TemporaryDirectory() as folder:
            child = Child(folder, ("wal", "delete")[turn // 4 % 2])
            reader = None
            if phase:
                child.wait_for(1)
                reader = visuai.open_run(folder)
                reader.series("weight", "gradient")
            if phase == 1:
                child.wait_for(random.randint(1, LIFE))
            elif phase == 2:
                child.wait_for(64 * random.randint(1, LIFE // 64) - 1)
            elif phase == 3:
                child.wait_for(CLOSING + 1)
            time.sleep(random.random() * spans[phase])
            told = child.kill()
            whole[phases[phase]] += is_whole(folder, told)
            acknowledged += told
            least += told < LIFE
            if reader is not None:
                reader.close()
    print(
        f"{sum(whole.values())} of {turns} runs whole after kill -9 "
        f"({', '.join(f'{name} {count}' for name, count in whole.items())}); "
        f"{acknowledged} steps acknowledged in all, {least} runs killed before their last"
    )


def is_whole(folder: str, acknowledged: int) -> bool:
    """Tells whether a run opens as it is and holds at least the steps acknowledged."""
    try:
        run = visuai.open_run(folder)
    except FileNotFoundError:  # Killed before there was a run.
        return acknowledged == 0
    except visuai.VisuaiError as error:
        print(error, file=sys.stderr)
        return False
    with run:
        steps = run.steps.tolist()
        return (
            steps == list(range(len(steps)))
            and len(steps) >= acknowledged
            and all(
                run.series("weight", quantity).steps.tolist() == steps
                for quantity in ("weight", "gradient", "update")
                if steps
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    ways = {"cost": 15, "overhead": 40, "size": 1, "read": 15, "kill": 200}
    parser.add_argument("what", choices=ways)
    parser.add_argument("--turns", type=int, help="how often")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    do: Callable[[int], None] = globals()[chosen.what]
    do(chosen.turns or ways[chosen.what])


if __name__ == "__main__":
    main()
