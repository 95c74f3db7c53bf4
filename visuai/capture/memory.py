"""Where tensors lie in memory, and what was written there: views see each other's writes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

import torch

_MOST_TRIES = 200


class Place(NamedTuple):
    """The part of a memory that a tensor looks at.

    Attributes:
        memory: What stands for the whole memory.
        offset: Index of the first element; None if not known, as are the rest then.
        sizes: Number of elements along each dimension.
        strides: Distance between neighbours along each dimension, in elements.
        itemsize: Bytes of an element.
    """

    memory: Hashable
    offset: int | None = None
    sizes: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    itemsize: int = 0

    def overlaps(self, other: Place) -> bool:
        """Tells whether two places have an element in common; also True if that is unclear.

        An element is at ``offset + sum(index * stride)`` in both, so what is asked is whether
        the offsets' difference is a sum of multiples of the strides, each within its range.
        """
        if self.memory != other.memory:
            return False
        if self.itemsize != other.itemsize or not (self._is_known() and other._is_known()):
            return True
        ranges: dict[int, tuple[int, int]] = {}
        for place, sign in ((self, 1), (other, -1)):
            for size, stride in zip(place.sizes, place.strides, strict=True):
                if size == 0:
                    return False
                low, high = ranges.get(stride, (0, 0))
                reach = sign * (size - 1)
                ranges[stride] = (low + min(reach, 0), high + max(reach, 0))
        ranges.pop(0, None)
        distance = (other.offset or 0) - (self.offset or 0)
        return _is_sum(distance, sorted(ranges.items(), reverse=True))

    def _is_known(self) -> bool:
        numbers = self.offset, *self.sizes, *self.strides
        return all(type(number) is int for number in numbers)  # Some may be symbolic.


def memory_of(tensor: torch.Tensor) -> Hashable:
    """Gives what stands for a tensor's memory; None for one that has no such, as a sparse one."""
    try:
        return tensor.untyped_storage()._cdata  # pyright: ignore[reportPrivateUsage]
    except (NotImplementedError, RuntimeError):
        return None


def place_of(tensor: torch.Tensor) -> Place | None:
    """Gives where a tensor lies; None for one without memory of its own."""
    memory = memory_of(tensor)
    if memory is None:
        return None
    offset: Any = tensor.storage_offset()
    return Place(memory, offset, tensor.shape, tensor.stride(), tensor.element_size())


class Writes:
    """What was written in place so far, in order.

    Attributes:
        now: How many writes there were; the time of what happens next.
    """

    def __init__(self) -> None:
        self.now = 0
        self._by_memory: dict[Hashable, list[tuple[int, Place, Any]]] = {}

    def add(self, place: Place, by: Any) -> None:
        """Notes that ``by`` writes to a place."""
        self.now += 1
        self._by_memory.setdefault(place.memory, []).append((self.now, place, by))

    def reach(self, memory: Hashable, time: int) -> bool:
        """Tells whether anything was written to a memory after a time."""
        writes = self._by_memory.get(memory)
        return writes is not None and writes[-1][0] > time

    def since(self, time: int, place: Place) -> Iterator[Any]:
        """Gives what wrote to a place after a time, in order."""
        writes = self._by_memory.get(place.memory, ())
        first = len(writes)
        while first and writes[first - 1][0] > time:
            first -= 1
        return (by for _, written, by in writes[first:] if written.overlaps(place))


def write_view(tensor: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """Stands in a graph for what writing to one tensor does to another that shares its memory."""
    return tensor


def _is_sum(total: int, ranges: list[tuple[int, tuple[int, int]]]) -> bool:
    """Tells whether a total is a sum of ``stride * n`` with each ``n`` within its range.

    Args:
        total: The total.
        ranges: Pairs of a stride and the range of its ``n``, the largest stride first.
    """
    reaches = [(0, 0)]  # Of the strides that come after.
    for stride, (low, high) in reversed(ranges):
        least, most = reaches[-1]
        reaches.append((least + stride * low, most + stride * high))
    reaches.reverse()
    rests = {total}
    for (stride, (low, high)), (least, most) in zip(ranges, reaches[1:], strict=True):
        reached: set[int] = set()
        for rest in rests:
            first = max(low, -((most - rest) // stride))
            last = min(high, (rest - least) // stride)
            if len(reached) + last - first > _MOST_TRIES:
                return True
            reached.update(rest - stride * n for n in range(first, last + 1))
        rests = reached
    return 0 in rests
