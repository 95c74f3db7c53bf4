"""Ranks: how far down the page each item of one scope goes.

Longest-path ranking, in time linear in the number of items and edges.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Ranks:
    """Result of `rank`.

    Attributes:
        start: First rank of each item.
        end: Last rank of each item; beyond ``start`` where nothing is drawn right below it.
        left: Number of items on the longest way from each item to where data leaves.
        count: Number of ranks.
        backward: Edges that run against the ranks, since the items lie on a cycle.
    """

    start: list[int]
    end: list[int]
    left: list[int]
    count: int
    backward: set[tuple[int, int]]


# Beyond this an item with a free column below it does not reserve it: the cost of reserving
# grows with the number of ranks, and the eye does not follow that far anyway.
_LONGEST_RESERVE = 8


def rank(
    count: int, edges: set[tuple[int, int]], top: set[int], bottom: set[int], floating: set[int]
) -> Ranks:
    """Ranks items so that every edge points down.

    Args:
        count: Number of items; they are numbered in execution order.
        edges: Pairs of items.
        top: Items that stay in rank 0 (where data enters).
        bottom: Items that go to the last rank (where data leaves).
        floating: Items without inputs that move down to where they are used.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    for source, target in sorted(edges):
        if source != target:
            after[source].append(target)
            before[target].append(source)
    order, backward = _topological(after, before)
    start = [0] * count
    base = 1 if top else 0
    for item in order:
        start[item] = max(
            (start[p] + 1 for p in before[item] if (p, item) not in backward),
            default=0 if item in top else base,
        )
    free = set(floating)
    for item in order:
        if before[item] and all(p in free for p in before[item]):
            free.add(item)
    for item in reversed(order):
        below = [start[t] for t in after[item] if (item, t) not in backward]
        if item in free and below:
            start[item] = min(below) - 1
    last = max(start, default=0)
    if bottom:
        last = max(last, 1 + max((start[i] for i in range(count) if i not in bottom), default=0))
        for item in bottom:
            start[item] = last
    left = [0] * count
    for item in reversed(order):
        left[item] = max((left[t] + 1 for t in after[item] if (item, t) not in backward), default=0)
    end = list(start)
    for item in range(count):
        below = [start[t] for t in after[item] if (item, t) not in backward]
        reach = min(below, default=start[item] + 1) - 1
        if item not in top and start[item] < reach <= start[item] + _LONGEST_RESERVE:
            end[item] = reach
    return Ranks(start, end, left, last + 1, backward)


def _topological(
    after: list[list[int]], before: list[list[int]]
) -> tuple[list[int], set[tuple[int, int]]]:
    """Orders items topologically; on a cycle the earliest item goes first."""
    missing = [len(sources) for sources in before]
    ready = deque(item for item, number in enumerate(missing) if not number)
    done = [False] * len(after)
    order: list[int] = []
    backward: set[tuple[int, int]] = set()
    earliest = 0
    while len(order) < len(after):
        if not ready:
            while done[earliest]:
                earliest += 1
            backward.update((p, earliest) for p in before[earliest] if not done[p])
            missing[earliest] = 0
            ready.append(earliest)
        item = ready.popleft()
        if done[item]:
            continue
        done[item] = True
        order.append(item)
        for target in after[item]:
            missing[target] -= 1
            if not missing[target] and not done[target]:
                ready.append(target)
    return order, backward
