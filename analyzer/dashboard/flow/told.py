"""What the flow of a session rests on: runs, critical paths, its story, what failures took down.

The rule: everything is kept by the case, for a page is drawn anew at every click.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.causes.consequences import consequences_of
from analyzer.causes.path import critical_path
from analyzer.collector import paused
from analyzer.dashboard.verdict.told import told_of
from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from analyzer.narrative.names import steps_text
from analyzer.narrative.story import story_of
from analyzer.views.narrative import story_record
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.causes.consequences import Loss
    from analyzer.causes.path import Path
    from analyzer.dashboard.cases import Case
    from analyzer.flows.values import FlowRun

Record = dict[str, Any]
_DOCUMENTED = {flow.name: flow for flow in (SIGN_IN, POSTING)}


class Numbered(NamedTuple):
    """A run, and which of its session it is, from 1."""

    number: int
    run: FlowRun


def runs_of(case: Case, index: int, flow: str) -> Sequence[Numbered]:
    """Return the runs of one flow in a session, in the order in which they began."""
    runs = enumerate(told_of(case).runs(index), 1)
    return [Numbered(number, run) for number, run in runs if run.flow == flow]


def path_of(case: Case, index: int, one: Numbered) -> Path:
    """Return the critical path of a sign-in."""
    with paused():
        return case.once(
            ("path", index, one.number),
            lambda: critical_path(case.trace, case.views[index], one.run),
        )


def losses_of(case: Case, index: int) -> Sequence[Loss]:
    """Return what the failed steps of a session took down with them."""
    return case.once(
        ("losses", index),
        lambda: consequences_of(case.views[index], told_of(case).runs(index), _DOCUMENTED),
    )


def loss_text(case: Case, index: int, place: str | None) -> str | None:
    """Return what a failed step took down with it, in words; None where it is nothing.

    ``place`` is that of a ``Failure``: ``1.6`` is step 6 of the first run.
    """
    number, _, step = (place or "").partition(".")
    runs = told_of(case).runs(index)
    flow = runs[int(number) - 1].flow if number else ""
    for loss in losses_of(case, index):
        if (loss.flow, loss.step.id) != (flow, step):
            continue
        parts = [f"{steps_text(loss.steps)} did not follow"] if loss.steps else []
        parts += [f"{amount(len(loss.rooms), 'room')} not entered"] if loss.rooms else []
        parts += [f"{amount(len(loss.posts), 'post')} lost"] if loss.posts else []
        return ", ".join(parts)
    return None


def story_told(case: Case, index: int) -> Record:
    """Return the story of a session, as a record (docs/json.md)."""
    return case.once(("story", index), lambda: _story(case, index))


def _story(case: Case, index: int) -> Record:
    told, view = told_of(case), case.views[index]
    with paused():
        story = story_of(view, told.runs(index), told.names, losses_of(case, index))
        return story_record(case.trace, view, story)
