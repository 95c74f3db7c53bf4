"""All subjects of a run, by number and by name."""

from __future__ import annotations

import sqlite3
from collections.abc import Set

from visuai.record import schema
from visuai.record.subject import Subject


class Subjects:
    """The subjects of a run. A parameter that was replaced is there twice, by one name.

    Attributes:
        by_number: Each by its number, in the order of the model.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Reads them; to be called in a read transaction.

        Raises:
            FormatError: If one is damaged.
        """
        rows = connection.execute("SELECT id, details FROM subject ORDER BY id").fetchall()
        self.by_number = {int(number): Subject.from_json(details) for number, details in rows}
        self._named: dict[str, list[int]] = {}
        for number, subject in self.by_number.items():
            self._named.setdefault(subject.name, []).append(number)

    def of_kind(self, kind: str) -> dict[str, Subject]:
        """Gives the parameters, or the modules, by name."""
        return {each.name: each for each in self.by_number.values() if each.kind == kind}

    def numbers(self, name: str) -> list[int]:
        """Gives the numbers of those of a name, or that have it among others; none if none."""
        return self._named.get(name) or [
            number for number, subject in self.by_number.items() if name in subject.aliases
        ]

    def recorded(self, series: Set[int]) -> list[tuple[Subject, tuple[str, ...]]]:
        """Tells which quantities of each are recorded.

        Args:
            series: Numbers of the series that there are.
        """
        by_name: dict[tuple[str, str], tuple[Subject, set[str]]] = {}
        for number, subject in self.by_number.items():
            _, quantities = by_name.setdefault((subject.kind, subject.name), (subject, set()))
            quantities.update(quantities_of(number, series))
        return [
            (subject, tuple(each for each in schema.QUANTITIES if each in quantities))
            for subject, quantities in by_name.values()
        ]


def quantities_of(number: int, series: Set[int]) -> list[str]:
    """Gives the quantities of one subject that are among series."""
    return [each for each in schema.QUANTITIES if schema.series_id(number, each) in series]
