"""The runs of all flows in a capture: the only entry to what flows found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.flows.values import FlowRun
    from analyzer.trace import Trace


def flows_of(trace: Trace, sessions: Sequence[int] | None = None) -> tuple[FlowRun, ...]:
    """Return the runs of every flow, in the order in which they began.

    The capture must still be open. ``sessions`` are the indexes of those that are wanted (None:
    all); a post's copies are looked for in all sessions of the capture.
    """
    raise NotImplementedError
