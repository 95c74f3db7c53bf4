"""Small topologies made by hand, and random ones."""

from __future__ import annotations

from typing import Any

import networkx as nx
from hypothesis import strategies as st

from visuai.topology import Scope, Topology

SHAPE = [1, 4]


def make(
    nodes: dict[str, str],
    edges: list[tuple[str, str, int]],
    scopes: dict[str, str | None],
    flops: int | None = 10,
) -> Topology:
    """Makes a topology: node to scope, (source, target, source output), scope to parent."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for key, scope in nodes.items():
        graph.add_node(key, **attributes(key, scope, flops))
    for source, target, output in edges:
        graph.add_edge(
            source,
            target,
            source_output=output,
            target_input=graph.in_degree(target),
            shape=SHAPE,
            dtype="float32",
        )
    tree = {
        key: Scope(id=key, fqn=key, type=f"my.{key.title()}", call=0, parent=parent)
        for key, parent in scopes.items()
    }
    for key, scope in nodes.items():
        tree[scope].children.append(key)
    for key, parent in scopes.items():
        if parent is not None:
            tree[parent].children.append(key)
    return Topology(
        name="net",
        graph=graph,
        scopes=tree,
        parameters={f"{key}.weight": parameter() for key in nodes},
        inputs=[key for key in nodes if key.startswith("input")],
        outputs=[key for key in nodes if key.startswith("output")],
    )


def attributes(key: str, scope: str, flops: int | None) -> dict[str, Any]:
    kind = "placeholder" if key.startswith("input") else "call_module"
    kind = "output" if key.startswith("output") else kind
    return {
        "op_kind": kind,
        "op": "Linear",
        "target": "torch.nn.modules.linear.Linear",
        "fqn": key,
        "call": 0,
        "scope": scope,
        "category": "linear",
        "parameters": [f"{key}.weight"],
        "outputs": [{"shape": SHAPE, "dtype": "float32"}],
        "attributes": {},
        "source": ["net.py", 3],
        "flops": flops,
        "shared_with": [],
    }


def parameter(alias_of: str | None = None) -> Any:
    return {
        "shape": [4, 4],
        "dtype": "float32",
        "bytes": 64,
        "requires_grad": True,
        "kind": "parameter",
        "alias_of": alias_of,
    }


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Random acyclic networks in random module trees."""
    count = draw(st.integers(1, 6))
    scopes: dict[str, str | None] = {"": None}
    for at in range(count):
        scopes[f"s{at}"] = draw(st.sampled_from(sorted(scopes)))
    size = draw(st.integers(1, 12))
    nodes = {f"n{at}": draw(st.sampled_from(sorted(scopes))) for at in range(size)}
    pairs = [(i, j) for j in range(size) for i in range(j)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    outputs = draw(st.lists(st.integers(0, 1), min_size=len(chosen), max_size=len(chosen)))
    edges = [(f"n{i}", f"n{j}", k) for (i, j), k in zip(chosen, outputs, strict=True)]
    return make(nodes, edges, scopes)
