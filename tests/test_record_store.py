"""The run's file: crashes, full disks, locks, two writers, resumed runs, and strangers' files."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import zlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recording import one_thread
from torch import nn

import visuai
from visuai import Visu
from visuai.errors import FormatError, VisuaiError
from visuai.record import schema
from visuai.record.codec import decode, encode
from visuai.record.columns import Columns
from visuai.record.compaction import pending, transpose
from visuai.record.filesystem import is_network
from visuai.record.folder import find_runs
from visuai.record.measure import measure
from visuai.record.store import Batch, LostOwnership, Record, Store, create_run

__all__ = ["one_thread"]


def train(visu: Visu, model: nn.Module, steps: int, *, flush: bool = False) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).square().sum().backward()
        optimizer.step()
        visu.scalar("loss", 1.0)
        if flush:
            visu.flush()


def record(step: int, series: int = 3) -> Record:
    """Gives a record in which every number follows from the step."""
    tensors = [torch.full((8,), float(step + row + 1)) for row in range(series)]
    return Record(step, 1e9 + step, measure(tensors).columns(step), np.arange(series))


def filled(folder: Path, steps: int, series: int = 3) -> Path:
    """Makes a run with so many steps, packed into chunks as far as they go."""
    path = create_run(folder, {"name": "made"})
    store = Store(path)
    subjects = tuple(
        (number, visuai.record.subject.Subject(f"p{number}", "parameter", shape=(8,)))
        for number in range(series)
    )
    store.write(Batch(subjects=subjects))
    for start in range(0, steps, 64):
        store.write(
            Batch(
                records=tuple(record(step, series) for step in range(start, min(start + 64, steps)))
            )
        )
        if pending(store.connection) >= 64:
            with store.compacting() as connection:
                transpose(connection)
    store.close()
    return path


KILLED = textwrap.dedent(
    """
    import sys, torch, visuai
    torch.set_num_threads(1)
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    visu = visuai.Visu(model, logdir=sys.argv[1], name="model", every=1)
    while True:
        optimizer.zero_grad()
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        visu.flush()
        print(visu.path, flush=True)
    """
)


@pytest.mark.parametrize("acknowledged", [1, 3, 63, 64, 65, 130])
def test_every_acknowledged_step_survives_a_kill(acknowledged: int, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(acknowledged):
        path = process.stdout.readline().strip()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with visuai.open_run(path) as run:
        steps = run.steps.tolist()
        assert len(steps) >= acknowledged
        assert steps == list(range(len(steps)))
        for quantity in ("weight", "gradient", "update"):
            assert run.series("weight", quantity).steps.tolist() == steps


HALF = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM step")
connection.executemany("INSERT INTO document VALUES (?, zeroblob(100000))", [(n,) for n in "abc"])
print(flush=True)
if sys.stdin.read():
    connection.execute("ROLLBACK")
else:
    os._exit(9)
"""


def half_done(path: Path) -> subprocess.Popen[str]:
    """Starts a process in the middle of a transaction, a part of which is in the file already."""
    process = subprocess.Popen(
        [sys.executable, "-c", HALF, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert any(path.with_name(f"{path.name}-journal").read_bytes()[:8]), "no use without it"
    return process


@pytest.mark.parametrize("opened_before", [True, False])
def test_what_a_kill_leaves_half_done_is_undone(opened_before: bool, tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    with Visu(model, logdir=tmp_path, every=1, journal="delete") as visu:
        train(visu, model, 3)
    assert visu.path is not None
    reader = visuai.open_run(visu.path) if opened_before else None
    half_done(visu.path).communicate("")
    with reader or visuai.open_run(visu.path) as run:
        assert run.steps.tolist() == [0, 1, 2]
        assert run.series("weight", "update").steps.tolist() == [0, 1, 2]


def test_what_a_living_process_does_is_not_undone(tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    with Visu(model, logdir=tmp_path, every=1, journal="delete") as visu:
        train(visu, model, 3)
    assert visu.path is not None
    process = half_done(visu.path)
    journal = visu.path.with_name(f"{visu.path.name}-journal")
    before = journal.read_bytes()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        visuai.open_run(visu.path)
    assert journal.read_bytes() == before
    process.communicate("go on")
    assert process.returncode == 0
    with visuai.open_run(visu.path) as run:
        assert run.steps.tolist() == [0, 1, 2]


def test_a_journal_that_names_another_file_is_left_alone(tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    with Visu(model, logdir=tmp_path / "logs", every=1, journal="delete") as visu:
        train(visu, model, 3)
    assert visu.path is not None
    precious = tmp_path / "precious"
    precious.write_text("not a journal")
    half_done(visu.path).communicate("")
    name = str(precious).encode()
    record = (
        b"\0\0\0\0"
        + name
        + len(name).to_bytes(4, "big")
        + sum(name).to_bytes(4, "big")
        + bytes.fromhex("d9d505f920a163d7")
    )
    with visu.path.with_name(f"{visu.path.name}-journal").open("ab") as journal:
        journal.write(record)
    with pytest.raises(visuai.VisuaiError, match="readonly"):
        visuai.open_run(visu.path)
    assert precious.read_text() == "not a journal"


def test_a_full_disk(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(4, 64), nn.Linear(64, 64), nn.Linear(64, 3))
    visu = Visu(model, logdir=tmp_path, every=1)
    train(visu, model, 3)
    visu.flush()
    assert visu._recording is not None
    connection = visu._recording._writer._store.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    with pytest.warns(RuntimeWarning, match="records are being lost: database or disk is full"):
        train(visu, model, 60, flush=True)
    connection.execute("PRAGMA max_page_count = 1000000").fetchone()
    train(visu, model, 2)  # Room again.
    with pytest.warns(RuntimeWarning, match="records were lost in all"):
        visu.close()
    run = visuai.open_run(tmp_path)
    kept = run.steps.tolist()
    assert kept[:3] == [0, 1, 2]
    assert kept[-1] == 64
    lost = [event for event in run.events if event.kind == "lost"]
    assert sum(int(event.detail.split()[0]) for event in lost) == 65 - len(kept) > 5
    assert all("disk is full" in event.detail for event in lost)
    assert run.series("1.weight", "gradient").steps.tolist() == kept


@pytest.mark.filterwarnings("ignore:Visu")
def test_a_locked_file(tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    visu = Visu(model, logdir=tmp_path, every=1)
    train(visu, model, 2)
    visu.flush()
    assert visu.path is not None
    other = sqlite3.connect(visu.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    train(visu, model, 100)  # Nothing waits: more records than may wait are dropped.
    other.execute("ROLLBACK")
    other.close()
    train(visu, model, 1)
    visu.close()
    run = visuai.open_run(tmp_path)
    kept = run.steps.tolist()
    assert kept[:2] == [0, 1]
    assert 20 < len(kept) < 103
    lost = sum(int(event.detail.split()[0]) for event in run.events if event.kind == "lost")
    assert len(kept) + lost == 103


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_journals(journal: str, tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    visu = Visu(model, logdir=tmp_path, every=1, journal=journal)
    assert visu._recording is not None
    assert visu._recording._writer._store.journal == journal
    run = visuai.open_run(tmp_path)
    for _ in range(5):
        train(visu, model, 20)
        visu.flush()
        run.series("weight", "weight")
    assert run.steps.tolist() == list(range(100))
    run.close()
    visu.close()
    assert len(list(visu.path.parent.iterdir())) == 1, "nothing left beside it"  # type: ignore[union-attr]


def test_which_file_systems_are_on_a_network() -> None:
    mounts = (
        "/dev/vda / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\n"
        "tmpfs /data/fast tmpfs rw 0 0\n//s/share /with\\040space cifs rw 0 0\nodd line\n"
    )
    assert is_network(Path("/data/runs"), mounts)
    assert is_network(Path("/with space/x"), mounts)
    assert not is_network(Path("/data/fast/x"), mounts)
    assert not is_network(Path("/database"), mounts)
    assert not is_network(Path("/tmp"), "")


def test_runs_at_the_same_moment_get_files_of_their_own(tmp_path: Path) -> None:
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(create_run(tmp_path, {}))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 16
    assert set(find_runs(tmp_path)) == set(paths)
    assert set(tmp_path.iterdir()) == set(paths)


@pytest.mark.parametrize("resume", [True, 70, 3])
def test_a_resumed_run(resume: bool | int, tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    with Visu(model, logdir=tmp_path, every=1) as visu:
        train(visu, model, 100)
    start = 100 if resume is True else int(resume)
    before = visuai.open_run(tmp_path).series("weight", "weight")
    with torch.no_grad():
        model.weight.fill_(7.0)
    with Visu(model, logdir=tmp_path, every=1, resume=resume) as again:
        assert again.path == visu.path
        train(again, model, 50)
    run = visuai.open_run(tmp_path)
    assert run.steps.tolist() == list(range(start + 50))
    assert [event.kind for event in run.events] == ["start", "close", "resume", "close"]
    series = run.series("weight", "weight")
    assert series.steps.tolist() == list(range(start + 50))
    assert (series.norm[:start] == before.norm[:start]).all()
    assert series.max[start] == 7.0
    assert run.scalar("loss").steps.tolist() == list(range(start + 50))
    assert len(run.parameters) == 2


def test_resume_without_a_run_begins_one(tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    with Visu(model, logdir=tmp_path, every=1, resume=40) as visu:
        train(visu, model, 2)
    assert visuai.open_run(tmp_path).steps.tolist() == [40, 41]


def test_resumed_in_the_middle_of_merged_chunks(tmp_path: Path) -> None:
    path = filled(tmp_path, 64 * 16 * 2 + 64)
    store = Store(path)
    levels = "SELECT level, count(*) FROM chunk GROUP BY level"
    assert store.connection.execute(levels).fetchall() == [(0, 33 * 3), (1, 2 * 3)]
    store.rewind(1500)
    assert store.last_step() == 1499
    assert store.connection.execute(levels).fetchall() == [(0, 24 * 3), (1, 1 * 3)]
    store.close()
    with visuai.open_run(path) as run:
        series = run.series("p1", "update")
        assert len(series) == 0
        series = run.series("p0", "gradient")
        assert series.steps.tolist() == list(range(1500))
        few = run.series("p0", "gradient", columns=40)
        assert few.steps[0] == 0
        assert few.last_steps[-1] == 1499
        assert few.records.sum() == 1500
        assert (np.diff(few.steps) > 0).all()
        assert (few.steps[1:] == few.last_steps[:-1] + 1).all()


def test_two_processes_resume_one_run(tmp_path: Path) -> None:
    """The one that came later has it; the other one says so and writes no more."""
    model, twin = nn.Linear(4, 3), nn.Linear(4, 3)
    first = Visu(model, logdir=tmp_path, every=1)
    train(first, model, 5)
    first.flush()
    second = Visu(twin, logdir=tmp_path, every=1, resume=True)
    with pytest.warns(RuntimeWarning, match="Another process has resumed the run"):
        train(first, model, 5, flush=True)
    with pytest.warns(RuntimeWarning, match="records were lost in all"):
        first.close()
    train(second, twin, 5)
    second.close()
    run = visuai.open_run(tmp_path)
    assert run.steps.tolist() == list(range(10))
    store = Store(run.path)
    late = Store(run.path)
    with pytest.raises(LostOwnership):
        store.write(Batch(records=(record(11),)))
    late.write(Batch(records=(record(10, 2),)))
    for each in (store, late):
        each.close()


def test_a_logdir_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(VisuaiError, match="Cannot make a run in "):
        Visu(nn.Linear(2, 2), logdir=tmp_path / "file")
    broken = tmp_path / "model"
    broken.mkdir()
    (broken / "run-1.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(VisuaiError, match=r"run-1\.sqlite"):
        Visu(nn.Linear(2, 2), logdir=tmp_path, resume=True)
    with pytest.raises(FileNotFoundError, match="no recorded run"):
        visuai.open_run(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no recorded run in"):
        visuai.open_run(tmp_path / "empty")


def test_coarser_levels_say_the_same_as_the_finest(tmp_path: Path) -> None:
    path = filled(tmp_path, 64 * 16 * 3 + 70, series=2)
    with visuai.open_run(path) as run:
        full = run.series("p0", "gradient")
        assert full.steps.tolist() == list(range(64 * 16 * 3 + 70))
        coarse = run.series("p0", "gradient", columns=100)
        assert len(coarse) <= 100
        assert coarse.records.sum() == len(full)
        for column in range(len(coarse)):
            inside = (full.steps >= coarse.steps[column]) & (
                full.steps <= coarse.last_steps[column]
            )
            assert coarse.sum[column] == pytest.approx(full.sum[inside].sum(), rel=1e-6)
            assert coarse.max[column] == full.max[inside].max()
        part = run.series("p0", "gradient", start=100, stop=164)
        assert part.steps.tolist() == list(range(100, 164))
        assert np.array_equal(part.norm, full.norm[100:164])
        assert run.at(1000, "gradient")["p0"].max == full.max[1000]
        assert run.at(10**9, "gradient")["p0"].steps.tolist() == [64 * 16 * 3 + 69]
        assert run.at(-1, "gradient") == {}


def test_a_finished_run_on_a_medium_that_cannot_be_written(tmp_path: Path) -> None:
    path = filled(tmp_path, 10)
    copied = tmp_path / "readonly" / path.name
    copied.parent.mkdir()
    shutil.copy(path, copied)
    copied.chmod(0o444)
    copied.parent.chmod(0o555)
    with visuai.open_run(copied) as run:
        assert len(run.steps) == 10
    copied.parent.chmod(0o755)


def test_reading_loads_no_torch(tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    with Visu(model, [torch.ones(2, 4)], tmp_path, every=1) as visu:
        train(visu, model, 3)
    code = (
        "import sys, visuai\n"
        f"run = visuai.open_run({str(tmp_path)!r})\n"
        "assert run.topology.num_parameters == 15\n"
        "run.series('weight', 'gradient').downsample(2).histogram.shares, run.events\n"
        "run.overview('weight', 'norm')\n"
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=200)


# Files of strangers --------------------------------------------------------------------------


def tampered(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW extra AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM step; END",
        "DROP INDEX chunk_place",
        "ALTER TABLE step ADD COLUMN more INTEGER GENERATED ALWAYS AS (step * 2)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 99",
    ],
)
def test_a_file_that_is_not_quite_a_run(statement: str, tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    tampered(path, statement)
    with pytest.raises(FormatError, match=path.name):
        visuai.open_run(path)


def test_views_in_place_of_tables(tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    tampered(
        path,
        "DROP TABLE step",
        "CREATE VIEW step AS WITH RECURSIVE n(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM n) "
        "SELECT step, 0.0 AS time FROM n",
    )
    with pytest.raises(FormatError, match="its tables are not those"):
        visuai.open_run(path)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 5000, b"PK\3\4" * 99])
def test_files_that_are_no_runs(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run-x.sqlite"
    path.write_bytes(content)
    with pytest.raises(FormatError):
        visuai.open_run(path)


def test_bytes_changed_anywhere(tmp_path: Path) -> None:
    """Reading gives something or a FormatError, and ends: whatever a file says."""
    path = filled(tmp_path / "good", 70)
    good = bytearray(path.read_bytes())
    generator = np.random.default_rng(0)
    failed = 0
    for _ in range(150):
        bad = bytearray(good)
        for place in generator.integers(0, len(bad), size=generator.integers(1, 40)):
            bad[place] = generator.integers(0, 256)
        other = tmp_path / "run-bad.sqlite"
        other.write_bytes(bad)
        try:
            with visuai.open_run(other) as run:
                for name in [*run.parameters][:5]:
                    run.series(name, "gradient").histogram.shares
                    run.series(name, "gradient", columns=3, bins=False).std
                run.at(5, "weight")
                run.events, run.steps, run.times, run.scalars, run.meta
        except (FormatError, VisuaiError, sqlite3.DatabaseError):
            failed += 1
    assert failed > 20


def test_statistics_are_the_same_without_their_histograms(tmp_path: Path) -> None:
    """Of records in chunks of each level, and of those in none yet."""
    with visuai.open_run(filled(tmp_path, 1100)) as run:
        for most in (None, 7):
            whole = run.series("p0", "gradient", columns=most)
            lean = run.series("p0", "gradient", columns=most, bins=False)
            assert whole.histogram.counts.any()
            assert not lean.histogram.counts.any()
            for field in fields(Columns):
                if field.name not in ("low", "bins"):
                    same = getattr(lean.columns, field.name), getattr(whole.columns, field.name)
                    np.testing.assert_array_equal(*same)


def test_numbers_that_cannot_be(tmp_path: Path) -> None:
    columns = measure([torch.ones(8)]).columns(0)
    good = encode(columns)
    decode(good)
    for bad in (
        b"",
        good[:-3],
        good + b"x",
        b"\x09" + good[1:],
        good[:1] + b"\xff\xff\xff\x7f" + good[5:],
        good[:9] + zlib.compress(b"\0" * 50_000_000),
        "text",
        None,
    ):
        with pytest.raises(FormatError):
            decode(bad)
    one = np.ones(1, dtype=np.int64)
    for wrong in (
        replace(columns, zeros=one * 9),
        replace(columns, records=one * 0),
        replace(columns, count=one * -1),
        replace(columns, count=one * 2**60),
        replace(columns, minimum=columns.maximum + 1),
        replace(columns, total=np.array([np.nan])),
    ):
        with pytest.raises(FormatError):
            decode(encode(wrong))


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE subject SET details = ? WHERE id = 0", ('{"a": 1}',)),
        ("UPDATE subject SET details = ? WHERE id = 0", ("[" * 100_000,)),
        ("UPDATE subject SET details = ? WHERE id = 0", (b"\xff\xfe",)),
        ("UPDATE record SET payload = ?", (b"\0" * 10,)),
        ("UPDATE record SET payload = ?", ("text",)),
        ("INSERT INTO scalar VALUES ('loss', 1, ?)", ("text",)),
        ("INSERT INTO event VALUES (1, 1, ?, 'x', 'y')", ("text",)),
        ("INSERT INTO document VALUES ('topology', ?)", (b"\x80\x04cos\nsystem\n.",)),
        ("INSERT INTO document VALUES ('topology', ?)", ("text",)),
    ],
)
def test_values_that_cannot_be(statement: str, values: tuple[Any, ...], tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    tampered(path, statement, values=values)
    with visuai.open_run(path) as run, pytest.raises(FormatError):
        run.series("p0", "gradient"), run.scalar("loss"), run.events, run.topology


def test_series_have_numbers() -> None:
    for subject in (0, 3, 1000):
        for quantity in schema.QUANTITIES:
            assert schema.series_of(schema.series_id(subject, quantity)) == (subject, quantity)
