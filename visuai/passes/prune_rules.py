"""The rules of ``prune-nodes``, as data: which nodes say nothing about the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from visuai.ir import Edge, Node


@dataclass(slots=True)
class Inputs:
    """What a rule knows of a node's inputs, besides the node itself.

    Attributes:
        edges: Edges into the node.
        rules: For each edge ``constant`` or ``shape`` if its value is taken out as such, else "".
        trained: Whether a trained parameter is among the constants that flow in.
    """

    edges: Sequence[Edge]
    rules: list[str] = field(default_factory=list[str])
    trained: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of node that ``prune-nodes`` takes out.

    Attributes:
        name: Name for the options ``keep`` and ``drop``.
        what: What it takes out, one sentence.
        matches: Tells whether a node is of this kind. Asked in execution order.
        default: Whether it applies without being asked for by ``drop``.
    """

    name: str
    what: str
    matches: Callable[[Node, Inputs], bool]
    default: bool = True


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A value made by these does not depend on the values of any tensor, at most on sizes.
CREATION = _words(
    "arange range zeros ones full empty linspace logspace eye tensor as_tensor scalar_tensor "
    "constant constantofshape tril_indices triu_indices hann_window hamming_window "
    "bartlett_window blackman_window kaiser_window"
)
LIKE = _words(
    "zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty new_tensor"
)
RANDOM = _words("randperm poisson exponential uniform cauchy geometric log_normal")
SIZES = _words(
    "size shape dim ndim numel ndimension sym_size sym_numel stride dtype device layout is_cuda"
)
SCALAR = _words(
    "add sub mul div floordiv remainder mod neg pow max min abs round floor ceil sqrt int float "
    "bool eq ne lt le gt ge and or not getitem tuple list len sum prod sym_int "
    "sym_float sym_max sym_min sym_not slice math_floor math_ceil"
)
IDENTITY = _words("contiguous clone alias lift_fresh lift_fresh_copy lift requires_grad")
CASTS = _words(
    "to type_as type float double half bfloat16 int long short bool cuda cpu cast _to_copy "
    "convert_element_type expand expand_as broadcast_to"
)
DROPOUT = _words(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout feature_dropout "
    "alphadropout featurealphadropout stochastic_depth stochasticdepth droppath"
)


def _is_function(node: Node) -> bool:
    return node["op_kind"] in ("call_function", "call_method")


def _is_constant(node: Node, inputs: Inputs) -> bool:
    if node["op_kind"] == "get_attr":
        return True
    # A module's call stays whatever it is called on: it is a call-site of the user's.
    if not _is_function(node):
        return False
    op = node["op"]
    if op in LIKE:
        return True
    if op in CREATION:
        return all(rule in ("constant", "shape") for rule in inputs.rules)
    if "constant" not in inputs.rules or op in RANDOM or node["category"] == "dropout":
        return False
    if inputs.trained and node["category"] != "shape":
        return False  # What is computed of weights is the network's work.
    return all(rule in ("constant", "shape") for rule in inputs.rules)


def _is_assertion(node: Node, inputs: Inputs) -> bool:
    del inputs
    op = node["op"].lstrip("_")
    return (
        _is_function(node)
        and (op.startswith(("assert", "check", "sym_constrain")) or op == "functional_assert_async")
        and not any(node["outputs"])
    )


def _is_shape(node: Node, inputs: Inputs) -> bool:
    if not _is_function(node):
        return False
    op, outputs = node["op"], node["outputs"]
    if op in SIZES and not any(outputs):
        return True
    if not outputs:
        return op != "setitem"  # It gives nothing, but what it writes is read.
    if any(outputs) or op not in SCALAR:
        return False
    return bool(inputs.rules) and all(rule == "shape" for rule in inputs.rules)


def _is_unpack(node: Node, inputs: Inputs) -> bool:
    return _is_function(node) and node["op"] == "unpack" and bool(inputs.edges)


def _is_pack(node: Node, inputs: Inputs) -> bool:
    return _is_function(node) and node["op"] == "pack" and bool(inputs.edges)


def _is_identity(node: Node, inputs: Inputs) -> bool:
    if len(node["outputs"]) != 1 or not inputs.edges:
        return False
    if node["op_kind"] == "call_module":
        return node["op"] == "Identity"
    if not _is_function(node):
        return False
    if node["op"] in IDENTITY:
        return True
    if node["op"] not in CASTS or node["outputs"][0] is None:
        return False
    first = min(inputs.edges, key=input_index)
    return first["target_input"] == 0 and first["spec"] == node["outputs"][0]


def _is_dropout(node: Node, inputs: Inputs) -> bool:
    return bool(inputs.edges) and node["op"].lower() in DROPOUT


def input_index(edge: Edge) -> int:
    """Gives the place of an edge among its target's inputs, as a key for sorting."""
    return edge["target_input"]


_NAMED = CREATION | LIKE | SIZES | IDENTITY | CASTS | {"Identity", "pack", "unpack"}


def is_named(op: str) -> bool:
    """Tells whether a rule speaks of an op by name.

    No rule takes out a node of another op, but for a ``get_attr``, if it returns a tensor and
    all that it reads is left.

    Args:
        op: Canonical name.
    """
    return (
        op in _NAMED
        or op.lower() in DROPOUT
        or op.lstrip("_").startswith(("assert", "check", "sym_constrain", "functional_assert"))
    )


RULES: tuple[Rule, ...] = (
    Rule("assertion", "Checks that give nothing.", _is_assertion),
    Rule(
        "shape",
        "Ops that return no tensor (sizes and their arithmetic). An edge in their place is "
        "added only where nothing else tells that the one node depends on the other.",
        _is_shape,
    ),
    Rule("unpack", "Taking an element out of a tuple, list or dict.", _is_unpack),
    Rule("pack", "Putting values into a tuple, list or dict.", _is_pack),
    Rule(
        "identity",
        "Identity modules, clone, contiguous and the like, and casts whose result has the "
        "shape and dtype of their input.",
        _is_identity,
    ),
    Rule(
        "constant",
        "Tensors that the network holds, and what is computed from constants alone; their "
        "names go to the `parameters` of the nodes that use them. What is computed of trained "
        "parameters stays, unless it only reshapes them.",
        _is_constant,
    ),
    Rule("dropout", "Dropout in its forms, on demand only.", _is_dropout, default=False),
)
"""The first rule that matches a node takes it out.

A constant comes after what only hands values on, so that of a constant that an output returns
the node that makes it stays.
"""
