"""`import visuai` and `visuai --help` are light: they load none of the large libraries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    *("torch", "onnx", "onnxscript", "networkx", "pyvis", "numpy", "rich", "transformers"),
    *("starlette", "uvicorn", "anywidget"),
)


def loaded_after(code: str) -> set[str]:
    """Runs code in a fresh interpreter, and tells which top-level modules it has loaded."""
    probe = (
        f"{code}\nimport json, sys\nprint(json.dumps([n.partition('.')[0] for n in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import visuai",
        "import visuai; visuai.VisuaiError; visuai.__version__; dir(visuai)",
        "from visuai.cli import main; main(['--help'])",
        "from visuai.cli import main; main(['build', '--help'])",
        "from visuai.cli import main; main(['view', '--help']); main(['serve', '--help'])",
        "import visuai.ir, visuai.ops, visuai.plugins, visuai.report, visuai.program",
    ],
)
def test_loads_nothing_heavy(code: str) -> None:
    assert loaded_after(code).isdisjoint(HEAVY)


def test_a_saved_topology_loads_without_torch(tmp_path) -> None:
    path = tmp_path / "net.json.gz"
    code = (
        "import torch, visuai\n"
        "visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))"
        f".save({str(path)!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    loaded = loaded_after(f"import visuai; visuai.Topology.load({str(path)!r}).render('text')")
    assert loaded.isdisjoint({"torch", "onnx", "pyvis"})


def test_the_server_needs_no_torch() -> None:
    loaded = loaded_after("import visuai.serve, visuai.render.html")
    assert "starlette" in loaded
    assert loaded.isdisjoint({"torch", "onnx", "pyvis", "anywidget", "IPython"})


def test_unknown_name_raises_attribute_error() -> None:
    import visuai

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        visuai.nothing


def test_submodules_do_not_shadow_the_public_names() -> None:
    code = (
        "import visuai, visuai.metrics, visuai.analysis.diff, visuai.passes.base\n"
        "from visuai import *\n"
        "assert callable(visuai.build) and callable(visuai.diff) and build is visuai.build"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
