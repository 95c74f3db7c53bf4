"""What a series is of: a parameter, or a module whose activations are recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import Any, cast

from visuai.errors import FormatError


@dataclass(frozen=True)
class Subject:
    """A parameter or a module of which something is recorded.

    Attributes:
        name: FQN, as in ``named_parameters`` or ``named_modules``; the first one if it has
            several.
        kind: ``parameter`` or ``module``.
        aliases: Its other FQNs, if it is tied or shared.
        shape: Sizes of the parameter; empty for a module.
        dtype: Name of its dtype, ``float32``; "" for a module.
        type: Class of the module, or of the module that holds the parameter.
        trainable: Whether the parameter required a gradient when it was last looked at.
    """

    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: str = ""
    type: str = ""
    trainable: bool = True

    @property
    def numel(self) -> int:
        """Number of elements of the parameter."""
        return prod(self.shape)

    @property
    def module(self) -> str:
        """FQN of the module itself, or of the module that holds the parameter."""
        return self.name if self.kind == "module" else self.name.rpartition(".")[0]

    def to_json(self) -> str:
        """Writes it as JSON."""
        return json.dumps(
            [self.name, self.kind, self.aliases, self.shape, self.dtype, self.type, self.trainable]
        )

    @classmethod
    def from_json(cls, text: object) -> Subject:
        """Reads what `to_json` wrote, and checks it.

        Raises:
            FormatError: If it is something else.
        """
        try:
            fields: Any = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            fields = None
        if not _fits(fields):
            raise FormatError(
                f"Damaged description of a parameter in a recorded run: {text!r:.200}"
            )
        name, kind, aliases, shape, dtype, type_, trainable = fields
        return cls(name, kind, tuple(aliases), tuple(shape), dtype, type_, trainable)


def _fits(fields: Any) -> bool:
    if not isinstance(fields, list) or len(cast("list[Any]", fields)) != 7:
        return False
    name, kind, aliases, shape, dtype, type_, trainable = cast("list[Any]", fields)
    return (
        isinstance(trainable, bool)
        and all(isinstance(text, str) for text in (name, dtype, type_))
        and kind in ("parameter", "module")
        and isinstance(aliases, list)
        and all(isinstance(alias, str) for alias in cast("list[Any]", aliases))
        and isinstance(shape, list)
        and all(type(size) is int and size >= 0 for size in cast("list[Any]", shape))
    )
