"""A play that goes on, as a ladder: what is on its wire so far, read as any capture is.

The rule: who watches is given what there is, and a long play is followed only to a point; all of it
is there when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from analyzer.dashboard.cases import Case
from analyzer.dashboard.desk import Desk
from analyzer.dashboard.ladder.part import draw_ladder
from analyzer.dashboard.selection import Selection
from analyzer.ladder.build import ladder_of
from analyzer.ladder.look import Look

if TYPE_CHECKING:
    from analyzer.dashboard.playing.plays import Playing
    from analyzer.ladder.values import Ladder
    from analyzer.trace import Trace

FOLLOWED = 4_000
"""Events of a play that are followed: with their ladder half a second of work at each look."""
DRAWN = 2_000
"""Messages of its ladder, when it is over; the case of its capture has all."""


class Live(NamedTuple):
    """What was drawn of a play last."""

    events: int
    """How many there were."""
    case: Case
    ladder: Ladder


def follow(desk: Desk, playing: Playing, key: str) -> bool:
    """Draw what is on the wire so far; return whether there was anything to draw."""
    with playing.lock:
        live = _live(playing)
        if live is None or not live.ladder.events:
            return False
        watched = LiveDesk(live.case, replace(desk.selection, message=None, more={}), "")
        draw_ladder(watched, live.ladder, Look(zone=desk.zone), key, live=True)
    return True


def _live(playing: Playing) -> Live | None:
    known = playing.live if isinstance(playing.live, Live) else None
    events = playing.events[:FOLLOWED]
    if not events or (known is not None and known.events == len(events)):
        return known
    from analyzer.replay.capture import wire_capture
    from analyzer.trace import open_capture

    playing.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    path = playing.folder / f"live-{len(events)}.pcapng"
    with path.open("wb") as out:
        wire_capture(events, out)
    trace: Trace = open_capture(path)
    if known is not None:
        known.case.close()
        for file in known.case.files:
            _forget(playing, file)
    name = f"replay of {playing.name}"
    case = Case(f"live-{playing.id}", name, (str(path),), trace)
    made = Live(len(events), case, ladder_of(trace, most=DRAWN))
    playing.live = made
    return made


def _forget(playing: Playing, file: str) -> None:
    for path in playing.folder.glob("live-*.pcapng"):
        if str(path) == file:
            path.unlink(missing_ok=True)


def end_live(playing: Playing) -> None:
    """Close what was opened to follow a play."""
    with playing.lock:
        known, playing.live = playing.live, None
        if isinstance(known, Live):
            known.case.close()
            for file in known.case.files:
                _forget(playing, file)


def draw_played(desk: Desk, playing: Playing, played: Case, key: str) -> None:
    """Draw the ladder of a play that is over; its messages open in the case of its capture."""
    with played.lock:
        ladder = played.once("ladder of the play", lambda: ladder_of(played.trace, most=DRAWN))
        selection = Selection(case=desk.selection.case, view="replay", zone=desk.selection.zone)
        watched = LiveDesk(played, selection, playing.opened)
        draw_ladder(watched, ladder, Look(zone=desk.zone), key)


@dataclass(eq=False)
class LiveDesk(Desk):
    """The desk of a play: what is chosen in its ladder is shown in the case of its capture."""

    opened: str
    """Id of that case; empty while the play goes on: nothing can be chosen then."""

    def href(self, **changes: Any) -> str:  # noqa: ANN401  (as ``Selection.but``)
        """Return a link to what is looked at in the case of the play."""
        return self._there().href(**changes)

    def go(self, **changes: Any) -> None:  # noqa: ANN401  (as ``Selection.but``)
        """Show a message in the case of the play."""
        if self.opened and changes.get("message") is not None:
            wanted = self._there().but(view="ladder", message=changes["message"])
            st.query_params.from_dict(wanted.params())

    def _there(self) -> Selection:
        return Selection(case=self.opened or self.selection.case, zone=self.selection.zone)
