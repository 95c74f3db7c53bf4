"""`build`: from a model to its topology, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from visuai.errors import InputError, PipelineError
from visuai.passes.base import Context, Progress, silent
from visuai.passes.export import Export
from visuai.passes.pipeline import AfterPass, Pipeline
from visuai.program import Source
from visuai.topology import Topology


def build(
    model: Any,
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    capture: str = "auto",
    pipeline: Pipeline | None = None,
    progress: Progress | None = None,
    after: AfterPass | None = None,
) -> Topology:
    """Captures a network and gives its topology. Nothing of the caller's is changed.

    Args:
        model: ``nn.Module``, callable, ``fx.GraphModule``, ``ExportedProgram``,
            ``onnx.ModelProto``, or a path or binary file of an ``.onnx`` or ``.pt2``.
        args: Positional inputs of the forward: a tuple of them, or the only one (a tensor, a
            list, a dict). A dict whose keys are all names of forward's parameters is taken as
            keywords. None if no input is at hand: shapes are then
            inferred where that is possible, and the report says what was assumed.
        kwargs: Keyword inputs of the forward.
        capture: The route: ``auto`` tries them in order, or a name (``eager``, ``symbolic``,
            ``export``, ``onnx``, or one that a plug-in adds).
        pipeline: The passes to run instead of the default six; it ends in a `Topology`.
        progress: Called with what is being done, steps done, and steps in all.
        after: Called with each pass and what it gave.

    Returns:
        The topology, with how it came about in ``topology.report``.

    Raises:
        CaptureError: If no route captures the model; it lists what each failed with.
        ModelError: If the model itself raises; its own exception is the cause.
        InputError: If the inputs do not fit the signature of the forward, or ``model`` is a
            class.
        PipelineError: If ``pipeline`` does not end in a topology, or ``capture`` is given
            with a pipeline that has no export pass.

    Examples:
        >>> import torch, visuai
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
        >>> topology = visuai.build(model, torch.zeros(1, 4))
        >>> list(topology.graph)
        ['input', '0', '1', 'output']
    """
    steps = Pipeline.default() if pipeline is None else pipeline
    if not isinstance(steps, Pipeline):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PipelineError(
            f"Got a pipeline of type {type(steps).__name__}; expected a visuai.Pipeline, such as "
            "visuai.Pipeline.default() with passes replaced."
        )
    *_, last = steps
    if not issubclass(last.produces, Topology):
        raise PipelineError(
            f"visuai.build needs a pipeline that ends in a Topology; this one ends in "
            f"{last.name!r}, which produces {last.produces.__name__}. Use Pipeline.run instead."
        )
    if capture != "auto":
        steps = steps.replace("export", Export(capture=capture))
    if isinstance(model, type):
        raise InputError(
            f"{model.__name__} is a class, and what it makes is what can be built; pass an "
            f"instance: visuai.build({model.__name__}(...))."
        )
    if isinstance(model, Topology):
        raise InputError(f"{model.name!r} is a topology, so it is built already.")
    if isinstance(model, Mapping):
        raise InputError(
            "A mapping may hold weights, but is no network; pass the model that they are loaded "
            "into."
        )
    context = Context(progress=progress or silent)
    topology: Topology = steps.run(
        Source(model, _positional(args), _keywords(kwargs)), context, after
    )
    topology.report = context.report
    return topology


def _positional(args: Any) -> tuple[Any, ...] | None:
    if args is None:
        return None
    if not isinstance(args, tuple):
        return (args,)
    given = cast("tuple[Any, ...]", args)
    return (given,) if hasattr(given, "_fields") else given  # A named tuple is one value.


def _keywords(kwargs: Any) -> dict[str, Any] | None:
    if kwargs is None:
        return None
    if not isinstance(kwargs, Mapping):
        raise InputError(
            f"Got kwargs of type {type(kwargs).__name__}; expected a dict of the forward's keyword "
            "inputs by name, such as {'mask': mask}."
        )
    return dict(cast("Mapping[str, Any]", kwargs))
