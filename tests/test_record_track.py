"""What is kept of a run that grows is what reading it at once gives, in memory that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from visuai.record import schema, track
from visuai.record.columns import Columns, downsample
from visuai.record.compaction import pending, transpose
from visuai.record.run import Run
from visuai.record.scalars import Event
from visuai.record.series import STATISTICS
from visuai.record.statistics import Statistics
from visuai.record.store import Batch, Record, Store, create_run
from visuai.record.subject import Subject
from visuai.record.track import Tracks

NAMES = ("a", "b", "c")
RULED = ("mean", "mean_abs", "rms", "norm", "zero_share", "count", "low", "high")
MOST = 32


@pytest.fixture(autouse=True)
def few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track, "_MOST_COLUMNS", MOST)
    monkeypatch.setattr(track, "_FEWEST_COLUMNS", MOST)


def record(step: int, subjects: Sequence[int] = (0, 1, 2), broken: bool = False) -> Record:
    """Gives made-up statistics of the weight and the gradient of subjects."""
    noise = np.random.default_rng(step)
    rows = 2 * len(subjects)
    mean, spread = noise.normal(size=rows), noise.uniform(0.1, 1.0, size=rows)
    zeros = noise.integers(0, 3, size=rows)
    columns = Columns(
        first=np.full(rows, step),
        last=np.full(rows, step),
        records=np.ones(rows, dtype=np.int64),
        count=np.full(rows, 8),
        zeros=zeros,
        nonfinite=np.full(rows, int(broken)),
        total=(8 - broken) * mean,
        magnitude=(8 - broken) * np.abs(mean),
        square=(8 - broken) * (mean**2 + spread**2),
        minimum=mean - spread,
        maximum=mean + spread,
        low=int(noise.integers(200, 260)),
        bins=noise.integers(0, 17, size=(rows, 2, int(noise.integers(1, 9)))).astype(np.float32),
    )
    numbers = [schema.series_id(one, each) for one in subjects for each in ("weight", "gradient")]
    return Record(step, 1e9 + step, columns, np.array(numbers))


class Growing:
    """A run that is being recorded."""

    def __init__(self, folder: Path) -> None:
        self.path = create_run(folder, {"name": "made"})
        self.store = Store(self.path)
        subjects = enumerate(Subject(name, "parameter", shape=(8,)) for name in NAMES)
        self.store.write(Batch(subjects=tuple(subjects)))

    def write(self, *records: Record) -> None:
        for start in range(0, len(records), 64):
            self.store.write(Batch(records=records[start : start + 64]))
            if pending(self.store.connection) >= 64:
                with self.store.compacting() as connection:
                    transpose(connection)


@contextmanager
def growing(folder: Path) -> Iterator[tuple[Growing, Run]]:
    made = Growing(folder)
    try:
        with Run(made.path) as run:
            yield made, run
    finally:
        made.store.close()


def assert_same(kept: Statistics, fresh: Statistics, exactly: bool = True) -> None:
    assert np.array_equal(kept.first, fresh.first)
    assert np.array_equal(kept.last, fresh.last)
    assert list(kept) == list(fresh) == list(NAMES)
    close, near = (1e-12, 0.0) if exactly else (1e-4, 5e-3)
    for statistic in RULED:
        each, other = kept.of(NAMES, statistic), fresh.of(NAMES, statistic)
        np.testing.assert_allclose(each, other, close, near)
    for name in NAMES:
        one, other = kept[name], fresh[name]
        assert one.steps.tolist() == other.steps.tolist()
        for statistic in STATISTICS:
            values = getattr(one, statistic), getattr(other, statistic)
            np.testing.assert_allclose(*values, close, near)
    assert kept.nonfinite() == fresh.nonfinite()


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_grows_is_as_if_it_were_read_at_once(tmp_path: Path, seed: int) -> None:
    """Whatever was new each time, and wherever columns were merged and records packed."""
    chance = np.random.default_rng(seed)
    step = 0
    with growing(tmp_path) as (made, run):
        tracks = Tracks(run)
        while step < 1500:
            new = int(chance.choice([1, 2, 7, 63, 64, 65, 300]))
            made.write(*(record(2 * each) for each in range(step, step + new)))
            step += new
            with run.snapshot():
                for quantity in ("weight", "gradient"):
                    kept, fresh = tracks.of(quantity), Tracks(run).of(quantity)
                    # A chunk of merged records is rounded as all that is in the file.
                    assert_same(kept, fresh, exactly=step < 16 * MOST)
                    assert MOST // 2 <= len(kept.first) <= MOST or len(kept.first) == step
                    assert kept.last[-1] == 2 * (step - 1)


def test_columns_hold_the_records_of_their_steps(tmp_path: Path) -> None:
    with growing(tmp_path) as (made, run):
        made.write(*map(record, range(100)))
        with run.snapshot():
            seen = Tracks(run).of("gradient")
            whole = run.series("b", "gradient")
            assert seen.first.tolist() == list(range(0, 100, 4))
            assert seen.last.tolist() == list(range(3, 100, 4))
            for column, first in enumerate(seen.first):
                inside = slice(first, seen.last[column] + 1)
                assert seen["b"].sum[column] == pytest.approx(whole.sum[inside].sum())
                assert seen["b"].max[column] == whole.max[inside].max()
                mean_square = whole.square_sum[inside].sum() / 32
                assert seen.row("b", "rms")[column] == pytest.approx(mean_square**0.5)
        assert seen.row("nobody", "rms").shape == (25,)
        assert np.isnan(seen.row("nobody", "rms")).all()


def test_more_of_a_step_that_was_read_before(tmp_path: Path) -> None:
    """Two optimizers: the part of the second comes later, also where columns are merged."""
    with growing(tmp_path) as (made, run):
        tracks = Tracks(run)
        for step in range(70):
            for part in ((0, 1), (2,)):
                made.write(record(step, part))
                with run.snapshot():
                    kept, fresh = tracks.of("weight"), Tracks(run).of("weight")
                    for name in NAMES:
                        assert kept[name].records.tolist() == fresh[name].records.tolist()
                        assert kept[name].sum.tolist() == pytest.approx(fresh[name].sum.tolist())


def test_what_was_taken_back_is_forgotten(tmp_path: Path) -> None:
    with growing(tmp_path) as (made, run):
        tracks = Tracks(run)
        made.write(*map(record, range(100)))
        assert tracks.of("weight").last[-1] == 99
        made.store.rewind(50)
        made.store.write(Batch(events=(Event(50, 1e9, "resume", ""),)))
        made.write(*(record(step, (0,)) for step in range(50, 120)))
        with run.snapshot():
            kept = tracks.of("weight")
            assert_same(kept, Tracks(run).of("weight"))
            assert kept["a"].records.sum() == 120
            assert kept["b"].records.sum() == 50


def test_numbers_that_are_not_finite_are_found_and_left_out(tmp_path: Path) -> None:
    with growing(tmp_path) as (made, run):
        tracks = Tracks(run)
        for step in range(90):
            made.write(record(step, broken=step in (50, 51, 80)))
            tracks.of("weight")
        with run.snapshot():
            kept = tracks.of("weight")
            assert kept.nonfinite() == dict.fromkeys(NAMES, (48, 51))
            unknown = np.isnan(kept.row("a", "rms"))
            assert kept.first[unknown].tolist() == [48, 80]


def test_a_long_run_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """What is merged stays where it is."""
    with growing(tmp_path) as (made, run):
        tracks = Tracks(run)
        made.write(*map(record, range(40)))
        before = tracks.of("weight")
        for start in range(40, 1000, 20):
            made.write(*map(record, range(start, start + 20)))
            with run.snapshot():
                seen = tracks.of("weight")
                assert np.shares_memory(seen.first, before.first)
                assert seen.last[-1] == start + 19


def test_histograms_of_recent_records_are_those_of_packed_ones(tmp_path: Path) -> None:
    with growing(tmp_path) as (made, run):
        made.write(*map(record, range(60)))
        recent = {name: run.series(name, "weight").columns for name in NAMES}
        at = run.at(30, "gradient")["b"].columns
        made.store.pack()
        for name, before in recent.items():
            after = run.series(name, "weight").columns
            assert before.low == after.low
            assert np.array_equal(before.bins, after.bins)
            assert before.total.tolist() == after.total.tolist()
        low, width = at.low, at.bins.shape[2]
        whole = run.series("b", "gradient").columns
        assert np.array_equal(whole.bins[30, :, low - whole.low :][:, :width], at.bins[0])
        assert whole.bins[30].sum() == at.bins.sum() > 0


@pytest.mark.parametrize("columns", [1, 7, 64, 199, 200, 201])
def test_merging_chunk_by_chunk_is_merging_at_once(tmp_path: Path, columns: int) -> None:
    with growing(tmp_path) as (made, run):
        made.write(*map(record, range(200)))
        at_once = downsample(run.series("a", "weight").columns, columns)
        parted = run.series("a", "weight", columns=columns).columns
        assert parted.first.tolist() == at_once.first.tolist()
        assert parted.last.tolist() == at_once.last.tolist()
        np.testing.assert_allclose(parted.total, at_once.total)
        assert parted.low == at_once.low
        np.testing.assert_allclose(parted.bins, at_once.bins, rtol=1e-5)
        some = run.series("a", "weight", start=13, stop=177, columns=columns)
        assert (some.steps[0], some.last_steps[-1], some.records.sum()) == (13, 176, 164)
