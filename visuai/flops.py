"""FLOPs of ops from the shapes of their tensors, a multiply-add counted as 2.

As in ``torch.utils.flop_counter``, only what is done by matrix products counts: convolutions,
linear maps, attention, recurrent networks. All other work is 0: a network spends well under
a hundredth on it, and what it costs depends on how kernels are fused. Biases are not counted,
and neither are causal masks: a masked product counts in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt, prod
from typing import Any

Shape = Sequence[int]


@dataclass(frozen=True, slots=True)
class Call:
    """What a formula sees of an op.

    Attributes:
        inputs: Shapes of the tensors among the arguments, in order.
        outputs: Shapes of the tensors that it returns.
        parameters: Shapes of a module's own parameters by local name.
        attributes: Its configuration.
    """

    inputs: Sequence[Shape]
    outputs: Sequence[Shape]
    parameters: Mapping[str, Shape]
    attributes: Mapping[str, Any]

    def weight(self, argument: int = 1) -> Shape:
        """The weight: a module's own, or the argument of a function."""
        if "weight" in self.parameters:
            return self.parameters["weight"]
        if self.parameters:  # parametrised: the largest of the tensors that make the weight
            return max(self.parameters.values(), key=prod)
        return self.inputs[argument]

    def option(self, name: str) -> bool:
        """Whether a flag is set, as an attribute or in a module's ``config``."""
        return self.attributes.get(name) in (True, 1, "True") or (
            f"{name}=True" in str(self.attributes.get("config", ""))
        )


def count(
    op: str,
    inputs: Sequence[Sequence[int | str] | None],
    outputs: Sequence[Sequence[int | str] | None],
    parameters: Mapping[str, Sequence[int | str]],
    attributes: Mapping[str, Any],
) -> int | None:
    """Counts the FLOPs of one op.

    Args:
        op: Canonical name of a function (`visuai.ops.canonical`), or class name of a module.
        inputs: Shapes of the tensors among the arguments, in order; None for one not known.
            For a function its weights are among them.
        outputs: Shapes of the tensors that it returns.
        parameters: Shapes of a module's own parameters by local name: ``weight``, ``bias``.
        attributes: Its configuration: ``equation`` of an einsum, ``batch_first`` of a
            ``MultiheadAttention`` and its ``add_zero_attn`` (False if absent), themselves or
            in the text of ``config``.

    Returns:
        The number of operations; 0 for ops that do no matrix product; None if the shapes
        that the formula needs are not known.

    Examples:
        >>> count("linear", [(5, 3), (4, 3)], [(5, 4)], {}, {})
        120
        >>> weight = {"weight": (64, 3, 7, 7)}
        >>> count("Conv2d", [(1, 3, 224, 224)], [(1, 64, 112, 112)], weight, {})
        236027904
        >>> count("relu", [(5, 3)], [(5, 3)], {}, {})
        0
    """
    formula = _formula(op)
    if formula is None:
        return 0
    try:
        return formula(
            Call(
                [_known(shape) for shape in inputs],
                [_known(shape) for shape in outputs],
                {name: _known(shape) for name, shape in parameters.items()},
                attributes,
            )
        )
    except (LookupError, ValueError):  # a shape that the formula needs is missing or unknown
        return None


def counts(op: str) -> bool:
    """Tells whether an op does a matrix product, so that its shapes matter; else `count` is 0.

    Args:
        op: As for `count`.
    """
    return _formula(op) is not None


@lru_cache(maxsize=1024)
def _formula(op: str) -> Callable[[Call], int] | None:
    return FORMULAS.get(op) or FORMULAS.get(op.lower())


def _known(shape: Sequence[int | str] | None) -> Shape:
    """Gives the shape itself, or one that fails when a formula looks at it."""
    if shape is None:
        return _UNKNOWN
    for size in shape:
        if not isinstance(size, int):
            return _UNKNOWN
    return shape  # pyright: ignore[reportReturnType]


class _Unknown(tuple[int, ...]):
    """Stands for a shape that is not known; any look at it raises LookupError."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        raise LookupError("shape not known")

    def __iter__(self) -> Any:
        raise LookupError("shape not known")

    def __len__(self) -> int:
        raise LookupError("shape not known")


_UNKNOWN = _Unknown()


def _convolution(call: Call) -> int:
    """Each output element is a product of length channels per group times kernel size."""
    if call.option("transposed"):
        return _transposed_convolution(call)
    return 2 * prod(call.outputs[0]) * prod(call.weight()[1:])


def _transposed_convolution(call: Call) -> int:
    """Each input element is spread over output channels per group times kernel size."""
    return 2 * prod(call.inputs[0]) * prod(call.weight()[1:])


def _deformable_convolution(call: Call) -> int:
    return 2 * prod(call.outputs[0]) * prod(call.weight(2)[1:])


def _product(call: Call) -> int:
    """Matrix product whose first argument's last dimension is summed over."""
    return 2 * prod(call.outputs[0]) * call.inputs[0][-1]


def _added_product(call: Call) -> int:
    """``addmm(c, a, b)`` and the like: the product comes after what it is added to."""
    return 2 * prod(call.outputs[0]) * call.inputs[1][-1]


def _summed_product(call: Call) -> int:
    """``addbmm(c, a, b)``: the batch is summed over too."""
    return 2 * prod(call.inputs[1]) * call.inputs[2][-1]


def _general_product(call: Call) -> int:
    """ONNX ``Gemm(a, b, c)``, whichever argument is transposed."""
    return 2 * prod(call.inputs[0]) * call.outputs[0][-1]


def _tensor_product(call: Call) -> int:
    """``tensordot``: for sizes I, K, J the three tensors have IK, KJ and IJ elements."""
    first, second = call.inputs[:2]
    return 2 * isqrt(prod(first) * prod(second) * prod(call.outputs[0]))


def _bilinear(call: Call) -> int:
    """For each output feature ``x1ᵀ A x2``: first times A, then times x2."""
    first, second = call.inputs[0][-1], call.inputs[1][-1]
    return 2 * prod(call.outputs[0]) * (first + 1) * second


def _chain(call: Call) -> int:
    """``multi_dot``: the cheapest order of multiplication, by dynamic programming."""
    shapes = [list(shape) for shape in call.inputs]
    shapes[0] = shapes[0] if len(shapes[0]) > 1 else [1, *shapes[0]]
    shapes[-1] = shapes[-1] if len(shapes[-1]) > 1 else [*shapes[-1], 1]
    sizes = [shapes[0][0], *(shape[1] for shape in shapes)]
    cost = {(at, at): 0 for at in range(len(shapes))}
    for length in range(1, len(shapes)):
        for start in range(len(shapes) - length):
            end = start + length
            cost[start, end] = min(
                cost[start, cut]
                + cost[cut + 1, end]
                + 2 * sizes[start] * sizes[cut + 1] * sizes[end + 1]
                for cut in range(start, end)
            )
    return cost[0, len(shapes) - 1]


def _einsum(call: Call) -> int:
    """Pair by pair from the left, as torch does without ``opt_einsum``."""
    equation = call.attributes.get("equation")
    if not isinstance(equation, str):
        texts = [text for text in call.attributes.values() if isinstance(text, str)]
        texts = [text.strip("'\"") for text in texts]
        equation = next((text for text in texts if "->" in text or "," in text), None)
    if equation is None:
        raise LookupError("no equation")
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    labels = [_labels(term, len(shape)) for term, shape in zip(terms, call.inputs, strict=True)]
    size: dict[str, int] = {}
    for names, shape in zip(labels, call.inputs, strict=True):
        for name, length in zip(names, shape, strict=True):
            size[name] = max(length, size.get(name, 1))
    if arrow:
        wanted = set(result.replace("...", ""))
        wanted |= {name for name in size if name.startswith(".")} if "..." in result else set()
    else:
        flat = [name for names in labels for name in names]
        wanted = {name for name in flat if flat.count(name) == 1 or name.startswith(".")}
    total = 0
    current = set(labels[0])
    for at, names in enumerate(labels[1:], start=2):
        needed = wanted.union(*map(set, labels[at:]))
        both = current | set(names)
        summed = (current & set(names)) - needed
        alone = both - needed - summed  # summed before the product, in one argument alone
        if summed:
            total += 2 * prod(size[name] for name in both - alone)
        current = both & needed
    return total


def _labels(term: str, rank: int) -> list[str]:
    """Names the dimensions of an argument; an ellipsis's are ``.1``, ``.2`` from the right."""
    before, dots, after = term.partition("...")
    if not dots:
        return list(term)
    hidden = rank - len(before) - len(after)
    return [*before, *(f".{number}" for number in range(hidden, 0, -1)), *after]


def _attention(call: Call) -> int:
    """``softmax(q kᵀ) v`` for q (..., L, E), k (..., S, E), v (..., S, V)."""
    query, key, value = call.inputs[:3]
    return 2 * prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _multi_head_attention(call: Call) -> int:
    """Projections of query, key and value, attention of all heads, and the output projection."""
    query, key, value = call.inputs[:3]
    width = query[-1]
    sequence = 1 if call.option("batch_first") else 0
    length = query[sequence] if len(query) == 3 else query[0]
    source = key[sequence] if len(key) == 3 else key[0]
    batch = prod(query[:-1]) // max(length, 1)
    seen = source + ("bias_k" in call.parameters)  # rows that options add to the keys
    seen += call.option("add_zero_attn")
    projections = 2 * width * (2 * length * width + source * (key[-1] + value[-1]))
    return batch * (projections + 4 * length * seen * width)


def _recurrent_module(call: Call) -> int:
    """Each weight of each gate, direction and level is used once per step."""
    weights: Sequence[Shape] = list(call.parameters.values()) or call.inputs[1:3]
    rank = max(map(len, weights))  # biases have a dimension less
    steps = prod(call.inputs[0][:-1])
    return 2 * steps * sum(prod(weight) for weight in weights if len(weight) == rank)


def _recurrent_function(states: int) -> Callable[[Call], int]:
    """For ``rnn_tanh(x, h, *weights)``, ``lstm_cell(x, (h, c), *weights)`` and the like."""

    def formula(call: Call) -> int:
        weights = [weight for weight in call.inputs[1 + states :] if len(weight) == 2]
        if len(weights) < 2:
            raise LookupError("no weights where they were looked for")
        return 2 * prod(call.inputs[0][:-1]) * sum(map(prod, weights))

    return formula


def _unknown(call: Call) -> int:
    raise LookupError("depends on the data")


_gru = _recurrent_function(1)
_lstm = _recurrent_function(2)


def _is_of_onnx(call: Call) -> bool:
    """Tells ONNX's ``LSTM(x, w, r, …)`` with ``hidden_size`` from torch's ``lstm(x, h, c, …)``."""
    return bool(call.parameters) or "hidden_size" in call.attributes


def _lstm_of_either(call: Call) -> int:
    return _recurrent_module(call) if _is_of_onnx(call) else _lstm(call)


def _gru_of_either(call: Call) -> int:
    return _recurrent_module(call) if _is_of_onnx(call) else _gru(call)


_BY_FORMULA: dict[Callable[[Call], int], str] = {
    _convolution: (
        "Conv1d Conv2d Conv3d LazyConv1d LazyConv2d LazyConv3d conv1d conv2d conv3d conv "
        "convolution _convolution"
    ),
    _transposed_convolution: (
        "ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConvTranspose1d LazyConvTranspose2d "
        "LazyConvTranspose3d conv_transpose1d conv_transpose2d conv_transpose3d conv_transpose "
        "convtranspose"
    ),
    _deformable_convolution: "deform_conv2d DeformConv2d deformconv",
    _product: (
        "linear Linear LazyLinear NonDynamicallyQuantizableLinear matmul mm bmm mv dot vdot inner "
        "vecdot _scaled_mm _grouped_mm"
    ),
    _added_product: "addmm baddbmm addmv _addmm_activation",
    _summed_product: "addbmm",
    _general_product: "gemm",
    _tensor_product: "tensordot",
    _bilinear: "bilinear Bilinear",
    _chain: "chain_matmul multi_dot linalg_multi_dot",
    _einsum: "einsum",
    _attention: (
        "scaled_dot_product_attention _scaled_dot_product_flash_attention "
        "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_efficient_attention "
        "_scaled_dot_product_cudnn_attention _scaled_dot_product_attention_math "
        "_scaled_dot_product_fused_attention_overrideable flex_attention attention"
    ),
    _multi_head_attention: "MultiheadAttention multi_head_attention_forward",
    _recurrent_module: "RNN LSTM GRU RNNCell LSTMCell GRUCell",
    _lstm_of_either: "lstm",
    _gru_of_either: "gru rnn",
    _gru: "rnn_tanh rnn_relu gru_cell rnn_tanh_cell rnn_relu_cell",
    _lstm: "lstm_cell",
    # What is in a branch or a loop is told of neither; a sparse product depends on its zeros.
    _unknown: (
        "AdaptiveLogSoftmaxWithLoss cond while_loop map_impl associative_scan scan if loop "
        "_sparse_mm sparse_sampled_addmm smm hspmm sspaddmm"
    ),
}

FORMULAS: dict[str, Callable[[Call], int]] = {
    op: formula for formula, ops in _BY_FORMULA.items() for op in ops.split()
}
"""Op to its formula; what is not in it counts 0."""
