"""Calls of modules in an exported graph, where only each node's stack of modules tells them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch import fx

from visuai.ops import is_leaf_type
from visuai.program import Site

_CALL = re.compile(r"(.*)@(\d+)", re.DOTALL)


class ModuleCalls:
    """The calls met so far.

    Args:
        name_of: Gives the first name of a module that has several.

    Attributes:
        types: Class by FQN.
        calls: As `visuai.ir.IR.calls`.
    """

    def __init__(self, name_of: Callable[[str], str]) -> None:
        self.types: dict[str, str] = {"": ""}
        self.calls: dict[str, list[tuple[str, int]]] = {}
        self._name_of = name_of
        self._numbers: dict[tuple[str, str], int] = {}

    def site(self, node: fx.Node) -> Site:
        """Reads the module calls around a node, and notes them in the tables."""
        caller, call = "", 0
        for key, (raw, kind) in _stack(node):
            fqn, index = self._call_of(key, raw)
            self.types.setdefault(fqn, "")
            if kind:
                self.types[fqn] = kind
            if fqn == "":
                continue
            # Numbered as met: the source counts the names of one module apart.
            number = self._numbers.setdefault((raw, index), len(self.calls.get(fqn, ())))
            callers = self.calls.setdefault(fqn, [])
            if number == len(callers):
                callers.append((caller, call))
            caller, call = fqn, number
            if is_leaf_type(kind):
                break
        return Site(caller, call)

    def _call_of(self, key: str, raw: str) -> tuple[str, str]:
        """Gives the module, and what tells the call apart from its others."""
        fqn = self._name_of(raw)
        if fqn == raw:
            match = _CALL.fullmatch(fqn)  # strict export writes the call into the name
            if match and match[1] in self.types:
                return match[1], key
        return fqn, key


def _stack(node: fx.Node) -> list[tuple[str, tuple[str, str]]]:
    stack: dict[Any, tuple[Any, Any]] = node.meta.get("nn_module_stack") or {}
    entries: list[tuple[str, tuple[str, str]]] = []
    for key, (fqn, kind) in stack.items():
        if not isinstance(kind, str):
            kind = f"{kind.__module__}.{kind.__qualname__}"
        if not str(key).startswith("_empty_nn_module_stack"):
            entries.append((str(key), (str(fqn), kind)))
    return entries
