"""What a meta run foresees or remembers is what torch gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from visuai.capture.foreseen import (
    ACTIVATIONS,
    BATCH_NORMS,
    ELEMENTWISE_FUNCTIONS,
    WRITING_FUNCTIONS,
)
from visuai.capture.memo import Memo

_UNARY = {"neg", "relu", "silu", "gelu", "sigmoid", "tanh", "exp", "sqrt", "rsqrt", "abs"}

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=5).map(tuple)
IMAGES = st.tuples(
    st.integers(0, 2), st.sampled_from([1, 3, 4]), st.integers(1, 6), st.integers(1, 6)
)
DTYPES = st.sampled_from([torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.bool])


@st.composite
def tensors(draw: Any) -> torch.Tensor:
    shape = draw(st.one_of(SHAPES, IMAGES))
    value = torch.empty(shape, dtype=draw(DTYPES), device="meta")
    layout = draw(st.sampled_from(["plain", "transposed", "sliced", "channels last"]))
    if layout == "transposed" and len(shape) > 1:
        return value.transpose(0, -1)
    if layout == "sliced":
        return torch.empty((*shape[:-1], 2 * shape[-1]), dtype=value.dtype, device="meta")[..., ::2]
    if layout == "channels last" and len(shape) == 4:
        return value.to(memory_format=torch.channels_last)
    return value


def outcome(call: Any, *args: Any) -> Any:
    """Shape, strides (where they mean something) and dtype of a result, or the error's kind."""
    try:
        value = call(*args)
    except Exception as error:
        return type(error)
    strides = [step for size, step in zip(value.shape, value.stride(), strict=True) if size > 1]
    return value.shape, strides, value.dtype, value.device


def pruned_linear(weights: int, biases: int) -> nn.Linear:
    """A linear module whose tensors were cut, with ``out_features`` left at what it was."""
    module = nn.Linear(3, 5)
    module.weight = nn.Parameter(module.weight[:weights].detach())
    module.bias = nn.Parameter(torch.zeros(biases))
    return module


def with_a_plain_weight() -> nn.Linear:
    """A linear module whose weight is no parameter any more but an attribute."""
    module = nn.Linear(3, 5)
    weight = torch.zeros(4, 3, device="meta")
    del module.weight
    module.weight = weight
    return module


def modules() -> list[nn.Module]:
    found: list[nn.Module] = [kind() for kind in sorted(ACTIVATIONS, key=lambda k: k.__name__)]
    found += [nn.ReLU(inplace=True), nn.Linear(3, 5), nn.Linear(3, 5, bias=False)]
    found += [pruned_linear(4, 4), pruned_linear(4, 5), with_a_plain_weight()]
    for kind in BATCH_NORMS:
        found += [kind(3), kind(3).eval(), kind(3, affine=False, track_running_stats=False)]
    found += [nn.ReLU6(inplace=True), nn.SiLU(inplace=True)]
    found += [nn.Dropout(), nn.Dropout().eval()]
    found += [nn.AdaptiveAvgPool2d(size) for size in (1, (2, 1), (None, 2))]
    found += [convolution(**options) for options in CONVOLVED]
    found += [nn.Conv1d(3, 2, 2, padding=1), nn.Conv3d(3, 2, 2, stride=2)]
    return [module.to("meta") for module in found]


CONVOLVED: list[dict[str, Any]] = [
    *({}, {"bias": False}, {"stride": (2, 1)}, {"padding": 1}, {"dilation": 2}, {"stride": 0}),
    *({"padding": "same"}, {"padding": 2, "padding_mode": "reflect"}, {"padding": -1}),
]


def convolution(**options: Any) -> nn.Module:
    module = nn.Conv2d(3, 2, 2, **({"padding": 0} | options | {"stride": 1}))
    module.stride = options.get("stride", module.stride)
    return module


@pytest.mark.parametrize("module", modules(), ids=repr)
@settings(deadline=None)
@given(value=tensors())
def test_modules(module: nn.Module, value: torch.Tensor) -> None:
    memo = Memo()
    expected = outcome(module, value)
    for _ in range(2):  # The second time it is remembered.
        assert outcome(memo.module, module, (value,), {}, nn.Module.__call__) == expected


@pytest.mark.parametrize("name", sorted(ELEMENTWISE_FUNCTIONS))
@settings(deadline=None)
@given(first=tensors(), second=st.one_of(tensors(), st.integers(-2, 2), st.floats(-2, 2)))
def test_functions(name: str, first: torch.Tensor, second: Any) -> None:
    import operator

    function = getattr(torch.Tensor, name, None) or getattr(operator, name, None)
    if function is None:
        function = getattr(torch.nn.functional, name)
    args = (first,) if name in _UNARY else (first, second)
    memo = Memo()
    expected = outcome(function, *args)
    for _ in range(2):
        assert outcome(memo.function, function, args, {}) == expected


@pytest.mark.parametrize("name", sorted(WRITING_FUNCTIONS))
@settings(deadline=None)
@given(first=tensors(), second=st.one_of(tensors(), st.integers(-2, 2), st.floats(-2, 2)))
def test_functions_that_write(name: str, first: torch.Tensor, second: Any) -> None:
    function = getattr(torch.Tensor, name)
    expected = outcome(function, first, second)
    assert outcome(Memo.writing, function, (first, second), {}) == expected
    if not isinstance(expected, type):
        assert Memo.writing(function, (first, second), {}) is first


def test_writing_follows_gradients() -> None:
    value, weight = (torch.empty(2, 3, device="meta") for _ in range(2))
    weight.requires_grad_()
    assert Memo.writing(torch.Tensor.mul_, (value, weight), {}).requires_grad
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Memo.writing(torch.Tensor.mul_, (weight, value), {})
    with torch.inference_mode():
        made = torch.empty(2, 3, device="meta")
    with pytest.raises(RuntimeError, match="inference tensor"):
        Memo.writing(torch.Tensor.mul_, (made, value.detach()), {})


@settings(deadline=None)
@given(parts=st.lists(tensors(), min_size=1, max_size=3), dim=st.integers(-5, 5))
def test_concatenation(parts: list[torch.Tensor], dim: int) -> None:
    # With sizes of 1, a layout can be read in two ways, and torch's choice differs by version.
    assume(all(part.dim() != 4 or 1 not in part.shape for part in parts))
    for some in (parts, [parts[0], parts[0]]):
        memo = Memo()
        expected = outcome(torch.cat, some, dim)
        for _ in range(2):
            assert outcome(memo.function, torch.cat, (some, dim), {}) == expected


@settings(deadline=None)
@given(value=tensors())
def test_relu_that_is_told_not_to_write(value: torch.Tensor) -> None:
    expected = outcome(lambda x: nn.functional.relu(x, inplace=False), value)
    memo = Memo()
    for _ in range(2):
        relu = nn.functional.relu
        assert outcome(memo.function, relu, (value,), {"inplace": False}) == expected


def test_views_are_made_anew() -> None:
    memo, value = Memo(), torch.empty(2, 3, device="meta")
    for _ in range(2):
        view = memo.function(torch.Tensor.transpose, (value, 0, 1), {})
        assert view._base is value


def test_equal_numbers_of_other_kinds_are_told_apart() -> None:
    memo, value = Memo(), torch.empty(2, dtype=torch.int64, device="meta")
    assert memo.function(torch.mul, (value, 2), {}).dtype == torch.int64
    assert memo.function(torch.mul, (value, 2.0), {}).dtype == torch.float32
