"""The verdict on each capture of the corpus, as it was read and agreed on by eye.

``python -m tests.truth.test_verdicts`` writes the files in ``verdicts/`` anew: look at every line
that changes before it is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from analyzer.diagnostics.table import diagnose
from analyzer.flows.runs import flows_of
from analyzer.meaning import outline
from analyzer.narrative.names import names_of
from analyzer.narrative.verdict import summary_of
from analyzer.trace import open_capture
from analyzer.views.numbers import frames_text
from tests.paths import require_shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

VERDICTS = Path(__file__).with_name("verdicts")
CAPTURES = sorted(
    path
    for folder in ("captures", "flows")
    for path in (require_shared() / folder).glob("*.pcap*")
    if path.stem != "tls"  # the same as signin-tcp, where tshark can decrypt it
)


def _run(run: FlowRun, trace: Trace) -> Iterator[str]:
    of = "" if run.row is None else f" of frame {trace.rows.frame[run.row]}"
    yield f"  {run.flow}{of}: {run.outcome} ({run.variant})"
    for step in run.steps:
        frames = f" [{frames_text(step.frames)}]" if step.frames else ""
        yield f"    {step.id:>2} {step.status}{frames}"
    for copy in run.copies:
        whom = "echo" if copy.echo else "copy"
        where = "never came" if copy.row is None else f"frame {trace.rows.frame[copy.row]}"
        answered = "" if copy.status in (None, 200) else f", answered {copy.status}"
        unseen = "" if copy.captured else " (would not be seen)"
        yield f"       {whom} to {copy.user}: {where}{answered}{unseen}"


def verdict(path: Path) -> str:
    """Return the verdict on a capture as text."""
    lines: list[str] = []
    with open_capture(path) as trace:
        views = cast("Sequence[SessionView]", outline(trace).sessions)
        runs, names = flows_of(trace), names_of(views)
        for view in views:
            lines.append(f"{view.user}: {summary_of(view, runs, names)}")
            for run in runs:
                if run.session == view.index:
                    lines += _run(run, trace)
        lines += [
            f"{one.severity} {one.rule} {one.title} ({one.user}) [{frames_text(one.frames)}], "
            f"{one.confidence}"
            for one in diagnose(trace)
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_the_verdict_is_the_one_that_was_agreed_on(path: Path) -> None:
    assert verdict(path) == (VERDICTS / f"{path.stem}.txt").read_text(encoding="utf-8")


def test_every_verdict_has_its_capture() -> None:
    assert {path.stem for path in CAPTURES} == {path.stem for path in VERDICTS.glob("*.txt")}


if __name__ == "__main__":
    VERDICTS.mkdir(exist_ok=True)
    for capture in CAPTURES:
        (VERDICTS / f"{capture.stem}.txt").write_text(verdict(capture), encoding="utf-8")
