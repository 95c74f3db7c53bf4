"""Finds straight vertical ways for values that pass ranks on their way to a later one."""

from __future__ import annotations

from bisect import insort

# A longer way does not look for a gap between items, it goes around them: looking costs time
# in proportion to its length.
_LONGEST_SEARCH = 150


class Lanes:
    """What is taken in each rank, as intervals across the page.

    Lanes are asked for from the shortest to the longest.

    Args:
        ranks: Number of ranks.
        gap: Space that a lane keeps to everything else, in pixels.
    """

    def __init__(self, ranks: int, gap: float) -> None:
        self._taken: list[list[tuple[float, float]]] = [[] for _ in range(ranks)]
        self._gap = gap
        self._right = 0.0

    def block(self, rank: int, left: float, right: float) -> None:
        """Marks an interval of a rank as taken."""
        insort(self._taken[rank], (left, right))
        self._right = max(self._right, right)

    def find(self, first: int, last: int, source: float, target: float) -> float:
        """Takes the best free way through ranks ``first`` to ``last`` and gives its x.

        Best is the least sideways movement from ``source`` and to ``target``; the right side
        is preferred, so that skips of a chain nest on one side.
        """
        if last - first > _LONGEST_SEARCH:
            # Shorter lanes come first, so that nothing will be placed out here but these.
            self._right += self._gap
            return self._right
        x = self._nearest(first, last, source, target)
        for rank in range(first, last + 1):
            self.block(rank, x - 1, x + 1)
        return x

    def _nearest(self, first: int, last: int, source: float, target: float) -> float:
        taken = sorted(
            interval for rank in range(first, last + 1) for interval in self._taken[rank]
        )
        gap = self._gap
        reach = float("-inf")
        free: list[tuple[float, float]] = []  # open intervals for the lane's centre
        for left, right in taken:
            if left - gap >= reach + gap:
                free.append((reach + gap, left - gap))
            reach = max(reach, right)
        free.append((reach + gap, float("inf")))
        best = float("inf"), True, reach + gap
        for left, right in free:
            for wanted in (source, target):
                x = min(max(wanted, left), right)
                away = abs(x - source) + abs(x - target)
                if x < min(source, target) - 1:
                    away = away * 1.6 + 30
                # Of ways alike the straight one, or else the inner one: a longer one comes later.
                best = min(best, (round(away, 2), x not in (source, target), x))
        return best[2]
