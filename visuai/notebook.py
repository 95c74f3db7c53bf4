"""Notebooks: whether Python runs in one, and whether it can show a widget."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any


def running() -> bool:
    """Tells whether the code runs in a notebook: Jupyter, VS Code, Colab or marimo.

    Examples:
        >>> running()
        False
    """
    return _jupyter() or _marimo()


def shows_widgets() -> bool:
    """Tells whether the code runs in a notebook, with anywidget at hand."""
    return running() and find_spec("anywidget") is not None


def display(what: Any) -> None:
    """Shows an object in the notebook's current cell, wherever in the cell the call stands."""
    if _marimo():
        sys.modules["marimo"].output.append(what)
    else:
        from IPython.display import display as show  # type: ignore[import-not-found]

        show(what)


def _jupyter() -> bool:
    # A shell in a terminal has no kernel. Not imported: where it runs, it is there.
    get_shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_shell is not None and getattr(get_shell(), "kernel", None) is not None


def _marimo() -> bool:
    inside: Any = getattr(sys.modules.get("marimo"), "running_in_notebook", None)
    return inside is not None and bool(inside())
