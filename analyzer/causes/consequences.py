"""What one failed step took down with it: later steps, rooms and posts that needed it.

A step is lost through another when it builds on it, or was to come after it and the run ended
there; nothing of it was seen, and the other failed. What failed by itself is no consequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from analyzer.flows.values import BAD, DONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.flows.spec import Flow
    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.sessions.view import SessionView

    StepGraph = nx.DiGraph[str]
else:
    StepGraph = nx.DiGraph

ROOMS_STEP = "9"
"""The step of a sign-in that enters the rooms."""
POST_STEP = "4"
"""The step of a posting that is the post."""
LOST = ("rejected", "unanswered")


class Loss(NamedTuple):
    """What a failed step took down with it."""

    flow: str
    step: FlowStep
    rows: tuple[int, ...]
    """Messages of the failed step."""
    steps: tuple[FlowStep, ...]
    """Steps that did not follow."""
    rooms: tuple[str, ...]
    """URIs of rooms that were not entered."""
    posts: tuple[int, ...]
    """Rows of posts that were lost."""


def consequences_of(
    view: SessionView, runs: Sequence[FlowRun], flows: Mapping[str, Flow]
) -> tuple[Loss, ...]:
    """Return what the failed steps of a session took down with them, in order.

    Args:
        view: the session.
        runs: what ``flows_of`` found.
        flows: the flows by name, which say what each step builds on.
    """
    mine = [run for run in runs if run.session == view.index and run.flow in flows]
    known = _Session(view)
    found = [loss for run in mine for loss in known.losses(run, flows[run.flow])]
    return tuple(loss for loss in found if loss.steps or loss.rooms or loss.posts)


def steps_graph(flow: Flow) -> StepGraph:
    """Return the steps of a flow by id; an edge leads from a step to one that builds on it.

    A step that names nothing that it needs builds on the phase before it.
    """
    graph: StepGraph = nx.DiGraph()
    for step in flow.steps:
        graph.add_node(step.id)
        earlier = [need.step for need in step.needs]
        if not earlier:
            before = max((one.phase for one in flow.steps if one.phase < step.phase), default=None)
            earlier = [one.id for one in flow.steps if one.phase == before]
        graph.add_edges_from((one, step.id) for one in earlier)
    return graph


def _behind(run: FlowRun, root: FlowStep, flow: Flow) -> set[str]:
    """Return the steps of later phases where the run ended with a failed one: nobody got to them.

    What does not build on the failed step is done after it all the same.
    """
    at = run.steps.index(root)
    if any(step.status in DONE for step in run.steps[at + 1 :]):
        return set()
    phases = {step.id: step.phase for step in flow.steps}
    last = phases.get(root.id, 0)
    return {step.id for step in run.steps[at + 1 :] if phases.get(step.id, 0) > last}


class _Session:
    """One session, whose posts are looked through once."""

    def __init__(self, view: SessionView) -> None:
        self._view = view
        posts = view.named("grpchat")
        self._lost = {one.row: one for one in posts if one.outcome in LOST and one.element >= 0}

    def losses(self, run: FlowRun, flow: Flow) -> Iterator[Loss]:
        bad = [step for step in run.steps if step.status in BAD]
        if not bad:
            return
        graph = steps_graph(flow)
        roots = [step for step in bad if step.frames] or bad[:1]
        taken: set[str] = {root.id for root in roots}
        for root in roots:
            below: set[str] = nx.descendants(graph, root.id) if root.id in graph else set()
            reach = below | _behind(run, root, flow)
            lost = tuple(one for one in bad if one.id in reach and one.id not in taken)
            taken.update(one.id for one in lost)
            rooms = self._rooms(run, below | {root.id})
            gone = {root.id, *(one.id for one in lost)}
            posts = self._posts(run, rooms, unsent=POST_STEP in gone)
            yield Loss(run.flow, root, self._rows(run, root), lost, rooms, posts)

    def _rooms(self, run: FlowRun, reached: set[str]) -> tuple[str, ...]:
        """Return the rooms that were asked for in vain, where a failed step reaches them."""
        view = self._view
        if run.flow != "sign-in" or ROOMS_STEP not in reached:
            return ()
        asked = [room for command in view.named("bjoin") for room in view.outcomes.rooms(command)]
        entered = {room.uri for room in view.rooms if room.joined is not None}
        return tuple(room for room in dict.fromkeys(asked) if room not in entered)

    def _posts(self, run: FlowRun, rooms: Sequence[str], *, unsent: bool) -> tuple[int, ...]:
        """Return the posts that were lost; ``unsent``: that step of a posting is what failed."""
        if run.flow == "posting":
            return (run.row,) if unsent and run.row is not None and run.row in self._lost else ()
        outcomes, wanted = self._view.outcomes, set(rooms)
        return tuple(
            row for row, post in self._lost.items() if wanted.intersection(outcomes.rooms(post))
        )

    def _rows(self, run: FlowRun, step: FlowStep) -> tuple[int, ...]:
        """Return the messages that a step rests on; of a post, the post."""
        if run.flow == "posting":
            return () if run.row is None else (run.row,)
        frames, view = set(step.frames), self._view
        rows = (row for dialog in view.dialogs for row in dialog.rows)
        return tuple(sorted(row for row in rows if view.frame(row) in frames))
