"""Writes a topology as a Three.js scene: JSON Object/Scene format 4, for `THREE.ObjectLoader`.

Format: https://github.com/mrdoob/three.js/wiki/JSON-Object-Scene-format-4
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from visuai.render.box import Box
from visuai.render.caption import captions, header_of, headings
from visuai.render.fold import Drawn, drawn
from visuai.render.label import node_facts, plain, scope_facts
from visuai.render.layout import Layout, lay_out
from visuai.render.nesting import Nesting, nesting
from visuai.render.options import Direction, checked
from visuai.render.palette import Palette, Theme, palette
from visuai.render.samples import points
from visuai.topology import Topology

_SCALE = 0.02  # world units per pixel of the layout
_STOREY = 0.6  # height that each open scope lifts what is in it, in world units
_SLAB = 0.12  # thickness of an open scope
_THICK = 0.5  # thickness of a node
# Readers and writers of JSON recurse, as does Three.js itself: deeper groups lie side by side.
_DEEPEST = 100


@checked
def render(
    topology: Topology,
    *,
    depth: int | None = None,
    expanded: set[str] | None = None,
    fold_repeats: bool = True,
    theme: Theme = "light",
    direction: Direction = "TB",
    instances: int = 32,
) -> str:
    """Writes a topology as a Three.js scene.

    Data flows down (-y), open scopes are slabs that what is in them lies on (+z). In the scene:

    - a ``Group`` per open scope, nested as the scopes are down to 100 deep; ``userData`` has
      its id and facts;
    - a ``Mesh`` per node in the group of its scope, or, where a category has at least
      ``instances`` nodes, one ``InstancedMesh`` for all of them in the scene itself, with the
      data of instance *i* in ``userData.nodes[i]``;
    - one ``LineSegments`` named ``edges``; ``userData.edges`` lists (source, target, output,
      input, shape, dtype) of each edge, ``userData.pieces`` the value and the first and last
      vertex of each line.

    UUIDs follow from the topology's name and the ids, so that equal topologies give equal
    bytes.

    Args:
        topology: What to write.
        depth: Levels to show; None shows all that the topology has.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are drawn once.
        theme: Colours and background.
        direction: Data flows down (``TB``) or to the right (``LR``).
        instances: From how many nodes of one category on these are instances of one mesh.

    Returns:
        The text of a ``.json`` file.

    Raises:
        RenderError: If an option is unknown or does not fit.

    Examples:
        >>> import json, torch, visuai
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2))
        >>> topology = visuai.build(model, torch.zeros(1, 4))
        >>> scene = json.loads(topology.render("threejs"))
        >>> scene["metadata"]["type"], [child["name"] for child in scene["object"]["children"]]
        ('Object', ['sky', 'sun', 'camera', 'input', '0', 'output', 'edges'])
    """
    drawing = drawn(topology, depth, expanded, fold_repeats)
    words = captions(drawing)
    layout = lay_out(
        drawing.topology,
        lambda key: (words[key].width, words[key].height),
        header_of(headings(drawing)),
        direction=direction,
        wrap=False,
    )
    return json.dumps(_Scene(drawing, layout, palette(theme), instances).document()) + "\n"


class _Scene:
    """The scene while it is put together."""

    def __init__(self, drawing: Drawn, layout: Layout, colours: Palette, instances: int) -> None:
        self.drawing, self.layout, self.colours = drawing, layout, colours
        self.topology = drawing.topology
        self.tree: Nesting = nesting(self.topology)
        self.names = captions(drawing)
        self.middle = (layout.width / 2, layout.height / 2)
        by_category: dict[str, list[str]] = {}
        for key, node in self.topology.graph.nodes.items():
            category = node["category"] if node["category"] in colours.hues else "other"
            by_category.setdefault(category, []).append(key)
        self.many = {
            category: keys
            for category, keys in by_category.items()
            if len(keys) >= max(instances, 1)
        }
        self.single = {
            key: category
            for category, keys in by_category.items()
            if category not in self.many
            for key in keys
        }
        self.materials: dict[str, dict[str, Any]] = {}
        self.cube = {"uuid": self.uuid("cube"), "type": "BoxGeometry", "width": 1, "height": 1}
        self.cube["depth"] = 1

    def uuid(self, *path: str) -> str:
        """Gives the UUID of something in the scene, the same each time."""
        name = json.dumps([self.topology.name, *path])
        return str(uuid5(NAMESPACE_URL, f"visuai:{name}"))

    def material(self, name: str, colour: str, **options: Any) -> str:
        """Gives the UUID of a material, made on first use."""
        kind = options.pop("type", "MeshStandardMaterial")
        known = self.materials.setdefault(
            name,
            {
                "uuid": self.uuid("material", name),
                "type": kind,
                "name": name,
                "color": int(colour[1:], 16),
                **({"roughness": 0.65, "metalness": 0.0} if kind.startswith("Mesh") else {}),
                **options,
            },
        )
        return known["uuid"]

    def document(self) -> dict[str, Any]:
        """Gives the whole file."""
        root: dict[str, Any] = {
            "uuid": self.uuid("scene"),
            "type": "Scene",
            "name": plain(self.topology.name),
            "background": int(self.colours.ground[1:], 16),
            "userData": {"scope": "", "parameters": self.topology.num_parameters},
            "children": [*self.lights(), *self.scopes(), *self.instanced()],
        }
        edges, lines = self.edges()
        root["children"].append(edges)
        return {
            "metadata": {"version": 4.6, "type": "Object", "generator": "visuai"},
            "geometries": [self.cube, lines],
            "materials": list(self.materials.values()),
            "object": root,
        }

    def lights(self) -> list[dict[str, Any]]:
        """Light, and a camera that sees all of the scene."""
        height = self.layout.height * _SCALE
        width = self.layout.width * _SCALE
        away = max(height, width / 1.5) * 1.1 + 4
        return [
            {
                "uuid": self.uuid("sky"),
                "type": "HemisphereLight",
                "name": "sky",
                "color": 0xFFFFFF,
                "groundColor": 0x8899AA,
                "intensity": 2.0,
            },
            {
                "uuid": self.uuid("sun"),
                "type": "DirectionalLight",
                "name": "sun",
                "color": 0xFFFFFF,
                "intensity": 1.5,
                "matrix": _matrix((1, 1, 1), (-away / 3, away / 3, away)),
            },
            {
                "uuid": self.uuid("camera"),
                "type": "PerspectiveCamera",
                "name": "camera",
                "fov": 50,
                "aspect": 1.5,
                "near": 0.1,
                "far": away * 4,
                "matrix": _matrix((1, 1, 1), (0, 0, away)),
            },
        ]

    def scopes(self) -> list[dict[str, Any]]:
        """Groups for the open scopes, with the single nodes in them; those of the root."""
        children: dict[str, list[dict[str, Any]]] = {"": []}
        holder: dict[str, str] = {"": ""}  # scope to the group that its inner groups go to
        pending = list(reversed(self.tree.members[""]))
        while pending:
            is_scope, key = pending.pop()
            if not is_scope:
                if key in self.single:
                    children[self.tree.node_parent[key]].append(self.node(key))
                continue
            children[key] = []
            scope = self.topology.scopes[key]
            depth = self.tree.depth[key]
            colour = self.colours.scopes[(depth - 1) % len(self.colours.scopes)]
            repeat = self.drawing.repeats.get(key, 1)
            slab = {
                "uuid": self.uuid("slab", key),
                "type": "Mesh",
                "name": f"{plain(key)} slab",
                "geometry": self.cube["uuid"],
                "material": self.material(
                    f"scope {depth % len(self.colours.scopes)}", colour, roughness=0.95
                ),
                "matrix": self.place(self.layout.scopes[key], (depth - 1) * _STOREY, _SLAB),
                "userData": {"slab": key},
            }
            group: dict[str, Any] = {
                "uuid": self.uuid("scope", key),
                "type": "Group",
                "name": plain(key),
                "userData": {
                    "scope": key,
                    "type": scope.type,
                    "repeat": repeat,
                    "facts": scope_facts(scope, repeat),
                },
                "children": children[key],
            }
            children[key].append(slab)
            around = holder[self.tree.scope_parent[key]]
            holder[key] = key if depth < _DEEPEST else around
            children[around].append(group)
            pending.extend(reversed(self.tree.members[key]))
        return children[""]

    def node(self, key: str) -> dict[str, Any]:
        """One node as a mesh of its own."""
        category = self.single[key]
        return {
            "uuid": self.uuid("node", key),
            "type": "Mesh",
            "name": plain(key),
            "geometry": self.cube["uuid"],
            "material": self.material(category, self.colours.hues[category]),
            "matrix": self.node_matrix(key),
            "userData": self.data(key),
        }

    def instanced(self) -> list[dict[str, Any]]:
        """All nodes of a category as instances of one mesh."""
        return [
            {
                "uuid": self.uuid("nodes", category),
                "type": "InstancedMesh",
                "name": f"nodes {category}",
                "geometry": self.cube["uuid"],
                "material": self.material(category, self.colours.hues[category]),
                "count": len(keys),
                "instanceMatrix": {
                    "itemSize": 16,
                    "type": "Float32Array",
                    "array": [number for key in keys for number in self.node_matrix(key)],
                    "normalized": False,
                },
                # Its bounds are those of all instances, which the loader would have to compute.
                "frustumCulled": False,
                "userData": {"category": category, "nodes": [self.data(key) for key in keys]},
            }
            for category, keys in self.many.items()
        ]

    def data(self, key: str) -> dict[str, Any]:
        """What a viewer needs to know about a node."""
        node = self.topology.graph.nodes[key]
        repeat = self.drawing.repeats.get(key, 1)
        return {
            "node": key,
            "label": self.names[key].title,
            "detail": self.names[key].detail,
            "op": node["op"],
            "category": node["category"],
            "fqn": node["fqn"],
            "scope": self.tree.node_parent[key],
            "parameters": node["parameters"],
            "closed": bool(node.get("scope_node")),
            "repeat": repeat,
            "facts": node_facts(self.topology, key, repeat),
        }

    def node_matrix(self, key: str) -> list[float]:
        storey = self.tree.depth[self.tree.node_parent[key]]
        return self.place(self.layout.nodes[key], storey * _STOREY, _THICK)

    def place(self, box: Box, low: float, thick: float) -> list[float]:
        """Brings the unit cube to a box of the layout, standing at height ``low``."""
        x, y = self.world(box.x + box.width / 2, box.y + box.height / 2)
        return _matrix((box.width * _SCALE, box.height * _SCALE, thick), (x, y, low + thick / 2))

    def world(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.middle[0]) * _SCALE, (self.middle[1] - y) * _SCALE

    def edges(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """All edges as one object, and its geometry."""
        array: list[float] = []
        pieces: list[list[Any]] = []
        for wire in self.layout.wires:
            first = len(array) // 3
            # Half way up a node, above the slab of the scope that it comes from.
            height = self.tree.depth[self.tree.node_parent[wire.value[0]]] * _STOREY + _THICK / 2
            end = (
                self.tree.depth[self.tree.node_parent[wire.target]] * _STOREY + _THICK / 2
                if wire.target is not None
                else height
            )
            line = [self.world(x, y) for x, y in points(wire.path)]
            for index, ((x, y), (next_x, next_y)) in enumerate(pairwise(line)):
                start_share, end_share = index / (len(line) - 1), (index + 1) / (len(line) - 1)
                array += (x, y, height + (end - height) * start_share)
                array += (next_x, next_y, height + (end - height) * end_share)
            pieces.append([*wire.value, first, len(array) // 3 - 1])
        geometry = {
            "uuid": self.uuid("edges", "geometry"),
            "type": "BufferGeometry",
            "data": {
                "attributes": {
                    "position": {
                        "itemSize": 3,
                        "type": "Float32Array",
                        "array": [round(number, 4) for number in array],
                        "normalized": False,
                    }
                }
            },
        }
        lines = {
            "uuid": self.uuid("edges"),
            "type": "LineSegments",
            "name": "edges",
            "geometry": geometry["uuid"],
            "material": self.material("edge", self.colours.wire, type="LineBasicMaterial"),
            "userData": {
                "edges": [
                    [
                        source,
                        target,
                        data.get("source_output", 0),
                        data.get("target_input", 0),
                        data.get("shape"),
                        data.get("dtype"),
                    ]
                    for source, target, data in self.topology.graph.edges(data=True)
                ],
                "pieces": pieces,
            },
        }
        return lines, geometry


def _matrix(scale: tuple[float, float, float], at: tuple[float, float, float]) -> list[float]:
    """Gives scaling and then moving as 16 numbers, column by column."""
    (sx, sy, sz), (x, y, z) = scale, at
    numbers = [sx, 0, 0, 0, 0, sy, 0, 0, 0, 0, sz, 0, x, y, z, 1]
    return [round(number, 4) for number in numbers]
