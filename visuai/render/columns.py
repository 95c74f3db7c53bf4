"""Places the items of one scope across the page, rank by rank.

Items of a rank are sorted by where their neighbours are, and then moved as near to them as
the room allows: a weighted least-squares fit under the spacing of the rank, which pooling
adjacent violators solves exactly in linear time. A few sweeps down and up suffice.
"""

from __future__ import annotations

from collections import deque

from visuai.render.ranks import Ranks

_SWEEPS = 6
_PINNED = 1e9
_SLACK = 0.001  # pixels
_FARTHEST = 64  # stretches looked into for room: looking into all of a wide rank costs time

_Wish = tuple[float, int, float, float]
"""Wanted centre, item, weight, and the room that the item takes with its spacing."""


def place(
    ranks: Ranks,
    widths: list[float],
    edges: dict[tuple[int, int], float],
    gaps: list[float],
) -> list[float]:
    """Gives the centre of each item, such that items of a rank keep their distance.

    Args:
        ranks: Ranks of the items.
        widths: Width of each item, in pixels.
        edges: Pairs of items, and how far right of the source's centre the target's must be
            for the line between them to be straight.
        gaps: Least space around each item, in pixels: neighbours keep the mean of theirs.
    """
    count = len(widths)
    start, end = ranks.start, ranks.end
    rows: list[list[int]] = [[] for _ in range(ranks.count)]
    through: list[list[int]] = [[] for _ in range(ranks.count)]
    for item in range(count):
        rows[start[item]].append(item)
        for row in range(start[item] + 1, end[item] + 1):
            through[row].append(item)
    above: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]
    below: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]
    for (source, target), shift in sorted(edges.items()):
        span = start[target] - end[source]
        if span > 0:
            # The way that most ranks hang on counts most, so that the spine of a network stays
            # straight beside its branches and skips.
            tight = start[target] == start[source] + 1
            spine = tight and ranks.left[source] == ranks.left[target] + 1
            weight = (200.0 if spine else 1.0) / (span * span)
            above[target].append((source, weight, shift))
            below[source].append((target, weight, -shift))

    centres = [0.0] * count
    for row in rows:
        position = -sum(widths[item] + gaps[item] for item in row) / 2
        for item in row:
            centres[item] = position + (widths[item] + gaps[item]) / 2
            position += widths[item] + gaps[item]
    wide = any(len(rows[row]) + len(through[row]) > 1 for row in range(ranks.count))
    if not wide:
        return _in_line(rows, above)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 1 or sweep == _SWEEPS - 1
        for row in range(ranks.count) if down else range(ranks.count - 1, -1, -1):
            neighbours = above if down else below
            wanted: list[_Wish] = []
            for item in rows[row]:
                near = neighbours[item]
                weight = sum(share for _, share, _ in near)
                place_at = (
                    sum((centres[other] + shift) * share for other, share, shift in near) / weight
                    if near
                    else centres[item]
                )
                # Rounded, so that of items that want one place the first is on the left.
                wish = round(place_at, 3), item, max(weight, 0.05), widths[item] + gaps[item]
                wanted.append(wish)
            wanted.extend(
                (centres[item], item, _PINNED, widths[item] + gaps[item]) for item in through[row]
            )
            if sweep == _SWEEPS - 1:
                wanted.sort(key=lambda entry: centres[entry[1]])
            else:
                wanted.sort()
            for item, centre in _fit(_with_room(wanted)):
                if start[item] == row:
                    centres[item] = centre
    return centres


def _in_line(rows: list[list[int]], above: list[list[tuple[int, float, float]]]) -> list[float]:
    """Places items that have their rank to themselves: each straight below its main source."""
    centres = [0.0] * len(above)
    for row in rows:
        for item in row:
            if above[item]:
                source, _, shift = max(above[item], key=lambda entry: entry[1])
                centres[item] = centres[source] + shift
    return centres


def _with_room(wanted: list[_Wish]) -> list[_Wish]:
    """Moves items out from between two pinned ones that are too close for them.

    Pinned items have their place from a rank above, where they were fitted without those that
    start here: where they stand too close for these, no order but another one fits.
    """
    walls = [entry for entry in wanted if entry[2] == _PINNED]
    if len(walls) < 2:
        return wanted
    stretches: list[deque[_Wish]] = [deque()]
    for entry in wanted:
        if entry[2] == _PINNED:
            stretches.append(deque())
        else:
            stretches[-1].append(entry)
    spare = [float("inf")]
    for one, other, stretch in zip(walls, walls[1:], stretches[1:], strict=False):
        taken = (one[3] + other[3]) / 2 + sum(entry[3] for entry in stretch)
        spare.append(other[0] - one[0] - taken)
    spare.append(float("inf"))
    for at, stretch in enumerate(stretches):
        while stretch and spare[at] < -_SLACK:
            first, last = stretch[0], stretch[-1]
            left = _roomy(spare, at, -1, first[3])
            right = _roomy(spare, at, 1, last[3])
            if first[0] - walls[left][0] < walls[right - 1][0] - last[0]:
                stretches[left].append(stretch.popleft())
                spare[left] -= first[3]
                spare[at] += first[3]
            else:
                stretches[right].appendleft(stretch.pop())
                spare[right] -= last[3]
                spare[at] += last[3]
    ordered = list(stretches[0])
    for wall, stretch in zip(walls, stretches[1:], strict=True):
        ordered += [wall, *stretch]
    return ordered


def _roomy(spare: list[float], at: int, step: int, room: float) -> int:
    """Gives the nearest stretch on one side that has room; the outermost has without end."""
    outermost = 0 if step < 0 else len(spare) - 1
    for stretch in range(at + step, outermost, step)[:_FARTHEST]:
        if spare[stretch] >= room:
            return stretch
    return outermost


def _fit(wanted: list[_Wish]) -> list[tuple[int, float]]:
    """Least squares under spacing."""
    offsets: list[float] = []
    offset = 0.0
    for index, (_, _, _, room) in enumerate(wanted):
        if index:
            offset += (wanted[index - 1][3] + room) / 2
        offsets.append(offset)
    pools: list[list[float]] = []  # mean, weight, number of entries
    for (target, _, weight, _), shift in zip(wanted, offsets, strict=True):
        pools.append([target - shift, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, share, number = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * share) / (last[1] + share)
            last[1] += share
            last[2] += number
    placed: list[tuple[int, float]] = []
    for mean, _, number in pools:
        for _ in range(int(number)):
            index = len(placed)
            placed.append((wanted[index][1], mean + offsets[index]))
    return placed
