"""A capture leaves no trace on the inputs, nor on any generator of random numbers."""

from __future__ import annotations

import random
from collections import Counter, OrderedDict, UserDict, deque
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import visuai
from visuai.capture.belongings import keep_belongings

X = torch.linspace(-1, 1, 8).reshape(2, 4)


class Data:
    """A batch as graph networks have it: with attributes, which a forward adds to."""

    def __init__(self) -> None:
        self.x = X
        self.seen = 0
        self.store = {"edges": [X, X], "names": {"a"}}
        self.last: deque[Any] = deque([X], maxlen=1)


class Slotted:
    __slots__ = ("out", "x")

    def __init__(self) -> None:
        self.x = X


class Output(OrderedDict[str, Any]):
    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.__dict__[key] = value


class Changing(nn.Module):
    """Writes into its input, and draws from everything."""

    def __init__(self, change: Callable[[Any, Any], Any], *, looks: bool) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.change, self.looks = change, looks

    def forward(self, batch: Any) -> Any:
        y = self.lin(batch["x"] if isinstance(batch, (dict, UserDict)) else batch.x)
        if self.looks:
            float(y.sum())  # So that only a run on real tensors gets through.
        self.change(batch, y)
        return y


def change_data(batch: Data, y: Any) -> None:
    batch.x = batch.x / 2
    batch.out = y  # type: ignore[attr-defined]
    batch.seen += 1
    batch.store["edges"].append(y)  # type: ignore[attr-defined]
    batch.store["new"] = y  # type: ignore[assignment]
    batch.store["names"].add("b")  # type: ignore[attr-defined]
    batch.last.append(y)


def change_slots(batch: Slotted, y: Any) -> None:
    batch.x, batch.out = batch.x * 2, y


def change_items(batch: Any, y: Any) -> None:
    batch["x"] = batch["x"] * 2
    batch["out"] = y
    batch.pop("old")


def content(value: Any) -> Any:
    """Gives what is held, by identity, all the way down."""
    if isinstance(value, torch.Tensor):
        return id(value), value.tolist()
    if isinstance(value, (dict, UserDict)):
        return type(value), [(key, content(item)) for key, item in value.items()]
    if isinstance(value, (list, deque)):
        return type(value), [content(item) for item in value]
    slots = [name for name in getattr(type(value), "__slots__", ()) if hasattr(value, name)]
    held = getattr(value, "__dict__", {}) or {name: getattr(value, name) for name in slots}
    if held and not isinstance(value, type):
        return type(value), [(name, content(item)) for name, item in held.items()]
    return repr(value)


BATCHES: dict[str, tuple[Callable[[], Any], Callable[[Any, Any], Any]]] = {
    "object": (Data, change_data),
    "slots": (Slotted, change_slots),
    "UserDict": (lambda: UserDict(x=X, old=X), change_items),
    "OrderedDict": (lambda: Output(x=X, old=X), change_items),
    "dict": (lambda: {"x": X, "old": X}, change_items),
}


@pytest.mark.parametrize("looks", [False, True], ids=["meta", "real"])
@pytest.mark.parametrize("name", BATCHES)
def test_the_batch_holds_what_it_held(name: str, looks: bool) -> None:
    make, change = BATCHES[name]
    batch = make()
    before = content(batch)
    topology = visuai.build(Changing(change, looks=looks), (batch,))
    assert "lin" in topology.graph
    assert content(batch) == before


def test_the_batch_holds_what_it_held_after_a_failure() -> None:
    def change(batch: Data, y: Any) -> None:
        change_data(batch, y)
        raise ZeroDivisionError

    batch = Data()
    before = content(batch)
    with pytest.raises(visuai.VisuaiError):
        visuai.build(Changing(change, looks=False), (batch,))
    assert content(batch) == before


@given(
    st.recursive(
        st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(max_size=2), inner) | st.sets(st.integers())
        ),
    ),
    st.randoms(use_true_random=False),
)
def test_belongings_are_put_back_whatever_was_done(value: Any, choose: random.Random) -> None:
    before = deepcopy(value)
    put_back = keep_belongings([value])
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, (list, dict)):
            waiting += each.values() if isinstance(each, dict) else each
        if isinstance(each, (list, dict, set)) and choose.random() < 0.7:
            match choose.randrange(3), each:
                case 0, _:
                    each.clear()
                case 1, list():
                    each.insert(0, object())
                case 1, dict():
                    each["new"] = each
                case 2, list():
                    each.reverse()
                case _, dict():
                    each.update({key: object() for key in each})
                case _:
                    each.add(object())
    put_back()
    assert value == before


def test_a_counter_is_not_added_to() -> None:
    counter = Counter("aab")
    put_back = keep_belongings([counter])
    counter.update("abc")
    put_back()
    assert counter == Counter("aab")


GLOBAL = np.random.default_rng(3)


def drawn(generator: Any) -> float:
    if isinstance(generator, torch.Generator):
        return float(torch.rand((), generator=generator))
    return float(generator.random())


class Drawing(nn.Module):
    def __init__(self, held: Any) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.held = held

    def forward(self, x: Any) -> Any:
        held = self.held[0] if isinstance(self.held, list) else self.held
        return self.lin(x) * drawn(held) * float(GLOBAL.random())


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.Generator().manual_seed(3),
        lambda: np.random.default_rng(3),
        lambda: np.random.RandomState(3),
        lambda: random.Random(3),
        lambda: [random.Random(3)],
    ],
    ids=["torch", "Generator", "RandomState", "Random", "list"],
)
def test_generators_of_ones_own_are_where_they_were(make: Callable[[], Any]) -> None:
    def next_of(held: Any) -> float:
        return drawn(held[0] if isinstance(held, list) else held)

    model = Drawing(make())
    expected = next_of(make())
    global_state = GLOBAL.bit_generator.state
    visuai.build(model, X)
    assert GLOBAL.bit_generator.state == global_state
    assert next_of(model.held) == expected


def test_a_generator_of_the_systems_is_no_obstacle() -> None:
    assert "lin" in visuai.build(Drawing(random.SystemRandom()), X).graph


def test_a_generator_that_a_function_encloses_is_where_it_was() -> None:
    enclosed = torch.Generator().manual_seed(3)

    def forward(x: Any) -> Any:
        return x * torch.rand((), generator=enclosed)

    state = enclosed.get_state()
    visuai.build(forward, X)
    assert torch.equal(enclosed.get_state(), state)


class Unawake:
    """As lazy modules and proxies of frameworks are: who asks what they are wakes them."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("Working outside of context")


PROXY = Unawake()


def test_what_else_is_in_a_forwards_file_is_not_asked() -> None:
    def forward(x: Any) -> Any:
        return x if PROXY is None else x.relu()

    assert "relu" in visuai.build(forward, X).graph
