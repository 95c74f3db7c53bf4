"""FLOPs: by hand, and as torch's own counter counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import visuai
from visuai.flops import count

x = torch.zeros


def shapes(values: Any) -> list[tuple[int, ...]]:
    flat = values if isinstance(values, (list, tuple)) else [values]
    return [
        tuple(tensor.shape)
        for value in flat
        for tensor in (value if isinstance(value, (list, tuple)) else [value])
        if isinstance(tensor, torch.Tensor)
    ]


def both(op: str, call: Callable[..., Any], arguments: Any, **attributes: Any) -> tuple[Any, int]:
    """Counts by formula and by running it under torch's counter."""
    with FlopCounterMode(display=False) as counter:
        result = call(*arguments)
    parameters = (
        {name: tuple(value.shape) for name, value in call.named_parameters()}
        if isinstance(call, nn.Module)
        else {}
    )
    formula = count(op, shapes(arguments), shapes(result), parameters, attributes)
    return formula, counter.get_total_flops()


MODULES: list[tuple[nn.Module, tuple[torch.Tensor, ...], dict[str, Any]]] = [
    (nn.Conv1d(4, 6, 3, stride=2, groups=2), (x(2, 4, 9),), {}),
    (nn.Conv2d(3, 8, (3, 5), padding=1), (x(2, 3, 9, 8),), {}),
    (nn.Conv2d(8, 8, 3, groups=8), (x(2, 8, 9, 9),), {}),
    (nn.Conv2d(3, 8, 3, dilation=2), (x(3, 9, 8),), {}),
    (nn.Conv3d(2, 4, 3), (x(1, 2, 5, 5, 5),), {}),
    (nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2), (x(2, 4, 9),), {}),
    (nn.ConvTranspose2d(3, 8, 3, stride=2), (x(2, 3, 5, 6),), {}),
    (nn.ConvTranspose3d(2, 4, 3), (x(1, 2, 5, 5, 5),), {}),
    (nn.Linear(5, 7), (x(5),), {}),
    (nn.Linear(5, 7, bias=False), (x(2, 3, 5),), {}),
    (nn.GRU(5, 7, 2, bidirectional=True), (x(4, 3, 5),), {}),
    (nn.RNN(5, 7), (x(4, 3, 5),), {}),
    (nn.LSTMCell(5, 7), (x(3, 5),), {}),
    (nn.GRUCell(5, 7), (x(3, 5),), {}),
    (nn.RNNCell(5, 7), (x(3, 5),), {}),
    (nn.MultiheadAttention(8, 2), (x(2, 5, 8),) * 3, {}),
    (nn.MultiheadAttention(8, 2, batch_first=True), (x(2, 5, 8),) * 3, {"batch_first": True}),
    (nn.MultiheadAttention(8, 2), (x(5, 8),) * 3, {}),
    (nn.MultiheadAttention(8, 2, kdim=6, vdim=4), (x(5, 2, 8), x(3, 2, 6), x(3, 2, 4)), {}),
    (nn.MultiheadAttention(8, 2, add_bias_kv=True), (x(5, 2, 8),) * 3, {}),
    (nn.MultiheadAttention(8, 2, add_zero_attn=True), (x(5, 2, 8),) * 3, {"add_zero_attn": True}),
    (nn.BatchNorm2d(3), (x(2, 3, 4, 4),), {}),
    (nn.Embedding(9, 4), (x(2, 3, dtype=torch.long),), {}),
    (nn.EmbeddingBag(9, 4), (x(2, 3, dtype=torch.long),), {}),
]


@pytest.mark.parametrize(
    ("module", "arguments", "attributes"), MODULES, ids=[str(row[0])[:60] for row in MODULES]
)
def test_modules_as_torch_counts(
    module: nn.Module, arguments: tuple[torch.Tensor, ...], attributes: dict[str, Any]
) -> None:
    ours, torchs = both(type(module).__name__, module, arguments, **attributes)
    assert ours == torchs


FUNCTIONS: list[tuple[str, Callable[..., Any], Any]] = [
    ("conv2d", nn.functional.conv2d, (x(2, 4, 8, 8), x(6, 4, 3, 3), x(6))),
    ("conv_transpose2d", nn.functional.conv_transpose2d, (x(2, 4, 8, 8), x(4, 6, 3, 3))),
    ("linear", nn.functional.linear, (x(2, 3, 4), x(5, 4), x(5))),
    ("matmul", torch.matmul, (x(7, 2, 3, 4), x(4, 5))),
    ("matmul", torch.matmul, (x(7, 1, 3, 4), x(2, 4, 5))),
    ("matmul", torch.matmul, (x(4), x(4, 5))),
    ("mm", torch.mm, (x(3, 4), x(4, 5))),
    ("bmm", torch.bmm, (x(2, 3, 4), x(2, 4, 5))),
    ("addmm", torch.addmm, (x(5), x(3, 4), x(4, 5))),
    ("baddbmm", torch.baddbmm, (x(2, 3, 5), x(2, 3, 4), x(2, 4, 5))),
    ("inner", torch.inner, (x(2, 3), x(4, 3))),
    ("outer", torch.outer, (x(2), x(4))),
    ("tensordot", torch.tensordot, (x(2, 3, 4), x(3, 4, 5))),
    ("multi_dot", torch.linalg.multi_dot, ([x(2, 30), x(30, 4), x(4, 5)],)),
    ("softmax", nn.functional.softmax, (x(2, 3), -1)),
]


@pytest.mark.parametrize(("op", "function", "arguments"), FUNCTIONS)
def test_functions_as_torch_counts(op: str, function: Callable[..., Any], arguments: Any) -> None:
    ours, torchs = both(op, function, arguments)
    assert ours == torchs


@pytest.mark.parametrize(
    ("equation", "arguments"),
    [
        ("bij,bjk->bik", (x(2, 3, 4), x(2, 4, 5))),
        ("bij , bjk", (x(2, 3, 4), x(2, 4, 5))),
        ("i,j->ij", (x(3), x(4))),
        ("ijk,jl,lm->im", (x(2, 3, 4), x(3, 5), x(5, 6))),
        ("...ij,...jk", (x(2, 3, 4), x(2, 4, 5))),
        ("...ij,jk->...ik", (x(7, 2, 3, 4), x(4, 5))),
        ("bhid,bhjd->bhij", (x(2, 3, 4, 5), x(2, 3, 6, 5))),
        ("ab,cd->ac", (x(2, 3), x(4, 5))),
        ("ii->i", (x(3, 3),)),
    ],
)
def test_einsum_as_torch_counts(equation: str, arguments: tuple[torch.Tensor, ...]) -> None:
    ours, torchs = both(
        "einsum", lambda *tensors: torch.einsum(equation, *tensors), arguments, equation=equation
    )
    assert ours == torchs


def by_hand(op: str, inputs: Any, outputs: Any, parameters: Any = None, **attributes: Any) -> Any:
    return count(op, inputs, outputs, parameters or {}, attributes)


def test_attention_by_hand() -> None:
    # 2 sequences, 4 heads: 3 queries of size 8 against 5 keys, values of size 6.
    query, key, value = (2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 6)
    scores, sums = 2 * (2 * 4) * 3 * 5 * 8, 2 * (2 * 4) * 3 * 5 * 6
    assert (scores, sums) == (1920, 1440)
    assert (
        by_hand("scaled_dot_product_attention", [query, key, value], [(2, 4, 3, 6)])
        == scores + sums
    )


def test_grouped_query_attention_counts_the_heads_of_the_query() -> None:
    query, key = (1, 8, 16, 32), (1, 2, 16, 32)
    got = by_hand("scaled_dot_product_attention", [query, key, key], [query])
    assert got == 2 * 2 * 8 * 16 * 16 * 32


def test_what_torchs_counter_leaves_out_by_hand() -> None:
    assert by_hand("mv", [(3, 4), (4,)], [(3,)]) == 24
    assert by_hand("dot", [(4,), (4,)], [()]) == 8
    assert by_hand("addbmm", [(3, 5), (2, 3, 4), (2, 4, 5)], [(3, 5)]) == 2 * 2 * 3 * 4 * 5
    assert by_hand("bilinear", [(2, 3), (2, 4), (5, 3, 4)], [(2, 5)]) == 2 * 2 * 5 * 4 * (3 + 1)
    assert by_hand("multi_dot", [(30,), (30, 4), (4, 5), (5,)], [()]) == 2 * (120 + 20 + 4)
    # an LSTM runs as one fused kernel on CPU: 4 gates of 7, from 5 inputs and from 7 states
    lstm = nn.LSTM(5, 7)
    parameters = {name: tuple(value.shape) for name, value in lstm.named_parameters()}
    steps = 4 * 3
    assert by_hand("LSTM", [(4, 3, 5)], [(4, 3, 7)], parameters) == 2 * steps * 28 * (5 + 7)
    weights = [(28, 5), (28, 7), (28,), (28,)]
    function = [(4, 3, 5), (1, 3, 7), (1, 3, 7), *weights]
    assert by_hand("lstm", function, [(4, 3, 7)]) == 2 * steps * 28 * (5 + 7)
    packed = [(9, 5), (4,), (1, 3, 7), (1, 3, 7), *weights]  # 9 steps in all of 3 sequences
    assert by_hand("lstm", packed, [(9, 7)]) == 2 * 9 * 28 * (5 + 7)
    offsets = (1, 18, 8, 8)
    deformable = by_hand("deform_conv2d", [(1, 4, 8, 8), offsets, (6, 2, 3, 3)], [(1, 6, 8, 8)])
    assert deformable == 2 * 6 * 64 * 2 * 9


def test_lstm_of_onnx_holds_its_weights_with_the_directions_first() -> None:
    inputs = [(4, 3, 5), (2, 28, 5), (2, 28, 7), (2, 56)]
    flops = count("lstm", inputs, [(4, 2, 3, 7)], {}, {"hidden_size": 7})
    assert flops == 2 * 4 * 3 * 2 * 28 * (5 + 7)
    assert count("lstm", inputs, [(4, 2, 3, 7)], {}, {}) is None  # Neither torch's nor ONNX's.


@pytest.mark.parametrize("op", ["cond", "while_loop", "scan", "if", "loop", "_sparse_mm"])
def test_what_depends_on_values_is_not_known(op: str) -> None:
    assert count(op, [(2, 4), (4, 4)], [(2, 4)], {}, {}) is None


def test_attention_modules_of_a_built_network() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).train()
    inputs = x(2, 5, 8)
    with FlopCounterMode(display=False) as counter:
        model(inputs)
    graph = visuai.build(model, inputs).graph
    assert sum(flops for _, flops in graph.nodes(data="flops")) == counter.get_total_flops()


def test_einsum_of_a_built_network() -> None:
    def model(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bij,bjk->bik", a, b)

    graph = visuai.build(model, (x(2, 3, 4), x(2, 4, 5))).graph
    assert sum(flops for _, flops in graph.nodes(data="flops")) == 2 * 2 * 3 * 4 * 5


def test_onnx_spellings() -> None:
    conv = by_hand("Conv", [(1, 3, 8, 8), (4, 3, 3, 3), (4,)], [(1, 4, 6, 6)])
    assert conv == 2 * 4 * 36 * 27
    assert by_hand("Gemm", [(5, 3), (4, 3)], [(5, 4)], transB=1) == 120
    assert by_hand("MatMul", [(5, 3), (3, 4)], [(5, 4)]) == 120


def test_parametrised_weight_is_the_largest_tensor() -> None:
    parameters = {"bias": (6,), "original0": (6, 1, 1, 1), "original1": (6, 4, 3, 3)}
    got = by_hand("Conv2d", [(1, 4, 8, 8)], [(1, 6, 6, 6)], parameters)
    assert got == 2 * 6 * 36 * 36


@pytest.mark.parametrize(
    ("op", "inputs", "outputs"),
    [
        ("linear", [None, (4, 3)], [(5, 4)]),
        ("linear", [(5, 3), (4, 3)], [None]),
        ("linear", [(5, 3), (4, 3)], []),
        ("matmul", [("batch", 3), (3, 4)], [("batch", 4)]),
        ("conv2d", [(1, 3, 8, 8)], [(1, 4, 6, 6)]),
        ("scaled_dot_product_attention", [(1, 2, 3)], [(1, 2, 3)]),
        ("einsum", [(2, 3), (3, 4)], [(2, 4)]),
        ("AdaptiveLogSoftmaxWithLoss", [(2, 3)], [(2,)]),
    ],
)
def test_unknown_shapes_give_none(op: str, inputs: Any, outputs: Any) -> None:
    assert by_hand(op, inputs, outputs) is None


def test_ops_without_products_are_free_whatever_is_known() -> None:
    assert by_hand("relu", [None], [None]) == 0
    assert by_hand("my_kernel", [], []) == 0
