"""Replies: bytes that are kept packed, and small things as JSON."""

from __future__ import annotations

import gzip
import json

from starlette.requests import Request
from starlette.responses import Response

from visuai.serve.parcel import Parcel


def sent(request: Request, what: Parcel, media: str) -> Response:
    """Gives the bytes, as the client can read them, or nothing if it has them already."""
    packed = _accepts_gzip(request)
    etag = f'"{what.etag}{"" if packed else "-plain"}"'
    headers = {"etag": etag, "vary": "accept-encoding", "content-type": media}
    if etag in (name.strip() for name in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(what.data if packed else gzip.decompress(what.data), headers=headers)


def as_json(status: int, value: object) -> Response:
    """Gives a small value as JSON."""
    # ASCII, because a name can hold what UTF-8 cannot say.
    return Response(json.dumps(value), status_code=status, media_type="application/json")


def _accepts_gzip(request: Request) -> bool:
    """Reads Accept-Encoding; ``gzip;q=0`` is a no."""
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
