"""What the commands print, whoever reads it: a terminal, a file, or a pipe that is closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from visuai.errors import VisuaiError


def say(text: str, *, err: bool = False) -> None:
    """Prints a text and a line break.

    What the stream's encoding lacks is replaced. That nobody reads any more, as behind
    ``| head``, is no error: the command goes on, and exits as it would have.

    Raises:
        VisuaiError: If standard output is closed, or what it leads to is full.
    """
    stream = sys.stderr if err else sys.stdout
    with _written(stream):
        if stream is not None:
            encoding = stream.encoding or "utf-8"
            click.echo(text.encode(encoding, "replace").decode(encoding), file=stream)


def pour(data: bytes) -> None:
    """Writes bytes to standard output, as `say` does."""
    with _written(sys.stdout):
        if sys.stdout is not None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)


def draw(what: Any, narrow: Any = None) -> None:
    """Prints what draws itself: in colour on a terminal, else as plain text of full width.

    Args:
        what: It.
        narrow: What to print instead if the terminal is too narrow for it.
    """
    from rich.console import Console
    from rich.measure import Measurement

    terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console(width=None if terminal else 160, markup=False, emoji=False)
    # Measured for a terminal of any width, for it is cut down to that of this one.
    options = console.options.update(width=10_000)
    wide = narrow is not None and (Measurement.get(console, options, what).minimum > console.width)
    with _written(sys.stdout), console.capture() as drawn:
        console.print(narrow if wide else what)
    say(drawn.get().rstrip("\n"))


@contextmanager
def _written(stream: TextIO | None) -> Generator[None]:
    if stream is None and stream is sys.stdout:
        raise VisuaiError("Standard output is closed. Write to a file with -o, or to /dev/null.")
    try:
        yield
        if stream is not None:
            stream.flush()
    except OSError as error:
        if stream is not None:  # What is still to come, at exit too, goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise VisuaiError(
                f"Cannot write to standard output: {error.strerror or error}."
            ) from error
