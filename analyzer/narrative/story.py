"""The story of a session: sentences in time order, each with the frames that it rests on."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.narrative import chatting, endings, signing_in
from analyzer.narrative.tale import Sentence, Tale
from analyzer.narrative.verdict import summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.causes.consequences import Loss
    from analyzer.flows.values import FlowRun
    from analyzer.narrative.names import Names
    from analyzer.sessions.view import SessionView

MAX_SENTENCES = 1000
"""Sentences of one session: who reads more looks at the lists."""


class Story(NamedTuple):
    """What happened in a session."""

    session: int
    summary: str
    sentences: tuple[Sentence, ...]
    left_out: int
    """Sentences over ``MAX_SENTENCES``."""


def story_of(
    view: SessionView, runs: Sequence[FlowRun], names: Names, losses: Sequence[Loss] = ()
) -> Story:
    """Return the story of a session of an open capture.

    Args:
        view: the session.
        runs: what ``flows_of`` found.
        names: of the people in the capture.
        losses: what failed steps took down with them.
    """
    mine = [run for run in runs if run.session == view.index]
    tale = Tale(view, names)
    found: list[Sentence] = [
        *signing_in.sentences(tale),
        *chatting.sentences(tale, mine),
        *endings.sentences(tale, losses),
    ]
    found.sort(key=attrgetter("time", "order"))
    # Several requests in one frame may read alike: one sentence tells them all.
    found = list({(one.time, one.frames, one.text): one for one in reversed(found)}.values())[::-1]
    shown = tuple(found[:MAX_SENTENCES])
    summary = summary_of(view, mine, names)
    return Story(view.index, summary, shown, len(found) - len(shown))
