"""The command line: ``visuai build``, ``summary``, ``diff`` and ``metrics``."""

from __future__ import annotations

from visuai.cli.app import main as main

__all__ = ["main"]
