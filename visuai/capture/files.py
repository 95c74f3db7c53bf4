"""Opens model files that may come from a stranger: told apart by content, never unpickled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from visuai.errors import FormatError
from visuai.program import Program

if TYPE_CHECKING:
    import onnx

MAX_ONNX_BYTES = 2 << 30
"""Largest ``.onnx`` that is read, in bytes: protobuf itself goes no further."""

_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_file(file: str | os.PathLike[str] | IO[bytes]) -> Program:
    """Reads an ``.onnx`` or ``.pt2`` file, or a binary file, as a captured program.

    Raises:
        FormatError: As `open_model` does.
    """
    opened = open_model(file)
    if isinstance(opened, Program):
        return opened
    from visuai.capture.onnx import from_model_proto

    path: Any = file if isinstance(file, (str, os.PathLike)) else getattr(file, "name", None)
    named = isinstance(path, (str, os.PathLike))  # A file opened by number has that for a name.
    return from_model_proto(opened, Path(cast("str", path)).stem if named else "")


def open_model(file: str | os.PathLike[str] | IO[bytes]) -> onnx.ModelProto | Program:
    """Opens an ``.onnx`` or ``.pt2`` file by what is in it, whatever its suffix.

    Only the graph is read. Weights are not needed: external data of ONNX is never opened, and
    of a ``.pt2`` the JSON of the graph is read, not the pickles beside it.

    Args:
        file: Path, or a binary file that can seek; a file is read from its start and is left
            open.

    Returns:
        The ``ModelProto`` of an ONNX file, the captured `Program` of a ``.pt2``.

    Raises:
        FormatError: If the file is missing, is neither of the two, is damaged, or is absurdly
            large for what it says to hold.
    """
    if isinstance(file, (str, os.PathLike)):
        path = Path(file)
        try:
            with path.open("rb") as stream:
                return _open(stream, str(path))
        except OSError as error:
            raise FormatError(
                f"Cannot read {path}: {error.strerror or error}. Check the path."
            ) from error
    name = str(getattr(file, "name", None) or f"the {type(file).__name__}")[:300]
    try:
        file.seek(0)
        return _open(file, name)
    except (OSError, ValueError, AttributeError) as error:
        raise FormatError(
            f"Cannot read {name}: {error}. Pass a path, or a binary file that can seek."
        ) from error


def _open(stream: IO[bytes], name: str) -> onnx.ModelProto | Program:
    head = stream.read(16)
    if not isinstance(cast("Any", head), bytes):
        raise FormatError(f"{name} is a text file. Open it in binary mode: open(path, 'rb').")
    if not head:
        raise FormatError(f"{name} is empty. Copy it again.")
    if head.startswith(_ZIP):
        from visuai.capture import pt2

        return pt2.read(stream, name)
    if head.startswith(_PICKLE):
        raise FormatError(
            f"{name} is a pickle, which can run any code and holds no graph. If you trust it, "
            "load it yourself and pass the module."
        )
    if head.startswith(_GZIP) or head.lstrip().startswith(b"{"):
        raise FormatError(
            f"{name} is JSON or gzip, which is no network to capture. If it is a saved topology, "
            "open it with visuai.Topology.load."
        )
    return _read_onnx(stream, name)


def _read_onnx(stream: IO[bytes], name: str) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    size = stream.seek(0, os.SEEK_END)
    if size > MAX_ONNX_BYTES:
        raise FormatError(
            f"{name} has {size} bytes; an ONNX file has {MAX_ONNX_BYTES} at most. Save it with "
            "its weights as external data."
        )
    stream.seek(0)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(stream.read())
    except (DecodeError, RuntimeError, ValueError) as error:
        raise FormatError(
            f"{name} is neither ONNX nor a .pt2 archive, or is cut off ({error}). Expected what "
            "torch.onnx.export or torch.export.save writes."
        ) from error
    # Nearly any bytes parse as some protobuf: a model says its version, and has a graph.
    if not model.HasField("graph") or not (model.ir_version or model.opset_import):
        raise FormatError(
            f"{name} is neither ONNX nor a .pt2 archive: it holds no ONNX graph. Expected what "
            "torch.onnx.export or torch.export.save writes."
        )
    return model
