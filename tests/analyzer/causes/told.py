"""Captures opened, with their sessions and runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from analyzer.flows.runs import flows_of
from analyzer.meaning import outline
from analyzer.trace import open_capture
from tests.paths import require_shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Opened = tuple["Trace", "Sequence[SessionView]", "Sequence[FlowRun]"]


def flow(name: str) -> Path:
    """Return the modelled capture of a name."""
    require_shared()
    return next(iter((require_shared() / "flows").glob(f"{name}.pcap*")))


@cache
def opened(path: Path) -> Opened:
    """Return the trace of a capture, its sessions and the runs of all flows."""
    trace = open_capture(path)
    return trace, cast("Sequence[SessionView]", outline(trace).sessions), flows_of(trace)


def sign_in(path: Path, session: int = 0) -> FlowRun:
    """Return the first sign-in of a session."""
    runs = opened(path)[2]
    return next(run for run in runs if (run.flow, run.session) == ("sign-in", session))
