"""Positions in an IR, and the check that they can be relied on."""

from __future__ import annotations

from visuai.errors import PassError
from visuai.ir import IR


def node_positions(ir: IR) -> dict[str, int]:
    """Gives the place of each node in the order of execution.

    Raises:
        PassError: If an edge runs against that order, or names a node that is not there.
    """
    positions = {key: index for index, key in enumerate(ir.nodes)}
    for edge in ir.edges:
        try:
            forward = positions[edge["source"]] < positions[edge["target"]]
        except KeyError as error:
            raise PassError(
                f"An edge names node {error.args[0]!r}, which is not there: {edge!r}. "
                "visuai.ir.validate checks an IR."
            ) from None
        if not forward:
            raise PassError(
                f"The nodes are not in execution order: {edge['source']!r} feeds "
                f"{edge['target']!r}, but comes after it. Sort IR.nodes topologically."
            )
    return positions


def module_positions(ir: IR) -> dict[str, int]:
    """Gives the place of each module, the root's being 0.

    Raises:
        PassError: If the root is not first, or a module comes before its parent.
    """
    positions: dict[str, int] = {}
    for index, (key, module) in enumerate(ir.modules.items()):
        parent = module["parent"]
        if (parent is None) != (index == 0) or (index == 0 and key != ""):
            raise PassError(
                f"Module {key!r} at place {index} has parent {parent!r}; expected the root '' "
                "first, and only the root without a parent."
            )
        if parent is not None and parent not in positions:
            raise PassError(
                f"Module {key!r} comes before its parent {parent!r}. List parents first in "
                "IR.modules."
            )
        positions[key] = index
    return positions
