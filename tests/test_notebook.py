"""The viewer in a notebook: a real kernel runs a notebook, and its messages are looked at."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from rendering import residual
from serving import PLACEHOLDER, built_viewer

from visuai import viewer
from visuai.errors import VisuaiError
from visuai.wire import packed, wire

__all__ = ["built_viewer"]

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def executed(cells: list[str], folder: Path, first: str = "") -> Any:
    """Runs cells in a kernel; the notebook has their outputs and the state of its widgets."""
    start = (
        "import pathlib, visuai\nfrom visuai import viewer\n"
        f"viewer.FOLDER = pathlib.Path({str(folder)!r})\n{first}"
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in (start, *cells)]
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Frozen modules only concern the debugger, which would warn of them.
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    residual().save(tmp_path / "net.json.gz")
    return tmp_path / "net.json.gz"


def held_state(notebook: Any, bundle: dict[str, Any]) -> dict[str, Any]:
    """Gives what the kernel sent about a widget, its bytes put back in."""
    model = notebook.metadata.widgets[STATE]["state"][bundle[VIEW]["model_id"]]
    state = dict(model["state"])
    for buffer in model.get("buffers", []):
        state[buffer["path"][0]] = base64.b64decode(buffer["data"])
    return {**state, "module": model["model_module"]}


def test_the_last_line_of_a_cell_shows_the_viewer(saved: Path, built_viewer: Path) -> None:
    load = f"topology = visuai.Topology.load({str(saved)!r})"
    notebook = executed([load, "topology"], built_viewer)
    (output,) = notebook.cells[2].outputs
    bundle = output["data"]
    assert {VIEW, "image/svg+xml", "text/plain"} <= bundle.keys()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "Residuals" in bundle["text/plain"]
    state = held_state(notebook, bundle)
    assert state["module"] == "anywidget"
    assert state["_esm"] == PLACEHOLDER
    assert state["_css"] == viewer.read(viewer.STYLE).decode()
    assert (state["height"], state["theme"]) == (600, "auto")
    assert json.loads(gzip.decompress(state["wire"])) == json.loads(json.dumps(wire(residual())))


def test_show_and_widget(saved: Path, built_viewer: Path) -> None:
    load = f"topology = visuai.Topology.load({str(saved)!r})"
    cells = [load, "topology.show(); 1", "topology.widget(topology, height=300, theme='dark')"]
    notebook = executed(cells, built_viewer)
    shown, one = notebook.cells[2].outputs
    assert VIEW in shown["data"]
    assert one["data"]["text/plain"] == "1", "show gives no server in a notebook"
    state = held_state(notebook, notebook.cells[3].outputs[0]["data"])
    assert (state["height"], state["theme"]) == (300, "dark")
    assert json.loads(gzip.decompress(state["wire"]))["diff"] is not None


def test_without_anywidget_there_is_a_picture(saved: Path, built_viewer: Path) -> None:
    hide = "import sys; sys.modules['anywidget'] = None"
    cells = [
        f"topology = visuai.Topology.load({str(saved)!r})",
        "topology",
        "try:\n    topology.widget()\nexcept visuai.VisuaiError as error:\n    print(error)",
    ]
    notebook = executed(cells, built_viewer, hide)
    assert set(notebook.cells[2].outputs[0]["data"]) == {"image/svg+xml", "text/plain"}
    assert "visuai[notebook]" in notebook.cells[3].outputs[0]["text"]


def test_without_a_built_viewer_there_is_a_picture(saved: Path, tmp_path: Path) -> None:
    notebook = executed([f"visuai.Topology.load({str(saved)!r})"], tmp_path)
    assert set(notebook.cells[1].outputs[0]["data"]) == {"image/svg+xml", "text/plain"}


def test_outside_of_a_notebook_there_is_a_picture() -> None:
    assert set(residual()._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}
    assert residual()._display_()._mime_()[0] == "image/svg+xml"


@pytest.mark.usefixtures("built_viewer")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client")
class TestWidget:
    def test_holds_what_is_shown(self) -> None:
        made = residual().widget(residual(4), height=200)
        assert made.wire == packed(wire(residual(), residual(4)))
        assert made.height == 200
        made.close()

    @pytest.mark.parametrize("options", [{"height": 5}, {"height": "tall"}, {"theme": "pink"}])
    def test_wrong_options_are_told(self, options: dict[str, Any]) -> None:
        with pytest.raises(VisuaiError, match=next(iter(options))):
            residual().widget(**options)
