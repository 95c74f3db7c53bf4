"""Gathers what one step of an optimizer does: weights and gradients before it, updates after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from visuai.record.columns import Columns, concatenate
from visuai.record.device import measure_on_device
from visuai.record.flat import flatten
from visuai.record.measure import measure
from visuai.record.measured import Measured
from visuai.record.schema import series_id
from visuai.record.store import Record
from visuai.record.watch import Watched


@dataclass(frozen=True)
class _Part:
    """Some series measured at once; the statistics may still be on their way from a device."""

    keys: list[int]
    implied: list[int]
    measured: Callable[[], Measured]


@dataclass
class Gathering:
    """What is known of one step so far.

    Attributes:
        step: The step.
        time: When it was, in seconds since 1970.
        skipped: A tensor of one element, not zero if a gradient scaler skipped the step.
    """

    step: int
    time: float
    skipped: torch.Tensor | None = None
    _parts: list[_Part] = field(default_factory=list[_Part])
    _before: dict[int, torch.Tensor] = field(default_factory=dict[int, torch.Tensor])

    def weights(self, watched: Sequence[Watched], copies: Copies | None, moving: set[int]) -> None:
        """Measures parameters, and keeps copies of those that are about to change.

        Args:
            watched: The parameters.
            copies: Where to keep the copies; None to keep none.
            moving: Ids of the parameters of which copies are wanted.
        """
        found = _flat([(each.number, each.parameter) for each in watched])
        wanted = {each.number for each in watched if id(each.parameter) in moving}
        for on_host, rows in _by_place(found):
            kept = [
                copies.like(number, flat)
                if copies is not None and number in wanted and not implied
                else None
                for number, flat, implied in rows
            ]
            self._before.update(
                (number, copy)
                for (number, _, _), copy in zip(rows, kept, strict=True)
                if copy is not None
            )
            if on_host:
                self._add("weight", rows, partial(_given, measure(_tensors(rows), keep=kept)))
            else:
                for (_, flat, _), copy in zip(rows, kept, strict=True):
                    if copy is not None:
                        copy.copy_(flat)
                self._add("weight", rows, measure_on_device(_tensors(rows)))

    def gradients(self, watched: Iterable[Watched], scale: torch.Tensor | None) -> None:
        """Measures the gradients that there are.

        Args:
            watched: The parameters.
            scale: What the gradients have been multiplied by, None for nothing.
        """
        given = [
            (each.number, each.parameter.grad)
            for each in watched
            if each.parameter.grad is not None
        ]
        for on_host, rows in _by_place(_flat(given)):
            tensors = _tensors(rows)
            if on_host:
                factor = 1.0 if scale is None else 1.0 / float(scale)
                self._add("gradient", rows, partial(_given, measure(tensors, factor=factor)))
            else:
                self._add("gradient", rows, measure_on_device(tensors, divisor=scale))

    def updates(self, watched: Iterable[Watched]) -> None:
        """Measures what has changed since `weights`."""
        moved = [(each.number, each.parameter) for each in watched if each.number in self._before]
        alike = [
            row
            for row in _flat(moved)
            if row[1].shape == self._before[row[0]].shape
            and row[1].dtype == self._before[row[0]].dtype
            and row[1].device == self._before[row[0]].device
        ]
        for on_host, rows in _by_place(alike):
            tensors, before = _tensors(rows), [self._before[number] for number, _, _ in rows]
            if on_host:
                self._add("update", rows, partial(_given, measure(tensors, minus=before)))
            else:
                self._add("update", rows, measure_on_device(tensors, minus=before))
        self._before = {}

    def module(self, number: int, quantity: str, tensor: torch.Tensor) -> None:
        """Measures what belongs to a module."""
        for on_host, rows in _by_place(_flat([(number, tensor)])):
            if on_host:
                self._add(quantity, rows, partial(_given, measure(_tensors(rows))))
            else:
                self._add(quantity, rows, measure_on_device(_tensors(rows)))

    @property
    def has_weights(self) -> bool:
        """Whether weights have been kept, to tell how they change."""
        return bool(self._before)

    def finish(self) -> Record:
        """Gives it as a record; waits for a device if it has to."""
        columns: list[Columns] = []
        for part in self._parts:
            measured = part.measured()
            implied = np.array(part.implied, dtype=np.int64)
            measured.count[:] += implied
            measured.zeros[:] += implied
            columns.append(measured.columns(self.step))
        keys = np.array([key for part in self._parts for key in part.keys], dtype=np.int64)
        skipped = self.skipped is not None and bool(self.skipped)
        return Record(self.step, self.time, concatenate(columns), keys, skipped)

    def _add(self, quantity: str, rows: Sequence[_Row], measured: Callable[[], Measured]) -> None:
        keys = [series_id(number, quantity) for number, _, _ in rows]
        self._parts.append(_Part(keys, [implied for _, _, implied in rows], measured))


class Copies:
    """Memory for the parameters as they were before a step; kept, as it is used again."""

    def __init__(self) -> None:
        self._memory: dict[int, torch.Tensor] = {}

    def like(self, number: int, flat: torch.Tensor) -> torch.Tensor:
        """Gives memory of the size, dtype and device of a tensor."""
        kept = self._memory.get(number)
        if (
            kept is None
            or kept.shape != flat.shape
            or kept.dtype != flat.dtype
            or kept.device != flat.device
        ):
            kept = torch.empty_like(flat)
            self._memory[number] = kept
        return kept


_Row = tuple[int, torch.Tensor, int]
"""A subject's number, its elements in one dimension, and how many zeros are not among them."""


def _flat(tensors: Iterable[tuple[int, torch.Tensor]]) -> list[_Row]:
    found: list[_Row] = []
    for number, tensor in tensors:
        flat = flatten(tensor)
        if flat is not None:
            found.append((number, *flat))
    return found


def _by_place(rows: Iterable[_Row]) -> list[tuple[bool, list[_Row]]]:
    """Groups rows by device; tells of each group whether it is the host's memory."""
    groups: dict[torch.device, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row[1].device, []).append(row)
    return [(device.type == "cpu", group) for device, group in groups.items()]


def _tensors(rows: Iterable[_Row]) -> list[torch.Tensor]:
    return [flat for _, flat, _ in rows]


def _given(measured: Measured) -> Measured:
    return measured
