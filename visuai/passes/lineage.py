"""Ancestors in a tree: lowest common ancestors and the branches that lead to them."""

from __future__ import annotations

from collections.abc import Sequence


class Lineage:
    """A rooted tree, cut into heavy chains so that a question costs O(log n), mostly O(1).

    Built without recursion: a nest 100,000 deep is one chain.

    Args:
        parents: Parent of each vertex, each smaller than the vertex itself; -1 for vertex 0,
            the root.

    Examples:
        >>> tree = Lineage([-1, 0, 1, 1, 0])  # 0 -> (1 -> (2, 3), 4)
        >>> tree.meet(2, 3), tree.meet(3, 4), tree.meet(1, 3)
        ((1, 2, 3), (0, 1, 4), (1, -1, 3))

    References:
        Sleator and Tarjan, "A data structure for dynamic trees", 1983 (heavy paths).
    """

    __slots__ = ("_head", "_heavy", "depth", "parents")

    def __init__(self, parents: Sequence[int]) -> None:
        count = len(parents)
        sizes = [1] * count
        for vertex in range(count - 1, 0, -1):
            sizes[parents[vertex]] += sizes[vertex]
        depth = [0] * count
        heavy = [-1] * count
        for vertex in range(1, count):
            parent = parents[vertex]
            depth[vertex] = depth[parent] + 1
            if heavy[parent] < 0 or sizes[vertex] > sizes[heavy[parent]]:
                heavy[parent] = vertex
        head = list(range(count))
        for vertex in range(1, count):
            if heavy[parents[vertex]] == vertex:
                head[vertex] = head[parents[vertex]]
        self.parents = parents
        self.depth = depth
        self._heavy = heavy
        self._head = head

    def meet(self, left: int, right: int) -> tuple[int, int, int]:
        """Gives the lowest common ancestor and its children towards both vertices.

        Returns:
            Ancestor, its child on the way to ``left``, its child on the way to ``right``;
            -1 in place of a child if the vertex is the ancestor itself.
        """
        head, depth, parents = self._head, self.depth, self.parents
        left_child = right_child = -1
        while head[left] != head[right]:
            if depth[head[left]] >= depth[head[right]]:
                left_child = head[left]
                left = parents[left_child]
            else:
                right_child = head[right]
                right = parents[right_child]
        if left == right:
            return left, left_child, right_child
        if depth[left] < depth[right]:
            return left, left_child, self._heavy[left]
        return right, self._heavy[right], right_child
