"""Diagnoses a run: reads it once, and asks every rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from visuai.record.diagnosis.diagnosis import Diagnoses, Diagnosis
from visuai.record.diagnosis.evidence import Evidence
from visuai.record.diagnosis.rules import RULES

if TYPE_CHECKING:
    from visuai.record.run import Run
    from visuai.record.track import Tracks

MOST_ALIKE = 4
"""So many diagnoses alike are listed each by itself; of more, the first stands for all."""


def diagnose(run: Run, tracks: Tracks | None = None) -> Diagnoses:
    """Tells what is wrong with a run, in time linear in its records; it may still go on.

    Args:
        run: The run.
        tracks: What was read of it before: only what is new is read then.

    Raises:
        FormatError: If its file is damaged.
    """
    with run.snapshot():
        evidence = Evidence(run, tracks)
        found: list[Diagnosis] = []
        for rule in RULES.values():
            found += _together(rule(evidence, tuple(found)))
    return Diagnoses(found, evidence.name, evidence.last_step)


def _together(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Puts what one rule found together: by module, and all of it if it is much."""
    by_module: dict[tuple[str, str], list[Diagnosis]] = {}
    for each in found:
        by_module.setdefault((each.severity, each.module), []).append(each)
    merged = [_merge(group) for group in by_module.values()]
    by_severity: dict[str, list[Diagnosis]] = {}
    for each in merged:
        by_severity.setdefault(each.severity, []).append(each)
    return [
        each
        for group in by_severity.values()
        for each in ([_merge(group)] if len(group) > MOST_ALIKE else group)
    ]


def _merge(group: list[Diagnosis]) -> Diagnosis:
    """Makes one of several: the first, with the names of the others."""
    first, *others = group
    names = [name for each in others for name in (each.parameter or each.module, *each.also)]
    if not names:
        return first
    return replace(
        first,
        first_step=min(each.first_step for each in group),
        last_step=max(each.last_step for each in group),
        also=(*first.also, *names),
    )
