"""An immutable, type-checked sequence of passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from itertools import pairwise
from time import perf_counter
from typing import Any

from visuai import plugins
from visuai.errors import PassError, PipelineError
from visuai.garbage import collection_paused
from visuai.ir import IR
from visuai.passes.base import Context, Pass
from visuai.report import PassRecord
from visuai.topology import Topology

AnyPass = Pass[Any, Any]
AfterPass = Callable[[AnyPass, Any], None]

DEFAULT = "export,to-dict,prune-nodes,prune-modules,split-recycled,build-hierarchy"

_PASS_TEXT = re.compile(r"\s*([a-z0-9-]+)\s*(?:\{([^{}]*)\})?\s*(?:,|$)")


class Pipeline:
    """Passes in order, checked when made: each consumes what the one before produces.

    Args:
        passes: The passes, first to last.

    Raises:
        PipelineError: If a neighbour does not fit, a name occurs twice, or there is no pass.

    Examples:
        >>> from visuai import Pipeline
        >>> pipeline = Pipeline.parse("export,to-dict,split-recycled,build-hierarchy")
        >>> [step.name for step in pipeline]
        ['export', 'to-dict', 'split-recycled', 'build-hierarchy']
        >>> [step.name for step in pipeline.without("split-recycled")]
        ['export', 'to-dict', 'build-hierarchy']
    """

    __slots__ = ("_passes",)

    def __init__(self, *passes: AnyPass) -> None:
        if not passes:
            raise PipelineError("A pipeline needs at least one pass; see Pipeline.default().")
        for step in passes:
            if not hasattr(step, "consumes"):
                raise PipelineError(
                    f"Got {step!r} of type {type(step).__name__}; expected a pass. Those that have "
                    "a name are made by Pipeline.parse."
                )
        for before, after in pairwise(passes):
            if not issubclass(before.produces, after.consumes):
                raise PipelineError(
                    f"Pass {after.name!r} consumes {after.consumes.__name__}, but {before.name!r} "
                    f"before it produces {before.produces.__name__}."
                )
        names = [step.name for step in passes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PipelineError(f"Passes occur twice: {', '.join(twice)}. Names must be unique.")
        self._passes = passes

    @classmethod
    @cache
    def default(cls) -> Pipeline:
        """Gives the six passes that `visuai.build` runs."""
        return cls.parse(DEFAULT)

    @classmethod
    def parse(cls, text: str) -> Pipeline:
        """Reads a pipeline from text.

        Args:
            text: Names separated by commas, each with options in braces if need be:
                ``prune-nodes{keep=dropout;drop=relu}``. Options are separated by ``;``, values
                of a tuple by ``+``.

        Raises:
            PipelineError: If the text has another form, an option is unknown or its value has
                the wrong type, or the passes do not fit together.
            PluginError: If a pass is unknown.
        """
        steps: list[AnyPass] = []
        position = 0
        while position < len(text):
            match = _PASS_TEXT.match(text, position)
            if match is None:
                raise PipelineError(
                    f"Cannot read the pipeline at {text[position : position + 30]!r}; expected "
                    "name{option=value;option=value},name,..."
                )
            steps.append(_make(match[1], match[2]))
            position = match.end()
        return cls(*steps)

    @collection_paused()
    def run(
        self, value: Any, context: Context | None = None, after: AfterPass | None = None
    ) -> Any:
        """Runs the passes.

        Args:
            value: What the first pass consumes.
            context: Report and progress; a new one if None.
            after: Called with each pass and the value it gave, for timings and snapshots.

        Raises:
            PassError: If ``value`` is not what the first pass consumes, or a pass breaks its
                promise of what it produces.
        """
        context = context or Context()
        for index, step in enumerate(self._passes):
            if not isinstance(value, step.consumes):
                raise PassError(
                    f"Pass {step.name!r} consumes {step.consumes.__name__}, got "
                    f"{type(value).__name__}."
                )
            context.progress(step.name, index, len(self._passes))
            start = perf_counter()
            value = step.run(value, context)
            seconds = perf_counter() - start
            if not isinstance(value, step.produces):
                raise PassError(
                    f"Pass {step.name!r} promises {step.produces.__name__}, but gave "
                    f"{type(value).__name__}."
                )
            _record(context, step.name, seconds, value)
            if after is not None:
                after(step, value)
        context.progress("done", len(self._passes), len(self._passes))
        return value

    def insert_before(self, name: str, *new: AnyPass) -> Pipeline:
        """Gives a pipeline with ``new`` in front of the pass ``name``."""
        at = self._index(name)
        return Pipeline(*self._passes[:at], *new, *self._passes[at:])

    def insert_after(self, name: str, *new: AnyPass) -> Pipeline:
        """Gives a pipeline with ``new`` behind the pass ``name``."""
        at = self._index(name) + 1
        return Pipeline(*self._passes[:at], *new, *self._passes[at:])

    def replace(self, name: str, *new: AnyPass) -> Pipeline:
        """Gives a pipeline with ``new`` in place of the pass ``name``."""
        at = self._index(name)
        return Pipeline(*self._passes[:at], *new, *self._passes[at + 1 :])

    def without(self, *names: str) -> Pipeline:
        """Gives a pipeline that lacks the passes ``names``."""
        dropped = {self._index(name) for name in names}
        return Pipeline(*(step for at, step in enumerate(self._passes) if at not in dropped))

    def __iter__(self) -> Iterator[AnyPass]:
        return iter(self._passes)

    def __len__(self) -> int:
        return len(self._passes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pipeline) and self._passes == other._passes

    def __hash__(self) -> int:
        return hash(self._passes)

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(map(repr, self._passes))})"

    def _index(self, name: str) -> int:
        for at, step in enumerate(self._passes):
            if step.name == name:
                return at
        raise PipelineError(
            f"No pass {name!r} in the pipeline; it has {', '.join(s.name for s in self._passes)}."
        )


def _record(context: Context, name: str, seconds: float, value: Any) -> None:
    nodes, edges = _size(value)
    removed = dict(context.removed)
    context.removed.clear()
    context.report.passes.append(PassRecord(name, seconds, nodes, edges, removed))


def _size(value: Any) -> tuple[int, int]:
    if isinstance(value, IR):
        return len(value.nodes), len(value.edges)
    if isinstance(value, Topology):
        # As number_of_edges() has it, which walks over each edge twice, through views.
        edges = sum(len(keys) for _, near in value.graph.adjacency() for keys in near.values())
        return value.graph.number_of_nodes(), edges
    return 0, 0


def _make(name: str, options: str | None) -> AnyPass:
    kind: type[AnyPass] = plugins.load(plugins.PASSES, name)
    known = {option.name.replace("_", "-"): option for option in fields(kind)}  # pyright: ignore[reportArgumentType]
    values: dict[str, Any] = {}
    for text in filter(None, (options or "").split(";")):
        key, _, value = text.partition("=")
        option = known.get(key.strip())
        if option is None:
            raise PipelineError(
                f"Pass {name!r} has no option {key.strip()!r}; it has {', '.join(known) or 'none'}."
            )
        values[option.name] = _value(name, key.strip(), str(option.type), value.strip())
    return kind(**values)


def _value(pass_name: str, key: str, annotation: str, text: str) -> Any:
    """Reads an option's text as what its annotation says: bool, int, float, str or a tuple."""
    if annotation.startswith("bool"):
        if text.lower() in {"true", "yes", "1", ""}:
            return True
        if text.lower() in {"false", "no", "0"}:
            return False
    elif annotation.startswith("tuple"):
        return tuple(part.strip() for part in text.split("+") if part.strip())
    elif annotation.startswith("frozenset"):
        return frozenset(part.strip() for part in text.split("+") if part.strip())
    elif annotation.startswith(("int", "float")):
        try:
            return int(text) if annotation.startswith("int") else float(text)
        except ValueError:
            pass
    else:
        return text
    raise PipelineError(f"Option {key!r} of pass {pass_name!r} is a {annotation}, got {text!r}.")
