"""The options of a recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from re import compile as compile_pattern
from typing import Any

Patterns = str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to record, and how much of the training time that may take.

    Attributes:
        optimizer: The optimizer (or several) whose steps are recorded, also one that a library
            has wrapped; None for all that step parameters of the model.
        include: FQN patterns as of the shell (``layer1.*``): only parameters and modules of
            which one name matches are recorded.
        exclude: FQN patterns of those that are not.
        every: Record every so many steps; None to go by ``overhead``.
        overhead: Share of the training time that recording may take: it measures what it
            costs, and records as often as that allows; 50 seconds count as trained before.
        activations: FQN patterns of modules whose output is recorded; True for all modules
            without children, False for none.
        update: Whether to record what each step changed; takes a copy of the parameters.
        resume: True to go on with the newest run of this name at its next step; a number to
            go on there (what had been recorded from that step on is dropped); None for a
            new run.
        all_ranks: Whether every process of a distributed training records a run of its own,
            not only the first.
        journal: ``wal`` or ``delete`` for SQLite's way to be safe; None chooses by the file
            system.

    Raises:
        ValueError: If an option is out of range.
        TypeError: If an option is of the wrong type.
    """

    optimizer: Any = None
    include: Patterns = "*"
    exclude: Patterns = ()
    every: int | None = None
    overhead: float = 0.02
    activations: bool | Patterns = False
    update: bool = True
    resume: bool | int | None = None
    all_ranks: bool = False
    journal: str | None = None

    def __post_init__(self) -> None:
        if self.every is not None and (type(self.every) is not int or self.every < 1):
            raise ValueError(f"every={self.every!r}: expected a number of steps, 1 or more.")
        if not (0.0 < self.overhead <= 1.0 and math.isfinite(self.overhead)):
            raise ValueError(
                f"overhead={self.overhead!r}: expected a share of the training time, above 0 and "
                "at most 1 (0.02 is 2 %)."
            )
        if self.journal not in (None, "wal", "delete"):
            raise ValueError(f"journal={self.journal!r}: expected 'wal', 'delete' or None.")
        if type(self.resume) is int and self.resume < 0:
            raise ValueError(f"resume={self.resume!r}: expected a step, 0 or more.")
        for name in ("include", "exclude", "activations"):
            patterns = getattr(self, name)
            if isinstance(patterns, bool) and name == "activations":
                continue
            if isinstance(patterns, str):
                continue
            listed: Any = patterns
            if not isinstance(patterns, Sequence) or {*map(type, listed)} - {str}:
                raise TypeError(f"{name}={patterns!r:.100}: expected a pattern, or a list of them.")
        if type(self.resume) not in (bool, int, type(None)):
            raise TypeError(f"resume={self.resume!r:.100}: expected True, a step, or None.")


class Matcher:
    """Tells which names match any of some patterns.

    Examples:
        >>> Matcher("layer1.*").matches("layer1.0.weight")
        True
    """

    def __init__(self, patterns: Patterns) -> None:
        several = (patterns,) if isinstance(patterns, str) else tuple(patterns)
        self._all = "*" in several
        self._pattern = compile_pattern("|".join(map(translate, several))) if several else None

    def matches(self, name: str) -> bool:
        """Tells whether a name matches."""
        return self._all or (self._pattern is not None and self._pattern.match(name) is not None)
