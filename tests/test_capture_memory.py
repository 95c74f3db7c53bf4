"""Which tensors share an element, against torch itself."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from visuai.capture.memory import Place, Writes, place_of


@st.composite
def views(draw: st.DrawFn) -> torch.Tensor:
    """Some view of ``torch.arange(120).view(4, 5, 6)``, each of whose elements is its address."""
    view = torch.arange(120).view(4, 5, 6)
    for _ in range(draw(st.integers(0, 4))):
        if not view.dim():
            break
        dim = draw(st.integers(0, view.dim() - 1))
        size = view.size(dim)
        match draw(st.integers(0, 5)):
            case 0:
                view = view.transpose(dim, draw(st.integers(0, view.dim() - 1)))
            case 1 if size:
                view = view.select(dim, draw(st.integers(0, size - 1)))
            case 2:
                start = draw(st.integers(0, size))
                view = view.narrow(dim, start, draw(st.integers(0, size - start)))
            case 3:
                index = slice(draw(st.integers(0, 2)), None, draw(st.integers(1, 3)))
                view = view[(*[slice(None)] * dim, index)]
            case 4 if view.dim() < 5:
                view = view.unsqueeze(dim).expand(*view.shape[:dim], 2, *view.shape[dim:])
            case 5 if view.dim() > 1:
                view = view.diagonal(0, 0, 1)
            case _:
                pass
    return view


@given(views(), views())
def test_places_overlap_where_tensors_share_an_element(a: torch.Tensor, b: torch.Tensor) -> None:
    one, other = place_of(a), place_of(b)
    assert one is not None
    assert other is not None
    other = other._replace(memory=one.memory)  # Each draw has a memory of its own.
    shared = bool(set(a.flatten().tolist()) & set(b.flatten().tolist()))
    assert one.overlaps(other) == other.overlaps(one) == shared


def test_what_is_not_known_overlaps() -> None:
    known = Place(1, 0, (2,), (1,), 4)
    assert known.overlaps(Place(1))
    assert Place(1).overlaps(known)
    assert known.overlaps(Place(1, 8, (2,), (1,), 8))  # Other elements: addresses do not compare.
    assert not known.overlaps(Place(2))
    wild = Place(1, 0, (10**6, 10**6), (2, 3), 4)  # Too many sums to go through.
    assert wild.overlaps(Place(1, 10**6, (10**6, 10**6), (5, 7), 4))


def test_sparse_tensors_have_no_place() -> None:
    assert place_of(torch.eye(2).to_sparse()) is None


def test_only_later_writes_to_the_place_are_given() -> None:
    writes = Writes()
    left, right = Place(1, 0, (2,), (1,), 4), Place(1, 2, (2,), (1,), 4)
    writes.add(left, "first")
    writes.add(right, "beside")
    writes.add(Place(1), "all")
    assert list(writes.since(0, left)) == ["first", "all"]
    assert list(writes.since(1, left)) == ["all"]
    assert list(writes.since(0, right)) == ["beside", "all"]
    assert list(writes.since(3, left)) == []
    assert list(writes.since(0, Place(2))) == []
