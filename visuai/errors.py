"""The one tree of errors that Visuai raises on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visuai.ir import IR
    from visuai.program import Program


class VisuaiError(Exception):
    """Base of every error that Visuai raises on purpose.

    Messages say what went wrong, where, what was got and expected, and the next step.
    """


PARTIAL = "The part of the network up to there is in the error's attribute `partial`."
"""What a `ModelError` says to those who can catch it."""


class CaptureError(VisuaiError):
    """No route could capture the model.

    Attributes:
        failures: For each route tried, by name, the exception that ended it.
        program: What was captured up to the failure, if any route got that far.
        partial: The network up to the failure as IR, if any route got that far.
    """

    def __init__(
        self,
        message: str,
        *,
        failures: Mapping[str, BaseException] | None = None,
        program: Program | None = None,
    ) -> None:
        super().__init__(message)
        self.failures: dict[str, BaseException] = dict(failures or {})
        self.program = program
        self.partial: IR | None = None


class ModelError(CaptureError):
    """The model itself raised: it would raise without Visuai too.

    ``__cause__`` is the model's own exception, with its own traceback.
    """


class InputError(VisuaiError):
    """The inputs do not fit the model, or none could be inferred."""


class FormatError(VisuaiError):
    """A file or a document is not what it claims to be, or is damaged."""


class PassError(VisuaiError):
    """A pass was given something that it cannot work on."""


class PipelineError(VisuaiError):
    """Passes do not fit together, or their textual form cannot be parsed."""


class PluginError(VisuaiError):
    """A pass, renderer or route is unknown, broken, or claimed by two packages."""


class RenderError(VisuaiError):
    """A renderer was given options or a topology that it cannot draw."""


class TargetError(VisuaiError):
    """The command line's TARGET does not name something that can be built."""
