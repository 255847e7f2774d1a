"""What the capture is worth: held against a check, and as a reason why others cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.checks.values import Judged
from analyzer.views.numbers import amount, frames_text
from analyzer.views.quality import damage, one_sided, open_before
from dissectors.notes import BAD_XCCOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.checks.judge import Court
    from analyzer.checks.spec import CaptureSubject, Check, Want
    from analyzer.trace import Trace

SIPS_PORT = ":5061"
"""Of SIP over TLS (RFC 3261 section 19.1.2)."""
Fault = tuple[str, tuple[int, ...]]
"""What is wrong, and where."""


def judge_capture(court: Court, _: Check, subject: CaptureSubject) -> Iterator[Judged]:
    """Yield what the check wants of the capture, one by one."""
    for want in subject.wants:
        found = _TESTS[want](court.trace)
        if found is None:
            yield Judged("passed", want)
        else:
            yield Judged("failed", f"{want}: {found[0]}", found[1])


def blind_spot(trace: Trace) -> str | None:
    """Say why something that is not in the capture may have happened all the same, or None."""
    return loss(trace) or _first(trace, ("both directions", "decrypted"))


def loss(trace: Trace) -> str | None:
    """Say why messages are missing from among those that the capture has, or None."""
    return _first(trace, ("not damaged", "no holes"))


def _first(trace: Trace, wants: Sequence[Want]) -> str | None:
    found = (_TESTS[want](trace) for want in wants)
    return next((fault[0] for fault in found if fault is not None), None)


def _damaged(trace: Trace) -> Fault | None:
    return (damage(trace.quality), ()) if trace.quality.damaged else None


def _holes(trace: Trace) -> Fault | None:
    frames = tuple(sorted({hole.frame for hole in trace.quality.holes}))
    if not frames:
        return None
    count = amount(len(trace.quality.holes), "hole")
    return f"{count}: bytes are missing from the capture before {frames_text(frames)}", frames


def _one_sided(trace: Trace) -> Fault | None:
    found = one_sided(trace)
    if not found:
        return None
    frames = tuple(sorted({one.first_frame for one in found}))
    count = amount(len(found), "connection")
    return f"{count} with SIP in one direction only, from {frames_text(frames)} on", frames


def _cut(trace: Trace) -> Fault | None:
    count = trace.quality.counters.get("cut frames", 0)
    return (
        (f"{amount(count, 'frame')} cut short when captured (snap length)", ()) if count else None
    )


def _late(trace: Trace) -> Fault | None:
    found = open_before(trace)
    frames = tuple(sorted({one.first_frame for one in found}))
    if not frames:
        return None
    count = amount(len(found), "connection")
    return f"{count} open before the capture began ({frames_text(frames)})", frames


def _closed(trace: Trace) -> Fault | None:
    """TLS that may carry SIP: to its port, or any where no SIP was read at all."""
    found = [
        one
        for one in trace.quality.others
        if one.service == "TLS" and (not len(trace) or one.responder.endswith(SIPS_PORT))
    ]
    frames = tuple(sorted({frame for one in found for frame in one.frames[:1]}))
    if not found:
        return None
    count = amount(len(found), "connection")
    return f"{count} with TLS that was not decrypted ({frames_text(frames)})", frames


def _unreadable(trace: Trace) -> Fault | None:
    rows = trace.rows
    found = [row for row, notes in enumerate(rows.notes) if notes & BAD_XCCOS]
    if not found:
        return None
    frames = tuple(sorted({rows.frame[row] for row in found}))
    return (
        f"{amount(len(found), 'message')} whose XCCOS cannot be read ({frames_text(frames)})",
        frames,
    )


_TESTS: dict[Want, Callable[[Trace], Fault | None]] = {
    "not damaged": _damaged,
    "no holes": _holes,
    "both directions": _one_sided,
    "whole frames": _cut,
    "from the start": _late,
    "decrypted": _closed,
    "readable XCCOS": _unreadable,
}
