"""To TensorBoard's event files and from them; needs the ``tensorboard`` package, not torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visuai.errors import FormatError, VisuaiError
from visuai.record import schema
from visuai.record.bins import FINITE, MAGNITUDES, SAMPLE, magnitude_edges
from visuai.record.columns import Columns, concatenate
from visuai.record.folder import folder_of
from visuai.record.run import Run
from visuai.record.series import Series
from visuai.record.store import Batch, Record, Store, create_run
from visuai.record.subject import Subject

_MOST_BUCKETS = 100_000


def to_tensorboard(run: Run, logdir: str | PathLike[str], *, columns: int | None = 1000) -> None:
    """Writes a run as an event file: a histogram for each quantity of each subject, and scalars.

    Tags are ``weight/conv1.weight`` and the like; the norm and the share of zeros go with them
    as scalars.

    Args:
        run: The run.
        logdir: The folder that TensorBoard will be pointed at; made if it is not there.
        columns: Most steps of each series, neighbours merged; None for all.

    Raises:
        ImportError: If tensorboard is not installed.
    """
    event, summary = _protocol()
    writers: Any = import_module("tensorboard.summary.writer.event_file_writer")
    times = dict(zip(run.steps.tolist(), run.times.tolist(), strict=True))
    writer = writers.EventFileWriter(str(logdir))

    def add(step: int, tag: str, **value: Any) -> None:
        values = summary.Summary(value=[summary.Summary.Value(tag=tag, **value)])
        wall = times.get(step, 0.0)
        writer.add_event(event.Event(step=step, wall_time=wall, summary=values))

    try:
        for subject in (*run.parameters, *run.modules):
            for quantity in run.quantities(subject):
                series = run.series(subject, quantity, columns=columns)
                tag = f"{quantity}/{subject}"
                zeros, norms = series.zero_share.tolist(), series.norm.tolist()
                for row, step in enumerate(series.steps.tolist()):
                    add(step, tag, histo=_histogram(summary, series, row))
                    add(step, f"norm/{tag}", simple_value=norms[row])
                    add(step, f"zeros/{tag}", simple_value=zeros[row])
        for name in run.scalars:
            scalars = run.scalar(name)
            for step, value in zip(scalars.steps.tolist(), scalars.values.tolist(), strict=True):
                add(step, name, simple_value=value)
    finally:
        writer.close()


def from_tensorboard(
    events: str | PathLike[str], logdir: str | PathLike[str] = "sample", name: str = "model"
) -> Path:
    """Makes a run of the histograms and scalars in TensorBoard's event files.

    A histogram's tag that starts with a quantity (``gradient/conv1.weight``) is of that
    quantity, any other is of a weight. What such files do not tell is worked out from their
    buckets: the mean magnitude is near, and zeros are not known apart.

    Args:
        events: An event file, or a folder of them.
        logdir: Where runs are kept.
        name: What to call the model.

    Returns:
        The run's file, for `visuai.open_run`.

    Raises:
        ImportError: If tensorboard is not installed.
        FileNotFoundError: If there is no event file.
        FormatError: If a histogram does not hold together.
    """
    place = Path(events)
    files = sorted(place.rglob("*tfevents*")) if place.is_dir() else [place]
    if not files or not all(file.is_file() for file in files):
        raise FileNotFoundError(f"There is no event file of TensorBoard at {place}.")
    numbers: dict[str, int] = {}
    sizes: dict[str, int] = {}
    rows: defaultdict[int, list[tuple[int, Columns]]] = defaultdict(list)
    times: dict[int, float] = {}
    scalars: list[tuple[str, int, float]] = []
    for value in (value for file in files for value in _values(file)):
        if value.histogram is None:
            scalars.append((value.tag, value.step, value.scalar))
            continue
        quantity, _, subject = value.tag.partition("/")
        if quantity not in schema.QUANTITIES or not subject:
            quantity, subject = "weight", value.tag
        number = numbers.setdefault(subject, len(numbers))
        columns = _columns(value.step, *value.histogram, value.tag)
        sizes[subject] = int(columns.count[0])
        times.setdefault(value.step, value.time)
        rows[value.step].append((schema.series_id(number, quantity), columns))
    if not rows and not scalars:
        raise VisuaiError(f"{place} holds neither histograms nor scalars.")
    store = Store(create_run(folder_of(logdir, name), {"name": name, "origin": "tensorboard"}))
    subjects = tuple(
        (number, Subject(subject, "parameter", shape=(sizes[subject],)))
        for subject, number in numbers.items()
    )
    store.write(Batch(subjects=subjects, scalars=tuple(scalars)))
    records = [
        Record(
            step,
            times[step],
            concatenate([columns for _, columns in rows[step]]),
            np.array([key for key, _ in rows[step]], dtype=np.int64),
        )
        for step in sorted(rows)
    ]
    store.write(Batch(records=tuple(records)))
    store.pack()
    store.close()
    return store.path


@dataclass(frozen=True)
class _Value:
    tag: str
    step: int
    time: float
    scalar: float = np.nan
    histogram: tuple[list[float], NDArray[np.float64], NDArray[np.float64]] | None = None


def _protocol() -> tuple[Any, Any]:
    return (
        import_module("tensorboard.compat.proto.event_pb2"),
        import_module("tensorboard.compat.proto.summary_pb2"),
    )


def _histogram(summary: Any, series: Series, row: int) -> Any:
    """Gives one column as TensorBoard's histogram: upper limits of buckets, and their counts."""
    histogram = series.histogram
    counts = histogram.counts[row].astype(np.float64)
    finite = int(series.finite[row])
    if counts.sum() > 0:
        counts *= finite / counts.sum()
    return summary.HistogramProto(
        min=float(np.nan_to_num(series.min[row])),
        max=float(np.nan_to_num(series.max[row])),
        num=finite,
        sum=float(series.sum[row]),
        sum_squares=float(series.square_sum[row]),
        bucket_limit=histogram.edges[1:].tolist(),
        bucket=counts.tolist(),
    )


def _values(file: Path) -> Iterator[_Value]:
    """Reads an event file: both forms in which scalars and histograms are written."""
    event_protocol, _ = _protocol()
    loaders: Any = import_module("tensorboard.backend.event_processing.event_file_loader")
    tensors: Any = import_module("tensorboard.util.tensor_util")
    for data in loaders.RawEventFileLoader(str(file)).Load():
        try:
            event = event_protocol.Event.FromString(data)
        except Exception as error:
            raise FormatError(f"{file} is no event file of TensorBoard: {error}.") from error
        for value in event.summary.value:
            place = (str(value.tag), max(int(event.step), 0), float(event.wall_time))
            if value.HasField("histo"):
                histo = value.histo
                limits = np.array(histo.bucket_limit, dtype=np.float64)
                moments = [histo.num, histo.sum, histo.sum_squares, histo.min, histo.max]
                lower = np.concatenate([[histo.min], limits[:-1]])
                edges = np.stack([lower, limits])
                counts = np.array(histo.bucket, dtype=np.float64)
                yield _Value(*place, histogram=(moments, edges, counts))
            elif value.HasField("simple_value"):
                yield _Value(*place, scalar=float(value.simple_value))
            elif value.HasField("tensor"):
                array: Any = np.asarray(tensors.make_ndarray(value.tensor))
                if array.ndim == 2 and array.shape[1] == 3 and len(array):
                    edges, counts = array[:, :2].T.astype(np.float64), array[:, 2]
                    middle = edges.mean(axis=0)
                    moments = [
                        float(counts.sum()),
                        float((middle * counts).sum()),
                        float((middle**2 * counts).sum()),
                        float(edges[0, 0]),
                        float(edges[1, -1]),
                    ]
                    yield _Value(*place, histogram=(moments, edges, counts.astype(np.float64)))
                elif array.size == 1 and array.dtype.kind in "fiu":
                    yield _Value(*place, scalar=float(array.reshape(())))


def _columns(
    step: int,
    moments: list[float],
    edges: NDArray[np.float64],
    counts: NDArray[np.float64],
    tag: str,
) -> Columns:
    """Gives a histogram of any buckets as one column over the fixed bins."""
    count, total, square, minimum, maximum = moments
    sound = (
        edges.shape == (2, len(counts))
        and len(counts) <= _MOST_BUCKETS
        and np.isfinite(moments).all()
        and np.isfinite(counts).all()
        and (counts >= 0).all()
        and minimum <= maximum
        and 0 <= count < 2**53
        and square >= 0
    )
    if not sound:
        raise FormatError(f"Histogram {tag!r:.200} at step {step} does not hold together.")
    clipped: Any = np.minimum(np.maximum(np.sort(edges, axis=0), minimum), maximum)
    lower, upper = clipped
    elements = counts.sum()
    scale = min(elements, SAMPLE) / elements if elements else 0.0
    bins = np.stack(
        [_spread(lower, upper, counts * scale), _spread(-upper, -lower, counts * scale)]
    )
    middle = (np.abs(lower) + np.abs(upper)) / 2

    def one(number: float, kind: Any = np.int64) -> NDArray[Any]:
        return np.array([number], dtype=kind)

    return Columns(
        first=one(step),
        last=one(step),
        records=one(1),
        count=one(round(count)),
        zeros=one(min(round(counts[(lower == 0) & (upper == 0)].sum()), round(count))),
        nonfinite=one(0),
        total=one(total, np.float64),
        magnitude=one(float((middle * counts).sum()), np.float64),
        square=one(square, np.float64),
        minimum=one(minimum if count else np.nan, np.float64),
        maximum=one(maximum if count else np.nan, np.float64),
        low=0,
        bins=bins[None].astype(np.float32),
    )


def _spread(
    lower: NDArray[np.float64], upper: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shares buckets out among the bins of positive magnitudes, evenly along each bucket."""
    edges = magnitude_edges(0, FINITE)
    bins = np.zeros(MAGNITUDES)
    for low, high, count in zip(lower, upper, counts, strict=True):
        if count == 0 or high <= 0:
            continue
        if high == low:
            place = int(np.searchsorted(edges, float(low), side="right")) - 1
            bins[min(place, FINITE - 1)] += count
            continue
        inside = np.minimum(np.maximum(edges, low), high)
        bins[:FINITE] += count * np.diff(inside) / (high - low)
    return bins
