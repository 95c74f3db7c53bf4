"""`Visu`: put in front of a training loop, it records what the loop does."""

from __future__ import annotations

import atexit
import os
import platform
import sqlite3
import time
import weakref
from collections.abc import Callable
from dataclasses import fields, replace
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any, SupportsFloat

import torch
from torch import nn

from visuai.errors import VisuaiError
from visuai.record.folder import find_runs, folder_of
from visuai.record.network import batches, peek, unwrap
from visuai.record.options import Options
from visuai.record.recording import Recording
from visuai.record.steps import optimizers_in
from visuai.record.store import Store, create_run

_OPEN: weakref.WeakValueDictionary[tuple[int, str], Visu] = weakref.WeakValueDictionary()


class Visu:
    """Records the weights and gradients of a model while a loop that knows nothing of it trains.

    It hears each step of the model's optimizers, and every so often (see `Options`) notes the
    statistics and the distribution of each parameter, its gradient, and what the step changed;
    the loss of every step too, which is the number of which ``backward`` was called. The
    training itself stays bit for bit what it is without, and no error in here ever stops it.
    Nobody needs to hold on to this object: it ends with the process, with the model, or by
    `close`.

    Attributes:
        path: The run's file; None if nothing is recorded here, as in all but the first process
            of a distributed training.

    Examples:
        >>> import tempfile, torch, visuai
        >>> model = torch.nn.Linear(4, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> folder = tempfile.TemporaryDirectory()
        >>> with visuai.Visu(model, logdir=folder.name, name="tiny", every=1) as visu:
        ...     for _ in range(3):
        ...         loss = model(torch.ones(8, 4)).square().mean()
        ...         optimizer.zero_grad()
        ...         loss.backward()
        ...         optimizer.step()
        >>> with visuai.open_run(visu.path) as run:
        ...     run.steps.tolist(), len(run.series("weight", "gradient")), len(run.scalar("loss"))
        ([0, 1, 2], 3, 3)
        >>> folder.cleanup()
    """

    def __init__(
        self,
        model: nn.Module,
        dataloader: object = None,
        logdir: str | PathLike[str] = "sample",
        name: str = "model",
        **options: Any,
    ) -> None:
        """Starts to record.

        Args:
            model: The model that will be trained; also compiled or distributed.
            dataloader: What the loop will iterate over. It is not iterated here: if its data
                are tensors in memory the topology is built from the first of them at once, else
                from the inputs of the model's first call.
            logdir: Where runs are kept.
            name: What to call the model; its runs lie together.
            options: See `Options`.

        Raises:
            TypeError: If an option is unknown or of the wrong type, or ``model`` is no module.
            ValueError: If an option is out of range.
            VisuaiError: If no file for the run can be made or the one to resume not be opened.
        """
        chosen = _chosen(options)
        given: object = model
        if not isinstance(given, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"Visu needs a torch.nn.Module, got {type(model).__name__}.")
        self.path: Path | None = None
        self._recording: Recording | None = None
        if not (chosen.all_ranks or _is_first_process()):
            return
        inner = unwrap(model)
        folder = folder_of(logdir, name)
        key = (id(inner), str(folder.absolute()))
        if key in _OPEN:  # The same cell of a notebook, run again.
            _OPEN[key].close()
        store, start = _open_store(folder, name, chosen, batches(dataloader))
        self.path = store.path
        self._recording = Recording(inner, store, start, chosen, peek(dataloader, inner))
        _OPEN[key] = self
        self._at_exit = _closer(weakref.ref(self._recording))
        atexit.register(self._at_exit)
        weakref.finalize(inner, self._at_exit).atexit = False

    def step(self) -> None:
        """Says that a step is done, for a loop that trains without an optimizer of torch's.

        Call it after the parameters have changed and before their gradients are cleared. Where
        a torch optimizer trains the model it does nothing, as its steps are heard anyway.
        """
        if self._recording is not None:
            self._recording.manual_step()

    def scalar(self, name: str, value: SupportsFloat, step: int | None = None) -> None:
        """Records a number, such as an accuracy.

        Args:
            name: What to call it. Called ``loss``, it takes the place of the loss that is recorded
                by itself.
            value: A number, or a tensor of one element; one on a device is not waited for.
            step: At which step. None for the step that is under way, or just done: which of
                both is found out at the first call.
        """
        if self._recording is not None:
            self._recording.scalar(name, value, step)

    def flush(self, seconds: float = 60.0) -> bool:
        """Waits until all that was recorded is in the file.

        Args:
            seconds: Longest to wait.

        Returns:
            Whether it is.
        """
        return self._recording is None or self._recording.flush(seconds)

    def close(self) -> None:
        """Ends the recording and closes the file. May be called again."""
        if self._recording is not None:
            self._recording.close()
            atexit.unregister(self._at_exit)

    def __enter__(self) -> Visu:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles of it record nothing: there is one run, and this one writes it."""
        return _inert, ()

    def __repr__(self) -> str:
        return f"Visu({str(self.path)!r})" if self.path else "Visu(recording nothing)"


def _chosen(options: dict[str, Any]) -> Options:
    known = [option.name for option in fields(Options)]
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}."
            raise TypeError(f"Visu has no option {name!r:.60}; {advice}")
    chosen = Options(**options)
    if chosen.optimizer is None:
        return chosen
    return replace(chosen, optimizer=optimizers_in(chosen.optimizer))


def _inert() -> Visu:
    visu = Visu.__new__(Visu)
    visu.path = None
    visu._recording = None  # pyright: ignore[reportPrivateUsage]
    return visu


def _is_first_process() -> bool:
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() == 0
    return os.environ.get("RANK", "0") == "0"


def _closer(recording: weakref.ReferenceType[Recording]) -> Callable[[], None]:
    def close() -> None:
        alive = recording()
        if alive is not None:
            alive.close()

    return close


def _open_store(
    folder: Path, name: str, options: Options, in_epoch: int | None
) -> tuple[Store, int]:
    """Opens the run to resume, or a new one; gives it with the step at which it starts."""
    earlier = (
        find_runs(folder) if options.resume is not None and options.resume is not False else []
    )
    at = options.resume if type(options.resume) is int else None
    try:
        if earlier:
            store = Store(earlier[-1], options.journal)
            start = store.last_step() + 1 if at is None else at
            store.rewind(start)
            return store, start
        meta = {
            "name": name.encode("utf-8", "replace").decode(),
            "started": repr(time.time()),
            "host": platform.node(),
            "process": str(os.getpid()),
            "visuai": _version(),
            "torch": str(torch.__version__),
            **({} if in_epoch is None else {"batches": str(in_epoch)}),
        }
        return Store(create_run(folder, meta), options.journal), at or 0
    except (OSError, sqlite3.Error) as error:
        what = f"resume the run {earlier[-1]}" if earlier else f"make a run in {folder}"
        raise VisuaiError(
            f"Cannot {what}: {error}. Give a logdir that can be written to."
        ) from error


def _version() -> str:
    from visuai import __version__

    return __version__
