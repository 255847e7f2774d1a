"""The least script that still shows something: turns are dropped as long as it does.

The rule: what is dropped is whole (clients, hops, dialogs, a command with its answers), so that no
fault comes into a script that it did not have; and every script that is tried is well-formed.
Delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.table import RULES, diagnose
from analyzer.replay.capture import CaptureOptions, write_script_capture
from analyzer.replay.parts import grounds, origins, without
from analyzer.replay.script_json import write_script
from analyzer.replay.transport.commands import run_command
from analyzer.sources.files import Source
from analyzer.trace import Trace, read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from analyzer.replay.script import Script

MAX_RUNS = 1000
"""Scripts that are tried. Of a case of 200 turns a few dozen are; a minute for a finding."""
PLACE = "{}"
"""Stands for the script in a command."""

Unit = frozenset[str]
"""Turns that are dropped together, by id."""


class Shrunk(NamedTuple):
    """What is left."""

    script: Script
    dropped: tuple[str, ...]
    """Turns, by id, in their order."""
    runs: int
    """Scripts that were tried."""


def shrink(
    script: Script,
    holds: Callable[[Script], bool],
    *,
    progress: Callable[[int, int], None] | None = None,
    most: int = MAX_RUNS,
    playable: bool = False,
) -> Shrunk:
    """Return the least script of which something still holds; the same every time.

    Args:
        script: the whole case, of which it holds.
        holds: whether it does.
        progress: is told the runs so far and the turns that are left.
        most: scripts that are tried at most; then the least so far is returned.
        playable: keep what a live play of the rest rests on: the registration, the beginning of a
            dialog, the turns that values are learned from. Without it these values are given.
    """
    search = _Search(script, holds, progress, most)
    if playable:
        search.depend(grounds(script))
    search.run()
    left = without(script, search.dropped)
    if left.asides and search.tries(replace(left, asides=())):
        left = replace(left, asides=())
    return Shrunk(left, tuple(t.id for t in script.turns if t.id in search.dropped), search.runs)


class _Search:
    """Delta debugging over units, the largest first."""

    def __init__(
        self,
        script: Script,
        holds: Callable[[Script], bool],
        progress: Callable[[int, int], None] | None,
        most: int,
    ) -> None:
        self.script = script
        self.dropped: Unit = frozenset()
        self.runs = 0
        self._holds, self._progress, self._most = holds, progress, most
        self._known: dict[Unit, bool] = {}
        self._dependants: dict[str, set[str]] = {}
        self.depend((origin, turn.id) for turn in script.turns for origin in origins(turn))

    def depend(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Let turns go with others: pairs of one, and what goes with it."""
        for origin, turn in pairs:
            self._dependants.setdefault(origin, set()).add(turn)

    def run(self) -> None:
        """Drop what can be dropped, until a whole round drops nothing."""
        before: Unit | None = None
        while before != self.dropped and self.runs < self._most:
            before = self.dropped
            for level in (_clients, _wires, _dialogs, _exchanges, _optional):
                self._minimise(level(self.script))

    def tries(self, script: Script) -> bool:
        """Try a script."""
        self.runs += 1
        return self._holds(script)

    def _minimise(self, units: list[Unit]) -> None:
        """Find units that can go: all but a part of them, then single parts (ddmin)."""
        left = [unit for unit in units if not unit <= self.dropped]
        parts = 1
        while left and parts <= len(left) and self.runs < self._most:
            size = -(-len(left) // parts)
            chunks = [left[at : at + size] for at in range(0, len(left), size)]
            gone = next((chunk for chunk in chunks if self._drops(chunk)), None)
            if gone is None:
                parts = len(left) + 1 if parts == len(left) else min(parts * 2, len(left))
            else:
                left = [unit for unit in left if not unit <= self.dropped]
                parts = max(parts - 1, 1)

    def _drops(self, units: Iterable[Unit]) -> bool:
        """Drop units and what depends on them, if it still holds then."""
        dropped = self._closed(self.dropped.union(*units))
        if len(dropped) == len(self.script.turns) or self.runs >= self._most:
            return False
        if dropped not in self._known:
            self._known[dropped] = self.tries(without(self.script, dropped))
        if self._known[dropped]:
            self.dropped = dropped
        if self._progress is not None:
            self._progress(self.runs, len(self.script.turns) - len(self.dropped))
        return self._known[dropped]

    def _closed(self, dropped: Unit) -> Unit:
        """Return turns with all that are answers to them, or copies, or brought about by them."""
        closed, new = set(dropped), list(dropped)
        while new:
            further = self._dependants.get(new.pop(), set()) - closed
            new += further
            closed |= further
        return frozenset(closed)


def _grouped(pairs: Iterable[tuple[Hashable, str]]) -> list[Unit]:
    """Return the turns of each key, the last ones first: later turns need earlier ones."""
    groups: dict[Hashable, set[str]] = {}
    for key, turn in pairs:
        groups.setdefault(key, set()).add(turn)
    return [frozenset(turns) for turns in reversed(groups.values())]


def _clients(script: Script) -> list[Unit]:
    client = {dialog.id: dialog.client for dialog in script.dialogs}
    return _grouped((client.get(turn.dialog), turn.id) for turn in script.turns)


def _wires(script: Script) -> list[Unit]:
    """Hops behind the server: nobody plays them."""
    hops = {connection.id for connection in script.connections if not connection.live}
    return _grouped((one.connection, one.id) for one in script.turns if one.connection in hops)


def _dialogs(script: Script) -> list[Unit]:
    return _grouped((turn.dialog, turn.id) for turn in script.turns)


def _exchanges(script: Script) -> list[Unit]:
    """A command, with what answers it, what it brings about, and the copies of all these."""
    roots: dict[str, str] = {}
    for turn in script.turns:
        roots[turn.id] = next((roots[one] for one in origins(turn) if one in roots), turn.id)
    return _grouped((roots[turn.id], turn.id) for turn in script.turns)


def _optional(script: Script) -> list[Unit]:
    return _grouped((turn.id, turn.id) for turn in script.turns if turn.optional)


# What can hold of a script.


def finding_shows(script: Script, ids: Sequence[str]) -> bool:
    """Return whether the capture of a script has findings of all these rules.

    ``ids``: of rules, or their beginnings (``GC2``).
    """
    out = BytesIO()
    try:
        write_script_capture(script, CaptureOptions(), out)
    except ValueError:  # no capture can be made of it: it shows nothing
        return False
    source = Source("script", BytesIO(out.getvalue()), size=None)
    with Trace(source, read_plain(source)) as trace:
        wanted = tuple(one.upper() for one in ids)
        rules = [rule for name, rule in RULES.items() if name.startswith(wanted)]
        found = {finding.rule for finding in diagnose(trace, rules=rules)}
    return all(any(rule.startswith(one) for rule in found) for one in wanted)


def until_exit(script: Script, command: Sequence[str]) -> bool:
    """Return whether a command exits with 0; ``{}`` in its words is the file of the script.

    Raises:
        ValueError: the command cannot be started; one line.
    """
    with tempfile.TemporaryDirectory(prefix="xccos-") as folder:
        path = Path(folder, "case.json")
        path.write_text(write_script(script), encoding="utf-8", newline="")
        return run_command([word.replace(PLACE, str(path)) for word in command]) == 0
