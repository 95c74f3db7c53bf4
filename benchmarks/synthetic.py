"""Synthetic networks of any size, as dictionary IR, to time the passes on."""

from __future__ import annotations

from collections.abc import Callable

from visuai.ir import IR, Edge, Module, Node, TensorSpec

SPEC: TensorSpec = {"shape": [1, 64], "dtype": "float32"}


class Writer:
    """Writes a network down, op by op."""

    def __init__(self) -> None:
        self.ir = IR("Synthetic", {}, [], {})
        self.module("", None, "net.Net")
        self.last = self.op("placeholder", "", [], "placeholder")
        self.ir.inputs.append(self.last)

    def module(self, fqn: str, parent: str | None, kind: str, *, leaf: bool = False) -> None:
        self.ir.modules[fqn] = Module(
            fqn=fqn, type=kind, parent=parent, leaf=leaf, call=None, config=""
        )
        if parent is not None and not leaf:
            self.ir.calls[fqn] = [(parent, 0)]

    def op(
        self, op: str, scope: str, sources: list[str], kind: str = "call_function", fqn: str = ""
    ) -> str:
        key = f"n{len(self.ir.nodes)}"
        parameters: list[str] = []
        if kind == "call_module":
            parameters = [f"{fqn}.weight"]
            self.ir.parameters[parameters[0]] = {
                "shape": [64, 64], "dtype": "float32", "bytes": 16384, "requires_grad": True,
                "kind": "parameter", "alias_of": None,
            }  # fmt: skip
        self.ir.nodes[key] = Node(
            op_kind=kind,  # type: ignore[typeddict-item]
            op=op, target=op, fqn=fqn, call=0 if fqn else None, scope=scope, scope_call=0,
            category="other", parameters=parameters, outputs=[] if op == "size" else [SPEC],
            attributes={}, source=["net.py", 1], flops=1,
        )  # fmt: skip
        for index, source in enumerate(sources):
            self.ir.edges.append(
                Edge(source=source, source_output=0, target=key, target_input=index, spec=SPEC)
            )
        return key

    def block(self, fqn: str, x: str) -> str:
        """Five ops: Linear, relu, the size of something far away, a view, the residual."""
        self.module(f"{fqn}_lin", fqn, "torch.nn.Linear", leaf=True)
        y = self.op("Linear", fqn, [x], "call_module", f"{fqn}_lin")
        y = self.op("relu", fqn, [y])
        size = self.op("size", fqn, [self.ir.inputs[0]])
        y = self.op("view", fqn, [y, size])
        return self.op("add", fqn, [y, x])

    def finish(self) -> IR:
        self.ir.outputs.append(self.op("output", "", [self.last], "output"))
        return self.ir


def chain(count: int) -> IR:
    """Residual blocks one after the other, all ops in the root."""
    writer = Writer()
    while len(writer.ir.nodes) < count:
        fqn = f"b{len(writer.ir.modules)}"
        writer.module(f"{fqn}_lin", "", "torch.nn.Linear", leaf=True)
        x = writer.last
        y = writer.op("Linear", "", [x], "call_module", f"{fqn}_lin")
        for op in ("relu", "clone", "neg", "exp", "mul", "relu"):
            y = writer.op(op, "", [y])
        size = writer.op("size", "", [writer.ir.inputs[0]])
        y = writer.op("view", "", [y, size])
        writer.last = writer.op("add", "", [y, x])
    return writer.finish()


def nest(count: int) -> IR:
    """One module in the other, ten nodes in each, the input read at every depth."""
    writer = Writer()
    parent = ""
    while len(writer.ir.nodes) < count:
        fqn = f"m{len(writer.ir.modules)}"
        writer.module(fqn, parent, "net.Nest")
        y = writer.block(fqn, writer.last)
        for op in ("neg", "exp", "mul", "sin"):
            y = writer.op(op, fqn, [y])
        writer.last = writer.op("add", fqn, [y, writer.ir.inputs[0]])
        parent = fqn
    return writer.finish()


def wide(count: int) -> IR:
    """10,000 children of the root at a million nodes, a thousand at a hundred thousand."""
    writer = Writer()
    while len(writer.ir.nodes) < count:
        fqn = f"c{len(writer.ir.modules)}"
        writer.module(fqn, "", "net.Child")
        for _ in range(20):
            writer.last = writer.block(fqn, writer.last)
    return writer.finish()


def untold(make: Callable[[int], IR]) -> Callable[[int], IR]:
    """The same network as a source tells it that lost the calls."""

    def made(count: int) -> IR:
        ir = make(count)
        ir.calls.clear()
        for node in ir.nodes.values():
            node["scope_call"] = node["call"] = None
        return ir

    return made


CASES = {
    "chain": chain,
    "nest": nest,
    "wide": wide,
    "chain-untold": untold(chain),
    "nest-untold": untold(nest),
    "wide-untold": untold(wide),
}
