"""Ops that are not at hand: known by name only."""

from __future__ import annotations

from typing import Any


class Opaque:
    """Stands for an op that is only known by name; calling it is an error."""

    def __init__(self, target: str) -> None:
        parts = target.removeprefix("torch.ops.").split(".")
        named = len(parts) > 2 and target.startswith("torch.ops.") and parts[0] != "higher_order"
        self.__name__ = parts[-2] if named else parts[-1]
        self.__qualname__ = self.__name__
        self.__module__ = ".".join(parts[: -2 if named else -1])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.__module__}.{self.__name__} is only known by name.")
