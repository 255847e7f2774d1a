"""Messages that are in no session: given to a client by connection and address of record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from analyzer.replay.derive.cast import Whose
    from analyzer.replay.derive.recording import Recording


class Side(NamedTuple):
    """What is known of a connection."""

    opener: bool
    """The client opened it."""
    hop: bool
    """It lies between hosts behind the server."""
    client: str | None
    """Whose it is; None where several may share it."""


class Strangers:
    """Gives what is in no session to clients."""

    def __init__(self, recording: Recording, whose: Whose) -> None:
        self._recording = recording
        self._rows = recording.trace.rows
        self._streams = recording.trace.streams
        self._whose = whose
        self._sides: dict[int, Side] = {}
        self._at: dict[tuple[int, str], str] = {}
        for row in recording.rows:
            if row in whose.client:
                self._learn(row)

    def take_all(self) -> None:
        """Take every message that nobody has yet."""
        origin, whose = self._recording.scene.origin, self._whose
        for row in self._recording.rows:
            if row in whose.client:
                continue
            first = origin(row)
            if first != row and first in whose.client:
                whose.take(row, whose.client[first], from_client=whose.from_client[first])
                whose.hop[row] = whose.near.get(first, first)
            else:
                self._take(row)

    def _learn(self, row: int) -> None:
        """Take note of the connection of a message whose client is known."""
        whose, number = self._whose, self._rows.stream[row]
        connection, client = number >> 1, whose.client[row]
        opener = whose.from_client[row] == self._streams[number].from_opener
        known = self._sides.get(connection)
        if known is None or (known.hop and row not in whose.hop):
            self._sides[connection] = Side(opener, row in whose.hop, client)
        self._at.setdefault((connection, plain_uri(whose.users[client])), client)

    def _take(self, row: int) -> None:
        rows, whose, number = self._rows, self._whose, self._rows.stream[row]
        connection, sent = number >> 1, rows.status[row] < 0
        side = self._sides.get(connection, Side(opener=True, hop=False, client=None))
        asked = (sent == self._streams[number].from_opener) == side.opener
        client = side.client
        if not side.hop:
            uri = self._recording.uri(rows.from_uri[row] if asked else rows.to_uri[row])
            client = self._at.get((connection, plain_uri(uri)), client) or whose.party(uri, None)
            self._at.setdefault((connection, plain_uri(uri)), client)
        else:
            whose.hop[row] = None
        whose.take(row, client or whose.party("", None), from_client=asked == sent)
        whose.near.setdefault(self._recording.scene.origin(row), row)
