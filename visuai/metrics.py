"""`visuai metrics`: what each pass costs on well-known networks, and what else costs as much.

Each network takes CIFAR-10 input: one image of 3x32x32, ten classes. Beside the pipeline
stand TensorBoard's graph export, if TensorBoard is installed, and one plain forward of the
same network on the meta device, which computes shapes and nothing else.
"""

from __future__ import annotations

import copy
import gc
import importlib.util
import io
import math
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from visuai.builder import build
from visuai.errors import TargetError
from visuai.passes.base import Progress, silent
from visuai.topology import Topology

if TYPE_CHECKING:
    from rich.table import Table


class ThreeLayerMLP(nn.Module):
    """Three fully connected layers: (N, 3, 32, 32) to (N, 10)."""

    def __init__(self, hidden: int = 512, classes: int = 10) -> None:
        super().__init__()
        self.fc1 = nn.Linear(3 * 32 * 32, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gives the logits."""
        x = functional.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(functional.relu(self.fc2(x)))


class ThreeLayerConvNet(nn.Module):
    """Two convolutions and a linear map: (N, 3, 32, 32) to (N, 10)."""

    def __init__(self, channels: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 5, padding=2)
        self.conv2 = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.fc = nn.Linear(channels // 2 * 32 * 32, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gives the logits."""
        x = functional.relu(self.conv1(x))
        x = functional.relu(self.conv2(x))
        return self.fc(torch.flatten(x, 1))


def _torchvision(name: str, **options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        try:
            from torchvision import models  # pyright: ignore[reportMissingTypeStubs]
        except ImportError as error:
            raise TargetError(
                f"{name} comes from torchvision, which does not import ({error}). Install it "
                "with: pip install 'visuai[demo]'."
            ) from error
        return models.get_model(name, weights=None, num_classes=10, **options)

    return make


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "ThreeLayerMLP": ThreeLayerMLP,
    "ThreeLayerConvNet": ThreeLayerConvNet,
    "resnet18": _torchvision("resnet18"),
    "resnet152": _torchvision("resnet152"),
    "densenet121": _torchvision("densenet121"),
    "densenet201": _torchvision("densenet201"),
    "googlenet": _torchvision("googlenet", aux_logits=False, init_weights=False),
    "shufflenet_v2_x2_0": _torchvision("shufflenet_v2_x2_0"),
    "mobilenet_v2": _torchvision("mobilenet_v2"),
    "resnext101_32x8d": _torchvision("resnext101_32x8d"),
    "wide_resnet101_2": _torchvision("wide_resnet101_2"),
    "mnasnet1_3": _torchvision("mnasnet1_3"),
}
"""Name to what makes the network, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock time of several runs, in seconds.

    Attributes:
        seconds: One per run.
    """

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median run."""
        return median(self.seconds)

    @property
    def fastest(self) -> float:
        """The fastest run."""
        return min(self.seconds)


@dataclass(slots=True)
class Row:
    """What was measured on one network.

    Attributes:
        model: Its name.
        nodes: Nodes of the topology.
        parameters: Elements of its parameters.
        flops: Floating-point operations of one forward, a multiply-add counted as 2.
        saved_bytes: Size of the saved topology.
        visuai: `visuai.build`, from the module to the topology.
        passes: Median time of each pass, in seconds.
        meta_forward: One plain forward on the meta device.
        tensorboard: TensorBoard's graph export; None if it is not installed.
        peers: Other tools, by name, where the caller gave any.
    """

    model: str
    nodes: int
    parameters: int
    flops: int
    saved_bytes: int
    visuai: Timing
    passes: dict[str, float]
    meta_forward: Timing
    tensorboard: Timing | None = None
    peers: dict[str, Timing] = field(default_factory=dict[str, Timing])

    def to_dict(self) -> dict[str, Any]:
        """Gives the row as a JSON-able dictionary."""
        return asdict(self)


Tool = Callable[[nn.Module, torch.Tensor], object]

INPUT = (1, 3, 32, 32)
"""Shape of a batch of one of CIFAR-10."""


def tensorboard_export(model: nn.Module, x: torch.Tensor) -> dict[str, Any]:
    """Exports a graph the way TensorBoard's ``add_graph`` does, as a dictionary."""
    from google.protobuf.json_format import MessageToDict
    from torch.utils.tensorboard import _pytorch_graph

    export: Callable[..., Any] = getattr(_pytorch_graph, "graph")  # noqa: B009 (it is untyped)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        definition, _ = export(model, (x,))
    exported: dict[str, Any] = MessageToDict(definition)
    return exported


def measure(
    names: Iterable[str] = tuple(NETWORKS),
    *,
    repeat: int = 3,
    peers: dict[str, Tool] | None = None,
    progress: Progress = silent,
) -> list[Row]:
    """Measures networks, in one process, garbage collected before each run.

    A build and a plain forward take turns, on all networks; then come the other tools. Each run
    has a copy of the network to itself. The first round is not counted: it pays for imports.

    Other tools come last, since TorchScript, which TensorBoard's export uses, leaves a subclass
    of ``nn.Module`` behind for each module that it traces.

    Args:
        names: Keys of `NETWORKS`.
        repeat: Rounds that count.
        peers: More tools to time, by name.
        progress: Told which network is at hand.

    Raises:
        TargetError: If a name is unknown, or torchvision is missing.
    """
    names = list(names)
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        raise TargetError(
            f"Unknown networks: {', '.join(unknown)}; known are {', '.join(NETWORKS)}."
        )
    others: dict[str, Tool] = dict(peers or {})
    if importlib.util.find_spec("tensorboard") is not None:
        others = {"tensorboard": tensorboard_export, **others}
    rows: list[Row] = []
    for done, name in enumerate(names):
        progress(name, done, len(names))
        rows.append(_measure_one(name, repeat))
    for tool, run in others.items():
        for done, name in enumerate(names):
            progress(f"{name}: {tool}", done, len(names))
            timing = _in_turn({tool: run}, NETWORKS[name]().eval(), repeat)[tool]
            if tool == "tensorboard":
                rows[done].tensorboard = timing
            else:
                rows[done].peers[tool] = timing
    return rows


def _measure_one(name: str, repeat: int) -> Row:
    model = NETWORKS[name]().eval()
    on_meta = copy.deepcopy(model).to("meta")
    x_meta = torch.zeros(INPUT, device="meta")
    built: list[Topology] = []
    tools: dict[str, Tool] = {
        "visuai": lambda model, x: built.append(build(model, x)),
        "meta_forward": lambda _, __: on_meta(x_meta),
    }
    timings = _in_turn(tools, model, repeat)
    topology = built[-1]
    passes = {
        record.name: median(run.report.passes[at].seconds for run in built[1:])
        for at, record in enumerate(topology.report.passes)
    }
    return Row(
        model=name,
        nodes=topology.graph.number_of_nodes(),
        parameters=topology.num_parameters,
        flops=sum(data["flops"] or 0 for data in topology.graph.nodes.values()),
        saved_bytes=_saved_bytes(topology),
        visuai=timings["visuai"],
        passes=passes,
        meta_forward=timings["meta_forward"],
    )


def _in_turn(tools: dict[str, Tool], model: nn.Module, repeat: int) -> dict[str, Timing]:
    x = torch.zeros(INPUT)
    seconds: dict[str, list[float]] = {tool: [] for tool in tools}
    with torch.no_grad():
        for _ in range(repeat + 1):
            for tool, run in tools.items():
                # A copy for each run: some tools leave their wrappers on the model.
                fresh = copy.deepcopy(model)
                gc.collect()
                start = perf_counter()
                run(fresh, x)
                seconds[tool].append(perf_counter() - start)
    return {tool: Timing(tuple(runs[1:])) for tool, runs in seconds.items()}


def _saved_bytes(topology: Topology) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "topology.json.gz"
        topology.save(path)
        return path.stat().st_size


def geometric_mean(values: Iterable[float]) -> float:
    """Gives the geometric mean of positive numbers; nan for none.

    Examples:
        >>> geometric_mean([2.0, 8.0])
        4.0
    """
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def table(rows: Sequence[Row], *, passes: bool = True) -> Table:
    """Gives the rows as a table to print: medians, times in milliseconds.

    Args:
        rows: What was measured.
        passes: Whether to give the times of the single passes too.
    """
    from rich.table import Table

    shown = Table(
        title="Times in ms (median), CIFAR-10 input 1x3x32x32",
        title_justify="left",
        show_edge=passes,  # without, it fits into 80 columns
        pad_edge=passes,
    )
    shown.add_column("model", no_wrap=True)
    single = list(rows[0].passes) if rows and passes else []
    last = ["saved kB", "meta forward", "/ meta", "Tensor- Board", "faster"]
    heads = ["nodes", *(name.replace("-", "- ") for name in single), "all", *last]
    for head in heads:
        # A narrow terminal: heads may take two lines, figures never.
        shown.add_column(head.replace(" ", "\n"), justify="right", no_wrap=True)
    for row in rows:
        board = row.tensorboard
        shown.add_row(
            row.model,
            f"{row.nodes}",
            *(f"{1e3 * row.passes[name]:.1f}" for name in single),
            f"{1e3 * row.visuai.median:.1f}",
            f"{row.saved_bytes / 1e3:.2f}",
            f"{1e3 * row.meta_forward.median:.1f}",
            f"{row.visuai.median / row.meta_forward.median:.2f}",
            f"{1e3 * board.median:.0f}" if board else "-",
            f"{board.median / row.visuai.median:.1f}x" if board else "-",
        )
    if len(rows) > 1:
        boards = [row.tensorboard.median / row.visuai.median for row in rows if row.tensorboard]
        over_meta = geometric_mean(row.visuai.median / row.meta_forward.median for row in rows)
        blank = [""] * (len(single) + 4)
        board = f"{geometric_mean(boards):.1f}x" if boards else "-"
        shown.add_section()
        shown.add_row("geometric mean", *blank, f"{over_meta:.2f}", "", board)
    return shown
