"""Saved topologies: compact, versioned JSON, compressed, and checked when read."""

from __future__ import annotations

from visuai.archive.file import load, load_bytes, save, save_bytes
from visuai.archive.reader import from_dict
from visuai.archive.writer import SCHEMA, to_dict

__all__ = ["SCHEMA", "from_dict", "load", "load_bytes", "save", "save_bytes", "to_dict"]
