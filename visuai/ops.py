"""Names of ops: one canonical spelling for each, and the category that it belongs to.

An op has many spellings: ``operator.add``, ``torch.add``, ``Tensor.__iadd__``,
``aten.add.Tensor``, ONNX ``Add``. `canonical` brings them to one, so that routes agree, and
rules and colours need one entry each.
"""

from __future__ import annotations

from functools import lru_cache

CATEGORIES: dict[str, str] = {
    "io": "inputs and outputs of the network",
    "conv": "convolutions",
    "linear": "matrix products",
    "attention": "attention",
    "recurrent": "recurrent cells and layers",
    "embedding": "table look-ups",
    "norm": "normalisation",
    "activation": "non-linearities",
    "pool": "pooling and resampling",
    "dropout": "dropout and other noise",
    "arithmetic": "elementwise arithmetic",
    "reduce": "reductions",
    "shape": "reshaping, slicing, joining",
    "loss": "losses",
    "constant": "parameters, buffers and constants read as values",
    "module": "a module drawn as one node",
    "other": "everything else",
}
"""Category to what it holds, in the order of a legend."""

_BY_CATEGORY: dict[str, str] = {
    "io": "placeholder output",
    "constant": "get_attr constant",
    "conv": (
        "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution "
        "conv_tbc deform_conv2d deformconv2d convtranspose1d convtranspose2d convtranspose3d "
        "lazyconv1d lazyconv2d lazyconv3d conv conv_transpose"
    ),
    "linear": (
        "linear bilinear matmul mm bmm addmm baddbmm addbmm mv dot einsum tensordot inner outer "
        "chain_matmul multi_dot lazylinear nondynamicallyquantizablelinear kron vecdot addmv ger"
    ),
    "attention": (
        "multiheadattention scaled_dot_product_attention multi_head_attention_forward "
        "flex_attention _native_multi_head_attention attention"
    ),
    "recurrent": "rnn lstm gru rnncell lstmcell grucell rnn_tanh rnn_relu lstm_cell gru_cell",
    "embedding": "embedding embedding_bag embeddingbag gather one_hot",
    "norm": (
        "batch_norm layer_norm group_norm instance_norm rms_norm local_response_norm normalize "
        "batchnorm1d batchnorm2d batchnorm3d syncbatchnorm layernorm groupnorm rmsnorm "
        "instancenorm1d instancenorm2d instancenorm3d localresponsenorm crossmaplrn2d "
        "weight_norm native_batch_norm native_layer_norm frozenbatchnorm2d lazybatchnorm1d "
        "lazybatchnorm2d lazybatchnorm3d"
    ),
    "activation": (
        "relu relu6 elu selu celu gelu silu mish swish sigmoid tanh softmax log_softmax softplus "
        "softsign leaky_relu prelu rrelu hardtanh hardswish hardsigmoid logsigmoid glu threshold "
        "softmin softmax2d logsoftmax leakyrelu tanhshrink softshrink hardshrink "
        "adaptivelogsoftmaxwithloss gumbel_softmax erf"
    ),
    "pool": (
        "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d "
        "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
        "adaptive_max_pool3d maxpool1d maxpool2d maxpool3d avgpool1d avgpool2d avgpool3d "
        "adaptiveavgpool1d adaptiveavgpool2d adaptiveavgpool3d adaptivemaxpool1d "
        "adaptivemaxpool2d adaptivemaxpool3d lppool1d lppool2d lp_pool1d lp_pool2d "
        "fractionalmaxpool2d maxunpool1d maxunpool2d maxunpool3d max_unpool1d max_unpool2d "
        "max_unpool3d interpolate upsample upsamplingnearest2d upsamplingbilinear2d grid_sample "
        "roi_align roi_pool resize affine_grid max_pool2d_with_indices "
        "max_pool avg_pool adaptive_max_pool adaptive_avg_pool"
    ),
    "dropout": (
        "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout alphadropout "
        "featurealphadropout stochastic_depth feature_dropout bernoulli rand randn rand_like "
        "randn_like randint normal multinomial"
    ),
    "reduce": (
        "sum mean prod std var max min amax amin argmax argmin any all norm logsumexp median "
        "cumsum cumprod std_mean var_mean vector_norm topk sort argsort count_nonzero unique "
        "trace nonzero"
    ),
    "arithmetic": (
        "add sub mul div pow neg abs exp log sqrt rsqrt reciprocal sin cos floor ceil round "
        "clamp minimum maximum where masked_fill addcmul addcdiv lerp eq ne lt le gt ge and or "
        "xor not logical_and logical_or logical_not floordiv remainder fmod square sign expm1 "
        "log1p log2 log10 exp2 tan atan atan2 nan_to_num isnan isinf isfinite bitwise_and "
        "bitwise_or bitwise_not bitwise_xor cross rotate_half tril triu erfc erfinv hypot real "
        "imag conj angle polar view_as_real view_as_complex fft ifft rfft irfft fft2 ifft2 rfft2 "
        "irfft2 fftn ifftn equal positive trunc frac"
    ),
    "shape": (
        "view reshape flatten unflatten permute transpose t squeeze unsqueeze expand expand_as "
        "repeat repeat_interleave cat stack chunk split tensor_split unbind getitem slice select "
        "index index_select narrow pad roll flip tile movedim contiguous clone detach to type_as "
        "float half double long int bool bfloat16 type size shape dim numel unfold fold "
        "pixel_shuffle pixel_unshuffle channel_shuffle pixelshuffle pixelunshuffle "
        "channelshuffle meshgrid broadcast_to broadcast_tensors setitem slice_scatter "
        "select_scatter index_put index_add index_copy scatter scatter_add masked_select "
        "masked_scatter take take_along_dim zeropad2d reflectionpad2d replicationpad2d "
        "constantpad1d constantpad2d constantpad3d zeropad1d zeropad3d reflectionpad1d "
        "reflectionpad3d replicationpad1d replicationpad3d rearrange reduce view_as reshape_as "
        "hstack vstack dstack diagonal diag diag_embed rot90 identity zeros ones full zeros_like "
        "ones_like full_like new_zeros new_ones new_full new_empty empty empty_like arange "
        "linspace tensor as_tensor eye copy mt mh adjoint as_strided atleast_1d atleast_2d "
        "atleast_3d range constant_pad_nd pack_padded_sequence pad_packed_sequence"
    ),
    "loss": (
        "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div "
        "binary_cross_entropy binary_cross_entropy_with_logits crossentropyloss nllloss mseloss "
        "l1loss smoothl1loss huberloss bceloss bcewithlogitsloss kldivloss ctc_loss ctcloss "
        "cosine_embedding_loss triplet_margin_loss poisson_nll_loss gaussian_nll_loss"
    ),
}

_CATEGORY: dict[str, str] = {
    op: category for category, ops in _BY_CATEGORY.items() for op in ops.split()
}

_SYNONYMS: dict[str, str] = {
    "truediv": "div",
    "true_divide": "div",
    "divide": "div",
    "floor_divide": "floordiv",
    "multiply": "mul",
    "subtract": "sub",
    "rsub": "sub",
    "negative": "neg",
    "pos": "positive",
    "concat": "cat",
    "concatenate": "cat",
    "radd": "add",
    "rmul": "mul",
    "rtruediv": "div",
    "rdiv": "div",
    "rpow": "pow",
    "rmatmul": "matmul",
    "rfloordiv": "floordiv",
    "iadd": "add",
    "isub": "sub",
    "imul": "mul",
    "itruediv": "div",
    "idiv": "div",
    "ipow": "pow",
    "imatmul": "matmul",
    "ifloordiv": "floordiv",
    "iand": "and",
    "ior": "or",
    "ixor": "xor",
    "__rand__": "and",  # Reflected, not random.
    "ror": "or",
    "rxor": "xor",
    "rmod": "remainder",
    "invert": "bitwise_not",
    "and_": "and",
    "or_": "or",
    "not_": "not",
    "absolute": "abs",
    "clip": "clamp",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "not_equal": "ne",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "moveaxis": "movedim",
    "mod": "remainder",
    "special_expit": "sigmoid",
    "special_erf": "erf",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "fft_fft": "fft",
}


def canonical(name: str) -> str:
    """Gives the one spelling of a function's or method's short name.

    In-place underscores, dunders and reflected or in-place operators are brought to the plain
    op; what is not known stays as it is.

    Args:
        name: Short name without its module: ``add_``, ``__iadd__``, ``truediv``.

    Examples:
        >>> canonical("__iadd__"), canonical("relu_"), canonical("truediv")
        ('add', 'relu', 'div')
    """
    name = _SYNONYMS.get(name, name)
    name = name.strip("_") if name.startswith("__") else name
    name = _SYNONYMS.get(name, name)
    if name.endswith("_") and not name.startswith("_"):
        name = name.rstrip("_")
    return _SYNONYMS.get(name, name)


@lru_cache(maxsize=1024)
def category(op: str) -> str:
    """Gives the category of an op: a key of `CATEGORIES`.

    Args:
        op: Canonical name of a function, or class name of a module.

    Examples:
        >>> category("add"), category("Conv2d"), category("my_kernel")
        ('arithmetic', 'conv', 'other')
    """
    return _CATEGORY.get(op) or _CATEGORY.get(op.lower(), "other")


def is_leaf_type(type_name: str) -> bool:
    """Tells whether modules of a class are looked at as one op.

    These are the ops of ``torch.nn``, not its containers and not what is composed of others
    (``Transformer`` and its parts).

    Args:
        type_name: Qualified class name, such as ``torch.nn.modules.conv.Conv2d``.
    """
    if not type_name.startswith(_LEAF_PACKAGES):
        return False
    return type_name.rpartition(".")[2] not in _COMPOSED


_LEAF_PACKAGES = ("torch.nn.", "torch.ao.nn.", "torch.nn.quantized")
_COMPOSED = frozenset(
    {
        *("Module", "Container", "Sequential", "ModuleList", "ModuleDict"),
        *("ParameterList", "ParameterDict", "ParametrizationList", "Transformer"),
        *("TransformerEncoder", "TransformerEncoderLayer"),
        *("TransformerDecoder", "TransformerDecoderLayer"),
        *("DataParallel", "DistributedDataParallel", "FullyShardedDataParallel"),
    }
)
