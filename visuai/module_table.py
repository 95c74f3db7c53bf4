"""Makes a module table where the source tells no more than names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from visuai.ir import Module
from visuai.ops import is_leaf_type


def module_table(types: Mapping[str, str], more: Iterable[str] = ()) -> dict[str, Module]:
    """Makes a table for `visuai.ir.IR.modules`, with all the modules that lie in between.

    Args:
        types: FQN to qualified class name, "" if that is unknown.
        more: FQNs of further modules of unknown class.

    Examples:
        >>> list(module_table({"layer1.0.conv": "torch.nn.modules.conv.Conv2d"}))
        ['', 'layer1', 'layer1.0', 'layer1.0.conv']
    """
    modules: dict[str, Module] = {}
    for fqn in ("", *types, *more):
        missing: list[str] = []
        prefix = fqn
        while prefix not in modules:
            missing.append(prefix)
            if not prefix:
                break
            prefix = prefix.rpartition(".")[0]
        for name in reversed(missing):  # parents first
            kind = types.get(name, "")
            modules[name] = {
                "fqn": name,
                "type": kind,
                "parent": name.rpartition(".")[0] if name else None,
                "leaf": is_leaf_type(kind),
                "call": None,
                "config": "",
            }
    return modules
