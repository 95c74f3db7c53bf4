"""Whether one node's value reaches another, asked many times while edges are added."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

_STEPS_PER_NODE = 20


class Reachability:
    """Answers whether a node is reached from an earlier one, in linear time for all questions.

    Most answers come from a forest in which a node's parent is the source of its first input.
    The others are searched for backwards, until a budget is spent: from then on, "no" may be
    wrong, "yes" never.

    Args:
        firsts: For each node, by position in execution order, the position of the node that
            feeds its first input; -1 where it has none.
        others: Positions of the nodes that feed the further inputs, of nodes that have any.

    Examples:
        >>> reachability = Reachability([-1, 0, -1, 2], {3: [1]})
        >>> reachability.reaches(0, 3), reachability.reaches(0, 2)
        (True, False)
        >>> reachability.add(0, 2)
        >>> reachability.reaches(0, 2)
        True
    """

    __slots__ = ("_end", "_firsts", "_others", "_start", "_steps")

    def __init__(self, firsts: Sequence[int], others: Mapping[int, Sequence[int]]) -> None:
        count = len(firsts)
        self._firsts = firsts
        self._others = {position: list(sources) for position, sources in others.items()}
        self._steps = _STEPS_PER_NODE * count + 1000
        sizes = array("i", [1]) * count
        for position in range(count - 1, -1, -1):
            first = firsts[position]
            if first >= 0:
                sizes[first] += sizes[position]
        # A node's descendants in the forest are numbered from _start to _end, without a gap.
        self._start = start = array("i", [0]) * count
        self._end = end = array("i", [0]) * count
        cursor = array("i", [0]) * count  # Of each node: the number that its next child gets.
        free = 0
        for position, parent in enumerate(firsts):
            size = sizes[position]
            if parent >= 0:
                number = cursor[parent]
                cursor[parent] += size
            else:
                number = free
                free += size
            start[position] = number
            cursor[position] = number + 1
            end[position] = number + size

    def add(self, source: int, target: int) -> None:
        """Adds an edge."""
        self._others.setdefault(target, []).append(source)

    def reaches(self, source: int, target: int) -> bool:
        """Tells whether ``target`` depends on ``source``."""
        start, low, high = self._start, self._start[source], self._end[source]
        if low <= start[target] < high:
            return True
        waiting = [target]
        seen = {target}
        while waiting:
            position = waiting.pop()
            if low <= start[position] < high:
                return True
            self._steps -= 1
            if self._steps < 0:
                return False
            for before in (self._firsts[position], *self._others.get(position, ())):
                if before >= source and before not in seen:
                    seen.add(before)
                    waiting.append(before)
        return False
