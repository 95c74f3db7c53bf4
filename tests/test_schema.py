"""`docs/ir.schema.json` says what `IR.to_dict` gives: on real networks, after each pass."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import torch
from torch import nn

import visuai
from visuai import ir as data
from visuai.ops import CATEGORIES

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "ir.schema.json").read_text("utf-8"))


class Reuse(nn.Module):
    """Reused modules, parallel edges, a bare parameter, a constant, several outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("offset", torch.zeros(4))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        h = self.block(self.block(x)) * self.scale + self.offset
        return h * h, {"norm": h.norm(), "half": h.chunk(2, -1)[0]}


def networks() -> dict[str, tuple[Any, Any]]:
    from torchvision.models import resnet18

    return {
        "resnet18": (resnet18(weights=None).eval(), torch.zeros(1, 3, 32, 32)),
        "reuse": (Reuse(), torch.zeros(2, 4)),
        "without_inputs": (nn.Sequential(nn.Linear(4, 2)), None),
    }


@pytest.mark.parametrize("name", ["resnet18", "reuse", "without_inputs"])
def test_real_irs_are_valid_after_each_pass(name: str) -> None:
    model, x = networks()[name]
    documents: dict[str, Any] = {}

    def keep(step: visuai.Pass[Any, Any], value: Any) -> None:
        if isinstance(value, data.IR):
            documents[step.name] = copy.deepcopy(value.to_dict())

    visuai.build(model, x, after=keep)
    assert len(documents) >= 3
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for document in documents.values():
        # As it is in a file: tuples are lists there.
        read = json.loads(json.dumps(document))
        validator.validate(read)
        assert data.IR.from_dict(read).to_dict() == document


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == data.SCHEMA


@pytest.mark.parametrize(
    ("definition", "typed"),
    [
        ("node", data.Node),
        ("edge", data.Edge),
        ("module", data.Module),
        ("parameter", data.Parameter),
        ("spec", data.TensorSpec),
    ],
)
def test_the_schema_has_the_keys_of_the_types(definition: str, typed: Any) -> None:
    described = SCHEMA["$defs"][definition]
    assert set(described["properties"]) == set(typed.__annotations__)
    assert set(described["required"]) == set(typed.__required_keys__)


def test_the_schema_has_the_kinds_and_categories() -> None:
    node = SCHEMA["$defs"]["node"]["properties"]
    assert node["op_kind"]["enum"] == list(get_args(data.OpKind))
    assert node["category"]["enum"] == list(CATEGORIES)


def test_a_damaged_document_is_not_valid() -> None:
    document = {"schema": data.SCHEMA, "name": "x"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
