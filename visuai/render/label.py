"""Words for what is drawn: names as plain text, shapes, counts, and facts for a tooltip.

Names come from models and are not to be trusted. `plain` makes them harmless as text; escaping
for HTML, XML, dot or Mermaid is each renderer's own business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from visuai.ir import TensorSpec
from visuai.topology import Scope, Topology

# Control characters, bidirectional controls (they would reorder the text around them), lone
# surrogates and non-characters: no format shows them faithfully, and XML forbids most.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff0-\ufffb"
    "\ud800-\udfff\ufffe\uffff]"
)
_SUFFIXES = ("", "k", "M", "G", "T", "P")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: object) -> str:
    r"""Spells out what cannot be seen, so that a name reads the same wherever it is shown.

    Examples:
        >>> plain("a\nb\u202ec")
        'a\\nb\\u202ec'
    """
    return _UNPRINTABLE.sub(
        lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", str(text)
    )


def shorten(text: str, limit: int = 40) -> str:
    """Cuts the middle out of a long text; of a dotted path the end says most.

    Examples:
        >>> shorten("model.encoder.layer.11.attention.self.query", 20)
        'model.e…n.self.query'
    """
    if len(text) <= limit:
        return text
    tail = (limit - 1) * 2 // 3
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def type_name(qualified: str) -> str:
    """Gives the class name without its package: ``Conv2d``."""
    return plain(qualified.rpartition(".")[2])


def shape(spec: TensorSpec | Mapping[str, Any] | None) -> str:
    """Spells a shape: ``1×64×8×8``, ``scalar`` for one without dimensions, "" if unknown."""
    dims = None if spec is None else spec.get("shape")
    if dims is None:
        return ""
    return "×".join(plain(dim) for dim in dims) or "scalar"


def edge_text(data: Mapping[str, Any]) -> str:
    """Spells what an edge carries: its shape, or how many values it stands for."""
    number = data.get("bundle")
    return f"{number} values" if number else shape(data)


def count(number: float) -> str:
    """Spells a number in three digits: ``9.41k``, ``11.7M``.

    Examples:
        >>> [count(n) for n in (0, 64, 9408, 11_689_512, 999_999)]
        ['0', '64', '9.41k', '11.7M', '1M']
    """
    thousands = 0
    while abs(number) >= 999.5 and thousands < len(_SUFFIXES) - 1:
        number /= 1000
        thousands += 1
    return f"{number:.3g}{_SUFFIXES[thousands]}"


def num_parameters(topology: Topology, names: Iterable[str]) -> int:
    """Counts the elements of the parameters named, each tensor once, buffers left out."""
    total = 0
    seen: set[str] = set()
    for name in names:
        parameter = topology.parameters.get(name)
        if parameter is None or parameter["kind"] != "parameter":
            continue
        owner = parameter["alias_of"] or name
        if owner in seen:
            continue
        seen.add(owner)
        elements = 1
        for dim in parameter["shape"]:
            elements *= dim if isinstance(dim, int) else 1
        total += elements
    return total


def is_scope_node(attributes: Mapping[str, Any]) -> bool:
    """Tells whether a node stands for a whole module, whose inside is not shown."""
    return bool(attributes.get("scope_node"))


def op_label(attributes: Mapping[str, Any]) -> str:
    """Gives the word for a node: its class or function, ``input`` or ``output``."""
    if attributes["op_kind"] == "placeholder":
        return "input"
    return plain(attributes["op"]) or plain(attributes["target"]) or attributes["op_kind"]


def local_name(key: str, scope: str) -> str:
    """Gives a call-site's name as seen from the scope it lies in: ``0.conv1`` for ``layer1``.

    A pass may have folded scopes away between the two, which is why this may hold dots.
    """
    inside = scope.partition("@")[0]
    name = key[len(inside) + 1 :] if inside and key.startswith(f"{inside}.") else key
    return plain(name)


def node_facts(topology: Topology, key: str, repeat: int = 1) -> list[tuple[str, str]]:
    """Gives what a tooltip says about a node, as (name, value) pairs in order of interest."""
    attributes = topology.graph.nodes[key]
    facts = [("node", plain(key)), ("class", plain(attributes["target"] or attributes["op"]))]
    if attributes.get("fqn") and attributes["fqn"] != key:
        facts.append(("module", plain(attributes["fqn"])))
    inputs = [shape(data) for _, _, data in topology.graph.in_edges(key, data=True)]
    if any(inputs):
        facts.append(("in", ", ".join(text or "?" for text in inputs)))
    outputs = [
        f"{shape(spec)} {plain(spec['dtype'])}"
        for spec in attributes["outputs"]
        if spec is not None
    ]
    if outputs:
        facts.append(("out", ", ".join(outputs)))
    parameters = num_parameters(topology, attributes["parameters"])
    if parameters:
        facts.append(("parameters", f"{parameters:,}"))
    if attributes["flops"]:
        facts.append(("FLOPs", count(attributes["flops"])))
    for name, value in attributes["attributes"].items():
        if value not in ("", None):
            facts.append((plain(name), plain(value)))
    if repeat > 1:
        facts.append(("repeats", f"{repeat} identical in a row, drawn once"))
    if attributes.get("shared_with"):
        facts.append(
            ("shared with", ", ".join(plain(other) for other in attributes["shared_with"]))
        )
    source = attributes.get("source")
    if source:
        facts.append(("source", f"{plain(source[0])}:{source[1]}"))
    return facts


def scope_facts(scope: Scope, repeat: int = 1) -> list[tuple[str, str]]:
    """Gives what a tooltip says about an open scope."""
    facts = [("scope", plain(scope.id)), ("class", plain(scope.type))]
    if scope.config:
        facts.append(("config", plain(scope.config)))
    if repeat > 1:
        facts.append(("repeats", f"{repeat} identical in a row, drawn once"))
    return [(name, value) for name, value in facts if value]


def text_width(text: str, size: float) -> float:
    """Estimates the width of a text in a sans-serif font, in pixels, a little on the wide side."""
    units = 0.0
    for char in text:
        if char in "iljtfrI.,:;'|!()[]· ":
            units += 0.33
        elif char in "mwMW@%":
            units += 0.9
        elif char.isupper():
            units += 0.69
        else:
            units += 0.57 if ord(char) < 0x1100 else 1.0
    return units * size
