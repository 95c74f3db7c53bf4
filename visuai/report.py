"""What happened during a build: route, failures, assumptions, times and sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class PassRecord:
    """One pass that ran.

    Attributes:
        name: Its name.
        seconds: Wall-clock time, in seconds.
        nodes: Nodes in what it gave.
        edges: Edges in what it gave.
        removed: For passes that take nodes or modules out, how many of each op or type.
    """

    name: str
    seconds: float
    nodes: int
    edges: int
    removed: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Report:
    """How a topology came about.

    Attributes:
        route: The route that captured the model, "" before that.
        failures: For each route tried before, by name, why it failed.
        notes: Assumptions and workarounds, one sentence each.
        passes: The passes that ran, in order.
    """

    route: str = ""
    failures: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])
    passes: list[PassRecord] = field(default_factory=list[PassRecord])

    @property
    def seconds(self) -> float:
        """Wall-clock time of all passes, in seconds."""
        return sum(record.seconds for record in self.passes)

    def to_dict(self) -> dict[str, Any]:
        """Gives the report as a JSON-able dictionary."""
        return {
            "route": self.route,
            "failures": self.failures,
            "notes": self.notes,
            "passes": [
                {
                    "name": record.name,
                    "seconds": record.seconds,
                    "nodes": record.nodes,
                    "edges": record.edges,
                    "removed": record.removed,
                }
                for record in self.passes
            ],
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Report:
        """Reads what `to_dict` wrote."""
        return cls(
            route=document["route"],
            failures=dict(document["failures"]),
            notes=list(document["notes"]),
            passes=[PassRecord(**record) for record in document["passes"]],
        )
