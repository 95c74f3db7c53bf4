"""The loss of each step, without being told: the number that the gradients are gradients of."""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any, SupportsFloat, cast

import torch
from torch import nn
from torch.utils import hooks
from torch.utils.hooks import RemovableHandle

from visuai.record import backward
from visuai.record.cadence import Cadence
from visuai.record.device import number

LOSS = "loss"
"""The scalar that it is recorded as."""

_MOST_TRIES = 4
_MOST_PARTS = 1024


class Loss:
    """Adds up the numbers of which ``backward`` was called since gradients were cleared.

    So that it is asked in each backward pass, a parameter has a hook; at first they all have,
    then the one that is reached first. A hook of a parameter is not called under FSDP2.
    """

    def __init__(self, guarded: Callable[[Callable[[], None]], None], pace: Cadence) -> None:
        """Watches nothing yet.

        Args:
            guarded: Calls a function such that no error of its gets out.
            pace: At which steps to look. With tiny networks looking takes as long as training.
        """
        self._guarded = guarded
        self._pace = pace
        self._due, self._since, self._cost = True, time.perf_counter(), 0.0
        self._handles: dict[int, RemovableHandle] = {}
        self._parts: list[torch.Tensor] = []
        self._last: weakref.ReferenceType[torch.Tensor] | None = None
        self._within = self._settled = self._others = self._closed = False
        self._tries = 0

    def watch(self, parameters: Iterable[nn.Parameter]) -> None:
        """Puts hooks on parameters, unless that has been in vain a few times in a row."""
        self._remove(None)
        self._tries += 1
        if self._closed or self._tries > _MOST_TRIES:
            return
        for parameter in parameters:
            if parameter.requires_grad and parameter.is_leaf:
                hook = self._hook(parameter)
                self._handles[id(parameter)] = cast("Any", parameter).register_hook(hook)

    def expect(self) -> None:
        """Says that a step has begun which computes the loss itself, maybe again and again."""
        self._within, self._settled = True, False

    def pass_by(self) -> None:
        """Says that another model's optimizer takes a step: what follows is something new.

        So a generator's loss, which goes through its judge too, is not the judge's.
        """
        self._others = True

    def take(self) -> SupportsFloat | None:
        """Gives the loss of a step that is taken now; None if it was not seen."""
        parts, self._parts = self._parts, []
        self._within = False
        if not parts:
            return None
        self._tries = 0
        scale = backward.scale(parts[0].device)
        if all(part.device.type == "cpu" for part in parts):
            total = math.fsum(map(float, parts))
            return total if scale is None else total / float(scale)
        total = parts[0]
        if len(parts) > 1:
            total = torch.stack([part.to(total.device, torch.float32) for part in parts]).sum()
        return number(total if scale is None else total / scale)

    def go_on(self, cost: float) -> None:
        """Decides, after a step, whether to look at the next one.

        Args:
            cost: Seconds that it took to note the loss.
        """
        now = time.perf_counter()
        self._pace.earn(now - self._since)
        self._since = now
        if self._due:
            self._pace.charge(self._cost + cost)
            self._pace.recorded()
        self._cost = 0.0
        self._due = self._pace.due(0)

    def close(self) -> None:
        """Watches no longer."""
        self._closed = True
        self._remove(None)
        self._parts = []

    @property
    def due(self) -> bool:
        """Whether the loss of the step under way is looked at."""
        return self._due

    @property
    def expected(self) -> bool:
        """Whether the step under way computes it."""
        return self._within

    def _hook(self, parameter: nn.Parameter) -> Callable[[torch.Tensor], None]:
        def hook(_: torch.Tensor) -> None:
            if self._due and not torch.compiler.is_compiling():
                start = time.perf_counter()
                self._guarded(lambda: self._seen(parameter))
                self._cost += time.perf_counter() - start

        return cast("Any", hooks).unserializable_hook(hook)

    def _seen(self, parameter: nn.Parameter) -> None:
        root = backward.root()
        if root is None or (self._last is not None and self._last() is root):
            return
        self._last = weakref.ref(root)
        self._remove(keep=parameter)
        if self._settled and self._within:
            return  # A closure that is called again looks at other weights.
        self._settled = True
        if parameter.grad is None or self._others:  # What was before was for something else.
            self._parts = []
        self._others = False
        if len(self._parts) == _MOST_PARTS:
            self._parts = [torch.stack([each.to(root.device) for each in self._parts]).sum()]
        value = root.detach().reshape(())
        # A device may still be computing it, in a stream that is not this thread's.
        self._parts.append(value.clone() if value.device.type == "cpu" else value)

    def _remove(self, keep: nn.Parameter | None) -> None:
        for key in [each for each in self._handles if keep is None or each != id(keep)]:
            self._handles.pop(key).remove()
