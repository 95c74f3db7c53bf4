"""Whether one node's value reaches another, asked many times while edges are added."""

from __future__ import annotations

from collections.abc import Sequence

_STEPS_PER_NODE = 20


class Reachability:
    """Answers whether a node is reached from an earlier one, in linear time for all questions.

    Most answers come from a forest in which a node's parent is the source of its first input.
    The others are searched for backwards, until a budget is spent: from then on, "no" may be
    wrong, "yes" never.

    Args:
        sources: For each node, by position in execution order, the positions of the nodes
            that feed it, the one of its first input first; None where there are none.

    Examples:
        >>> reachability = Reachability([None, [0], None, [2, 1]])
        >>> reachability.reaches(0, 3), reachability.reaches(0, 2)
        (True, False)
        >>> reachability.add(0, 2)
        >>> reachability.reaches(0, 2)
        True
    """

    __slots__ = ("_added", "_end", "_sources", "_start", "_steps")

    def __init__(self, sources: Sequence[Sequence[int] | None]) -> None:
        count = len(sources)
        self._sources = sources
        self._added: dict[int, list[int]] = {}
        self._steps = _STEPS_PER_NODE * count + 1000
        sizes = [1] * count
        for position in range(count - 1, -1, -1):
            before = sources[position]
            if before:
                sizes[before[0]] += sizes[position]
        # A node's descendants in the forest are numbered from _start to _end, without a gap.
        self._start = start = [0] * count
        self._end = end = [0] * count
        free = 0
        cursor = [0] * count
        for position, before in enumerate(sources):
            size = sizes[position]
            if before:
                parent = before[0]
                first = cursor[parent]
                cursor[parent] += size
            else:
                first = free
                free += size
            start[position] = first
            cursor[position] = first + 1
            end[position] = first + size

    def add(self, source: int, target: int) -> None:
        """Adds an edge."""
        self._added.setdefault(target, []).append(source)

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
            for before in (*self._added.get(position, ()), *(self._sources[position] or ())):
                if before >= source and before not in seen:
                    seen.add(before)
                    waiting.append(before)
        return False
