"""The runs of flows that a command looks at: those of the documents, and of one's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analyzer.flows.custom import load_flows
from analyzer.flows.runs import flows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.flows.spec import Flow
    from analyzer.flows.values import FlowRun
    from analyzer.trace import Trace


def own_flows(files: Sequence[str]) -> tuple[Flow, ...]:
    """Return the flows of installed packages and of files. Raises UsageError."""
    try:
        return load_flows(files)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"--flow-file: {error}") from None


def runs_of(trace: Trace, own: Sequence[Flow]) -> Sequence[FlowRun]:
    """Return the runs of all flows of a capture, those of ``own`` too, in order."""
    return flows_of(trace, more=own)
