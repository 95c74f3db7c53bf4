"""Peak activation memory, by liveness over the order of execution.

Assumed: inference, so that a tensor is freed after its last use; the caller holds the inputs
for the whole run, and the outputs live to its end; views and in-place ops take no memory of
their own and keep what they look at alive; dropout passes its input on. Parameters, and the
workspace inside an op, are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from visuai.analysis.cost import tensor_bytes
from visuai.topology import Topology

_VIEWS = (
    "view reshape flatten unflatten permute transpose t squeeze unsqueeze expand expand_as chunk "
    "split tensor_split unbind narrow select slice detach view_as reshape_as movedim swapaxes "
    "diagonal mt mh adjoint as_strided real imag view_as_real view_as_complex identity contiguous "
    "unfold unpack dropout dropout1d dropout2d dropout3d alphadropout featurealphadropout "
    "stochastic_depth setitem alpha_dropout feature_alpha_dropout"
)
_IN_PLACE = "iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor"
_SHARING = frozenset(_VIEWS.split())
_IN_PLACE_OPERATORS = frozenset(_IN_PLACE.split())


@dataclass(frozen=True, slots=True)
class Live:
    """A tensor in memory.

    Attributes:
        node: Id of the node that made it.
        output: Which of its outputs it is.
        bytes: Its size.
    """

    node: str
    output: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Activation memory of one forward.

    Attributes:
        peak: Most bytes held at a time.
        node: Id of the first node that runs while they are held; "" in an empty network.
        live: The tensors held then, largest first.
        timeline: Bytes held while each node runs, in order of execution.
        unknown: Number of tensors that are not counted because their size is not known.
    """

    peak: int
    node: str
    live: tuple[Live, ...]
    timeline: tuple[int, ...]
    unknown: int


def memory(topology: Topology) -> Memory:
    """Computes the peak activation memory, in time linear in the network's size.

    Args:
        topology: The network, not a view of it: what a closed scope needs inside is unseen.

    Examples:
        >>> import torch, visuai
        >>> from visuai.analysis.memory import memory
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(3, 4))
        >>> memory(topology).peak  # 3 x 4 and 3 x 2 of 4 bytes
        72
    """
    nodes = list(topology.graph)
    last = len(nodes) - 1
    made: dict[tuple[str, int], Live] = {}
    held: dict[Live, tuple[int, int]] = {}
    unknown = 0
    for at, key in enumerate(nodes):
        data = topology.graph.nodes[key]
        arguments = _arguments(topology, key)
        for value in arguments.values():
            if value in made:
                owner = made[value]
                held[owner] = held[owner][0], max(held[owner][1], at)
        shared = made.get(arguments.get(0, ("", 0))) if _shares(data, arguments) else None
        if data["op_kind"] in ("get_attr", "output"):
            if data["op_kind"] == "output":
                _hold(held, made, arguments, last)
            continue
        for output, spec in enumerate(data["outputs"]):
            size = tensor_bytes(spec)
            unknown += size is None
            owner = shared or Live(key, output, size or 0)
            made[key, output] = owner
            until = last if data["op_kind"] == "placeholder" else at
            start, end = held.get(owner, (at, at))
            held[owner] = start, max(end, until)
    return _summed(nodes, held, unknown)


def _arguments(topology: Topology, key: str) -> dict[int, tuple[str, int]]:
    """Gives the values that a node takes, by the position of the argument."""
    edges = topology.graph.in_edges(key, data=True)
    return {data["target_input"]: (source, data["source_output"]) for source, _, data in edges}


def _hold(
    held: dict[Live, tuple[int, int]],
    made: dict[tuple[str, int], Live],
    arguments: dict[int, tuple[str, int]],
    last: int,
) -> None:
    """Keeps what the network returns to the end."""
    for value in arguments.values():
        if value in made:
            held[made[value]] = held[made[value]][0], last


def _shares(data: dict[str, Any], arguments: dict[int, tuple[str, int]]) -> bool:
    """Tells whether a node's outputs lie in the memory of its first argument."""
    op = data["op"].lower()
    if data.get("scope_node"):
        return False
    if op == "getitem":  # an index that is a tensor or a list makes a copy
        return 1 not in arguments and not str(data["attributes"].get("arg1", "")).startswith("[")
    if op in _SHARING:
        return True
    attributes = data["attributes"]
    name = data["target"].rpartition(".")[2]
    return (
        attributes.get("inplace") in (True, "True")
        or "inplace=True" in str(attributes.get("config", ""))
        or (data["op_kind"] in ("call_function", "call_method") and _in_place(name))
    )


def _in_place(name: str) -> bool:
    return name.strip("_") in _IN_PLACE_OPERATORS or (
        name.endswith("_") and not name.endswith("__") and not name.startswith("_")
    )


def _summed(nodes: list[str], held: dict[Live, tuple[int, int]], unknown: int) -> Memory:
    """Adds up what is held at each step."""
    change = [0] * (len(nodes) + 1)
    for live, (start, end) in held.items():
        change[start] += live.bytes
        change[end + 1] -= live.bytes
    timeline = tuple(accumulate(change))[:-1]
    peak = max(timeline, default=0)
    at = timeline.index(peak) if timeline else -1
    live = [one for one, (start, end) in held.items() if start <= at <= end and one.bytes]
    return Memory(
        peak=peak,
        node=nodes[at] if nodes else "",
        live=tuple(sorted(live, key=lambda one: -one.bytes)),
        timeline=timeline,
        unknown=unknown,
    )
