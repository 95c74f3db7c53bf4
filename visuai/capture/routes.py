"""Chooses the route: the first that captures the model, with every failure kept."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from visuai import plugins
from visuai.capture.inputs import owner
from visuai.capture.snapshot import unchanged
from visuai.errors import CaptureError, InputError, VisuaiError
from visuai.program import Program, Source

Route = Callable[[Source], Program]

# torch.fx and the eager route replace `nn.Module.__call__` while they work: one at a time.
_ONE_AT_A_TIME = threading.RLock()


def capture(
    source: Source, route: str, progress: Callable[[str, int, int], None]
) -> tuple[Program, Mapping[str, BaseException]]:
    """Captures a model.

    Args:
        source: The model and its inputs.
        route: ``auto``, or the name of the only route to try.
        progress: Told about each route that is tried.

    Returns:
        The program, and for each route that failed before, its exception.

    Raises:
        CaptureError: If no route captures the model; every failure is listed.
        ModelError: If the model itself raises.
        InputError: If the inputs do not fit.
    """
    names = plugins.names(plugins.CAPTURES) if route == "auto" else [route]
    failures: dict[str, BaseException] = {}
    root = source.model if isinstance(source.model, nn.Module) else owner(source.model)
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for index, name in enumerate(names):
            progress(f"export: {name}", index, len(names))
            attempt: Route = plugins.load(plugins.CAPTURES, name)
            try:
                with unchanged(root):
                    return attempt(source), failures
            except VisuaiError:
                raise
            except Exception as error:
                failures[name] = error
    raise CaptureError(_message(source.model, failures), failures=failures)


def _message(model: Any, failures: Mapping[str, BaseException]) -> str:
    causes = "\n".join(
        f"  {name}: {type(error).__name__}: {str(error).strip()[:500]}"
        for name, error in failures.items()
    )
    return f"No route could capture {type(model).__name__}:\n{causes}"
