"""A recorded run, read from its file: also while another process writes it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from visuai.errors import FormatError, VisuaiError
from visuai.record import schema
from visuai.record.columns import concatenate, downsample
from visuai.record.reader import Tail, read_series, read_step
from visuai.record.scalars import Event, Scalars
from visuai.record.series import Series
from visuai.record.subject import Subject

if TYPE_CHECKING:
    from visuai.record.diagnosis.diagnosis import Diagnoses
    from visuai.topology import Topology

STATISTICS = (
    "count",
    "zeros",
    "nonfinite",
    "sum",
    "abs_sum",
    "square_sum",
    "min",
    "max",
    "mean",
    "mean_abs",
    "std",
    "rms",
    "norm",
    "zero_share",
    "nonfinite_share",
)
"""The statistics that a `Series` has."""

LEARNING_RATE = "learning rate"
"""Scalars of this name, or of a name that starts so, are learning rates."""


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


def find_runs(logdir: str | PathLike[str]) -> list[Path]:
    """Lists the files of runs in a log directory and in the folders in it, oldest first.

    Args:
        logdir: The ``logdir`` that was given to `Visu`, or the folder of one name in it.
    """
    place = Path(logdir)
    found = [*place.glob("run-*.sqlite"), *place.glob("*/run-*.sqlite")]
    return sorted(found, key=lambda path: (path.name, str(path)))


class Run:
    """A recorded run. Everything is read when asked for, so a live run is read as it grows.

    It may be used from several threads. Close it, or use it as a context manager.

    Attributes:
        path: Its file.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._tail = Tail()
        self._parsed: int | None = None
        self._known: dict[int, Subject] = {}
        self._named: dict[str, list[int]] = {}
        self._connection = _open(self.path)

    @cached_property
    def meta(self) -> Mapping[str, str]:
        """What is known of the run: ``name``, ``id``, ``started``, ``visuai``, ``torch``,
        ``batches`` (of the dataloader, if it said so), and so on."""
        with self._reading() as connection:
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
        with self._reading() as connection:
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
        with self._lock:
            (number,) = self._connection.execute("PRAGMA data_version").fetchone()
            return int(number)

    @property
    def steps(self) -> NDArray[np.int64]:
        """All recorded steps, ascending."""
        return self._step_times()[0]

    @property
    def times(self) -> NDArray[np.float64]:
        """When each of `steps` was recorded, in seconds since 1970."""
        return self._step_times()[1]

    @property
    def last_step(self) -> int:
        """The last step recorded, -1 if none is."""
        with self._reading() as connection:
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
        numbers = self._numbers(subject)
        with self._reading() as connection:
            present = {
                series
                for number in numbers
                for (series,) in connection.execute(
                    "SELECT DISTINCT series FROM chunk WHERE series BETWEEN ? AND ?",
                    (
                        schema.series_id(number, schema.QUANTITIES[0]),
                        schema.series_id(number, schema.QUANTITIES[-1]),
                    ),
                )
            }
            for _, keys in self._tail.read(connection):
                present.update(keys.tolist())
        return tuple(
            quantity
            for quantity in schema.QUANTITIES
            if any(schema.series_id(number, quantity) in present for number in numbers)
        )

    def series(
        self,
        subject: str,
        quantity: str,
        *,
        start: int = 0,
        stop: int | None = None,
        columns: int | None = None,
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
        with self._reading() as connection:
            parts = [
                read_series(
                    connection,
                    self._tail,
                    schema.series_id(number, quantity),
                    start=start,
                    stop=stop,
                    columns=columns,
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
        with self._reading() as connection:
            (recorded,) = connection.execute(
                "SELECT max(step) FROM step WHERE step <= ?", (step,)
            ).fetchone()
            rows = [] if recorded is None else read_step(connection, self._tail, recorded)
            subjects = self._subjects(connection)
        found: dict[str, Series] = {}
        for columns, keys in rows:
            for row, key in enumerate(keys.tolist()):
                number, name = schema.series_of(key)
                if name == quantity and number in subjects:
                    subject = subjects[number].name
                    found[subject] = Series(subject, name, columns.select(slice(row, row + 1)))
        return found

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
        kind = self.modules if quantity.startswith("activ") else self.parameters
        all_series = {name: self.series(name, quantity, columns=columns) for name in kind}
        names = [name for name, series in all_series.items() if len(series)]
        longest = max((all_series[name] for name in names), key=len, default=None)
        steps = np.zeros(0, dtype=np.int64) if longest is None else longest.steps
        values = np.full((len(names), len(steps)), np.nan)
        for row, name in enumerate(names):
            series = all_series[name]
            at = np.maximum(np.searchsorted(steps, series.steps, side="right") - 1, 0)
            values[row, at] = getattr(series, statistic)
        return names, steps, values

    @property
    def scalars(self) -> tuple[str, ...]:
        """Names of the scalars recorded."""
        with self._reading() as connection:
            rows = connection.execute("SELECT DISTINCT name FROM scalar ORDER BY name").fetchall()
        return tuple(str(name) for (name,) in rows)

    def scalar(self, name: str, *, start: int = 0, stop: int | None = None) -> Scalars:
        """Reads a scalar, empty if there is none of that name.

        Args:
            name: ``loss``, or what it was called.
            start: First step wanted.
            stop: One past the last step wanted, None for all.
        """
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT step, value FROM scalar "
                "WHERE name = ? AND step >= ? AND step < ? ORDER BY step",
                (name, start, 2**62 if stop is None else stop),
            ).fetchall()
        for step, value in rows:
            if type(step) is not int or not (value is None or isinstance(value, (int, float))):
                raise FormatError(f"{self.path}: scalar {name!r:.100} holds what is no number.")
        return Scalars(
            name,
            np.array([step for step, _ in rows], dtype=np.int64),
            np.array([value for _, value in rows], dtype=np.float64),
        )

    @property
    def learning_rates(self) -> dict[str, Scalars]:
        """The learning rates: one for each group of parameters of each optimizer."""
        return {name: self.scalar(name) for name in self.scalars if name.startswith(LEARNING_RATE)}

    @property
    def events(self) -> list[Event]:
        """What happened while recording: resumed, skipped steps, records lost, and so on."""
        with self._reading() as connection:
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
                series = self.series(subject, quantity)
                values: dict[str, Any] = {name: getattr(series, name) for name in STATISTICS}
                labels = {"subject": subject, "quantity": quantity, "step": series.steps}
                frames.append(pandas.DataFrame({**labels, **values}))
        return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()

    def close(self) -> None:
        """Closes the file. Reading afterwards raises."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _step_times(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        with self._reading() as connection:
            rows = connection.execute("SELECT step, time FROM step ORDER BY step").fetchall()
        if not all(type(step) is int and isinstance(time, (int, float)) for step, time in rows):
            raise FormatError(f"{self.path}: a step or its time is no number.")
        steps = np.array([step for step, _ in rows], dtype=np.int64)
        return steps, np.array([time for _, time in rows], dtype=np.float64)

    def _subjects(self, connection: sqlite3.Connection) -> dict[int, Subject]:
        """Gives the subjects by number; parsed anew only after the file was written to."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._parsed:
            rows = connection.execute("SELECT id, details FROM subject ORDER BY id").fetchall()
            self._known = {int(number): Subject.from_json(details) for number, details in rows}
            self._named = {}
            for number, subject in self._known.items():
                self._named.setdefault(subject.name, []).append(number)
            self._parsed = version
        return self._known

    def _of_kind(self, kind: str) -> dict[str, Subject]:
        with self._reading() as connection:
            subjects = self._subjects(connection).values()
        return {subject.name: subject for subject in subjects if subject.kind == kind}

    def _numbers(self, name: str) -> list[int]:
        """Gives the numbers of the subjects of a name: several if a parameter was replaced."""
        with self._reading() as connection:
            subjects = self._subjects(connection)
            numbers = self._named.get(name) or [
                number for number, subject in subjects.items() if name in subject.aliases
            ]
        if not numbers:
            some = ", ".join(repr(subject.name[:60]) for subject in [*subjects.values()][:8])
            raise VisuaiError(
                f"Nothing called {name!r:.200} was recorded in {self.path}; there is "
                f"{some or 'nothing'}{', ...' if len(subjects) > 8 else ''} "
                "(see Run.parameters and Run.modules)."
            )
        return numbers

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        """One read transaction: what is read in it fits together, whatever is written meanwhile."""
        with self._lock:
            outermost = not self._connection.in_transaction
            try:
                if outermost:
                    self._connection.execute("BEGIN")
                yield self._connection
            except sqlite3.DatabaseError as error:
                if isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError)):
                    raise
                raise FormatError(f"{self.path} is damaged: {error}.") from error
            except (TypeError, ValueError, OverflowError) as error:
                # A column holds what its type does not say: SQLite allows that.
                raise FormatError(f"{self.path} holds a wrong value: {error}.") from error
            finally:
                if outermost and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _open(path: Path) -> sqlite3.Connection:
    """Opens a run read-only; where that needs a file beside it that cannot be made, as it is."""
    connection = schema.connect(path, readonly=True)
    try:
        try:
            schema.check(connection, path)
        except sqlite3.OperationalError:
            # A finished run on a medium that cannot be written: no -shm file can be made.
            connection.close()
            connection = schema.connect(path, readonly=True, immutable=True)
            schema.check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
