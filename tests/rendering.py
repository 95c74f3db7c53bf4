"""Topologies made by hand, so that renderers are tested without a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import networkx as nx

from visuai.ir import Parameter
from visuai.ops import category
from visuai.topology import Scope, Topology

Golden = Callable[[str, str], None]
"""Compares a text, the second, with the golden of a name; the fixture ``golden`` gives it."""

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "\"';--",
    "back\\slash \\n \\u0041",
    "a\nb\r\n\tc\x00\x1b[31m",
    "]]>",
    "--> <!--",
    "</style></title></svg>",
    "${alert(1)} {{7*7}} `x`",
    "\u202eesrever\u2066 עברית العربية",
    "層 🧠 é e\u0301",
    'end\n  click a "javascript:alert(1)"',
    "%% comment; #quot; &amp; &lt;",
    "lone \ud800 \ufffe",
    "x" * 10_000,
]


def topology_of(
    name: str,
    nodes: dict[str, tuple[str, str]],
    edges: Iterable[tuple[str, str] | tuple[str, str, int, int]],
    scopes: dict[str, str | tuple[str, int]] | None = None,
    parameters: dict[str, list[int]] | None = None,
    shape: list[int | str] | None = None,
) -> Topology:
    """Makes a topology.

    Args:
        name: Its name.
        nodes: (op, scope) by id; ``input`` and ``output`` are the network's ends. An op that
            starts with a capital is a module.
        edges: Pairs of ids, with output and input index if not 0.
        scopes: Class, and repeat count if not 1, by id, parents first, the root left out.
        parameters: Shape by FQN; a node reads those that start with its id and a dot.
        shape: Shape of every value.
    """
    spec: Any = None if shape is None else {"shape": shape, "dtype": "float32"}
    held: dict[str, Parameter] = {
        key: {
            "shape": list(dims),
            "dtype": "float32",
            "bytes": 4,
            "requires_grad": True,
            "kind": "parameter",
            "alias_of": None,
        }
        for key, dims in (parameters or {}).items()
    }
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    tree = {"": Scope("", "", f"pkg.{name}", 0, None)}
    for key, given in (scopes or {}).items():
        type_, repeat = given if isinstance(given, tuple) else (given, 1)
        parents = [other for other in tree if other and key.startswith(f"{other}.")]
        parent = max(parents, key=len, default="")
        tree[key] = Scope(key, key, f"pkg.{type_}", 0, parent, repeat=repeat)
        tree[parent].children.append(key)
    for key, (op, scope) in nodes.items():
        kinds = {"input": "placeholder", "output": "output"}
        module = op[:1].isupper()
        kind = kinds.get(op, "call_module" if module else "call_function")
        graph.add_node(
            key,
            op_kind=kind,
            op=op,
            target=f"torch.nn.{op}" if module else op,
            fqn=key if module else "",
            call=0 if module else None,
            scope=scope,
            scope_call=0,
            category="io" if op in kinds else category(op),
            parameters=[held_key for held_key in held if held_key.startswith(f"{key}.")],
            outputs=[spec],
            attributes={},
            source=None,
            flops=None,
            shared_with=[],
        )
        tree[scope].children.append(key)
    for source, target, *rest in edges:
        source_output, target_input = rest or (0, 0)
        graph.add_edge(
            source,
            target,
            source_output=source_output,
            target_input=target_input,
            shape=None if spec is None else spec["shape"],
            dtype=None if spec is None else spec["dtype"],
        )
    return Topology(
        name=name,
        graph=graph,
        scopes=tree,
        parameters=held,
        inputs=[key for key, (op, _) in nodes.items() if op == "input"],
        outputs=[key for key, (op, _) in nodes.items() if op == "output"],
    )


def residual(repeats: int = 3) -> Topology:
    """A stem, identical residual blocks in a row, a head."""
    nodes = {"x": ("input", ""), "stem": ("Conv2d", "")}
    scopes: dict[str, str | tuple[str, int]] = {"body": "Sequential"}
    edges: list[Any] = [("x", "stem")]
    parameters = {"stem.weight": [8, 3, 3, 3]}
    last = "stem"
    for index in range(repeats):
        block = f"body.{index}"
        scopes[block] = ("Residual", repeats if index == 0 else 0)
        nodes[f"{block}.conv"] = ("Conv2d", block)
        nodes[f"{block}.relu"] = ("ReLU", block)
        nodes[f"{block}.add"] = ("add", block)
        parameters[f"{block}.conv.weight"] = [8, 8, 3, 3]
        edges += [
            (last, f"{block}.conv"),
            (f"{block}.conv", f"{block}.relu"),
            (f"{block}.relu", f"{block}.add"),
            (last, f"{block}.add", 0, 1),
        ]
        last = f"{block}.add"
    nodes["head"] = ("Linear", "")
    nodes["output"] = ("output", "")
    parameters["head.weight"] = [10, 8]
    edges += [(last, "head"), ("head", "output")]
    return topology_of("Residuals", nodes, edges, scopes, parameters, [1, 8, 16, 16])


def skips(levels: int = 3) -> Topology:
    """A U-Net: each level down feeds the level up across from it."""
    nodes = {"x": ("input", "")}
    edges: list[Any] = []
    last = "x"
    for level in range(levels):
        nodes[f"down{level}"] = ("Conv2d", "")
        nodes[f"pool{level}"] = ("MaxPool2d", "")
        edges += [(last, f"down{level}"), (f"down{level}", f"pool{level}")]
        last = f"pool{level}"
    nodes["bottom"] = ("Conv2d", "")
    edges.append((last, "bottom"))
    last = "bottom"
    for level in reversed(range(levels)):
        nodes[f"cat{level}"] = ("cat", "")
        nodes[f"up{level}"] = ("ConvTranspose2d", "")
        edges += [
            (last, f"cat{level}"),
            (f"down{level}", f"cat{level}", 0, 1),
            (f"cat{level}", f"up{level}"),
        ]
        last = f"up{level}"
    nodes["output"] = ("output", "")
    edges.append((last, "output"))
    return topology_of("UNet", nodes, edges, shape=[1, 16, 32, 32])


def hostile() -> Topology:
    """Every bad name as a node, a scope, a class, a module, a dtype and the network's name."""
    scopes: dict[str, str | tuple[str, int]] = {name: name for name in HOSTILE}
    nodes = {"x": ("input", "")}
    edges: list[Any] = []
    last = "x"
    for index, name in enumerate(HOSTILE):
        key = f"{name} {index}"
        nodes[key] = (name, name)
        edges.append((last, key))
        last = key
    nodes["output"] = ("output", "")
    edges.append((last, "output"))
    topology = topology_of("".join(HOSTILE), nodes, edges, scopes, shape=[1, "<b>\"'\n"])
    for key, name in zip([f"{n} {i}" for i, n in enumerate(HOSTILE)], HOSTILE, strict=True):
        attributes = topology.graph.nodes[key]
        attributes["fqn"] = name
        attributes["attributes"] = {name: name, "config": name}
        attributes["source"] = [name, 1]
    return topology
