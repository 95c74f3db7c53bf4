"""Draws many values that go from one node to one other as a single line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import networkx as nx

from visuai.render.fold import Drawn

_MOST_LINES = 3
"""More values than this between two nodes become one line."""


def bundled(drawing: Drawn) -> Drawn:
    """Joins edges between two nodes that carry more than three different values.

    A closed stack of transformer blocks hands its whole cache of keys and values to the output:
    24 lines side by side say no more than one line that is marked "24 values".

    Args:
        drawing: What is drawn; not changed.

    Returns:
        A drawing whose joined edges have the number of values as the attribute ``bundle``, and
        no shape. It shares all else with the one given.
    """
    graph = drawing.topology.graph
    outputs: dict[tuple[str, str], set[int]] = {}
    read_by: Counter[tuple[str, int]] = Counter()
    for source, target, data in graph.edges(data=True):
        known = outputs.setdefault((source, target), set())
        output = int(data.get("source_output", 0))
        if output not in known:
            known.add(output)
            read_by[source, output] += 1
    # Values that also go elsewhere keep their own lines: a line is one value all along.
    joined: dict[tuple[str, str], list[int]] = {}
    for (source, target), known in outputs.items():
        only_here = sorted(output for output in known if read_by[source, output] == 1)
        if len(only_here) > _MOST_LINES:
            joined[source, target] = only_here
    if not joined:
        return drawing
    thinned: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    thinned.add_nodes_from(graph.nodes(data=True))
    members = {pair: frozenset(values) for pair, values in joined.items()}
    done: set[tuple[str, str]] = set()
    for source, target, data in graph.edges(data=True):
        pair = source, target
        if int(data.get("source_output", 0)) not in members.get(pair, ()):
            thinned.add_edge(source, target, **data)
        elif pair not in done:
            done.add(pair)
            whole: dict[str, Any] = {**data, "source_output": joined[pair][0]}
            whole.update(shape=None, dtype=None, bundle=len(joined[pair]))
            thinned.add_edge(source, target, **whole)
    return replace(drawing, topology=replace(drawing.topology, graph=thinned))
