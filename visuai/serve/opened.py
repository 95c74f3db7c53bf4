"""A run that is open, with what is kept of it between requests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from visuai.record.diagnosis.diagnose import diagnose
from visuai.record.diagnosis.diagnosis import Diagnoses
from visuai.record.diagnosis.structure import Structure
from visuai.record.glance import Glance
from visuai.record.run import Run
from visuai.record.schema import QUANTITIES
from visuai.record.statistics import Statistics
from visuai.record.subject import Subject
from visuai.record.track import Tracks


@dataclass(frozen=True)
class Contents:
    """Of what a run has records.

    Attributes:
        parameters: Parameters by FQN, in execution order where the network is known.
        modules: Modules whose activations were recorded, likewise.
        quantities: What is recorded of each, by kind and FQN: the root module and a parameter
            may share a name.
    """

    parameters: dict[str, Subject]
    modules: dict[str, Subject]
    quantities: dict[tuple[str, str], tuple[str, ...]]


class Opened:
    """A run open for reading. It may be used from several threads.

    What is asked of it within one `Run.snapshot` fits together. Such a snapshot is also what
    keeps threads from each other: what is kept is only touched in one.

    Attributes:
        run: The run.
        path: Its file.
        number: Differs from that of any other that was open, also of the same file.
    """

    def __init__(self, path: Path, number: int) -> None:
        """Opens it.

        Raises:
            FileNotFoundError: If there is no such file.
            FormatError: If it is no recorded run, or damaged.
        """
        self.path = path
        self.number = number
        self.run = Run(path)
        self._seen: tuple[int, Glance] | None = None
        self._contents: tuple[object, Contents] | None = None
        self._structure: tuple[object, tuple[str, ...], dict[str, int]] | None = None
        self._tracks = Tracks(self.run)

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever the run is written to."""
        return self.number, self.run.version

    def glance(self) -> Glance:
        """Looks at the run, if it was written to since the last look.

        Raises:
            FormatError: If the file is damaged.
        """
        with self.run.snapshot():
            version = self.run.version
            if self._seen is None or self._seen[0] != version:
                self._seen = version, self.run.glance()
            return self._seen[1]

    def contents(self) -> Contents:
        """Tells of what there are records.

        Raises:
            FormatError: If the file is damaged.
        """
        with self.run.snapshot():
            seen = self.glance()
            state = (seen.state, seen.has_network)
            if self._contents is None or self._contents[0] != state:
                self._contents = state, self._read_contents(seen)
            return self._contents[1]

    def series(self, quantity: str) -> Statistics:
        """Gives the series of a quantity, without bins, of all that has it, in execution order.

        To be called, and what it gives to be used, in a snapshot of the run.

        Args:
            quantity: One of `visuai.record.schema.QUANTITIES`.

        Raises:
            FormatError: If the file is damaged.
        """
        of_module = quantity in ("activation", "activity")
        kind = "module" if of_module else "parameter"
        with self.run.snapshot():
            contents = self.contents()
            return self._tracks.of(quantity).recorded(
                name
                for name in (contents.modules if of_module else contents.parameters)
                if quantity in contents.quantities[kind, name]
            )

    def diagnose(self) -> Diagnoses:
        """Diagnoses the run; who asks for something else meanwhile waits a fraction of a second.

        Raises:
            FormatError: If the file is damaged.
        """
        for quantity in QUANTITIES:
            self._tracks.of(quantity)  # each by itself: the first time takes longest
        return diagnose(self.run, self._tracks)

    @property
    def cells(self) -> int:
        """Cells of statistics in memory; see `visuai.record.track.Tracks`."""
        return self._tracks.cells

    def forget(self) -> None:
        """Gives the memory of all statistics back; to be called while nobody reads the run."""
        self._tracks = Tracks(self.run)

    def close(self) -> None:
        """Closes the file."""
        self.run.close()

    def _read_contents(self, seen: Glance) -> Contents:
        found = self.run.recorded()
        parameters = {each.name: each for each, _ in found if each.kind == "parameter"}
        modules = {each.name: each for each, _ in found if each.kind == "module"}
        order, places = self._order(seen, parameters)
        last = len(places)
        return Contents(
            parameters={name: parameters[name] for name in order},
            modules=dict(sorted(modules.items(), key=lambda item: places.get(item[0], last))),
            quantities={(each.kind, each.name): quantities for each, quantities in found},
        )

    def _order(
        self, seen: Glance, parameters: dict[str, Subject]
    ) -> tuple[tuple[str, ...], dict[str, int]]:
        """Gives the parameters, and the places of modules, in execution order."""
        state = (seen.has_network, seen.resumed, *parameters)
        if self._structure is None or self._structure[0] != state:
            structure = Structure(parameters, self.run.topology)
            self._structure = state, tuple(structure.parameters), structure.module_order
        return self._structure[1:]
