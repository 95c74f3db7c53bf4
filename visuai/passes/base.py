"""What a pass is, and the context that it runs in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from visuai.report import Report

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps done, and steps in all (0 if not known)."""


def silent(what: str, done: int, total: int) -> None:
    """The progress callback that says nothing."""


@dataclass(slots=True)
class Context:
    """What passes of one run share.

    Attributes:
        report: How the run goes; ends up as ``topology.report``.
        progress: Told about long work.
        removed: How many of each op or type the pass now running took out. The pipeline moves
            it to the record of that pass when the pass has ended.
    """

    report: Report = field(default_factory=Report)
    progress: Progress = silent
    removed: Counter[str] = field(default_factory=Counter[str])


class Pass(ABC, Generic[In, Out]):
    """A step of the pipeline: a frozen dataclass whose fields are its options.

    Subclasses set the three class variables and define `run`. Field names are the option
    names of the textual form with ``-`` for ``_``: ``prune-nodes{keep=dropout}``.

    Attributes:
        name: Kebab-case name.
        consumes: Type of the value that `run` takes.
        produces: Type of the value that `run` gives.
    """

    name: ClassVar[str]
    consumes: ClassVar[type[Any]]
    produces: ClassVar[type[Any]]

    @abstractmethod
    def run(self, value: In, context: Context) -> Out:
        """Gives a new value; never changes ``value``.

        Args:
            value: An instance of ``consumes``.
            context: Shared by the passes of one run.

        Raises:
            PassError: If ``value`` cannot be worked on.
        """
