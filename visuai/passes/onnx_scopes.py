"""Finds the module that each ONNX node comes from, as far as its exporter told."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from visuai.ops import is_leaf_type

if TYPE_CHECKING:
    from onnx import NodeProto

_SCOPES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
_MAX_TEXT = 100_000
_REPEAT = re.compile(r"(.+)_(\d{1,6})")


class Scopes:
    """Reads scopes from exporter metadata, or from names such as ``/layer1/layer1.0/conv1/Conv``.

    Attributes:
        types: Qualified class name of each module met, by FQN; "" if unknown.
    """

    def __init__(self, owners: set[str]) -> None:
        """Args: owners: FQNs of the modules that are known to hold a tensor."""
        self.types: dict[str, str] = {}
        self._owners = owners
        self._from_names: dict[str, str] = {}

    def of(self, node: NodeProto) -> str:
        """Gives the FQN of the module that a node lies in; "" if its exporter did not tell.

        Of a leaf module only the outermost is told, as in every other route.
        """
        metadata = {entry.key: entry.value for entry in node.metadata_props}
        names = _strings(metadata.get(_SCOPES, ""))
        if names:
            return self._enter(names[:-1], _strings(metadata.get(_CLASSES, ""))[:-1])
        return self._by_name(node.name)

    def _enter(self, names: list[str], classes: list[str]) -> str:
        classes += [""] * (len(names) - len(classes))
        scope = ""
        for fqn, kind in zip(names, classes, strict=False):
            scope = fqn
            if kind or fqn not in self.types:
                self.types[fqn] = kind
            if is_leaf_type(kind):
                break
        return scope

    def _by_name(self, name: str) -> str:
        """Reads the path that exporters by TorchScript write into a node's name."""
        if not name.startswith("/") or len(name) > _MAX_TEXT:
            return ""
        path = name.rpartition("/")[0]
        known = self._from_names.get(path)
        if known is None:
            known = self._from_names[path] = self._fqn(path[1:].split("/"))
        return known

    def _fqn(self, parts: list[str]) -> str:
        fqn, last = "", ""
        for part in filter(None, parts):
            # A child of a container that is indexed, not called, is named with it.
            if last and part.startswith(f"{last}."):
                fqn = fqn[: len(fqn) - len(last)] + part
            else:
                fqn = f"{fqn}.{part}" if fqn else part
            last = part
            repeat = _REPEAT.fullmatch(fqn)
            if fqn not in self._owners and repeat and repeat[1] in self.types:
                fqn = repeat[1]  # "relu_1" is how this exporter writes a second call
                last = last[: last.rindex("_")]
            self.types.setdefault(fqn, "")
        return fqn


def _strings(text: str) -> list[str]:
    """Reads a list of strings as Python prints it; anything else gives none."""
    if not text.startswith("[") or len(text) > _MAX_TEXT:
        return []
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return value if all(isinstance(item, str) for item in value) else []
