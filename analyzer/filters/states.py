"""What became of messages, as ``is:`` asks: errors, repetitions, what was never answered.

The rule: nothing is said to be unanswered where the capture would not show the answer, and a
challenge that was met is a round of authentication, no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.table import DEFAULTS
from analyzer.lazy import once
from analyzer.meaning import outline
from analyzer.room_reader import RoomReader
from analyzer.sessions.rooms import JOINING, is_good
from analyzer.transaction_table import CHALLENGES, NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.commands import Command
    from analyzer.ladder.scene import Scene

REFUSED = 400
SLOW_MS = DEFAULTS.slow_ms


class States:
    """Sets of rows, each worked out when it is first asked for; hop copies are in them too."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._rows = scene.rows

    @once
    def copy(self) -> frozenset[int]:
        """Messages that were seen before, on another hop."""
        return frozenset(self._scene.analysis.copy_of)

    @once
    def error(self) -> frozenset[int]:
        """Answers that refuse, and replies with the code of a failure or with a room refused."""
        met = self._met_challenges()
        status = self._rows.status
        found = {row for row, one in enumerate(status) if one >= REFUSED and row not in met}
        found.update(self._bad_replies())
        found.update(self._refused_rooms())
        return frozenset(found)

    def _met_challenges(self) -> set[int]:
        """Return the challenges after which the same was sent again."""
        rows = self._rows
        last: dict[tuple[int, int], int] = {}
        for row, status in enumerate(rows.status):
            if status < 0:
                last[rows.call_id[row], rows.method[row]] = row
        return {
            row
            for row, status in enumerate(rows.status)
            if status in CHALLENGES and last.get((rows.call_id[row], rows.method[row]), -1) > row
        }

    def _bad_replies(self) -> Iterator[int]:
        rows, values = self._rows, self._rows.strings.values
        codes = rows.item_columns["code"]
        bad = {code for code in set(codes) if not is_good(values[code])}
        if not bad:
            return
        for row, count in enumerate(rows.items):
            first = rows.item[row]
            if count and not bad.isdisjoint(codes[first : first + count]):
                yield row

    def _refused_rooms(self) -> Iterator[int]:
        """Yield the replies that let somebody into some rooms and not into others."""
        trace, rows, values = self._scene.trace, self._rows, self._rows.strings.values
        reader, ids = RoomReader(trace), rows.item_columns["id"]
        joined = {f"rpl:{name}" for name in JOINING}
        wanted = {one for one in set(ids) if (values[one] or "").lower() in joined}
        if not wanted:
            return
        for row, count in enumerate(rows.items):
            for position in range(count):
                if ids[rows.item[row] + position] in wanted and reader.facts(row, position).failed:
                    yield row

    @once
    def retransmission(self) -> frozenset[int]:
        """Requests and final answers that were sent again."""
        found: set[int] = set()
        if self._scene.views:  # few transactions have any: the table knows which
            for more in self._scene.views[0].material.transactions.more.values():
                found.update(more.retransmissions)
                found.update(more.repeated)
            return frozenset(found)
        for one in self._scene.analysis.transactions:
            found.update(one.retransmissions)
            found.update(one.repeated_finals)
        return frozenset(found)

    @once
    def unanswered(self) -> frozenset[int]:
        """Requests without a final answer, and commands without a reply, that the capture tells."""
        unknown = self._scene.visibility.why_unknown
        found = {
            one.request
            for one in self._scene.analysis.transactions
            if one.final is None
            and one.request is not None
            and one.method not in NO_ANSWER
            and unknown(one.request) is None
        }
        commands = {
            command.row
            for command in self._commands()
            if command.outcome == "unanswered" and command.element >= 0
        }
        return frozenset(found | self._everywhere(commands))

    @once
    def slow(self) -> frozenset[int]:
        """What waited for longer than ``SLOW_MS``, and the answer that came so late."""
        found: set[int] = set()
        for one in self._scene.analysis.transactions:
            if (one.latency_ms or 0) > SLOW_MS:
                found.update(row for row in (one.request, one.final) if row is not None)
        times, late = self._rows.time, set[int]()
        for command in self._commands():
            if command.element < 0:
                continue
            for answer in command.answers[:1]:
                if times[answer.row] - times[command.row] > SLOW_MS * 1e6:
                    late |= {command.row, answer.row}
        return frozenset(found | self._everywhere(late))

    @once
    def post(self) -> frozenset[int]:
        """Chat messages as their authors sent them; what was given to members is none."""
        rows = {one.row for one in self._commands() if one.post and one.element >= 0}
        return frozenset(self._everywhere(rows))

    def _commands(self) -> Iterable[Command]:
        _ = outline(self._scene.trace)
        return (command for view in self._scene.views for command in view.commands)

    def _everywhere(self, rows: Iterable[int]) -> set[int]:
        """Return messages with their copies on all hops."""
        scene = self._scene
        return {one for row in rows for one in scene.seen(scene.origin(row))}
