"""Progress of long work on the terminal's standard error."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from visuai.passes.base import Progress, silent


@contextmanager
def shown(quiet: bool) -> Generator[Progress]:
    """Gives a progress callback that draws a line which is gone at the end.

    Args:
        quiet: Draw nothing; nothing is drawn either where standard error is no terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        # Names from a model are not markup.
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("visuai", total=None)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield update
