"""Reads a topology from its dictionary, and believes nothing in it."""

from __future__ import annotations

from typing import Any, cast

import networkx as nx

from visuai.archive import check
from visuai.archive.column import MISSING, Check, decode, integers
from visuai.archive.writer import SCHEMA
from visuai.errors import FormatError
from visuai.garbage import collection_paused
from visuai.ir import Parameter, TensorSpec
from visuai.topology import Flow, Scope, Topology


def from_dict(document: dict[str, Any]) -> Topology:
    """Reads what `to_dict` wrote, and checks it.

    Raises:
        FormatError: If it is of another version, lacks something, or does not hold together.
    """
    if not isinstance(document, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise FormatError(
            f"Not a saved topology: got {type(document).__name__}, expected the dict that "
            "Topology.to_dict gives."
        )
    schema = document.get("schema")
    if schema != SCHEMA:
        raise FormatError(
            f"Not a saved topology: got schema {str(schema)[:80]!r}, expected {SCHEMA!r}. Build "
            "the topology again, or read it with the version of visuai that wrote it."
        )
    try:
        with collection_paused():
            return _Reader(document).topology()
    except FormatError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(
            f"Damaged topology document: {type(error).__name__}: {str(error)[:200]}. Save it again "
            "with Topology.save."
        ) from error


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.nodes = check.identifiers(document["nodes"]["id"], "nodes")
        self.scopes: list[str] = check.identifiers(document["scopes"]["id"], "scopes")
        self.parameters = check.identifiers(document["parameters"]["fqn"], "parameters")
        self.specs = [check.spec(row) for row in check.items(document["specs"])]
        if set(self.nodes) & set(self.scopes):
            raise FormatError("A node and a scope have the same id.")

    def topology(self) -> Topology:
        document = self.document
        scopes = self._scopes()
        graph = self._graph()
        self._fill(scopes, graph)
        inputs = integers(document["inputs"], 0, len(self.nodes), "inputs")
        outputs = integers(document["outputs"], 0, len(self.nodes), "outputs")
        return Topology(
            name=check.text(document["name"]),
            graph=graph,
            scopes=scopes,
            parameters=self._parameters(),
            inputs=[self.nodes[at] for at in inputs],
            outputs=[self.nodes[at] for at in outputs],
            origin=check.texts(document["origin"]),
            report=check.report(document["report"]),
        )

    def _scopes(self) -> dict[str, Scope]:
        """Reads the module tree, still without children and flows."""
        table, count = self.document["scopes"], len(self.scopes)
        parents = integers(table["parent"], -1, count, "parent")
        if len(parents) != count or not parents or parents[0] != -1 or self.scopes[0] != "":
            raise FormatError("The first scope must be the root, with id '' and no parent.")
        if any(not 0 <= parent < at for at, parent in enumerate(parents[1:], start=1)):
            raise FormatError("A scope must come after its parent, and only the root has none.")
        columns: list[list[Any]] = [
            self._column(table, "fqn", count, check.text),
            self._column(table, "type", count, check.text),
            self._column(table, "call", count, check.count_or_none),
            self._column(table, "repeat", count, check.count),
            self._column(table, "config", count, check.text),
        ]
        return {
            key: Scope(
                id=key,
                fqn=fqn,
                type=type_name,
                call=call,
                parent=None if at == 0 else self.scopes[parents[at]],
                repeat=repeat,
                config=config,
            )
            for at, (key, fqn, type_name, call, repeat, config) in enumerate(
                zip(self.scopes, *columns, strict=True)
            )
        }

    def _graph(self) -> nx.MultiDiGraph[str]:
        table, count = self.document["nodes"], len(self.nodes)
        columns: dict[str, list[Any]] = {
            name: self._column(table, name, count, test) for name, test in check.NODE.items()
        }
        scope = self._column(table, "scope", count, check.count)
        columns["scope"] = [self.scopes[at] for at in scope]
        parameters = self._column(table, "parameters", count, check.items)
        columns["parameters"] = [[self._parameter(name) for name in row] for row in parameters]
        outputs = self._column(table, "outputs", count, check.items)
        columns["outputs"] = [[self._spec(at) for at in row] for row in outputs]
        columns["attributes"] = self._column(table, "attributes", count, check.attributes)
        if "shared_with" in table:
            columns["shared_with"] = self._shared(table, count)
        known = {*columns, "id", "groups"}
        for name in check.texts_of(table):
            if name not in known:
                test = check.EXTRA.get(name, check.anything)
                columns[name] = decode(table[name], count, test, name)
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        in_order = {name: columns[name] for name in table if name in columns}
        graph.add_nodes_from(_rows(self.nodes, in_order))
        graph.add_edges_from(cast("Any", self._edges()))
        return graph

    def _edges(self) -> list[tuple[Any, ...]]:
        table, count = self.document["edges"], len(self.nodes)
        target = integers(table["target"], 0, count, "target")
        back = integers(table["back"], -count, count, "back")
        source = [at - step for at, step in zip(target, back, strict=True)]
        integers(source, 0, count, "source")
        size = len(target)
        columns: dict[str, list[Any]] = {
            name: self._column(table, name, size, check.count)
            for name in ("source_output", "target_input")
        }
        specs = [self._spec(at) for at in check.items(table["spec"])]
        if len(specs) != size:
            raise FormatError(f"Column 'spec' of the edges is not a column of {size} rows.")
        columns["shape"] = [None if spec is None else spec["shape"] for spec in specs]
        columns["dtype"] = [None if spec is None else spec["dtype"] for spec in specs]
        for name in check.texts_of(table):
            if name not in columns and name not in ("target", "back", "spec", "key"):
                test = check.EXTRA.get(name, check.anything)
                columns[name] = decode(table[name], size, test, name)
        keys = _keys(source, target)
        if "key" in table:
            keys = self._column(table, "key", size, check.count)
        pairs = [
            (self.nodes[one], self.nodes[other], key)
            for one, other, key in zip(source, target, keys, strict=True)
        ]
        if len(set(pairs)) != size:
            raise FormatError("Two parallel edges have the same key.")
        return [(*pair, data) for pair, data in _rows(pairs, columns)]

    def _shared(self, table: Any, count: int) -> list[Any]:
        """Reads the lists of nodes that share; all that have the same list get one object."""
        groups = [
            [self.nodes[at] for at in integers(group, 0, count, "groups")]
            for group in check.items(table["groups"])
        ]
        rows = decode(table["shared_with"], count, check.count, "shared_with")
        return [row if row is MISSING else groups[row] for row in rows]

    def _fill(self, scopes: dict[str, Scope], graph: nx.MultiDiGraph[str]) -> None:
        """Gives each scope its children and flows."""
        of_node = cast("dict[str, dict[str, Any]]", graph.nodes)
        rows = check.items(self.document["scopes"]["children"])
        for key, codes in zip(self.scopes, rows, strict=True):
            children = [self._child(code) for code in self._codes(codes)]
            for child in children:
                parent = scopes[child].parent if child in scopes else of_node[child]["scope"]
                if parent != key:
                    raise FormatError(f"{child[:80]!r} is listed in a scope that it is not in.")
            if len(set(children)) != len(children):
                raise FormatError(f"Scope {key[:80]!r} lists a child twice.")
            scopes[key].children = children
        table = self.document["flows"]
        where = integers(table["scope"], 0, len(self.scopes), "flows")
        values = self._column(table, "values", len(where), check.count)
        columns = self._codes(table["source"]), self._codes(table["target"]), values
        within = [set(scopes[key].children) for key in self.scopes]
        for at, source, target, count, spec in zip(
            where, *columns, check.items(table["spec"]), strict=True
        ):
            flow = Flow(self._child(source), self._child(target), count, self._spec(spec))
            if not {flow.source, flow.target} <= within[at]:
                raise FormatError("A flow does not lie between two children of its scope.")
            scopes[self.scopes[at]].flows.append(flow)

    def _parameters(self) -> dict[str, Parameter]:
        table, count = self.document["parameters"], len(self.parameters)
        columns = {
            name: self._column(table, name, count, test) for name, test in check.PARAMETER.items()
        }
        held: dict[str, Parameter] = dict(_rows(self.parameters, columns))  # pyright: ignore[reportAssignmentType]
        for name, one in held.items():
            if one["alias_of"] is not None and one["alias_of"] not in held:
                raise FormatError(f"Parameter {name[:80]!r} is an alias of one that is not there.")
        return held

    def _column(self, table: Any, name: str, count: int, test: Check) -> list[Any]:
        if count == 0 and name not in table:
            return []
        rows = decode(table[name], count, test, name)
        if any(row is MISSING for row in rows):
            raise FormatError(f"Column {name!r} lacks a value in some rows.")
        return rows

    def _codes(self, codes: Any) -> list[int]:
        return integers(codes, -len(self.scopes), len(self.nodes), "ids")

    def _child(self, code: int) -> str:
        return self.nodes[code] if code >= 0 else self.scopes[-1 - code]

    def _parameter(self, name: Any) -> str:
        if type(name) is int and 0 <= name < len(self.parameters):
            return self.parameters[name]
        return check.text(name)

    def _spec(self, at: Any) -> TensorSpec | None:
        if at is None:
            return None
        if type(at) is not int or not 0 <= at < len(self.specs):
            raise FormatError(f"Spec {str(at)[:40]} is not there.")
        dtype, shape = self.specs[at]
        return {"shape": list(shape), "dtype": dtype}


def _rows(keys: list[Any], columns: dict[str, list[Any]]) -> list[tuple[Any, dict[str, Any]]]:
    """Turns columns into one dictionary for each key, without what is missing there."""
    names = list(columns)
    rows = zip(keys, *columns.values(), strict=True)
    if not any(value is MISSING for column in columns.values() for value in column):
        return [(key, dict(zip(names, row, strict=True))) for key, *row in rows]
    return [
        (key, {name: value for name, value in zip(names, row, strict=True) if value is not MISSING})
        for key, *row in rows
    ]


def _keys(source: list[int], target: list[int]) -> list[int]:
    """Gives the keys that networkx gives parallel edges: 0, 1, ..."""
    used: dict[tuple[int, int], int] = {}
    keys: list[int] = []
    for pair in zip(source, target, strict=True):
        keys.append(used.get(pair, 0))
        used[pair] = keys[-1] + 1
    return keys
