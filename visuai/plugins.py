"""Finds passes, renderers and capture routes by name: the built-in ones and entry points."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from visuai.errors import PluginError

PASSES = "visuai.passes"
RENDERERS = "visuai.renderers"
CAPTURES = "visuai.captures"

BUILT_IN: dict[str, dict[str, str]] = {
    PASSES: {
        "export": "visuai.passes.export:Export",
        "to-dict": "visuai.passes.to_dict:ToDict",
        "prune-nodes": "visuai.passes.prune_nodes:PruneNodes",
        "prune-modules": "visuai.passes.prune_modules:PruneModules",
        "split-recycled": "visuai.passes.split_recycled:SplitRecycled",
        "build-hierarchy": "visuai.passes.build_hierarchy:BuildHierarchy",
    },
    RENDERERS: {
        "html": "visuai.render.html:render",
        "pyvis": "visuai.render.pyvis:render",
        "threejs": "visuai.render.threejs:render",
        "svg": "visuai.render.svg:render",
        "dot": "visuai.render.dot:render",
        "mermaid": "visuai.render.mermaid:render",
        "text": "visuai.render.text:render",
        "model-explorer": "visuai.render.model_explorer:render",
    },
    CAPTURES: {
        "eager": "visuai.capture.eager:capture",
        "symbolic": "visuai.capture.symbolic:capture",
        "export": "visuai.capture.export:capture",
        "onnx": "visuai.capture.onnx:capture",
    },
}
"""Group to name to ``module:attribute``, in order of preference."""


@cache
def _table(group: str) -> dict[str, EntryPoint]:
    table: dict[str, EntryPoint] = {}
    built_in = [EntryPoint(name, value, group) for name, value in BUILT_IN[group].items()]
    for point in (*built_in, *entry_points(group=group)):
        known = table.get(point.name)
        if known is not None and known.value != point.value:
            raise PluginError(
                f"Two packages claim the name {point.name!r} in the entry-point group {group!r}: "
                f"{known.value} and {point.value}. Uninstall one of them, or ask its author to "
                "rename it."
            )
        table.setdefault(point.name, point)
    return table


def names(group: str) -> list[str]:
    """Lists the names known in an entry-point group, the built-in ones first."""
    return list(_table(group))


def load(group: str, name: str) -> Any:
    """Imports what ``name`` stands for in an entry-point group.

    Args:
        group: `PASSES`, `RENDERERS` or `CAPTURES`.
        name: Kebab-case name, such as ``prune-nodes`` or ``svg``.

    Raises:
        PluginError: If the name is unknown, claimed twice, or its package does not import.
    """
    point = _table(group).get(name)
    if point is None:
        raise PluginError(
            f"Unknown name {name!r} in {group!r}; known are: {', '.join(names(group))}."
        )
    module, _, attribute = point.value.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        raise PluginError(
            f"{name!r} in {group!r} stands for {point.value}, which does not load: "
            f"{type(error).__name__}: {error}"
        ) from error
