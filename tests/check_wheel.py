"""Builds the wheel, installs it into an empty environment, and builds a topology there.

Run by ``make wheel``. The empty environment gets the oldest torch that is convenient to
install (``WHEEL_TORCH``), so that not only the newest is tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TORCH = os.environ.get("WHEEL_TORCH", "torch==2.13.0")

TRIAL = """
import pathlib, torch, visuai
assert "site-packages" in visuai.__file__, visuai.__file__
model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten())
topology = visuai.build(model, torch.zeros(1, 3, 8, 8))
assert list(topology.graph) == ["input", "0", "1", "2", "output"], list(topology.graph)
for name in ("html", "pyvis", "threejs", "svg", "dot", "mermaid", "text", "model-explorer"):
    assert len(topology.render(name)) > 100, name
topology.save("net.json.gz")
assert visuai.Topology.load("net.json.gz").num_parameters == 224
print("wheel works with torch", torch.__version__)
"""


def run(*command: str | Path, cwd: Path) -> None:
    print("+", *map(str, command[:6]), flush=True)
    subprocess.run([str(each) for each in command], cwd=cwd, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run(sys.executable, "-m", "build", "--outdir", place, ROOT, cwd=place)
        (wheel,) = place.glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        for name in ("py.typed", "static/viewer.js", "static/viewer.css", "viewer_licences.txt"):
            assert f"visuai/{name}" in names, f"the wheel lacks {name}"
        other = ("tests/", "docs/", "benchmarks/", "frontend/")
        assert not [name for name in names if name.startswith(other)]
        venv.create(place / "empty", with_pip=True)
        python = place / "empty" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", TORCH, wheel, cwd=place)
        run(python, "-c", TRIAL, cwd=place)
        run(place / "empty" / "bin" / "visuai", "--version", cwd=place)
        run(place / "empty" / "bin" / "visuai", "summary", "net.json.gz", cwd=place)
        run(place / "empty" / "bin" / "visuai", "build", "net.json.gz", "-o", "x.html", cwd=place)
        run(python, "-c", "import visuai.serve", cwd=place)


if __name__ == "__main__":
    main()
