"""Pass ``export``: from a model to a captured program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from visuai.errors import CaptureError
from visuai.passes.base import Context, Pass
from visuai.passes.to_dict import fx_to_dict
from visuai.program import Program, Source


@dataclass(frozen=True)
class Export(Pass[Source, Program]):
    """Captures a model by the first route that succeeds.

    Attributes:
        capture: ``auto``, or the name of the only route to try.
    """

    name: ClassVar[str] = "export"
    consumes: ClassVar[type] = Source
    produces: ClassVar[type] = Program

    capture: str = "auto"

    def run(self, value: Source, context: Context) -> Program:
        """Captures ``value.model``; the report then has the route, the failures and notes.

        Raises:
            CaptureError: If no route captures the model.
            ModelError: If the model itself raises.
        """
        from visuai.capture.routes import capture

        try:
            program, failures = capture(value, self.capture, context.progress)
        except CaptureError as error:
            if error.program is not None:
                error.partial = fx_to_dict(error.program)
            raise
        report = context.report
        report.route = program.route
        report.notes.extend(program.notes)
        for route, error in failures.items():
            report.failures[route] = f"{type(error).__name__}: {error}"
        return program
