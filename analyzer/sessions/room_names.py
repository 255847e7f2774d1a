"""What sentences call the rooms of a session: by name, as people do.

The rule: a name that two of its rooms have tells nothing, so that these are told by URI.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.model import Room


class RoomNames:
    """Names of the rooms of one session."""

    def __init__(self, rooms: Iterable[Room]) -> None:
        names = {room.uri: room.name for room in rooms if room.name}
        shared = Counter(names.values())
        self._names = {uri: name for uri, name in names.items() if shared[name] == 1}

    def of(self, uri: str | None) -> str:
        """Return ``*Sales*``, or the URI where there is no name of its own."""
        name = self._names.get(uri or "")
        return f"*{name}*" if name else uri or "a room"

    def of_all(self, uris: Sequence[str]) -> str:
        """Return one room by its name, several by their number."""
        return self.of(uris[0]) if len(uris) == 1 else f"{len(uris)} rooms"
