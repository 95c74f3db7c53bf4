"""Visuai: what a PyTorch network really is, as data and as a picture.

>>> import torch, visuai
>>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visuai.analysis.diff import diff as diff
    from visuai.builder import build as build
    from visuai.errors import VisuaiError as VisuaiError
    from visuai.passes.base import Pass as Pass
    from visuai.passes.pipeline import Pipeline as Pipeline
    from visuai.record.run import Run as Run
    from visuai.record.run import open_run as open_run
    from visuai.record.series import Series as Series
    from visuai.record.visu import Visu as Visu
    from visuai.topology import Topology as Topology

__version__ = "0.1.0"

# No submodule may be called as a name below: importing it would put the module in its place.
# Loaded on first use (PEP 562), so that `import visuai` costs milliseconds and no torch.
_HOME = {
    "build": "visuai.builder",
    "diff": "visuai.analysis.diff",
    "open_run": "visuai.record.run",
    "Pass": "visuai.passes.base",
    "Pipeline": "visuai.passes.pipeline",
    "Run": "visuai.record.run",
    "Series": "visuai.record.series",
    "Topology": "visuai.topology",
    "Visu": "visuai.record.visu",
    "VisuaiError": "visuai.errors",
}

__all__ = [
    "Pass",
    "Pipeline",
    "Run",
    "Series",
    "Topology",
    "VisuaiError",
    "Visu",
    "build",
    "diff",
    "open_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'visuai' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
