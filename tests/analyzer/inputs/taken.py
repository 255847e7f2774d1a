"""A capture taken apart: as several people would have captured what is in it.

Files are written frame by frame, so that what is read of them is what a tap would have seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.inputs.opening import join
from analyzer.inputs.order import frames_of
from analyzer.trace import open_capture
from dissectors.capture.writer import write_pcapng
from dissectors.model import Datagram, Segment, address_text
from dissectors.transport.decoder import FrameDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from analyzer.inputs.joined import JoinedTrace
    from analyzer.trace import Trace
    from dissectors.model import Frame

MS, SECOND = 1_000_000, 1_000_000_000
Ends = tuple[str, str]
"""``ip:port`` of the sender and of the receiver."""


def frames(path: Path) -> list[tuple[Frame, Ends | None]]:
    """Return the frames of a capture with the ends of what is in each."""
    decoder = FrameDecoder()
    found: list[tuple[Frame, Ends | None]] = []
    with open_capture(path) as trace:
        for frame in frames_of(trace.plain_read):
            items = [one for one in decoder.feed([frame]) if isinstance(one, Segment | Datagram)]
            found.append((frame, address_text(items[0].key) if items else None))
    return found


def written(path: Path, chosen: Iterable[Frame], *, ahead_ns: int = 0, drift_ppb: int = 0) -> Path:
    """Write frames as a clock would have stamped them that is ahead, and gets further ahead."""
    shown = list(chosen)
    began = shown[0].time_ns if shown else 0
    path.write_bytes(
        write_pcapng(
            frame._replace(
                number=number,
                time_ns=frame.time_ns + ahead_ns + (frame.time_ns - began) * drift_ppb // SECOND,
            )
            for number, frame in enumerate(shown, 1)
        )
    )
    return path


def by(path: Path, to: Path, wanted: Callable[[Frame, Ends | None], bool], **clock: int) -> Path:
    """Write the frames of a capture that pass a test."""
    return written(to, [frame for frame, ends in frames(path) if wanted(frame, ends)], **clock)


def joined(*paths: Path) -> JoinedTrace:
    """Read several files as one story."""
    return join([open_capture(path) for path in paths])


def story(trace: Trace) -> dict[str, Any]:
    """Return what a trace tells, without where and when it was seen."""
    from analyzer.diagnostics.table import diagnose
    from analyzer.flows.runs import flows_of

    analysis = trace.analysis()
    return {
        "users": [session.user for session in analysis.sessions],
        "commands": sorted(
            (pair.command, pair.outcome, pair.envid or "", pair.seqid or "")
            for pair in analysis.pairs
        ),
        "dialogs": len(analysis.dialogs),
        "flows": [
            (run.flow, run.outcome, [(step.id, step.status) for step in run.steps])
            for run in flows_of(trace)
        ],
        "findings": sorted({one.rule for one in diagnose(trace) if one.rule < "GC9"}),
        "messages": sorted(trace.raw(row) for row in range(len(trace))),
    }
