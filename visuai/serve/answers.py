"""Answers about runs, kept as long as the run stays what it was."""

from __future__ import annotations

import gzip
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from visuai.serve.parcel import Parcel, parcel

_MOST_BYTES = 32 * 2**20
_LOCKS = 64


@dataclass(frozen=True, slots=True)
class _Kept:
    version: Hashable
    parcel: Parcel
    seconds: float
    made: float


class Answers:
    """The answers given last, up to 32 MB of them. Each is made once, whoever asks for it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._making = [Lock() for _ in range(_LOCKS)]

    def get(
        self,
        name: Hashable,
        version: Hashable,
        make: Callable[[], object],
        *,
        patience: float = 0.0,
    ) -> Parcel:
        """Gives an answer as a parcel of JSON.

        Args:
            name: What was asked.
            version: What changes when the answer may.
            make: Makes the answer: bytes that are packed already, or what JSON can say.
            patience: An answer of another version will do for so many times what it took to
                make it.
        """
        with self._making[hash(name) % _LOCKS]:
            with self._lock:
                kept = self._kept.get(name)
                if kept is not None:
                    self._kept.move_to_end(name)
            if kept is not None:
                age = time.monotonic() - kept.made
                if kept.version == version or age < patience * kept.seconds:
                    return kept.parcel
            start = time.monotonic()
            made = make()
            found = parcel(made if isinstance(made, bytes) else _packed(made))
            end = time.monotonic()
            self._keep(name, _Kept(version, found, end - start, end))
            return found

    def _keep(self, name: Hashable, kept: _Kept) -> None:
        with self._lock:
            before = self._kept.pop(name, None)
            self._bytes -= 0 if before is None else len(before.parcel.data)
            self._kept[name] = kept
            self._bytes += len(kept.parcel.data)
            while len(self._kept) > 1 and self._bytes > _MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.parcel.data)


def _packed(value: object) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    # Numbers hardly get smaller by trying harder, and the way to the page is short.
    return gzip.compress(text.encode("ascii"), compresslevel=1, mtime=0)
