"""What a request asks of a run, checked: names that are known, numbers in range."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import QueryParams

from visuai.record import schema
from visuai.record.series import STATISTICS

MOST_COLUMNS = 4000

OF_MODULES = ("activation", "activity")
"""Quantities that are of modules; all others are of parameters."""

CHOICES = (*STATISTICS, "ratio", "dead")
"""Statistics that there can be: ``ratio`` of updates, ``dead`` of activations."""


class BadQuestion(ValueError):  # noqa: N818 - it is what is asked that is wrong
    """A request asks for what there cannot be; its text says why."""


def quantity_of(query: QueryParams) -> str:
    """Gives the quantity asked for.

    Raises:
        BadQuestion: If it is none.
    """
    return _one_of("quantity", query.get("quantity", "gradient"), schema.QUANTITIES)


def statistic_of(query: QueryParams, quantity: str) -> str:
    """Gives the statistic asked for.

    Raises:
        BadQuestion: If it is none, or none of the quantity.
    """
    name = _one_of("statistic", query.get("statistic", "norm"), CHOICES)
    if name == "ratio" and quantity != "update":
        raise BadQuestion("The statistic ratio is that of update to weight: ask for it of update.")
    if name == "dead" and quantity not in OF_MODULES:
        raise BadQuestion("The statistic dead is of units of modules: ask for it of activation.")
    return name


def columns_of(query: QueryParams, usual: int) -> int:
    """Gives the most columns wanted.

    Args:
        query: Of the request.
        usual: How many if nothing is said.

    Raises:
        BadQuestion: If it is no number from 1 to 4000.
    """
    text = query.get("columns", str(usual))
    digits = len(text) <= 4 and text.isascii() and text.isdigit()
    if not (digits and 1 <= int(text) <= MOST_COLUMNS):
        raise BadQuestion(f"columns={text:.40} is no number from 1 to {MOST_COLUMNS}.")
    return int(text)


def subject_of(query: QueryParams, known: Collection[str]) -> str:
    """Gives the FQN asked for.

    Raises:
        BadQuestion: If nothing of that name was recorded.
    """
    name = query.get("subject")
    if name is None:
        raise BadQuestion("Say which parameter or module: subject=FQN.")
    if name not in known:
        raise BadQuestion(f"Nothing called {name!r:.200} has such a quantity in this run.")
    return name


def _one_of(what: str, name: str, known: Collection[str]) -> str:
    if name not in known:
        raise BadQuestion(f"There is no {what} {name!r:.60}; there are {', '.join(known)}.")
    return name
