"""Hypothesis strategies: random networks in the dictionary IR, and small ones by hand."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from hypothesis import strategies as st

from visuai.ir import IR, Edge, Module, Node, TensorSpec, validate
from visuai.ops import category

SPECS: list[TensorSpec | None] = [
    {"shape": [2, 4], "dtype": "float32"},
    {"shape": [2, 4], "dtype": "float16"},
    {"shape": ["batch", 4], "dtype": "float32"},
    None,
]
HOSTILE = [
    "a'b",
    'say "x"',
    "<script>alert(1)</script>",
    "new\nline",
    "日本語",
    "relu@1",
    "x" * 300,
]
# Ops that every rule of prune-nodes, and none of them, has to do with.
OPS = [
    *["relu", "relu", "add", "add", "mul", "cat", "view", "matmul", "softmax", "dropout"],
    *["clone", "contiguous", "to", "float", "type_as", "expand", "masked_fill", "rand"],
    *["size", "shape", "dim", "numel", "getitem", "floordiv", "sub", "int", "assert_async"],
    *["zeros", "arange", "zeros_like", "full", "get_attr", "setitem"],
    *["pack", "pack", "unpack", "unpack", "split", "split"],
]
LEAVES = ["Linear", "ReLU", "Identity", "Dropout", "LayerNorm"]


def node(
    op: str,
    *,
    kind: str = "call_function",
    scope: str = "",
    call: int | None = 0,
    fqn: str = "",
    fqn_call: int | None = None,
    outputs: list[TensorSpec | None] | None = None,
    parameters: list[str] | None = None,
    attributes: dict[str, Any] | None = None,
) -> Node:
    """Makes a node; ``call`` is the call of its scope."""
    return Node(
        op_kind=kind,  # type: ignore[typeddict-item]
        op=op,
        target=f"torch.nn.{op}" if kind == "call_module" else op,
        fqn=fqn,
        call=fqn_call,
        scope=scope,
        scope_call=call,
        category=category(op),
        parameters=parameters or [],
        outputs=[SPECS[0]] if outputs is None else outputs,
        attributes=attributes or {},
        source=None,
        flops=None,
    )


def edge(source: str, target: str, index: int = 0, output: int = 0, **more: Any) -> Edge:
    """Makes an edge to input ``index`` of ``target``."""
    return Edge(
        source=source,
        source_output=output,
        target=target,
        target_input=index,
        **{"spec": SPECS[0], **more},
    )


LIST = "torch.nn.modules.container.ModuleList"


def module(
    fqn: str, parent: str | None = "", *, leaf: bool = False, type: str = "", config: str = ""
) -> Module:
    """Makes a module before split-recycled."""
    return Module(fqn=fqn, type=type, parent=parent, leaf=leaf, call=None, config=config)


def network(
    nodes: dict[str, Node],
    edges: list[Edge],
    modules: list[Module] | None = None,
    calls: dict[str, list[tuple[str, int]]] | None = None,
    parameters: dict[str, Any] | None = None,
) -> IR:
    """Makes an IR from its parts, with the root added, and checks it."""
    ir = IR(
        name="Net",
        nodes=nodes,
        edges=edges,
        modules={each["fqn"]: each for each in (module("", None), *(modules or []))},
        parameters=parameters or {},
        inputs=[key for key, each in nodes.items() if each["op_kind"] == "placeholder"],
        outputs=[key for key, each in nodes.items() if each["op_kind"] == "output"],
        calls=calls or {},
    )
    validate(ir)
    return ir


def parameter(kind: str = "parameter", alias_of: str | None = None) -> Any:
    """Makes an entry of the parameter table."""
    return {
        "shape": [4, 4],
        "dtype": "float32",
        "bytes": 64,
        "requires_grad": kind == "parameter",
        "kind": kind,
        "alias_of": alias_of,
    }


class _Run:
    """Executes a random program of nested, reused modules, and writes down what it does."""

    def __init__(self, random: Random, size: int, told: bool) -> None:
        self.random = random
        self.size = size
        self.told = told
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.values: list[tuple[str, int]] = []
        self.calls: dict[str, list[tuple[str, int]]] = {}
        self.counts: dict[str, int] = {}
        self.modules = [module("", None)]
        self.parameters = {
            f"p{index}": parameter(random.choice(["parameter", "parameter", "buffer", "constant"]))
            for index in range(4)
        }
        self.parameters["p3"]["alias_of"] = "p0"
        names = list(dict.fromkeys(random.choices(HOSTILE, k=3)))
        for index in range(random.randrange(8)):
            parent = random.choice([m for m in self.modules if not m["leaf"]])
            name = names.pop() if names and random.random() < 0.2 else f"m{index}"
            bare = random.random() < 0.2
            leaf = not bare and random.random() < 0.4
            block = random.choice(["t.Block", "torch.nn.modules.container.Sequential"])
            kind = LIST if bare else f"t.{random.choice(LEAVES)}" if leaf else block
            fqn = f"{parent['fqn']}.{name}" if parent["fqn"] else name
            self.modules.append(module(fqn, parent["fqn"], leaf=leaf, type=kind))

    def forward(self, fqn: str, call: int, depth: int) -> None:
        callable_ = [m for m in self.modules[1:] if m["type"] != LIST]
        for _ in range(self.random.randrange(1, 6)):
            if len(self.nodes) >= self.size:
                return
            if not callable_ or self.random.random() < 0.5 or depth > 6:
                self.op(fqn, call)
                continue
            # Sometimes a module of anywhere: shared ones, and ones that call themselves.
            called = self.random.choice(callable_)
            count = self.counts.get(called["fqn"], 0)
            self.counts[called["fqn"]] = count + 1
            if called["leaf"] and self.told:
                self.op(fqn, call, called, count)
            elif called["leaf"]:
                for _ in range(self.random.randrange(1, 4)):
                    self.op(called["fqn"], count)
            else:
                self.calls.setdefault(called["fqn"], []).append((fqn, call))
                self.forward(called["fqn"], count, depth + 1)

    def op(self, scope: str, call: int, called: Module | None = None, count: int = 0) -> None:
        random = self.random
        key = f"n{len(self.nodes)}" if random.random() < 0.9 else f"add_{len(self.nodes)}"
        site = call if self.told else None
        if called is not None:
            name = called["type"].removeprefix("t.")
            made = node(
                name,
                kind="call_module",
                scope=scope,
                call=site,
                fqn=called["fqn"],
                fqn_call=count,
                parameters=["p0"] if name == "Linear" else [],
            )
        elif (op := random.choice(OPS)) == "get_attr":
            fqn = random.choice(list(self.parameters))
            made = node(op, kind="get_attr", scope=scope, call=site, fqn=fqn, parameters=[fqn])
        else:
            made = node(op, scope=scope, call=site)
        if made["op"] in ("size", "shape", "dim", "numel", "floordiv", "int", "assert_async"):
            made["outputs"] = random.choice([[], [None]])
        elif made["op"] == "setitem":
            made["outputs"] = []
        elif made["op"] == "split":
            made["outputs"] = [random.choice(SPECS) for _ in range(3)]
        elif made["op_kind"] != "get_attr":
            made["outputs"] = [random.choice(SPECS)]
        self.nodes[key] = made
        if made["op"] == "unpack" and self.values:
            self.unpack(made, key)
        elif made["op"] == "pack" and self.values:
            made["outputs"] = [self.feed(key, index) for index in range(random.randrange(1, 4))]
        elif made["op_kind"] != "get_attr" and self.values:
            for index in range(random.randrange(0 if called is None else 1, 4)):
                self.feed(key, index)
        self.values += [(key, index) for index in range(max(1, len(made["outputs"])))]

    def unpack(self, made: Node, key: str) -> None:
        source, _ = self.random.choice(self.values[-6:])
        specs = self.nodes[source]["outputs"] or [None]
        offset = self.random.randrange(len(specs))
        for index, spec in enumerate(specs):
            self.edges.append(edge(source, key, index, index, spec=copy.deepcopy(spec)))
        made["attributes"] = {"offset": offset}
        made["outputs"] = [specs[offset]]

    def feed(self, key: str, index: int) -> TensorSpec | None:
        recent = self.values[-4:] if self.random.random() < 0.7 else self.values
        source, output = self.random.choice(recent)
        outputs = self.nodes[source]["outputs"]
        spec = outputs[output] if output < len(outputs) else None
        self.edges.append(edge(source, key, index, output, spec=copy.deepcopy(spec)))
        return spec

    def ir(self) -> IR:
        for index in range(self.random.randrange(3)):
            key = ["x", "m0", "mask"][index]
            self.nodes[key] = node("placeholder", kind="placeholder")
            self.values.append((key, 0))
        self.forward("", 0, 0)
        self.nodes["output"] = node("output", kind="output", outputs=[])
        if self.values:
            for index in range(self.random.randrange(1, 4)):
                self.feed("output", index)
        ir = IR(
            name="Random",
            nodes=self.nodes,
            edges=self.edges,
            modules={each["fqn"]: each for each in self.modules},
            parameters=self.parameters,
            inputs=[k for k, each in self.nodes.items() if each["op_kind"] == "placeholder"],
            outputs=["output"],
            calls=self.calls if self.told else {},
            origin={"route": "random"},
        )
        validate(ir)
        return ir


def random_ir(seed: int, size: int = 30, told: bool = True) -> IR:
    """Makes a random IR as captured, before any pass.

    Args:
        seed: What it depends on.
        size: Most ops.
        told: Whether calls are told apart, as by PyTorch; if not, leaf modules have their ops
            inside and calls have no index, as in ONNX.
    """
    return _Run(Random(seed), size, told).ir()


def irs(told: bool | None = None, size: int = 40) -> st.SearchStrategy[IR]:
    """Random IRs as captured; of both kinds if ``told`` is None."""
    return st.builds(
        random_ir,
        st.integers(0, 2**32),
        st.integers(1, size),
        st.booleans() if told is None else st.just(told),
    )
