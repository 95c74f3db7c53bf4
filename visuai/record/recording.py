"""A recording under way: what is done at each step of training."""

from __future__ import annotations

import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, SupportsFloat

import torch
from torch import nn
from torch.optim import Optimizer

from visuai.record.activations import UNHEARD, unit_activity, watch_first_call, watch_outputs
from visuai.record.cadence import Cadence
from visuai.record.compiled import prepare
from visuai.record.device import number
from visuai.record.gather import Copies, Gathering
from visuai.record.listener import listen
from visuai.record.loss import LOSS, Loss
from visuai.record.network import Inputs, capture, why
from visuai.record.options import Matcher, Options
from visuai.record.scalars import LEARNING_RATE, Event
from visuai.record.steps import Steps, is_stepping
from visuai.record.store import Batch, Store
from visuai.record.watch import Watch, Watched
from visuai.record.writer import Writer

_MOST_FAILURES = 10
"""So many errors in the recorder, and it gives up."""


class Recording:
    """Everything between the training loop and the run's file.

    Nothing here raises into the training loop, changes what it computes, or keeps its model
    alive.
    """

    def __init__(
        self, model: nn.Module, store: Store, start: int, options: Options, inputs: Inputs | None
    ) -> None:
        """Starts to listen.

        Args:
            model: The model.
            store: The run's file.
            start: The number of the first step.
            options: What to record.
            inputs: Inputs to build the topology from at once; None to wait for the first call.
        """
        self._model = weakref.ref(model)
        self._options = options
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._problems: list[str] = []
        self._failures = 0
        self._closed = False
        self._include, self._exclude = Matcher(options.include), Matcher(options.exclude)
        self._watch = Watch(self._include, self._exclude, store.subjects())
        self._writer = Writer(store, self._problems.append)
        self._cadence = Cadence(options.every, options.overhead)
        self._copies = Copies() if options.update else None
        self._start = start
        self._steps = Steps(start, self._cadence.due)
        self._trains: weakref.WeakKeyDictionary[Optimizer, bool] = weakref.WeakKeyDictionary()
        of_loss = Cadence(None if options.every is None else 1, options.overhead / 4)
        self._loss = Loss(self._hear, of_loss)
        self._stepping: weakref.ReferenceType[Optimizer] | None = None
        self._within: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._watched: list[Watched] = []
        self._own: set[int] = set()
        self._frozen: set[int] = set()
        self._unheard = 2 if options.activations else 0
        self._measured: set[tuple[str, int]] = set()
        self._upcoming: Gathering | None = None
        self._current: Gathering | None = None
        self._late: list[Watched] | None = None
        self._offsets: dict[str, int] = {}
        self._inputs: Inputs | None = None
        self._trained = False
        self._captured = False
        self._removals: list[Callable[[], None]] = []
        self._charged = 0.0
        way = prepare(model.parameters())
        self._resting = time.perf_counter()
        self._tell("start" if start == 0 else "resume", f"at step {start}, measured by {way}")
        self._guarded(lambda: self._begin(model, inputs))

    # Called by the loop, by way of Visu ------------------------------------------------------

    def manual_step(self) -> None:
        """Ends a step of a loop without torch's optimizers."""
        if not self._silent() and not self._steps.optimizers:
            self._guarded(self._manual_step)

    def scalar(self, name: str, value: SupportsFloat, step: int | None) -> None:
        """Notes a number."""
        if not self._silent():
            self._guarded(lambda: self._scalar(name, value, step))

    def flush(self, seconds: float) -> bool:
        """Waits until everything is written; False if that took too long."""
        if self._silent():
            return True
        done = self._writer.flush(seconds)
        self._warn()
        return done

    def close(self) -> None:
        """Ends it. What waits is written; may be called again."""
        if self._silent():
            return
        with self._lock:
            self._closed = True
            for remove in self._removals:
                remove()
            self._removals.clear()
            self._current = self._upcoming = self._inputs = None
            self._tell("close", f"after step {self._steps.now}")
            self._writer.close(60.0)
            if self._writer.lost:
                self._problems.append(f"{self._writer.lost} records were lost in all")
            self._warn()

    # Called by torch -------------------------------------------------------------------------

    def _before(self, optimizer: Optimizer, closure: bool) -> None:
        if not self._silent():
            self._guarded(lambda: self._before_step(optimizer, closure))

    def _after(self, optimizer: Optimizer) -> None:
        if not self._silent() and self._trains.get(optimizer):
            self._guarded(lambda: self._after_step(optimizer))

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # What is trained on is preferred to what is tried out before.
        training = torch.is_grad_enabled()
        if not self._captured and (self._inputs is None or (training and not self._trained)):
            self._inputs, self._trained = (args, kwargs), training

    def _hear(self, do: Callable[[], None]) -> None:
        if not self._silent():
            self._guarded(do)

    def _output(self, name: str, module: nn.Module, tensor: torch.Tensor) -> None:
        if self._steps.armed_next and module.training and torch.is_grad_enabled():
            self._guarded(lambda: self._activation(name, module, tensor))

    # What is done ----------------------------------------------------------------------------

    def _begin(self, model: nn.Module, inputs: Inputs | None) -> None:
        self._refresh(model)
        if not self._watched and next(model.parameters(), None) is not None:
            chosen = (
                f"include={self._options.include!r:.100}, exclude={self._options.exclude!r:.100}"
            )
            self._problems.append(f"{chosen} leave no parameter of the model to record")
        if inputs is not None:
            self._captured = self._capture(model, inputs, tell=False)
        if not self._captured:
            handle = watch_first_call(model, self._called)
            self._removals.append(handle.remove)
        if self._options.activations:
            handles = watch_outputs(model, self._wants_output, self._output)
            self._removals += [handle.remove for handle in handles]
            if not handles:
                self._unheard = 0
                wanted = self._options.activations
                self._problems.append(f"activations={wanted!r:.100} matches no module")
        self._removals.append(listen(self._before, self._after))
        self._loss.watch(each.parameter for each in self._watched)
        self._removals.append(self._loss.close)

    def _before_step(self, optimizer: Optimizer, closure: bool) -> None:
        model = self._model()
        if model is None or not self._is_ours(model, optimizer):
            self._loss.pass_by()
            return
        outer = None if self._stepping is None else self._stepping()
        if outer is not None and outer is not optimizer and is_stepping(outer):
            self._within.add(optimizer)  # One that the other is made of: theirs is one step.
            return
        self._stepping = weakref.ref(optimizer)
        own = _parameters(optimizer)

        def replaces(other: Optimizer) -> bool:
            others = _parameters(other)
            return not own.isdisjoint(others) or self._own.isdisjoint(others)

        new, recorded = self._steps.begin(optimizer, replaces)
        if new:
            self._measured.clear()
        if closure:
            self._loss.expect()
        else:
            self._note_loss(optimizer, new)
        self._capture_at_first_step(model)
        if not recorded:
            return
        self._refresh(model)
        watched = self._share(optimizer)
        gathering = self._current = self._take_upcoming()
        self._weights(gathering, watched, _parameters(optimizer))
        if closure:  # Gradients come about in the step itself.
            self._late = watched
        else:
            scale = getattr(optimizer, "grad_scale", None)
            gathering.gradients(self._unmeasured("gradient", watched), scale)
        self._learning_rates(optimizer)

    def _after_step(self, optimizer: Optimizer) -> None:
        if optimizer in self._within:
            self._within.discard(optimizer)
            return
        self._stepping = None
        if self._loss.expected:
            self._note_loss(optimizer, new=True)
        gathering, self._current = self._current, None
        if gathering is not None:
            late, self._late = self._late, None
            if late is not None:
                gathering.gradients(self._unmeasured("gradient", late), None)
            gathering.updates(self._watched)
            gathering.skipped = getattr(optimizer, "found_inf", None)
            self._hand_over(gathering)
        self._steps.end()

    def _manual_step(self) -> None:
        model = self._model()
        if model is None:
            return
        recorded = self._steps.begin_manually()
        self._note_loss(None, new=True)
        self._capture_at_first_step(model)
        if recorded:
            self._measured.clear()
            gathering = self._take_upcoming()
            if not gathering.has_weights:
                self._refresh(model)
                self._weights(gathering, self._watched, set())
            gathering.gradients(self._watched, None)
            gathering.updates(self._watched)
            self._hand_over(gathering)
        self._steps.end()
        if self._steps.armed_next:
            self._refresh(model)
            self._measured.clear()
            self._upcoming = Gathering(self._steps.now + 1, time.time())
            self._weights(self._upcoming, self._watched, self._own)

    def _scalar(self, name: str, value: SupportsFloat, step: int | None) -> None:
        if step is None:
            done = self._steps.now + 1
            # Told before the first step is done, it is of the step to come; else of the last.
            step = done - self._offsets.setdefault(name, 0 if done == self._start else 1)
        if name == LOSS:
            self._loss.close()  # Whoever trains it knows better.
        value = number(value) if isinstance(value, torch.Tensor) else float(value)
        safe = name.encode("utf-8", "replace").decode()
        self._writer.note(Batch(scalars=((safe, step, value),)))

    def _activation(self, name: str, module: nn.Module, tensor: torch.Tensor) -> None:
        number, subject, new = self._watch.module(name, module)
        if ("activation", number) in self._measured:
            return  # The first call in a step counts: others may be recomputations.
        self._unheard = 0
        self._measured.add(("activation", number))
        if new:
            self._writer.note(Batch(subjects=((number, subject),)))
        if self._upcoming is None:
            self._upcoming = Gathering(self._steps.now + 1, time.time())
        self._upcoming.module(number, "activation", tensor)
        self._upcoming.module(number, "activity", unit_activity(tensor))

    # Parts of it -----------------------------------------------------------------------------

    def _is_ours(self, model: nn.Module, optimizer: Optimizer) -> bool:
        if self._trains.get(optimizer):
            return True
        if optimizer not in self._trains:
            self._refresh(model)
        chosen = self._options.optimizer
        wanted = chosen is None or any(each is optimizer for each in chosen)
        ours = wanted and not self._own.isdisjoint(_parameters(optimizer))
        self._trains[optimizer] = ours
        return ours

    def _refresh(self, model: nn.Module) -> None:
        """Looks at which parameters the model has now."""
        self._watched, changed = self._watch.parameters(model)
        self._own = {id(each.parameter) for each in self._watched}
        if changed:
            self._writer.note(Batch(subjects=tuple(changed)))

    def _share(self, optimizer: Optimizer) -> list[Watched]:
        """Gives the parameters of an optimizer, and those that no other one has."""
        own = _parameters(optimizer)
        others = set[int]().union(
            *(_parameters(other) for other in self._steps.optimizers if other is not optimizer)
        )
        return [
            each
            for each in self._watched
            if id(each.parameter) in own or id(each.parameter) not in others
        ]

    def _weights(self, gathering: Gathering, watched: list[Watched], moving: set[int]) -> None:
        """Measures weights: those that cannot change only once."""
        frozen = {each.number for each in watched if not each.parameter.requires_grad}
        changing = [each for each in watched if each.number not in frozen & self._frozen]
        self._frozen = (self._frozen | frozen) - {
            each.number for each in watched if each.number not in frozen
        }
        gathering.weights(self._unmeasured("weight", changing), self._copies, moving)

    def _unmeasured(self, quantity: str, watched: list[Watched]) -> list[Watched]:
        """Leaves out what has been measured in this step, and notes that the rest will be."""
        rest = [each for each in watched if (quantity, each.number) not in self._measured]
        self._measured.update((quantity, each.number) for each in rest)
        return rest

    def _note_loss(self, optimizer: Optimizer | None, new: bool) -> None:
        start = time.perf_counter()
        which = 0 if optimizer is None else self._steps.taking_part.index(optimizer)
        value = self._loss.take(which)
        if value is not None:
            name = f"{LOSS} {which}" if which else LOSS
            self._writer.note(Batch(scalars=((name, self._steps.now, value),)))
        elif self._loss.due:  # What was to tell has been frozen, replaced or left out.
            self._loss.watch((each.parameter for each in self._watched), which)
        if new:
            self._loss.go_on(time.perf_counter() - start)

    def _learning_rates(self, optimizer: Optimizer) -> None:
        which = self._steps.taking_part.index(optimizer)
        several = len(optimizer.param_groups) > 1 or which > 0
        scalars: list[tuple[str, int, SupportsFloat]] = []
        for index, group in enumerate(optimizer.param_groups):
            rate = group.get("lr")
            if rate is not None:
                name = f"{LEARNING_RATE} {which}.{index}" if several else LEARNING_RATE
                rate = number(rate) if isinstance(rate, torch.Tensor) else rate
                scalars.append((name, self._steps.now, rate))
        self._writer.note(Batch(scalars=tuple(scalars)))

    def _take_upcoming(self) -> Gathering:
        """Gives what was gathered for this step before it began, or a new gathering."""
        gathering, self._upcoming = self._upcoming, None
        if gathering is None or gathering.step != self._steps.now:
            gathering = Gathering(self._steps.now, time.time())
        return gathering

    def _hand_over(self, gathering: Gathering) -> None:
        self._writer.put(gathering.finish)
        if self._unheard == 1:
            self._tell("unheard", UNHEARD)
            self._problems.append(UNHEARD)
        self._unheard = max(0, self._unheard - 1)
        used = self._writer.seconds
        self._cadence.charge(used - self._charged)
        self._charged = used
        self._ended = True

    def _capture_at_first_step(self, model: nn.Module) -> None:
        if not self._captured:
            self._captured = True
            self._removals.pop(0)()  # The hook that waited for the first call.
            inputs, self._inputs = self._inputs, None
            self._capture(model, inputs, tell=True)

    def _capture(self, model: nn.Module, inputs: Inputs | None, *, tell: bool) -> bool:
        try:
            data = capture(model, inputs)
        except Exception as error:
            if tell:
                self._tell("topology", why(error))
                self._problems.append(
                    f"the network could not be captured, so the run has no graph: {why(error)}"
                )
            return False
        self._writer.note(Batch(documents=(("topology", data),)))
        return True

    def _wants_output(self, name: str, module: nn.Module) -> bool:
        patterns = self._options.activations
        if isinstance(patterns, bool):
            chosen = next(module.children(), None) is None
        else:
            chosen = Matcher(patterns).matches(name)
        return chosen and not self._exclude.matches(name)

    # How it is done --------------------------------------------------------------------------

    def _guarded(self, do: Callable[[], None]) -> None:
        """Does something, timed, without gradients, and without ever raising an error."""
        with self._lock:
            start = time.perf_counter()
            self._cadence.earn(start - self._resting)
            self._ended = False
            try:
                with torch.no_grad():
                    do()
            except Exception as error:
                self._failed(error)
            self._resting = time.perf_counter()
            # What only listens is paid for anyway: to record less would not spare it.
            if self._ended or self._current is not None or self._upcoming is not None:
                self._cadence.charge(self._resting - start)
            if self._ended:
                self._cadence.recorded()
            if self._problems:
                self._warn()

    def _failed(self, error: Exception) -> None:
        self._current = self._upcoming = self._late = None
        self._failures += 1
        problem = f"{type(error).__name__}: {str(error)[:500]}"
        self._tell("failed", problem)
        if self._failures == 1:
            self._problems.append(f"an error in the recorder, training goes on: {problem}")
        if self._failures == _MOST_FAILURES:
            self._problems.append(f"recording has stopped after {_MOST_FAILURES} errors")
            self.close()

    def _silent(self) -> bool:
        """Whether there is nothing to do: it is over, or this is a fork of its process."""
        return self._closed or os.getpid() != self._process or torch.compiler.is_compiling()

    def _tell(self, kind: str, detail: str) -> None:
        safe = detail.encode("utf-8", "replace").decode()
        event = Event(max(self._steps.now, 0), time.time(), kind, safe)
        self._writer.note(Batch(events=(event,)))

    def _warn(self) -> None:
        """Warns of what went wrong, also in the writer; a warning made an error stops nothing."""
        problems, self._problems[:] = list(self._problems), []
        for problem in problems:
            with suppress(RuntimeWarning):
                warnings.warn(f"Visu: {problem}", RuntimeWarning, stacklevel=4)


def _parameters(optimizer: Optimizer) -> set[int]:
    """Gives the ids of the parameters that an optimizer trains."""
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
