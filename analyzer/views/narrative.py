"""Stories and critical paths as records (docs/json.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.views.dialogs import span_time

if TYPE_CHECKING:
    from analyzer.causes.path import Path, Wait
    from analyzer.flows.values import FlowRun
    from analyzer.narrative.story import Story
    from analyzer.narrative.tale import Sentence
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace
    from analyzer.views.messages import Record


def story_record(trace: Trace, view: SessionView, story: Story) -> Record:
    """Return the story of one session."""
    return {
        "session": story.session,
        "user": view.user,
        "summary": story.summary,
        "sentences": [sentence_record(trace, one) for one in story.sentences],
        "left_out": story.left_out,
    }


def sentence_record(trace: Trace, sentence: Sentence) -> Record:
    """Return one sentence of a story."""
    return {
        "time": span_time(trace, sentence.time),
        "frames": list(sentence.frames),
        "text": sentence.text,
        "tone": sentence.tone,
    }


def path_record(trace: Trace, run: FlowRun, path: Path) -> Record:
    """Return the critical path of one sign-in."""
    return {
        "session": run.session,
        "user": run.user,
        "outcome": run.outcome,
        "started": None if path.started is None else span_time(trace, path.started),
        "duration_ms": path.ms,
        "whole": path.whole,
        "waits": [wait_record(trace, wait) for wait in path.waits],
    }


def wait_record(trace: Trace, wait: Wait) -> Record:
    """Return one wait of a critical path."""
    return {
        "party": wait.party,
        "what": wait.what,
        "from_frame": wait.from_frame,
        "to_frame": wait.to_frame,
        "started": span_time(trace, wait.started),
        "ms": wait.ms,
        "share": wait.share,
        "largest": wait.largest,
    }
