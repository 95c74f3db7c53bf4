"""Writes the networks that the viewer is tried and measured on, each as ``NAME.json.gz``.

Run as ``python frontend/bench/networks.py FOLDER [NAME ...]``; without names it makes all.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import visuai
from visuai.ir import IR, Edge, Module, Node, Parameter, TensorSpec
from visuai.passes.base import Context
from visuai.passes.build_hierarchy import BuildHierarchy
from visuai.wire import packed, wire

_OPS = (
    ("Conv2d", "torch.nn.modules.conv.Conv2d", "conv"),
    ("BatchNorm2d", "torch.nn.modules.batchnorm.BatchNorm2d", "norm"),
    ("ReLU", "torch.nn.modules.activation.ReLU", "activation"),
    ("Linear", "torch.nn.modules.linear.Linear", "linear"),
    ("add", "add", "arithmetic"),
    ("cat", "cat", "shape"),
    ("MaxPool2d", "torch.nn.modules.pooling.MaxPool2d", "pool"),
)
_WITH_WEIGHT = ("Conv2d", "BatchNorm2d", "Linear")


class Synthetic:
    """Makes networks of any size out of ops in a row with skips between them.

    Args:
        name: Name of the network.
        seed: What the choice of ops and skips follows from.
    """

    def __init__(self, name: str, seed: int = 0) -> None:
        self._choose = random.Random(seed)
        self._ir = IR(name, {}, [], {"": self._module("", "Synthetic", None)})
        self._ends: list[str] = []
        self.op("", "placeholder", "input", "io", name="input")
        self._ir.inputs.append("input")

    def _module(self, fqn: str, type_name: str, parent: str | None) -> Module:
        return Module(
            fqn=fqn, type=f"synthetic.{type_name}", parent=parent, leaf=False, call=0, config=""
        )

    def scope(self, inside: str, name: str, type_name: str) -> str:
        """Adds a module and gives its key."""
        key = f"{inside}.{name}" if inside else name
        self._ir.modules[key] = self._module(key, type_name, inside)
        return key

    def op(
        self, scope: str, kind: Any, op: str, category: str, *, name: str, target: str = ""
    ) -> None:
        """Adds an op that takes what the one before it gives."""
        key = f"{scope}.{name}" if scope else name
        width = 2 ** self._choose.randint(3, 9)
        spec = TensorSpec(shape=[1, width, 28, 28], dtype="float32")
        parameters: list[str] = []
        if op in _WITH_WEIGHT:
            parameters = [f"{key}.weight"]
            self._ir.parameters[parameters[0]] = Parameter(
                shape=[width, 3, 3], dtype="float32", bytes=width * 36, requires_grad=True,
                kind="parameter", alias_of=None,
            )  # fmt: skip
        self._ir.nodes[key] = Node(
            op_kind=kind, op=op, target=target or op, fqn=key if kind == "call_module" else "",
            call=0 if kind == "call_module" else None, scope=scope, scope_call=0,
            category=category, parameters=parameters, outputs=[spec], attributes={},
            source=["synthetic.py", len(self._ir.nodes) + 1], flops=width * 28 * 28,
        )  # fmt: skip
        sources = self._ends[-1:]
        if op in ("add", "cat") and len(self._ends) > 1:
            sources.append(self._choose.choice(self._ends[-40:-1]))
        for at, source in enumerate(sources):
            self._edge(source, key, at)
        self._ends.append(key)

    def any_op(self, scope: str, number: int) -> None:
        """Adds an op of the usual kinds."""
        op, target, category = self._choose.choice(_OPS)
        kind = "call_function" if op in ("add", "cat") else "call_module"
        self.op(scope, kind, op, category, name=f"{op.lower()}_{number}", target=target)

    def _edge(self, source: str, target: str, at: int) -> None:
        spec = self._ir.nodes[source]["outputs"][0]
        self._ir.edges.append(
            Edge(source=source, source_output=0, target=target, target_input=at, spec=spec)
        )

    def topology(self) -> visuai.Topology:
        """Ends the network and gives its topology."""
        self.op("", "output", "output", "io", name="output")
        self._ir.outputs.append("output")
        return BuildHierarchy().run(self._ir, Context())


def hierarchical(branches: list[int], seed: int = 0) -> visuai.Topology:
    """Makes modules in modules: ``[3, 4, 5]`` is 3 modules of 4 modules of 5 ops each."""
    made = Synthetic("Hierarchical", seed)
    names = ("Stage", "Group", "Block", "Cell", "Part", "Piece")
    waiting: list[tuple[str, int]] = [("", 0)]
    while waiting:
        scope, level = waiting.pop()
        if level == len(branches) - 1:
            for number in range(branches[level]):
                made.any_op(scope, number)
            continue
        inside = [
            made.scope(scope, f"{names[level].lower()}{number}", names[level])
            for number in range(branches[level])
        ]
        waiting.extend((key, level + 1) for key in reversed(inside))
    return made.topology()


def flat(count: int) -> visuai.Topology:
    """Makes one module with ``count`` ops."""
    made = Synthetic("Flat")
    for number in range(count):
        made.any_op("", number)
    return made.topology()


def deep(levels: int) -> visuai.Topology:
    """Makes a module in a module in a module."""
    made = Synthetic("Deep")
    scope = ""
    for number in range(levels):
        scope = made.scope(scope, "m", f"Level{number}")
    made.any_op(scope, 0)
    made.any_op(scope, 1)
    return made.topology()


def _vision(name: str, size: int = 224, **options: Any) -> visuai.Topology:
    import torch
    import torchvision

    model = getattr(torchvision.models, name)(weights=None, **options).eval()
    return visuai.build(model, torch.zeros(1, 3, size, size))


def _language(name: str) -> visuai.Topology:
    import torch
    import transformers

    if name == "bert":
        config = transformers.BertConfig(
            num_hidden_layers=4, hidden_size=128, num_attention_heads=4, vocab_size=1000
        )
        model = transformers.BertModel(config)
    else:
        model = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                n_layer=6, n_embd=192, n_head=6, vocab_size=1000, bos_token_id=0, eos_token_id=0
            )
        )
    return visuai.build(model.eval(), kwargs={"input_ids": torch.zeros(1, 16, dtype=torch.long)})


def _unet() -> visuai.Topology:
    import torch
    from torch import nn

    class Double(nn.Sequential):
        def __init__(self, a: int, b: int) -> None:
            super().__init__(
                nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(),
                nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(),
            )  # fmt: skip

    class Up(nn.Module):
        def __init__(self, a: int, b: int) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(a, b, 2, stride=2)
            self.conv = Double(a, b)

        def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
            return self.conv(torch.cat([skip, self.up(x)], dim=1))

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [32, 64, 128, 256, 512]
            self.enter = Double(3, widths[0])
            self.pool = nn.MaxPool2d(2)
            self.down = nn.ModuleList(map(Double, widths, widths[1:]))
            self.up = nn.ModuleList(map(Up, widths[:0:-1], widths[-2::-1]))
            self.head = nn.Conv2d(widths[0], 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            skips = [self.enter(x)]
            for down in self.down:
                skips.append(down(self.pool(skips[-1])))
            x = skips.pop()
            for up in self.up:
                x = up(x, skips.pop())
            return self.head(x)

    return visuai.build(UNet().eval(), torch.zeros(1, 3, 128, 128))


def _hostile() -> visuai.Topology:
    import torch
    from torch import nn

    names = (
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "\u202eright to left\u202c\u200b",
        "quote\"'`${alert(3)}&amp;",
        "line\nbreak\ttab\0nul",
        "x" * 10_000,
    )
    model = nn.Sequential()
    for name in names:
        kind = type(name.replace("\0", "0"), (nn.Sequential,), {})
        model.add_module(name, kind(nn.Linear(4, 4), nn.ReLU()))
    topology = visuai.build(model, torch.zeros(1, 4))
    for key in list(topology.graph):
        topology.graph.nodes[key]["attributes"] = {names[0]: names[1], names[2]: names[4]}
    topology.name = names[1]
    return topology


NETWORKS: dict[str, Callable[[], visuai.Topology]] = {
    "resnet18": lambda: _vision("resnet18"),
    "h100k": lambda: hierarchical([10, 10, 10, 10, 10]),
    "flat10k": lambda: flat(10_000),
    "flat50k": lambda: flat(50_000),
    "h10k": lambda: hierarchical([10, 10, 10, 10]),
    "unet": _unet,
    "googlenet": lambda: _vision("googlenet", init_weights=False, aux_logits=False),
    "densenet121": lambda: _vision("densenet121"),
    "resnet152": lambda: _vision("resnet152"),
    "vit_b_16": lambda: _vision("vit_b_16"),
    "gpt2": lambda: _language("gpt2"),
    "bert": lambda: _language("bert"),
    "deep": lambda: deep(3000),
    "hostile": _hostile,
}


def main(folder: str, *names: str) -> None:
    """Writes the networks named."""
    for name in names or NETWORKS:
        topology = NETWORKS[name]()
        data = packed(wire(topology))
        Path(folder, f"{name}.json.gz").write_bytes(data)
        print(f"{name}: {topology!r}, {len(data):,} bytes", flush=True)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    main(*sys.argv[1:])
