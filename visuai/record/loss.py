"""The loss of each step, without being told: the number that the gradients are gradients of."""

from __future__ import annotations

import math
import time
import weakref
from collections import Counter
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

_TRIES = 4
"""So often hooks are put on all parameters at once; then after 8 misses, 16, 32, ..."""

_PATIENCE = 64
"""So many passes may go by until the one comes that was missed."""

_Reference = weakref.ReferenceType[nn.Parameter]
_MOST_PARTS = 1024


class Loss:
    """Adds up the numbers of which ``backward`` was called since gradients were cleared.

    So that it is asked in each backward pass, a parameter has a hook: at first they all have,
    then the one that was reached first. Where a pass does not reach it (another head is trained,
    or it is frozen), all have hooks again, and then one more parameter keeps its own. A hook of a
    parameter is not called under FSDP2.
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
        self._handles: dict[int, tuple[_Reference, list[RemovableHandle]]] = {}
        self._kept: dict[int, _Reference] = {}  # Those reached first, in one pass or another.
        self._gradients: dict[int, tuple[int, int]] = {}  # Of these, as the last pass left them.
        self._misses: Counter[int] = Counter()
        self._patience = 0
        self._parts: list[torch.Tensor] = []
        self._last: weakref.ReferenceType[torch.Tensor] | None = None
        self._within = self._settled = self._others = self._closed = False

    def watch(self, parameters: Iterable[nn.Parameter], which: int = 0) -> None:
        """Puts hooks on parameters; less and less often where that is in vain.

        Args:
            parameters: All of which one may be reached.
            which: For whose loss, if there are several optimizers.
        """
        self._misses[which] += 1
        misses = self._misses[which]
        if self._closed or (misses > _TRIES and misses & (misses - 1)):
            self._remove_others()
            return
        self._patience = _PATIENCE
        for parameter in parameters:
            if parameter.requires_grad and parameter.is_leaf:
                reference, _ = self._handles.get(id(parameter), (None, None))
                if reference is None or reference() is not parameter:
                    handle = cast("Any", parameter).register_hook(self._hook(parameter))
                    self._handles[id(parameter)] = weakref.ref(parameter), [handle]

    def expect(self) -> None:
        """Says that a step has begun which computes the loss itself, maybe again and again."""
        self._within, self._settled = True, False

    def pass_by(self) -> None:
        """Says that another model's optimizer takes a step: what follows is something new.

        So a generator's loss, which goes through its judge too, is not the judge's.
        """
        self._others = True

    def take(self, which: int = 0) -> SupportsFloat | None:
        """Gives the loss of a step that is taken now; None if it was not seen.

        Args:
            which: Which optimizer takes it, if there are several.
        """
        parts, self._parts = self._parts, []
        self._within = False
        if not parts:
            return None
        self._misses[which] = 0
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
        self._kept.clear()
        self._remove_others()
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
        self._keep(parameter)
        if self._settled and self._within:
            return  # A closure that is called again looks at other weights.
        self._settled = True
        if self._others or self._are_cleared():  # What was before was for something else.
            self._parts = []
        self._others = False
        if len(self._parts) == _MOST_PARTS:
            self._parts = [torch.stack([each.to(root.device) for each in self._parts]).sum()]
        value = root.detach().reshape(())
        # A device may still be computing it, in a stream that is not this thread's.
        self._parts.append(value.clone() if value.device.type == "cpu" else value)

    def _keep(self, parameter: nn.Parameter) -> None:
        """Takes the hooks off all parameters that are reached later than others."""
        known = self._kept.get(id(parameter))
        self._patience -= 1
        if known is None or known() is not parameter:
            self._patience = 0
            self._kept[id(parameter)] = weakref.ref(parameter)
            noting = cast("Any", parameter).register_post_accumulate_grad_hook(self._noting())
            self._handles[id(parameter)][1].append(noting)
        if self._patience <= 0:
            self._remove_others()

    def _noting(self) -> Callable[[torch.Tensor], None]:
        def note(parameter: torch.Tensor) -> None:
            if parameter.grad is not None and not torch.compiler.is_compiling():
                self._gradients[id(parameter)] = _state(parameter.grad)

        return cast("Any", hooks).unserializable_hook(note)

    def _are_cleared(self) -> bool:
        """Tells whether gradients were cleared since the last pass.

        They are then gone, or something else than a pass has written to them: so it is seen
        without reading them, for which a device would have to be waited for.
        """
        for key, reference in self._kept.items():
            parameter = reference()
            if parameter is None or parameter.grad is None or not parameter.requires_grad:
                continue
            if self._gradients.get(key, _state(parameter.grad)) == _state(parameter.grad):
                return False
        return True

    def _remove_others(self) -> None:
        for key in [each for each in self._handles if each not in self._kept]:
            for handle in self._handles.pop(key)[1]:
                handle.remove()


def _state(gradient: torch.Tensor) -> tuple[int, int]:
    """Gives what changes when a tensor is replaced or written to."""
    return id(gradient), gradient._version
