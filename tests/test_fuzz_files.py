"""Mutated model files: always a VisuaiError or a valid result, never anything else."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from visuai.capture.files import open_model
from visuai.capture.onnx import from_model_proto
from visuai.errors import VisuaiError
from visuai.ir import validate
from visuai.passes.base import Context
from visuai.passes.to_dict import ToDict
from visuai.program import Program

CASES = 150


def read(content: bytes) -> bool:
    """Reads a file as far as the IR; tells whether that went well."""
    try:
        model = open_model(io.BytesIO(content))
        program = model if isinstance(model, Program) else from_model_proto(model)
        validate(ToDict().run(program, Context()))
    except VisuaiError:
        return False
    return True


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)).eval()
    folder = tmp_path_factory.mktemp("fuzz")
    exported = torch.export.export(model, (torch.ones(2, 4),))
    torch.export.save(exported, folder / "net.pt2")
    program: Any = torch.onnx.export(exported, (), dynamo=True, verbose=False)
    program.save(folder / "net.onnx")
    return {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}


def mutated(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    kind = dice.randrange(4)
    if kind == 0:
        return bytes(data[: dice.randrange(len(data))])
    if kind == 1:
        for _ in range(dice.randint(1, 20)):
            data[dice.randrange(len(data))] = dice.randrange(256)
    elif kind == 2:
        start = dice.randrange(len(data))
        del data[start : start + dice.randint(1, 200)]
    else:
        start = dice.randrange(len(data))
        data[start:start] = data[: dice.randint(1, 200)]
    return bytes(data)


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_mutated_bytes(files: dict[str, bytes], suffix: str) -> None:
    assert read(files[suffix])
    dice = random.Random(suffix)
    results = [read(mutated(files[suffix], dice)) for _ in range(CASES)]
    assert not all(results)


def entries_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return target.getvalue()


ODD: list[Any] = [None, -1, 1 << 70, "", "<script>", [], {}, True, 1.5, [[]], {"as_tensor": {}}]


def places(document: Any) -> list[tuple[Any, Any]]:
    """Lists every (container, key) of a JSON document."""
    found: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        value = stack.pop()
        keys: Any = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            found.append((value, key))
            if isinstance(value[key], (dict, list)):
                stack.append(value[key])
    return found


def test_graphs_of_another_shape(files: dict[str, bytes]) -> None:
    """The archive is whole, its graph is JSON, but one value in it is not what it should be."""
    entries = entries_of(files[".pt2"])
    (name,) = [entry for entry in entries if entry.endswith("models/model.json")]
    dice = random.Random(0)
    for _ in range(2 * CASES):
        document = json.loads(entries[name])
        for _ in range(dice.randint(1, 3)):
            container, key = dice.choice(places(document))
            if dice.random() < 0.3:
                del container[key]
            else:
                container[key] = dice.choice(ODD)
        read(archive_of({**entries, name: json.dumps(document).encode()}))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\x08\x08\x3a", b"\x80\x02"]))
def test_any_bytes(tail: bytes, head: bytes) -> None:
    read(head + tail)
