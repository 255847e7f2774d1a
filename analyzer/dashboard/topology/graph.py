"""The topology of a case, kept: that of all sessions for good, those of single ones for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.dashboard.kept_last import kept_last
from analyzer.topology.build import topology_in, topology_of
from analyzer.topology.grouping import condensed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.topology.build import Graph
    from analyzer.topology.values import Kind

WHOLE = "topology"


def graph_of(case: Case, session: int | None = None) -> Graph:
    """Return the topology of a case, or of one of its sessions."""
    if session is None:
        return case.once(WHOLE, lambda: topology_in(case.scene))
    return kept_last(case, WHOLE, session, lambda: topology_of(case.trace, (session,)))


def drawn_of(case: Case, session: int | None = None, whole: Sequence[Kind] = ()) -> Graph:
    """Return the graph that is drawn of it, kinds in ``whole`` one by one."""
    graph = graph_of(case, session)
    return kept_last(case, "topology drawn", (session, *whole), lambda: condensed(graph, whole))


def prepare(case: Case, step: Callable[[], object]) -> None:
    """Work out that of all sessions, piece by piece with others let in at each ``step``."""
    if not case.has(WHOLE):
        made = topology_in(case.scene, step)
        case.once(WHOLE, lambda: made)
