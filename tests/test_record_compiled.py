"""The compiled kernel: it gives what numpy gives, and where it cannot be had nothing is amiss."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from measuring import with_numba, without_numba
from recording import one_thread  # noqa: F401
from torch import nn

import visuai
from visuai.record import compiled
from visuai.record.bins import SAMPLE
from visuai.record.measure import measure
from visuai.record.measured import Measured

SIZES = (0, 1, 3, 16, 1023, 1024, 1025, 3000, SAMPLE - 1, SAMPLE, SAMPLE + 1, 40_001, 300_007)
KINDS = ("normal", "bits", "holes", "rare", "constant", "nothing")
SCALES = (1.0, 1e-3, 1e-12, 1e-20, 1e-40, 1e15, 1e25)
ODD = (0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1e-45, -1e-45, 1.2e-38, 3.4e38, -3.4e38, 1.0)


def numbers(kind: str, size: int, scale: float, seed: int) -> torch.Tensor:
    """Gives numbers of some kind, any of which a training may come to."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(size).astype(np.float32) * np.float32(scale)
    if kind == "bits":
        values = generator.integers(0, 2**32, size, dtype=np.uint32).view(np.float32)
    elif kind == "holes":
        values = generator.choice(np.array(ODD, dtype=np.float32), size)
    elif kind == "rare" and size:
        places = generator.integers(0, size, 3)
        values[places] = generator.choice(np.array(ODD, dtype=np.float32), 3)
    elif kind == "constant":
        values = np.full(size, scale, dtype=np.float32)
    elif kind == "nothing":
        values = np.full(size, generator.choice([0.0, np.nan]), dtype=np.float32)
    return torch.from_numpy(values)


DRAWN = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(SIZES),
    st.sampled_from(SCALES),
    st.integers(0, 2**32 - 1),
)


def assert_same(one: Measured, other: Measured) -> None:
    """Compares all that is measured: sums to rounding, everything else exactly."""
    assert (one.count == other.count).all()
    assert (one.zeros == other.zeros).all()
    assert (one.nonfinite == other.nonfinite).all()
    assert (one.bins == other.bins).all()
    assert np.array_equal(one.moments[3:], other.moments[3:], equal_nan=True)
    magnitude = other.moments[1]
    assert (np.abs(one.moments[0] - other.moments[0]) <= 1e-5 * magnitude).all()
    assert np.allclose(one.moments[1:3], other.moments[1:3], rtol=1e-5, atol=0)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value):RuntimeWarning")
@pytest.mark.parametrize("way", ["plain", "copied", "difference", "scaled"])
@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(DRAWN, min_size=1, max_size=4))
def test_the_kernel_agrees_with_numpy(way: str, drawn: list[tuple[str, int, float, int]]) -> None:
    tensors = [numbers(*each) for each in drawn]
    factor = 2.0**-16 / 3 if way == "scaled" else 1.0
    minus = None
    if way == "difference":
        minus = [
            numbers(kind, size, scale * 0.9, seed + 1) if seed % 3 else tensor * 0.999
            for tensor, (kind, size, scale, seed) in zip(tensors, drawn, strict=True)
        ]
    results: list[Measured] = []
    copies: list[list[torch.Tensor]] = []
    for how in (with_numba, without_numba):
        copies.append([torch.full_like(tensor, 7) for tensor in tensors])
        with how():
            keep = copies[-1] if way == "copied" else None
            results.append(measure(tensors, minus=minus, keep=keep, factor=factor))
    assert_same(*results)
    if way == "copied":
        for copy, tensor in zip(copies[0], tensors, strict=True):
            assert torch.equal(copy.view(torch.int32), tensor.view(torch.int32))


def test_what_is_not_for_the_kernel_goes_the_other_way() -> None:
    """Of several tensors the kernel takes its own; each result is in its place."""
    single = torch.randn(3000)
    tensors = [
        single,
        torch.randn(50_000, dtype=torch.float64),
        torch.randn(70, dtype=torch.bfloat16),
        single[5:2000],
        torch.randn(0),
        torch.randn(40_000, dtype=torch.float16),
        nn.Parameter(torch.randn(20_000)).detach(),
        nn.Buffer(torch.randn(20)),
    ]
    keep = [None if index % 2 else torch.empty_like(each) for index, each in enumerate(tensors)]
    results: list[Measured] = []
    for how in (with_numba, without_numba):
        with how():
            results.append(measure(tensors, keep=keep, factor=0.5))
    assert_same(*results)
    for tensor, copy in zip(tensors, keep, strict=True):
        assert copy is None or torch.equal(tensor, copy)


def test_nothing_to_measure() -> None:
    with with_numba():
        assert measure([]).moments.shape == (5, 0)


def test_memory_is_never_read_past_its_end() -> None:
    """A smaller tensor to subtract is an error, as it is without the kernel."""
    with with_numba(), pytest.raises(RuntimeError, match="size"):
        measure([torch.zeros(50_000)], minus=[torch.zeros(20_000)])
    freed = torch.zeros(50_000)
    view = freed[100:]
    freed.untyped_storage().resize_(0)
    with with_numba(), pytest.raises(RuntimeError):
        measure([view])


def test_a_training_is_the_same_and_its_record_says_how_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "_tried", False)
    monkeypatch.setattr(compiled, "_kernel", None)
    weights: list[torch.Tensor] = []
    for recorded in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(1000, 1000), nn.ReLU(), nn.Dropout(), nn.Linear(1000, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        visu = visuai.Visu(model, logdir=tmp_path, name="wide", every=1) if recorded else None
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(8, 1000)).square().mean().backward()
            optimizer.step()
        if visu is not None:
            visu.close()
        weights.append(model[0].weight.detach())
    assert torch.equal(*weights)
    with visuai.open_run(tmp_path) as run:
        assert [event.detail for event in run.events if event.kind == "start"] == [
            "at step 0, measured by numba"
        ]
        update = run.series("0.weight", "update")
        assert update.steps.tolist() == [0, 1, 2, 3]
        assert (update.norm > 0).all()


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


RECORD = """
import sys, torch
from visuai.record.compiled import prepare
from visuai.record.measure import measure
values = torch.linspace(-1, 3, 1_000_001)
print(prepare([values]), prepare([values]), round(measure([values]).moments[0, 0] / 1e6, 3))
"""


BREAKAGES = (
    "raise ImportError('Numba needs NumPy 1.26 or less')",
    "raise SystemError('initialization failed')",
    "import warnings; warnings.warn('of no use here')",
    "carray = njit = types = None",
)


def test_a_numba_that_does_not_work_is_done_without(tmp_path: Path) -> None:
    package = tmp_path / "numba"
    package.mkdir()
    (package / "extending.py").write_text("def intrinsic(do): return do")
    code = f"""
import sys
from pathlib import Path
from visuai.record.compiled import load
package = Path({str(package)!r})
for breakage in {BREAKAGES!r}:
    (package / "__init__.py").write_text(breakage)
    assert load() is None, breakage
assert Path(sys.modules["numba"].__file__).parent == package
{RECORD}"""
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    assert run_python(code, PYTHONPATH=path) == "numpy numpy 1.0\n"


def test_a_kernel_that_gives_nothing_is_not_used() -> None:
    assert not compiled._works(lambda *arrays: None)


def test_a_numba_that_is_told_not_to_compile_is_done_without() -> None:
    pytest.importorskip("numba")
    assert run_python(RECORD, NUMBA_DISABLE_JIT="1") == "numpy numpy 1.0\n"


def test_what_was_kept_of_the_kernel_may_be_damaged_or_not_be_kept_at_all(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    cache = tmp_path / "cache"
    assert run_python(RECORD, NUMBA_CACHE_DIR=str(cache)) == "numba numba 1.0\n"
    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert kept, "it is there for the next process"
    for path in kept:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert run_python(RECORD, NUMBA_CACHE_DIR=str(cache)) == "numba numba 1.0\n"
    shutil.rmtree(cache)
    cache.write_text("a file where the folder should be")
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    assert run_python(RECORD, NUMBA_CACHE_DIR=str(cache), **nowhere) == "numba numba 1.0\n"


def test_loading_the_kernel_touches_nothing_else() -> None:
    pytest.importorskip("numba")
    code = """
import os, random, sys, numpy as np, torch, visuai
from visuai.record.compiled import prepare
from visuai.record.measure import measure
assert "numba" not in sys.modules
small = torch.nn.Linear(30, 30)
assert prepare(small.parameters()) == "numpy"
assert "numba" not in sys.modules
try:
    import scipy.linalg  # Numba asks it for its BLAS, which has threads of its own.
except ImportError:
    pass
torch.set_num_threads(2)
tensors = [torch.randn(300_000) for _ in range(4)]
torch.stack(tensors).sum()
def state():
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
    own = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    return own, threads, torch.get_num_threads(), np.geterr(), dict(os.environ)
before = state()
assert prepare(tensors) == "numba"
measure(tensors)
assert before == state()
from numba.np.ufunc import parallel
assert not parallel._is_initialized
"""
    run_python(code)


class Unwilling(torch.Tensor):
    """A tensor that does not tell its size."""

    def numel(self) -> int:
        raise NotImplementedError


def test_parameters_that_do_not_tell_their_size_stop_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled, "_tried", False)
    monkeypatch.setattr(compiled, "_kernel", None)
    assert compiled.prepare([torch.zeros(3).as_subclass(Unwilling)]) == "numpy"


def test_parameters_elsewhere_or_not_there_yet_are_not_measured_here() -> None:
    lazy = nn.LazyLinear(3).weight
    far = torch.empty(10**9, device="meta")
    assert compiled._elements_here(lazy) == compiled._elements_here(far) == 0
