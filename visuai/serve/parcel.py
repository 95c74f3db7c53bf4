"""Parcels: documents of the wire, packed once and sent as often as asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from visuai.serve.shelf import Shelf
from visuai.wire import packed, wire

_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes to send.

    Attributes:
        data: The bytes, compressed as gzip does.
        etag: A name for these very bytes.
    """

    data: bytes
    etag: str


def parcel(data: bytes) -> Parcel:
    """Names bytes that are compressed already."""
    return Parcel(data, sha256(data).hexdigest()[:32])


class Parcels:
    """Packs what is on a shelf, and keeps the parcels asked for last, up to 64 MB of them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._kept: OrderedDict[Hashable, Parcel] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, other: str | None = None) -> Parcel:
        """Gives a network, or two to compare, as a parcel.

        Raises:
            LookupError: If the shelf has no network of that id.
            VisuaiError: If one of them cannot be read.
        """
        ids = [key] if other is None else [key, other]
        stamps = [self._shelf.stamp(each) for each in ids]
        if None in stamps:
            raise LookupError(ids[stamps.index(None)])
        name = (*ids, *stamps)
        with self._lock:  # one at a time: packing takes memory, and two may ask for the same
            found = self._kept.pop(name, None)
            if found is None:
                document = wire(*(self._shelf.topology(each) for each in ids))
                found = parcel(packed(document))
            self._kept[name] = found
            while len(self._kept) > 1 and self._bytes() > _MOST_BYTES:
                self._kept.popitem(last=False)
        return found

    def _bytes(self) -> int:
        return sum(len(each.data) for each in self._kept.values())
