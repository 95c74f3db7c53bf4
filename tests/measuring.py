"""Either way to measure tensors in host memory, as a test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import pytest

from visuai.record import compiled


def with_numba() -> AbstractContextManager[None]:
    """Measures by the compiled kernel; the test is skipped where there is no numba."""
    pytest.importorskip("numba")
    return _measuring_by(_kernel())


def without_numba() -> AbstractContextManager[None]:
    """Measures by numpy and torch."""
    return _measuring_by(None)


@cache
def _kernel() -> Callable[..., None]:
    kernel = compiled.load()
    assert kernel is not None, "numba is there, and does not work"
    return kernel


@contextmanager
def _measuring_by(kernel: Callable[..., None] | None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "_kernel", kernel)
        yield
