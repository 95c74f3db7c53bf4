"""Finds the user's line in a formatted stack trace."""

from __future__ import annotations

import re
from typing import Any

_FRAME = re.compile(r'File "([^"\n]*)", line (\d{1,9}), in')
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages)[/\\]torch(?:[/\\]|[a-z_]*[/\\])|^<")


def user_frame(stack_trace: Any) -> tuple[str, int] | None:
    """Gives file and line of the innermost frame outside torch; None if there is none.

    Args:
        stack_trace: Text as Python formats a trace, outermost call first.

    Examples:
        >>> user_frame('File "net.py", line 7, in forward\\n    return self.lin(x)')
        ('net.py', 7)
    """
    if not isinstance(stack_trace, str):
        return None
    found: tuple[str, int] | None = None
    for match in _FRAME.finditer(stack_trace):
        if not _LIBRARY.search(match[1]):
            found = (match[1], int(match[2]))
    return found
