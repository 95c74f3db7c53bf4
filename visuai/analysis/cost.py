"""What a network costs: parameters, FLOPs and bytes, per node and per module call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import prod
from operator import add

from visuai.ir import TensorSpec
from visuai.topology import Topology

_BITS: dict[str, int] = {
    "bool": 8,
    "half": 16,
    "float": 32,
    "double": 64,
    "bfloat16": 16,
    "complex32": 32,
    "complex64": 64,
    "complex128": 128,
    "string": 0,
}
_DTYPE = re.compile(r"[a-z]+(\d{1,3})(?!\d)(?:.*?x(\d{1,2})$)?")  # float4_e2m1fn_x2, bits1x8
_IO = frozenset(("placeholder", "output", "get_attr"))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one node or one module call costs.

    Attributes:
        parameters: Elements of the parameters that are read, a shared tensor counted once.
        trainable: Those of them that training changes.
        parameter_bytes: Size of these parameters, in bytes.
        buffer_bytes: Size of the buffers and constants that are read, in bytes.
        flops: Floating-point operations, a multiply-add counted as 2; of the nodes where
            they are known.
        unknown_flops: Number of nodes where they are not known.
        activation_bytes: Size of all tensors that the ops return, in bytes, whether or not
            they share memory (see `visuai.analysis.memory` for what is held at a time).
        unknown_activations: Number of tensors whose size is not known.
        nodes: Number of ops: all nodes but inputs, outputs and reads of tensors.
    """

    parameters: int = 0
    trainable: int = 0
    parameter_bytes: int = 0
    buffer_bytes: int = 0
    flops: int = 0
    unknown_flops: int = 0
    activation_bytes: int = 0
    unknown_activations: int = 0
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of a whole network.

    Attributes:
        nodes: By node id.
        scopes: By scope id; the root's is of all that the network reads.
    """

    nodes: dict[str, Cost]
    scopes: dict[str, Cost]

    @property
    def total(self) -> Cost:
        """The cost of one forward of the whole network."""
        return self.scopes[""]


def cost(topology: Topology) -> Costs:
    """Computes what each node and each module call costs, in time linear in the network's size.

    A tensor that is read more than once in a scope counts once there.

    Args:
        topology: The network.

    Examples:
        >>> import torch, visuai
        >>> from visuai.analysis.cost import cost
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(3, 4))
        >>> cost(topology).total.flops, cost(topology).total.parameters
        (48, 10)
    """
    weight = _weights(topology)
    nodes: dict[str, Cost] = {}
    made: dict[tuple[int, ...], Cost] = {}
    sums = {key: [0] * 9 for key in topology.scopes}
    readers: dict[str, list[str]] = {}
    for key, data in topology.graph.nodes(data=True):
        own = [0, 0, 0, 0, *_work(data["op_kind"], data["flops"], data["outputs"])]
        own[-1] *= data.get("nodes", 1)
        if data["parameters"]:
            for name in dict.fromkeys(_first(topology, name) for name in data["parameters"]):
                own[:4] = map(add, own[:4], weight.get(name, (0, 0, 0, 0)))
                readers.setdefault(name, []).append(data["scope"])
        known = tuple(own)  # most nodes cost what another one does
        nodes[key] = made.get(known) or made.setdefault(known, Cost(*own))
        sums[data["scope"]] = list(map(add, sums[data["scope"]], own))
    _count_once(topology, readers, weight, sums)
    for key in reversed(list(topology.scopes)):  # children come after their parents
        parent = topology.scopes[key].parent
        if parent is not None:
            sums[parent] = list(map(add, sums[parent], sums[key]))
    return Costs(nodes, {key: Cost(*values) for key, values in sums.items()})


def tensor_bytes(spec: TensorSpec | None) -> int | None:
    """Gives the size of a tensor in bytes, rounded up to a whole one; None if not known.

    Args:
        spec: Shape and dtype; sub-byte dtypes such as ``int4`` are known.

    Examples:
        >>> tensor_bytes({"shape": [2, 3], "dtype": "bfloat16"})
        12
        >>> tensor_bytes({"shape": ["batch", 3], "dtype": "float32"}) is None
        True
    """
    if spec is None:
        return None
    bits = element_bits(spec["dtype"])
    if bits is None:
        return None
    for size in spec["shape"]:
        if not isinstance(size, int):
            return None
        bits *= size
    return -(-bits // 8)


@lru_cache(maxsize=256)
def element_bits(dtype: str) -> int | None:
    """Gives the size of one element in bits; None for an unknown dtype.

    Args:
        dtype: As torch or ONNX spell it, without the ``torch.`` prefix: ``float32``,
            ``float8_e4m3fn``, ``qint8``, ``uint4``.

    Examples:
        >>> element_bits("float32"), element_bits("float8_e5m2"), element_bits("int4")
        (32, 8, 4)
    """
    if dtype in _BITS:
        return _BITS[dtype]
    match = _DTYPE.match(dtype)
    return None if match is None else int(match[1]) * int(match[2] or 1)


def _work(
    op_kind: str, flops: int | None, outputs: Iterable[TensorSpec | None]
) -> tuple[int, int, int, int, int]:
    """Gives known and unknown FLOPs, known and unknown activations, and 1 for an op."""
    if op_kind in _IO:
        return flops or 0, 0, 0, 0, 0
    known = unknown = 0
    for spec in outputs:
        size = tensor_bytes(spec)
        if size is None:
            unknown += 1
        else:
            known += size
    return flops or 0, int(flops is None), known, unknown, 1


def _weights(topology: Topology) -> dict[str, tuple[int, int, int, int]]:
    """Gives elements, trainable elements, parameter bytes and buffer bytes of each tensor."""
    weights: dict[str, tuple[int, int, int, int]] = {}
    for name, held in topology.parameters.items():
        if held["kind"] != "parameter":
            weights[name] = 0, 0, 0, held["bytes"]
            continue
        sizes = [size for size in held["shape"] if isinstance(size, int)]
        elements = prod(sizes) if len(sizes) == len(held["shape"]) else 0
        weights[name] = elements, elements * held["requires_grad"], held["bytes"], 0
    return weights


def _first(topology: Topology, name: str) -> str:
    """Gives the FQN under which a tensor is listed first."""
    held = topology.parameters.get(name)
    return name if held is None else held["alias_of"] or name


def _count_once(
    topology: Topology,
    readers: dict[str, list[str]],
    weight: dict[str, tuple[int, int, int, int]],
    sums: dict[str, list[int]],
) -> None:
    """Takes back, where scopes meet, what was counted in each.

    Of scopes in depth-first order, each two neighbours' lowest common ancestor is where the
    second was counted once too often.
    """
    shared = {name: scopes for name, scopes in readers.items() if len(scopes) > 1}
    if not shared:
        return
    depth, position = _depth_first(topology)
    for name, scopes in shared.items():
        taken = weight.get(name)
        if taken is None:
            continue
        ordered = sorted(scopes, key=position.__getitem__)
        for one, other in pairwise(ordered):
            while one != other:
                if depth[one] >= depth[other]:
                    one = topology.scopes[one].parent or ""
                else:
                    other = topology.scopes[other].parent or ""
            for at in range(4):
                sums[one][at] -= taken[at]


def _depth_first(topology: Topology) -> tuple[dict[str, int], dict[str, int]]:
    """Gives each scope's depth and its position in depth-first order."""
    inside: dict[str, list[str]] = {key: [] for key in topology.scopes}
    depth = {"": 0}
    for key, scope in topology.scopes.items():
        if scope.parent is not None:
            inside[scope.parent].append(key)
            depth[key] = depth[scope.parent] + 1
    position: dict[str, int] = {}
    waiting = [""]
    while waiting:
        key = waiting.pop()
        position[key] = len(position)
        waiting.extend(reversed(inside[key]))
    return depth, position
