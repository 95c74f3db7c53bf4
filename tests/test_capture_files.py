"""Model files: told apart by content, read without unpickling, refused with a reason."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

import visuai
from visuai.capture.export import from_exported_program
from visuai.capture.files import open_model
from visuai.capture.pt2_size import readable
from visuai.errors import FormatError
from visuai.program import Program


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.head = nn.Linear(4, 4)
        self.head.weight = self.lin.weight
        self.bn = nn.BatchNorm1d(4)

    def forward(self, x: Any, extra: Any) -> Any:
        with torch.no_grad():
            y = self.lin(x)
        return self.head(self.bn(self.lin(y)))[:, 1:] + extra["pair"][0].sum(), extra["pair"][1]


def exported() -> Any:
    x = torch.ones(3, 4)
    return torch.export.export(Net(), (x, {"pair": (x + 1, x + 2)}))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "net.pt2"
    torch.export.save(exported(), path)
    return path


def written(program: Program) -> list[Any]:
    """Gives all that a program says, as text."""
    return [
        (
            node.op,
            str(node.target),
            node.meta["site"],
            node.meta.get("value"),
            node.meta.get("source"),
            len(node.all_input_nodes),
        )
        for node in program.graph.nodes  # type: ignore[union-attr]
    ]


def test_pt2_is_read_as_torch_reads_it(saved: Path) -> None:
    read = open_model(saved)
    assert isinstance(read, Program)
    expected = from_exported_program(torch.export.load(saved))
    assert written(read) == written(expected)
    assert read.modules == expected.modules
    assert read.parameters == expected.parameters
    assert read.calls == expected.calls


def test_content_decides_and_not_the_suffix(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(saved.read_bytes())
    assert isinstance(open_model(path), Program)
    stream = io.BytesIO(saved.read_bytes())
    stream.seek(17)
    assert isinstance(open_model(stream), Program)
    assert not stream.closed


def test_topology_of_a_file_is_that_of_the_program(saved: Path) -> None:
    from_file, in_memory = visuai.build(saved), visuai.build(torch.export.load(saved))
    assert list(from_file.graph) == list(in_memory.graph)
    assert set(from_file.graph.edges()) == set(in_memory.graph.edges())


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_no_pickle_in_an_archive_is_opened(saved: Path, tmp_path: Path) -> None:
    """Weights, constants and sample inputs are all replaced by a bomb, which must not go off."""
    burst = tmp_path / "burst"
    bomb = pickle.dumps(Bomb(burst))
    armed = tmp_path / "armed.pt2"
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(armed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("_config.json"):
                data = data.replace(b'"use_pickle": false', b'"use_pickle": true')
            elif "/data/" in name:
                data = bomb
            new.writestr(name, data)
    assert isinstance(open_model(armed), Program)
    assert not burst.exists()
    with pytest.raises(Exception):  # noqa: B017, PT011 - proves that the bomb is a live one
        torch.export.load(armed)
    assert burst.exists()


def test_symbolic_sizes_are_text_and_never_evaluated() -> None:
    assert readable("Symbol('s0', positive=True, integer=True)") == "s0"
    assert readable("__import__('os').system('true')") == "__import__('os').system('true')"


def rewritten(saved: Path, change: Any) -> io.BytesIO:
    """Gives the archive with its graph changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("models/model.json"):
                document = json.loads(data)
                change(document)
                data = json.dumps(document).encode()
            new.writestr(name, data)
    return target


def graph_of(document: Any) -> Any:
    return document["graph_module"]["graph"]


def reads_itself(document: Any) -> None:
    first = next(node for node in graph_of(document)["nodes"] if "linear" in node["target"])
    first["inputs"][0]["arg"] = {"as_tensor": {"name": first["outputs"][0]["as_tensor"]["name"]}}


def huge_size(document: Any) -> None:
    next(iter(graph_of(document)["tensor_values"].values()))["sizes"] = [{"as_int": 1 << 80}]


@pytest.mark.parametrize("change", [reads_itself, huge_size, lambda d: d.clear()])
def test_damaged_graphs_are_refused(saved: Path, change: Any) -> None:
    with pytest.raises(FormatError, match="holds a graph that"):
        open_model(rewritten(saved, change))


def test_unknown_ops_are_known_by_name(saved: Path) -> None:
    def rename(document: Any) -> None:
        for node in graph_of(document)["nodes"]:
            if node["target"] == "torch.ops.aten.batch_norm.default":
                node["target"] = "torch.ops.os.system.default"

    program = open_model(rewritten(saved, rename))
    assert isinstance(program, Program)
    targets = [node.target for node in program.graph.nodes]  # type: ignore[union-attr]
    (opaque,) = [t for t in targets if getattr(t, "__name__", "") == "system"]
    with pytest.raises(TypeError, match="only known by name"):
        opaque()


def test_zip_bomb_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/models/model.json", b" " * 80_000_000)
    with pytest.raises(FormatError, match="inflates"):
        open_model(target)


def test_deeply_nested_json_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("net/models/model.json", "[" * 200_000)
    with pytest.raises(FormatError):
        open_model(target)


def as_zip(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"hello, world", "neither ONNX nor"),
        (b"<html><body>404</body></html>", "neither ONNX nor"),
        (pickle.dumps({"a": 1}), "is a pickle"),
        (as_zip("net/data.pkl", "net/data/0"), "written by torch.save"),
        (as_zip("net/data.pkl", "net/code/__torch__.py"), "TorchScript archive"),
        (as_zip("readme.txt"), "without an exported graph"),
        (as_zip("net/models/model.json"), "damaged archive"),
        (onnx.ModelProto(ir_version=8).SerializeToString(), "holds no ONNX graph"),
    ],
)
def test_other_files_are_refused_with_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "net.bin"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=reason) as caught:
        visuai.build(path)
    assert str(path) in str(caught.value)


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="Check the path"):
        open_model(tmp_path / "absent.onnx")
    with pytest.raises(FormatError):
        open_model(tmp_path)
    with pytest.raises(FormatError, match="binary mode"):
        open_model(io.StringIO("text"))  # type: ignore[arg-type]
