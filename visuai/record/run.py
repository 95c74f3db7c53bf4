"""A recorded run, read from its file: also while another process writes it."""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from visuai.errors import FormatError, VisuaiError
from visuai.record import schema
from visuai.record.columns import Columns, concatenate, downsample
from visuai.record.folder import find_runs
from visuai.record.glance import Glance, glance
from visuai.record.reader import present, read_all, read_series, read_since, read_step
from visuai.record.runfile import RunFile
from visuai.record.scalars import LEARNING_RATE, Event, Scalars
from visuai.record.series import STATISTICS, Series
from visuai.record.subject import Subject
from visuai.record.subjects import Subjects, quantities_of
from visuai.record.table import shared_steps, table
from visuai.record.tail import Tail

if TYPE_CHECKING:
    from visuai.record.diagnosis.diagnosis import Diagnoses
    from visuai.topology import Topology

_NO_STEPS: NDArray[np.int64] = np.zeros(0, dtype=np.int64)


def open_run(path: str | PathLike[str]) -> Run:
    """Opens a recorded run for reading. It needs no torch, and may be called during training.

    Args:
        path: The run's file, or a folder: the newest run in it or in a folder in it is taken.

    Raises:
        FileNotFoundError: If there is no run there.
        FormatError: If the file is no recorded run, or damaged.

    Examples:
        >>> open_run("no/such/folder")
        Traceback (most recent call last):
        FileNotFoundError: There is no recorded run at no/such/folder.
    """
    place = Path(path)
    if place.is_dir():
        runs = find_runs(place)
        if not runs:
            raise FileNotFoundError(f"There is no recorded run in {place}: no run-*.sqlite.")
        place = runs[-1]
    return Run(place)


class Run:
    """A recorded run. Everything is read when asked for, so a live run is read as it grows.

    It may be used from several threads. Close it, or use it as a context manager.

    Attributes:
        path: Its file.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._file = RunFile(self.path)
        self._tail = Tail()
        self._subjects: tuple[int, Subjects] | None = None
        self._present: tuple[int, set[int]] | None = None

    @cached_property
    def meta(self) -> Mapping[str, str]:
        """What is known of the run: ``name``, ``id``, ``started``, ``visuai``, ``torch``,
        ``batches`` (of the dataloader, if it said so), and so on."""
        with self._file.reading() as connection:
            return {
                str(key): str(value)
                for key, value in connection.execute("SELECT key, value FROM meta")
            }

    @property
    def name(self) -> str:
        """The name given to the model."""
        return self.meta.get("name", "")

    @property
    def id(self) -> str:
        """What tells this run from others of the name: its file's name."""
        return self.path.stem

    @property
    def topology(self) -> Topology | None:
        """The network, None as long as it has not been captured (an event says why).

        Raises:
            FormatError: If what is stored is not a topology.
        """
        with self._file.reading() as connection:
            row = connection.execute("SELECT data FROM document WHERE name = 'topology'").fetchone()
        if row is None:
            return None
        if not isinstance(row[0], bytes):
            raise FormatError(f"{self.path}: its topology is no bytes.")
        from visuai.archive import load_bytes

        return load_bytes(row[0])

    @property
    def version(self) -> int:
        """A number that changes when the run has been written to; cheap to ask for."""
        return self._file.version

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Holds on to a moment: all that is read in the block is of the run as it is then.

        For a run that is being recorded, whose readings else need not fit together. Other
        threads that read this object wait until the block ends; the training never waits.

        Examples:
            >>> def last_norms(run):
            ...     with run.snapshot():
            ...         return [run.series(name, "weight").norm[-1] for name in run.parameters]
        """
        with self._file.snapshot():
            yield

    def glance(self) -> Glance:
        """Tells the first and the last step, whether it is still being recorded, and the like.

        It is cheap, however long the run is.

        Raises:
            FormatError: If the file is damaged.
        """
        with self._file.reading() as connection:
            return glance(connection, self.path)

    def recorded(self) -> list[tuple[Subject, tuple[str, ...]]]:
        """Tells of what there are records, and of which quantities, in the order of the model.

        Raises:
            FormatError: If the file is damaged.
        """
        with self._file.reading() as connection:
            return self._read_subjects(connection).recorded(self._read_present(connection))

    @property
    def steps(self) -> NDArray[np.int64]:
        """All recorded steps, ascending."""
        return self.steps_from(0)

    def steps_from(self, start: int) -> NDArray[np.int64]:
        """Reads the recorded steps from one on, ascending."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT step FROM step WHERE step >= ? ORDER BY step", (start,)
            )
            return np.fromiter((step for (step,) in rows), dtype=np.int64)

    @property
    def times(self) -> NDArray[np.float64]:
        """When each of `steps` was recorded, in seconds since 1970."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT time FROM step ORDER BY step")
            return np.fromiter((_real(time) for (time,) in rows), dtype=np.float64)

    @property
    def last_step(self) -> int:
        """The last step recorded, -1 if none is."""
        with self._file.reading() as connection:
            (last,) = connection.execute("SELECT max(step) FROM step").fetchone()
        return -1 if last is None else int(last)

    @property
    def parameters(self) -> dict[str, Subject]:
        """The parameters recorded, by FQN, in the order of the model."""
        return self._of_kind("parameter")

    @property
    def modules(self) -> dict[str, Subject]:
        """The modules whose activations were recorded, by FQN."""
        return self._of_kind("module")

    def quantities(self, subject: str) -> tuple[str, ...]:
        """Tells what is recorded of a parameter or module.

        Args:
            subject: FQN of the parameter or module.

        Raises:
            VisuaiError: If nothing of that name was recorded.
        """
        with self._file.reading() as connection:
            series = self._read_present(connection)
            found = {
                each for number in self._numbers(subject) for each in quantities_of(number, series)
            }
        return tuple(each for each in schema.QUANTITIES if each in found)

    def series(
        self,
        subject: str,
        quantity: str,
        *,
        start: int = 0,
        stop: int | None = None,
        columns: int | None = None,
        bins: bool = True,
    ) -> Series:
        """Reads what one quantity of one parameter or module did.

        Args:
            subject: FQN of the parameter or module; any one of its names if it has several.
            quantity: ``weight``, ``gradient`` or ``update`` of a parameter; ``activation`` or
                ``activity`` of a module. Empty if it was not recorded.
            start: First step wanted.
            stop: One past the last step wanted, None for all.
            columns: Most columns wanted: neighbours are merged, and long runs are read far
                faster than with every step and `Series.downsample`.
            bins: Whether to read the histograms too; without them it is several times faster.

        Raises:
            VisuaiError: If nothing of that name was recorded, or the quantity is unknown.
            FormatError: If the file is damaged.
        """
        if quantity not in schema.QUANTITIES:
            raise VisuaiError(
                f"There is no quantity {quantity!r:.100}; those recorded are "
                f"{', '.join(schema.QUANTITIES)}."
            )
        if columns is not None and columns < 1:
            raise VisuaiError(f"A series cannot have {columns} columns; ask for at least 1.")
        numbers = self._numbers(subject)
        with self._file.reading() as connection:
            parts = [
                read_series(
                    connection,
                    self._tail,
                    schema.series_id(number, quantity),
                    start=start,
                    stop=stop,
                    columns=columns,
                    bins=bins,
                )
                for number in numbers
            ]
        joined = concatenate(parts)
        return Series(subject, quantity, downsample(joined, columns) if columns else joined)

    def at(self, step: int, quantity: str) -> dict[str, Series]:
        """Reads one quantity of everything at one step, each as a series of one column.

        Args:
            step: A step; the last recorded one that is not after it is taken.
            quantity: See `series`.

        Raises:
            FormatError: If the file is damaged.
        """
        with self._file.reading() as connection:
            (recorded,) = connection.execute(
                "SELECT max(step) FROM step WHERE step <= ?", (step,)
            ).fetchone()
            place = schema.QUANTITIES.index(quantity) if quantity in schema.QUANTITIES else -1
            rows = [] if recorded is None else read_step(connection, self._tail, recorded, place)
            subjects = self._read_subjects(connection).by_number
        found: dict[str, Series] = {}
        for columns, key in rows:
            number, _ = schema.series_of(key)
            if number in subjects:
                subject = subjects[number].name
                found[subject] = Series(subject, quantity, columns.select(slice(-1, None)))
        return found

    def pieces(
        self, quantity: str, rows: Mapping[str, int], *, start: int = 0, records: int = 1
    ) -> Generator[tuple[Columns, NDArray[np.int64]]]:
        """Reads the statistics of one quantity of everything, piece by piece, without bins.

        However long the run is, little of it is in memory at once. To be used up in a snapshot.

        Args:
            quantity: See `series`.
            rows: A number for each FQN that is wanted.
            start: First step wanted.
            records: Most records merged into a column; the last one is always by itself, and so
                are all where there is a start.

        Yields:
            Columns, and for each the number of its FQN. Those of one FQN are in order.

        Raises:
            FormatError: If the file is damaged.
        """
        place = schema.QUANTITIES.index(quantity)
        with self._file.reading() as connection:
            subjects = sorted(self._read_subjects(connection).by_number.items())
            numbers = np.array([number for number, _ in subjects], dtype=np.int64)
            row_of = np.array([rows.get(each.name, -1) for _, each in subjects], dtype=np.int64)
            pieces = (
                read_since(connection, self._tail, place, start)
                if start > 0
                else read_all(connection, self._tail, place, records=records)
            )
            for columns, keys in pieces:
                wanted = keys // len(schema.QUANTITIES)
                at = np.searchsorted(numbers, wanted)
                known = at < len(numbers)
                known[known] = numbers[at[known]] == wanted[known]
                known[known] = row_of[at[known]] >= 0
                if known.any():
                    yield columns if known.all() else columns.select(known), row_of[at[known]]

    def overview(
        self, quantity: str, statistic: str, columns: int = 500
    ) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
        """Reads one statistic of everything over all steps: a picture, depth by step.

        Args:
            quantity: See `series`.
            statistic: A property of `Series`: ``norm``, ``rms``, ``zero_share``, ...
            columns: Most columns.

        Returns:
            Names, in the order of the model; the first step of each column, int64 (columns);
            and values, float64 (names × columns), NaN where nothing was recorded.

        Raises:
            VisuaiError: If the quantity or the statistic is unknown.
        """
        if statistic not in STATISTICS:
            raise VisuaiError(
                f"There is no statistic {statistic!r:.100}; a series has {', '.join(STATISTICS)}."
            )
        with self.snapshot():
            kind = self.modules if quantity.startswith("activ") else self.parameters
            read = {name: self.series(name, quantity, columns=columns, bins=False) for name in kind}
        recorded = {name: series for name, series in read.items() if len(series)}
        every = [series.steps for series in recorded.values()]
        steps = shared_steps(np.unique(np.concatenate([*every, _NO_STEPS])), columns)
        return list(recorded), steps, table(recorded, steps, statistic)

    @property
    def scalars(self) -> tuple[str, ...]:
        """Names of the scalars recorded."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT DISTINCT name FROM scalar ORDER BY name").fetchall()
        return tuple(str(name) for (name,) in rows)

    def scalar(self, name: str, *, start: int = 0, stop: int | None = None) -> Scalars:
        """Reads a scalar, empty if there is none of that name.

        Args:
            name: ``loss``, or what it was called.
            start: First step wanted.
            stop: One past the last step wanted, None for all.
        """
        with self._file.reading() as connection:
            # Row by row into arrays: as a list, a long run's would take ten times the memory.
            steps, values = array("q"), array("d")
            for step, value in connection.execute(
                "SELECT step, value FROM scalar "
                "WHERE name = ? AND step >= ? AND step < ? ORDER BY step",
                (name, start, 2**62 if stop is None else stop),
            ):
                if type(step) is not int:
                    raise ValueError(f"scalar {name!r:.100} has a step that is no number")
                steps.append(step)
                values.append(math.nan if value is None else _real(value))
        return Scalars(name, np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64))

    @property
    def learning_rates(self) -> dict[str, Scalars]:
        """The learning rates: one for each group of parameters of each optimizer."""
        return {name: self.scalar(name) for name in self.scalars if name.startswith(LEARNING_RATE)}

    @property
    def events(self) -> list[Event]:
        """What happened while recording: resumed, skipped steps, records lost, and so on."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT step, time, kind, detail FROM event ORDER BY id"
            ).fetchall()
        for step, time, _, _ in rows:
            if type(step) is not int or not isinstance(time, (int, float)):
                raise FormatError(f"{self.path}: an event's step or time is no number.")
        return [
            Event(step, float(time), str(kind), str(detail)) for step, time, kind, detail in rows
        ]

    def diagnose(self) -> Diagnoses:
        """Tells what is wrong with the run, and since when; also while it goes on.

        Examples:
            >>> import tempfile, torch, visuai
            >>> model = torch.nn.Linear(4, 2)
            >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
            >>> folder = tempfile.TemporaryDirectory()
            >>> with visuai.Visu(model, logdir=folder.name, every=1) as visu:
            ...     for _ in range(3):
            ...         model(torch.ones(8, 4)).square().mean().backward()
            ...         optimizer.step()
            ...         optimizer.zero_grad()
            >>> with visuai.open_run(visu.path) as run:
            ...     [each.rule for each in run.diagnose().at_least("error")]
            []
            >>> folder.cleanup()
        """
        from visuai.record.diagnosis.diagnose import diagnose

        return diagnose(self)

    def to_pandas(self) -> Any:
        """Gives every recorded statistic (not the bins) as a table, a row for each record.

        Returns:
            A ``pandas.DataFrame`` with columns ``subject``, ``quantity``, ``step``, and
            `STATISTICS`.

        Raises:
            ImportError: If pandas is not installed.
        """
        pandas: Any = import_module("pandas")
        frames: list[Any] = []
        for subject in (*self.parameters, *self.modules):
            for quantity in self.quantities(subject):
                series = self.series(subject, quantity, bins=False)
                values: dict[str, Any] = {name: getattr(series, name) for name in STATISTICS}
                labels = {"subject": subject, "quantity": quantity, "step": series.steps}
                frames.append(pandas.DataFrame({**labels, **values}))
        return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()

    def close(self) -> None:
        """Closes the file. Reading afterwards raises."""
        self._file.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _read_subjects(self, connection: sqlite3.Connection) -> Subjects:
        """Gives the subjects, parsed anew only after the file was written to."""
        version = self._file.version
        if self._subjects is None or self._subjects[0] != version:
            self._subjects = version, Subjects(connection)
        return self._subjects[1]

    def _read_present(self, connection: sqlite3.Connection) -> set[int]:
        """Gives the numbers of the series that there are, likewise."""
        version = self._file.version
        if self._present is None or self._present[0] != version:
            self._present = version, present(connection, self._tail)
        return self._present[1]

    def _of_kind(self, kind: str) -> dict[str, Subject]:
        with self._file.reading() as connection:
            return self._read_subjects(connection).of_kind(kind)

    def _numbers(self, name: str) -> list[int]:
        """Gives the numbers of the subjects of a name: several if a parameter was replaced."""
        with self._file.reading() as connection:
            subjects = self._read_subjects(connection)
        numbers = subjects.numbers(name)
        if not numbers:
            known = list(subjects.by_number.values())
            some = ", ".join(repr(subject.name[:60]) for subject in known[:8])
            raise VisuaiError(
                f"Nothing called {name!r:.200} was recorded in {self.path}; there is "
                f"{some or 'nothing'}{', ...' if len(known) > 8 else ''} "
                "(see Run.parameters and Run.modules)."
            )
        return numbers


def _real(value: object) -> float:
    """Gives a number; a column may hold what its type does not say."""
    if not isinstance(value, (int, float)):
        raise ValueError(f"{value!r:.40} where a number is expected")
    return float(value)
