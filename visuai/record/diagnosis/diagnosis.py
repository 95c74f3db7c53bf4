"""A diagnosis: what is wrong, where, since when, by which numbers, and what to try."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

SEVERITIES = ("error", "warning", "info")
"""How bad it is, worst first. ``error``: training fails or a part of the network cannot learn.
``warning``: most likely a fault, though there are sound reasons to do so. ``info``: worth
knowing."""

_WIDEST = 60
_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong with a run, or worth knowing.

    Attributes:
        rule: Name of the rule that found it, such as ``vanishing-gradient``.
        severity: ``error``, ``warning`` or ``info``; see `SEVERITIES`.
        parameter: FQN of the parameter, "" if it is of a module or of the whole run.
        module: FQN of the module, "" if it is of the whole run.
        first_step: First recorded step at which it holds.
        last_step: Last recorded step at which it holds.
        evidence: The numbers it rests on, by name; not-a-number where there is none.
        message: What, where, and how much against which threshold.
        advice: What to try next.
        also: FQNs of further parameters or modules of which the same is true.
    """

    rule: str
    severity: str
    parameter: str
    module: str
    first_step: int
    last_step: int
    message: str
    advice: str
    evidence: Mapping[str, float] = field(default_factory=dict[str, float])
    also: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Gives it as plain data that JSON can hold: numbers that are not finite become None."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "parameter": self.parameter,
            "module": self.module,
            "first_step": self.first_step,
            "last_step": self.last_step,
            "message": self.message,
            "advice": self.advice,
            "evidence": {
                name: value if math.isfinite(value) else None
                for name, value in self.evidence.items()
            },
            "also": list(self.also),
        }

    def __str__(self) -> str:
        return f"{self.severity}: {self.message} {self.advice} [{self.rule}]"


class Diagnoses(Sequence[Diagnosis]):
    """The diagnoses of a run, worst first, then by step. Prints itself as a table.

    Args:
        found: The diagnoses, in any order.
        name: What to call the run.
        last_step: The last step that was looked at, -1 if there is none.

    Examples:
        >>> one = Diagnosis("frozen", "info", "a.weight", "a", 0, 9, "a is frozen.", "Thaw it.")
        >>> diagnoses = Diagnoses([one], "net", 9)
        >>> len(diagnoses), diagnoses[0].module, len(diagnoses.at_least("warning"))
        (1, 'a', 0)
    """

    def __init__(self, found: Sequence[Diagnosis], name: str = "", last_step: int = -1) -> None:
        self.name = name
        self.last_step = last_step
        self._found = sorted(
            found, key=lambda each: (SEVERITIES.index(each.severity), each.first_step)
        )

    @overload
    def __getitem__(self, index: int) -> Diagnosis: ...
    @overload
    def __getitem__(self, index: slice) -> list[Diagnosis]: ...
    def __getitem__(self, index: int | slice) -> Diagnosis | list[Diagnosis]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Diagnosis]:
        return iter(self._found)

    def at_least(self, severity: str) -> Diagnoses:
        """Gives those that are this bad or worse.

        Args:
            severity: One of `SEVERITIES`.

        Raises:
            ValueError: If it is none.
        """
        if severity not in SEVERITIES:
            raise ValueError(
                f"There is no severity {severity!r:.100}; there are {', '.join(SEVERITIES)}."
            )
        limit = SEVERITIES.index(severity)
        kept = [each for each in self._found if SEVERITIES.index(each.severity) <= limit]
        return Diagnoses(kept, self.name, self.last_step)

    def to_json(self, indent: int | None = 2) -> str:
        """Writes them as a JSON array of what `Diagnosis.to_dict` gives."""
        return json.dumps([each.to_dict() for each in self._found], indent=indent)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.padding import Padding
        from rich.text import Text

        yield Text(f"{_plain(self.name)[:_WIDEST] or 'run'}: {self._total()}")
        for each in self._found:
            where = _plain(each.parameter or each.module)[:_WIDEST] or "the run"
            if each.also:
                where += f" and {len(each.also)} more"
            yield Text()
            yield Text.assemble(
                (each.severity, _COLOURS[each.severity]),
                f"  {each.rule}  ",
                (where, "bold"),
                f"  steps {each.first_step} to {each.last_step}",
            )
            # Below and not beside, so that it can be read in a narrow terminal too.
            yield Padding(Text(_plain(each.message)), (0, 0, 0, 4), expand=False)
            yield Padding(Text(_plain(each.advice), "dim"), (0, 0, 0, 4), expand=False)

    def __str__(self) -> str:
        from rich.console import Console

        # In a notebook rich would display an empty output of its own.
        console = Console(width=140, color_system=None, legacy_windows=False, force_jupyter=False)
        with console.capture() as captured:
            console.print(self)
        return captured.get()

    def __repr__(self) -> str:
        return str(self)

    def _total(self) -> str:
        if self.last_step < 0:
            looked = "no step recorded"
        else:
            looked = f"looked at steps up to {self.last_step}"
        counts = [
            f"{number} {severity}{'s' * (number > 1 and severity != 'info')}"
            for severity in SEVERITIES
            if (number := sum(each.severity == severity for each in self._found))
        ]
        return f"{', '.join(counts) or 'nothing found'} ({looked})"


def _plain(text: str) -> str:
    """Spells out what would steer a terminal: names come from models."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
