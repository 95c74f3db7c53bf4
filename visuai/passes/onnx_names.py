"""Names of ONNX ops as PyTorch has them, so that routes agree."""

from __future__ import annotations

import re
from typing import Any

from visuai.ops import canonical

_TORCH_NAMES: dict[str, str] = {
    "BatchNormalization": "batch_norm",
    "LayerNormalization": "layer_norm",
    "SimplifiedLayerNormalization": "rms_norm",
    "RMSNormalization": "rms_norm",
    "GroupNormalization": "group_norm",
    "InstanceNormalization": "instance_norm",
    "LpNormalization": "normalize",
    "LRN": "local_response_norm",
    "MatMul": "matmul",
    "FusedMatMul": "matmul",
    "PRelu": "prelu",
    "HardSwish": "hardswish",
    "HardSigmoid": "hardsigmoid",
    "LogSoftmax": "log_softmax",
    "ThresholdedRelu": "threshold",
    "Attention": "scaled_dot_product_attention",
    "LSTM": "lstm",
    "GRU": "gru",
    "RNN": "rnn",
    "Reshape": "reshape",
    "Slice": "getitem",
    "Concat": "cat",
    "ConcatFromSequence": "cat",
    "SequenceConstruct": "tuple",
    "Tile": "repeat",
    "Shape": "size",
    "Size": "numel",
    "Cast": "to",
    "CastLike": "to",
    "ConstantOfShape": "full",
    "Range": "arange",
    "EyeLike": "eye",
    "NonZero": "nonzero",
    "OneHot": "one_hot",
    "TopK": "topk",
    "CumSum": "cumsum",
    "ArgMax": "argmax",
    "ArgMin": "argmin",
    "Trilu": "tril",
    "Resize": "interpolate",
    "Upsample": "interpolate",
    "GridSample": "grid_sample",
    "RoiAlign": "roi_align",
    "DepthToSpace": "pixel_shuffle",
    "SpaceToDepth": "pixel_unshuffle",
    "GatherElements": "gather",
    "GatherND": "getitem",
    "ScatterND": "index_put",
    "ScatterElements": "scatter",
    "Einsum": "einsum",
    "IsNaN": "isnan",
    "IsInf": "isinf",
    "RandomNormalLike": "randn_like",
    "RandomUniformLike": "rand_like",
    "RandomNormal": "randn",
    "RandomUniform": "rand",
    "Max": "maximum",
    "Min": "minimum",
    "ReduceL2": "vector_norm",
    "ReduceL1": "vector_norm",
    "ReduceLogSumExp": "logsumexp",
    "BitwiseAnd": "bitwise_and",
    "DynamicQuantizeLinear": "quantize",
    "QuantizeLinear": "quantize",
    "DequantizeLinear": "dequantize",
    "FastGelu": "gelu",
    "BiasGelu": "gelu",
    "QuickGelu": "gelu",
    "MultiHeadAttention": "scaled_dot_product_attention",
    "GroupQueryAttention": "scaled_dot_product_attention",
    "Constant": "constant",
}
_BY_RANK: dict[str, str] = {
    "Conv": "conv{}d",
    "ConvTranspose": "conv_transpose{}d",
    "MaxPool": "max_pool{}d",
    "AveragePool": "avg_pool{}d",
    "LpPool": "lp_pool{}d",
    "GlobalAveragePool": "adaptive_avg_pool{}d",
    "GlobalMaxPool": "adaptive_max_pool{}d",
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def torch_name(
    op_type: str, rank: int | None, weight: tuple[bool, ...], attributes: dict[str, Any]
) -> str:
    """Gives the canonical name of an ONNX op.

    Args:
        op_type: As ``NodeProto.op_type``.
        rank: Number of dimensions of the op's output; None if not known.
        weight: For each input, whether it is a tensor that the model holds.
        attributes: The op's attributes.

    Examples:
        >>> torch_name("Conv", 4, (False, True), {}), torch_name("LeakyRelu", 2, (False,), {})
        ('conv2d', 'leaky_relu')
    """
    if op_type in _BY_RANK:
        form = _BY_RANK[op_type]
        return form.format(rank - 2) if rank and 3 <= rank <= 5 else form.replace("{}d", "")
    second = len(weight) > 1 and weight[1]
    if op_type == "Gemm":
        return "linear" if second and attributes.get("transB", 0) == 1 else "addmm"
    if op_type == "Gather":
        return "embedding" if weight and weight[0] else "getitem"
    if op_type == "Transpose":
        return "transpose" if _swaps(attributes.get("perm")) else "permute"
    if op_type in _TORCH_NAMES:
        return _TORCH_NAMES[op_type]
    name = _WORD.sub("_", op_type.removeprefix("aten_").removeprefix("Reduce")).lower()
    return canonical(name)


def _swaps(permutation: Any) -> bool:
    """Tells whether a permutation, as text, only swaps two dimensions."""
    order = re.findall(r"\d+", str(permutation))
    return sum(str(place) != dim for place, dim in enumerate(order)) == 2
