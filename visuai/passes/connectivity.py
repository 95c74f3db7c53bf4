"""Recovers calls that the source did not tell apart, from how their nodes are connected.

Three signs that a box is more than one call: it is made of unconnected pieces; it lies on a
cycle with its siblings; a leaf in it does the same with the same parameters twice in a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx

from visuai.ir import Node
from visuai.passes.call_tree import Box, CallTree, NodeEdge
from visuai.passes.lineage import Lineage
from visuai.passes.order import Wiring


def separated(tree: CallTree, wiring: Wiring) -> CallTree:
    """Splits boxes until every call is one, and no level of the tree has a cycle.

    Args:
        tree: Where the nodes lie.
        wiring: The nodes and the edges between them.

    Returns:
        A tree that is ``tree`` itself where there was nothing to do. The pieces of a box follow
        one another in execution order; the first one keeps the number of the call.
    """
    unknown = {
        number
        for number, box in enumerate(tree.boxes)
        if box.call is None and not box.bare and number
    }
    if not unknown and tree.in_sequence():
        return tree
    edges = list(zip(wiring.sources, wiring.targets, strict=True))
    if unknown:
        tree = _split_unconnected(tree, edges, unknown)
        tree = _split_repetitions(tree, wiring.nodes)
    while not tree.in_sequence():
        circles = _circles(tree, edges)
        if not circles:
            break
        involved = {number for circle in circles for number in circle if number >= 0}
        bare = {number for number in involved if tree.boxes[number].bare}
        if bare:
            tree = _without(tree, bare)
            continue
        split = _split_unconnected(tree, edges, involved)
        grown = len(split.boxes) > len(tree.boxes)
        tree = split if grown else _split_phases(tree, edges, circles)
    return tree


def _split_unconnected(tree: CallTree, edges: Sequence[NodeEdge], chosen: set[int]) -> CallTree:
    """Splits the chosen boxes into their weakly connected pieces.

    What lies in a box that is not chosen counts as connected. One sweep from the inside out:
    a box's pieces are what the edges met so far have joined.
    """
    lineage = Lineage(tree.parents)
    edges_at: dict[int, list[NodeEdge]] = {}
    for source, target in edges:
        left, right = tree.homes[source], tree.homes[target]
        level = left if left == right else lineage.meet(left, right)[0]
        edges_at.setdefault(level, []).append((source, target))
    inside: list[list[tuple[int, int]]] = [[] for _ in tree.boxes]  # First node, piece or -1.
    for position, home in enumerate(tree.homes):
        inside[home].append((position, -1))
    joined = list(range(len(tree.homes)))

    def find(position: int) -> int:
        root = position
        while joined[root] != root:
            root = joined[root]
        while joined[position] != root:
            joined[position], position = root, joined[position]
        return root

    origins: list[int] = []  # Of each piece: the box it is of, its rank there, its parent piece.
    ranks: list[int] = []
    around: list[int] = []
    homes = [0] * len(tree.homes)
    for number in range(len(tree.boxes) - 1, -1, -1):
        for source, target in edges_at.get(number, ()):
            joined[find(target)] = find(source)
        members = inside[number]
        if number not in chosen and members:
            first = find(members[0][0])
            for position, _ in members:
                joined[find(position)] = first
        groups: dict[int, list[tuple[int, int]]] = {}
        for member in sorted(members):
            groups.setdefault(find(member[0]), []).append(member)
        for rank, group in enumerate(groups.values() if groups else ([],)):
            piece = len(origins)
            origins.append(number)
            ranks.append(rank)
            around.append(-1)
            for position, child in group:
                if child < 0:
                    homes[position] = piece
                else:
                    around[child] = piece
            if number and group:
                inside[tree.parents[number]].append((group[0][0], piece))
    last = len(origins) - 1
    return CallTree(
        [
            _piece(tree.boxes[origin], rank)
            for origin, rank in zip(reversed(origins), reversed(ranks), strict=True)
        ],
        [-1 if parent < 0 else last - parent for parent in reversed(around)],
        [last - home for home in homes],
    )


def _piece(box: Box, rank: int) -> Box:
    return box._replace(call=None) if rank else box


def _split_repetitions(tree: CallTree, nodes: Sequence[Node]) -> CallTree:
    """Splits leaves that do the same with the same parameters several times in a row."""
    members: dict[int, list[int]] = {}
    for position, home in enumerate(tree.homes):
        if tree.boxes[home].leaf and tree.boxes[home].call is None:
            members.setdefault(home, []).append(position)
    branched = set(tree.parents)
    result = CallTree(list(tree.boxes), list(tree.parents), list(tree.homes))
    for home, positions in members.items():
        if home in branched:
            continue
        steps = [(nodes[at]["op"], tuple(nodes[at]["parameters"])) for at in positions]
        period = _period(steps)
        if period == len(steps) or not any(parameters for _, parameters in steps[:period]):
            continue
        for start in range(period, len(steps), period):
            number = result.add(_piece(tree.boxes[home], 1), tree.parents[home])
            for position in positions[start : start + period]:
                result.homes[position] = number
    return result


def _period(steps: Sequence[object]) -> int:
    """Gives the length of the shortest sequence that ``steps`` repeats (Knuth-Morris-Pratt)."""
    borders = [0] * len(steps)
    length = 0
    for index in range(1, len(steps)):
        while length and steps[index] != steps[length]:
            length = borders[length - 1]
        if steps[index] == steps[length]:
            length += 1
        borders[index] = length
    period = len(steps) - borders[-1]
    return period if len(steps) % period == 0 else len(steps)


def _circles(tree: CallTree, edges: Iterable[NodeEdge]) -> list[set[int]]:
    """Finds the children of one box that lie on a cycle; a node at ``p`` is ``-1 - p``."""
    lineage = Lineage(tree.parents)
    graph: nx.DiGraph[int] = nx.DiGraph()
    for source, target in edges:
        left, right = tree.homes[source], tree.homes[target]
        if left == right:
            continue
        _, left_child, right_child = lineage.meet(left, right)
        graph.add_edge(
            left_child if left_child >= 0 else -1 - source,
            right_child if right_child >= 0 else -1 - target,
        )
    # Edges between nodes of one box matter only to paths from one box inside it to another.
    for source, target in edges:
        if tree.homes[source] == tree.homes[target]:
            graph.add_edge(-1 - source, -1 - target)
    return [circle for circle in nx.strongly_connected_components(graph) if len(circle) > 1]


def _without(tree: CallTree, dissolved: set[int]) -> CallTree:
    """Puts what lies in the dissolved boxes into the boxes around them."""
    result = CallTree([], [], [])
    numbers: list[int] = []
    for number, (box, parent) in enumerate(zip(tree.boxes, tree.parents, strict=True)):
        around = numbers[parent] if number else -1
        numbers.append(around if number in dissolved else result.add(box, around))
    result.homes = [numbers[home] for home in tree.homes]
    return result


def _split_phases(
    tree: CallTree, edges: Iterable[NodeEdge], circles: Sequence[set[int]]
) -> CallTree:
    """Splits the outermost boxes on cycles by how often a path into a node changed the box.

    Edges between the pieces then lead from a phase to a later one, so that no cycle is left.
    """
    circle_of = {number: index for index, circle in enumerate(circles) for number in circle}
    tops = [-1] * len(tree.boxes)
    for number in range(1, len(tree.boxes)):
        outer = tops[tree.parents[number]]
        tops[number] = outer if outer >= 0 or number not in circle_of else number
    members = [
        tops[home] if tops[home] >= 0 else -1 - position for position, home in enumerate(tree.homes)
    ]
    phases = [0] * len(tree.homes)
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        left, right = members[source], members[target]
        circle = circle_of.get(left, -1)
        if circle >= 0 and circle == circle_of.get(right, -2):
            phases[target] = max(phases[target], phases[source] + (left != right))
    result = CallTree([], [], [])
    numbers: dict[tuple[int, int], int] = {}
    for number, (box, parent) in enumerate(zip(tree.boxes, tree.parents, strict=True)):
        if tops[number] < 0:
            around = numbers[parent, 0] if number else -1
            numbers[number, 0] = result.add(box, around)
    ranks = [0] * len(tree.boxes)
    for position, home in enumerate(tree.homes):
        phase = phases[position] if tops[home] >= 0 else 0
        path: list[int] = []
        number = home
        while (number, phase if tops[number] >= 0 else 0) not in numbers:
            path.append(number)
            number = tree.parents[number]
        around = numbers[number, phase if tops[number] >= 0 else 0]
        for number in reversed(path):
            around = result.add(_piece(tree.boxes[number], ranks[number]), around)
            ranks[number] += 1
            numbers[number, phase] = around
        result.homes.append(around)
    return result
