"""Where in the tree of module calls a capture is, and how often each module was called."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

import torch

from visuai.program import Site

_OWN = (
    str(Path(torch.__file__).parent) + os.sep,
    str(Path(__file__).parents[1]) + os.sep,
    "<frozen",
    "<eval_with_key>",
    "<string>",
)
_TORCH_LIKE = ("/einops/", "/functorch/", "/torch/", "\\torch\\", "/contextlib.py")


class Sites:
    """The stack of module calls during one capture.

    Attributes:
        calls: As `visuai.ir.IR.calls`.
    """

    def __init__(self) -> None:
        self.calls: dict[str, list[tuple[str, int]]] = {}
        self._counts: dict[str, int] = {}
        self._stack: list[tuple[str, int]] = [("", 0)]
        self._here: list[Site] = [Site("", 0)]

    @property
    def scope(self) -> str:
        """FQN of the module whose forward is running."""
        return self._stack[-1][0]

    @property
    def here(self) -> Site:
        """The site of an op that occurs now."""
        return self._here[-1]

    @contextmanager
    def inside(self, fqn: str) -> Generator[None]:
        """Marks the time during which the forward of container ``fqn`` runs."""
        self.enter(fqn)
        try:
            yield
        finally:
            self.leave()

    def enter(self, fqn: str) -> None:
        """Marks the start of a call of container ``fqn``."""
        callers = self.calls.setdefault(fqn, [])
        frame = (fqn, len(callers))
        callers.append(self._stack[-1])
        self._stack.append(frame)
        self._here.append(Site(*frame))

    def leave(self) -> None:
        """Marks the end of the innermost call."""
        self._stack.pop()
        self._here.pop()

    def leaf(self, fqn: str) -> Site:
        """Counts a call of the leaf module ``fqn`` and gives its site."""
        call = self._counts.get(fqn, 0)
        self._counts[fqn] = call + 1
        scope, scope_call = self._stack[-1]
        return Site(scope, scope_call, fqn, call)


@cache
def is_user_file(path: str) -> bool:
    """Tells whether a source file is neither torch's nor Visuai's."""
    return not path.startswith(_OWN) and not any(part in path for part in _TORCH_LIKE)


def user_frame() -> FrameType | None:
    """Gives the innermost stack frame that is neither torch's nor Visuai's."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def line_of(frame: FrameType | None) -> tuple[str, int] | None:
    """Gives file and line where a frame is."""
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
