"""Where runs lie: in a log directory, those of one name in a folder of their own."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

_LONGEST = 100


def folder_of(logdir: str | PathLike[str], name: str) -> Path:
    """Gives the folder of a name: in the log directory, whatever the name.

    Args:
        logdir: The log directory.
        name: Any text.

    Examples:
        >>> folder_of("sample", "my model").as_posix(), folder_of("sample", "../x").as_posix()
        ('sample/my model', 'sample/..%2Fx')
    """
    safe = re.sub(r"[^\w .+=@,-]", lambda match: _escape(match[0]), name, flags=re.ASCII)
    safe = safe[:_LONGEST].strip(" ")
    if not safe.strip("."):
        safe = "".join(map(_escape, safe)) or "model"
    return Path(logdir) / safe


def find_runs(logdir: str | PathLike[str]) -> list[Path]:
    """Lists the files of runs in a log directory and in the folders in it, oldest first.

    Args:
        logdir: The ``logdir`` that was given to `Visu`, or the folder of one name in it.
    """
    place = Path(logdir)
    found = [*place.glob("run-*.sqlite"), *place.glob("*/run-*.sqlite")]
    return sorted(found, key=lambda path: (path.name, str(path)))


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
