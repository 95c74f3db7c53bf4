"""The viewer's server: shows networks and runs in a browser on this machine, and to nobody else."""

from __future__ import annotations

from visuai.serve.logdir import LogDir
from visuai.serve.runs import Runs
from visuai.serve.server import Background, run, start
from visuai.serve.shelf import Built, Shelf
from visuai.serve.show import show

__all__ = ["Background", "Built", "LogDir", "Runs", "Shelf", "run", "show", "start"]
