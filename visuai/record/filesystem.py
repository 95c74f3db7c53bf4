"""Which file systems cannot share memory between processes, as SQLite's write-ahead log needs."""

from __future__ import annotations

from pathlib import Path

_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "lustre", "gpfs", "beegfs", "ceph", "fuse")
_MOUNTS = Path("/proc/self/mounts")


def is_network(path: Path, mounts: str | None = None) -> bool:
    """Tells whether a path lies on a network file system, or on one that may be.

    Args:
        path: The path.
        mounts: What is mounted, in the form of Linux's ``/proc/self/mounts``; None to read that.

    Examples:
        >>> is_network(Path("/home/me/x"), "server:/home /home nfs4 rw 0 0")
        True
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
        except OSError:  # Not Linux: SQLite itself then refuses what it cannot do.
            return str(path.absolute()).startswith("\\\\")
    place = path.absolute()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if len(point.parts) > best and point in (place, *place.parents):
            best, kind = len(point.parts), fields[2]
    return kind.startswith(_NETWORK)
