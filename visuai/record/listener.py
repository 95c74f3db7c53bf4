"""Hears every step of every torch optimizer of the process, by torch's own global hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

Before = Callable[[Optimizer, bool], None]
After = Callable[[Optimizer], None]


def listen(before: Before, after: After) -> Callable[[], None]:
    """Calls functions before and after each step of each optimizer.

    A compiled step calls them too: they are left out of what is compiled.

    Args:
        before: Called with the optimizer and whether its step was given a closure.
        after: Called with the optimizer.

    Returns:
        A function that ends it.
    """

    def pre(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[Any, Any]) -> None:
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        before(optimizer, closure is not None)

    def post(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[Any, Any]) -> None:
        after(optimizer)

    compiler: Any = torch.compiler
    handles = (
        register_optimizer_step_pre_hook(compiler.disable(pre)),
        register_optimizer_step_post_hook(compiler.disable(post)),
    )

    def end() -> None:
        for handle in handles:
            handle.remove()

    return end
