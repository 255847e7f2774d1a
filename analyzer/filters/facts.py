"""What filters ask of a capture again and again, worked out once and kept with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from analyzer.filters.states import States
from analyzer.filters.texts import Texts
from analyzer.lazy import once
from analyzer.room_reader import RoomReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.ladder.scene import Scene
    from analyzer.trace import Trace

T = TypeVar("T")
CLIENT, SERVER, UNKNOWN = 1, 2, 0


class Looked(Protocol):
    """An open capture with what was worked out of it."""

    @property
    def trace(self) -> Trace:
        """Return its messages."""
        ...

    @property
    def scene(self) -> Scene:
        """Return them with session, dialog and hop copies."""
        ...

    @property
    def diagnosed(self) -> Sequence[Finding]:
        """Return its findings, in the order in which they are counted."""
        ...

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Return what ``make`` returned the first time it was asked for under this key."""
        ...


class Facts:
    """Columns beside the rows of one capture."""

    def __init__(self, looked: Looked) -> None:
        self.trace = looked.trace
        self.rows = looked.trace.rows
        self.scene = looked.scene
        self.states = States(looked.scene)
        self.texts = Texts(looked.trace)
        self._looked = looked

    @staticmethod
    def of(looked: Looked) -> Facts:
        """Return those of a capture."""
        return looked.once("filter facts", lambda: Facts(looked))

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings, in the order in which they are counted."""
        return self._looked.diagnosed

    @once
    def session(self) -> list[int]:
        """The index of the session of each message; -1 of those in none."""
        found = [-1] * len(self.rows)
        for row, place in self.scene.places.items():
            found[row] = place.view.index
        return found

    @once
    def sender(self) -> bytearray:
        """Who sent each message: ``CLIENT``, ``SERVER``; ``UNKNOWN`` of those in no session."""
        found = bytearray(len(self.rows))
        from_client = self.scene.from_client
        for row in self.scene.places:
            found[row] = CLIENT if from_client(row) else SERVER
        return found

    @once
    def rooms(self) -> list[tuple[str, ...]]:
        """The URIs and names of the rooms that each message speaks of."""
        reader, items = RoomReader(self.trace), self.rows.items
        known: dict[tuple[str, ...], tuple[str, ...]] = {(): ()}
        found = [()] * len(self.rows)
        for row, count in enumerate(items):
            if count:
                names = _names(reader, row, count)
                found[row] = cast("Any", known.setdefault(names, names))
        return cast("list[tuple[str, ...]]", found)

    @once
    def room_names(self) -> dict[str, set[str]]:
        """URI and name of each room that sessions tell, to all that it is called."""
        found: dict[str, set[str]] = {}
        for view in self.scene.views:
            for room in view.rooms:
                if room.name is not None:
                    both = found.setdefault(room.uri, {room.uri})
                    both.add(room.name)
        return found

    def strings(self, test: Callable[[str | None], bool], *columns: Iterable[int]) -> set[int]:
        """Return the numbers of the strings in these columns that pass: each is tested once."""
        values = self.rows.strings.values
        return {number for number in set().union(*columns) if test(values[number])}


def _names(reader: RoomReader, row: int, count: int) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for position in range(count):
        facts = reader.facts(row, position)
        for name in (*facts.rooms, *facts.failed, *facts.names.values()):
            names[name] = None
    return tuple(names)
