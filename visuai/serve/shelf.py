"""The shelf: which networks the server has, by ids that it gives them itself."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from visuai.topology import Topology
from visuai.wire import WireEntry


class Shelf(Protocol):
    """Networks by id. A request only ever names an id, never a path.

    Its methods are called from several threads.
    """

    def entries(self) -> list[WireEntry]:
        """Lists the networks, those that cannot be read along with the reason."""
        ...

    def stamp(self, key: str) -> Hashable:
        """Gives what changes whenever the network does; None if there is none of that id."""
        ...

    def topology(self, key: str) -> Topology:
        """Gives a network.

        Raises:
            LookupError: If there is none of that id.
            VisuaiError: If it cannot be read.
        """
        ...


class Built:
    """Networks that are in memory; the first one is what the viewer opens."""

    def __init__(self, topologies: Sequence[Topology]) -> None:
        self._topologies = {str(number): each for number, each in enumerate(topologies)}

    def entries(self) -> list[WireEntry]:
        """Lists the networks."""
        return [entry(key, each.name, each) for key, each in self._topologies.items()]

    def stamp(self, key: str) -> Hashable:
        """Gives True for a network that is there: it is taken to stay as it is."""
        return True if key in self._topologies else None

    def topology(self, key: str) -> Topology:
        """Gives a network; see `Shelf.topology`."""
        return self._topologies[key]


def entry(key: str, name: str, topology: Topology) -> WireEntry:
    """Gives a network as the server lists it."""
    return {
        "id": key,
        "name": name,
        "parameters": topology.num_parameters,
        "nodes": topology.graph.number_of_nodes(),
        "error": None,
    }
