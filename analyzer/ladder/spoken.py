"""SIP messages as arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.ladder.fold import worst
from analyzer.ladder.labels import Labels, heat_of
from analyzer.ladder.values import Arrow, Hop

if TYPE_CHECKING:
    from analyzer.ladder.aliases import Aliases
    from analyzer.ladder.scene import Scene

Way = tuple[int, int, tuple[int, ...]]
"""Numbers of the source and target lane, and of those that are passed."""


class Spoken:
    """Makes the arrows of messages."""

    def __init__(self, scene: Scene, aliases: Aliases) -> None:
        self._scene = scene
        self._rows = scene.rows
        self._aliases = aliases
        self._labels = Labels(scene)

    def is_one_of(self, row: int, names: set[str]) -> bool:
        """Say whether a message has one of these methods or is about one of these commands."""
        method = self._rows.strings.values[self._rows.method[row]] or ""
        if method.upper() in names:
            return True
        transaction = self._scene.transaction(row)
        asked = row if transaction is None or transaction.request is None else transaction.request
        # A reply may have another name than its command: rpl:getservinfo.
        replied = self._scene.replies.get(self._scene.origin(asked), ())
        about = [one.command.name for one in replied]
        about += [name for _, name, _ in self._scene.items(asked)]
        return any(name.upper() in names for name in about)

    def arrow(self, row: int, lanes: Way, *, alone: bool) -> Arrow:
        """Return the arrow of one sighting of a message; ``alone``: its hops have arrows too."""
        scene, rows = self._scene, self._rows
        way = next(one for one in scene.ways(scene.origin(row)) if row in one)
        place = scene.places.get(row)
        latency, since = self._latency(row)
        marks, tone = self._labels.marks(row)
        hops = () if alone else tuple(self._hop(one) for one in way if one != row)
        seen = (row,) if alone else way
        answer = rows.status[row] >= 0
        label = self._labels.label(row)
        return Arrow(
            source=lanes[0],
            target=lanes[1],
            via=lanes[2],
            kind="response" if answer else "request",
            label=label,
            text=self._labels.text(row, label),
            time=rows.time[row],
            frame=rows.frame[row],
            rows=(row,),
            frames=tuple(sorted({frame for one in seen for frame in rows.frames(one)})),
            status=rows.status[row] if answer else None,
            code=None if answer else self._labels.code(row),
            tone=worst(tone, self._labels.tone(row)),
            latency_ms=latency,
            latency_of=since,
            heat=heat_of(latency),
            marks=marks,
            hops=hops,
            session=None if place is None else place.view.index,
            call_id=rows.strings.values[rows.call_id[row]],
            method=rows.strings.values[rows.method[row]],
        )

    def _hop(self, row: int) -> Hop:
        stream = self._scene.trace.streams[self._rows.stream[row]]
        named = [self._named(address) for address in (stream.src, stream.dst)]
        return Hop(row, self._rows.frame[row], named[0], named[1], self._rows.time[row])

    def _named(self, address: str) -> str:
        alias = self._aliases.of_address(address)
        return f"{alias}:{address.rpartition(':')[2]}" if alias else address

    def _latency(self, row: int) -> tuple[float | None, str]:
        """Return how long a message was waited for, in milliseconds, and since what."""
        rows, scene = self._rows, self._scene
        if rows.status[row] >= 0:
            transaction = scene.transaction(row)
            asked = None if transaction is None else transaction.request
            if asked is None or asked > row:
                return None, ""
            method = rows.strings.values[rows.method[asked]] or "request"
            return self._since(row, asked), f"{method} in frame {rows.frame[asked]}"
        replied = [one for one in scene.replies.get(scene.origin(row), ()) if one.asked]
        if not replied:
            return None, ""
        # Of several commands the first waited longest.
        first = min(replied, key=lambda one: one.command.row)
        asked = scene.nearest(scene.origin(first.command.row))
        return self._since(row, asked), f"{first.command.name} in frame {rows.frame[asked]}"

    def _since(self, row: int, asked: int) -> float:
        return (self._rows.time[row] - self._rows.time[asked]) / 1e6
