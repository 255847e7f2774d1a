"""What a capture is worth, in words and numbers: what is missing, and what it holds instead.

Read it before believing that something did not happen: absent from the capture is not absent from
the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.views.numbers import amount, frames_text
from dissectors.capture.pdu_writer import UPPER_PDU
from dissectors.notes import BAD_XCCOS, HOLE, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.quality import Quality
    from analyzer.rows import Connection
    from analyzer.tls_reasons import TlsConnectionTold
    from analyzer.trace import Trace
    from dissectors.model import Malformed

Record = dict[str, Any]


def problem_record(problem: Malformed) -> Record:
    """Return what could not be decoded."""
    return {
        "layer": problem.layer,
        "reason": problem.reason,
        "frame": problem.frame,
        "offset": problem.offset,
    }


def one_sided(trace: Trace) -> list[Connection]:
    """Return the connections on which only one direction has SIP messages."""
    return [one for one in trace.connections if one.transport != "udp" and min(one.messages) == 0]


def open_before(trace: Trace) -> list[Connection]:
    """Return the connections that were open before the capture began: their SYN is not in it.

    Text traces and exports hold whole messages, and no SYN of any connection.
    """
    if trace.quality.link_types == (UPPER_PDU,):
        return []
    return [one for one in trace.connections if one.transport != "udp" and not one.syn_seen]


def quality_record(trace: Trace) -> Record:
    """Return everything that is known of the quality of a capture."""
    quality = trace.quality
    return {
        "damaged": quality.damaged,
        "link_types": list(quality.link_types),
        "counters": quality.counters,
        "ignored": quality.ignored,
        "services": quality.services,
        "holes": [_place(trace, hole.stream, hole.frame, hole.length) for hole in quality.holes],
        "conflicts": [
            _place(trace, one.stream, one.frame, one.length) for one in quality.conflicts
        ],
        "one_sided": [
            {"opener": one.opener, "responder": one.responder, "messages": list(one.messages)}
            for one in one_sided(trace)
        ],
        "problems": [problem_record(problem) for problem in quality.problems],
        "tls": [one._asdict() for one in quality.tls],
        "remarks": remarks(trace),
    }


def _place(trace: Trace, stream: int, frame: int, length: int) -> Record:
    found = trace.streams[stream]
    return {"src": found.src, "dst": found.dst, "frame": frame, "length": length or None}


def remarks(trace: Trace) -> list[str]:
    """Return sentences for people; an empty list means that nothing seems to be missing."""
    return [*(text for one in _REMARKS if (text := one(trace))), *trace.quality.notes]


def _damage(trace: Trace) -> str | None:
    if not trace.quality.damaged:
        return None
    found = damage(trace.quality)
    return f"The file is damaged: {found}. What could be read is shown."


def damage(quality: Quality) -> str:
    """Return why a capture counts as damaged, with the place: ``frame 7: reason``."""
    found = next((one for one in quality.problems if one.layer == "capture"), None)
    if found is None:
        return "the capture is damaged"
    if found.frame is not None:
        return f"{quality.unit} {found.frame}: {found.reason}"
    return f"byte {found.offset}: {found.reason}" if found.offset is not None else found.reason


def _holes(trace: Trace) -> str | None:
    holes = trace.quality.holes
    if not holes:
        return None
    size = sum(hole.length for hole in holes)
    known = f", {amount(size, 'byte')} or more" if size else ""
    where = frames_text([hole.frame for hole in holes])
    return (
        f"{amount(len(holes), 'hole')}{known}: bytes of SIP connections are missing from the "
        f"capture before {where}. What seems absent may only not have been captured."
    )


def _cut_frames(trace: Trace) -> str | None:
    count = trace.quality.counters.get("cut frames", 0)
    if not count:
        return None
    return (
        f"{amount(count, 'frame')} cut short when captured (snap length): messages in them are "
        "incomplete. Capture whole frames (tcpdump -s 0)."
    )


def _one_sided(trace: Trace) -> str | None:
    found = one_sided(trace)
    if not found:
        return None
    names = ", ".join(
        f"only {one.opener} to {one.responder}"
        if one.messages[0]
        else f"only {one.responder} to {one.opener}"
        for one in found[:3]
    )
    more = ", ..." if len(found) > 3 else ""
    return (
        f"{amount(len(found), 'connection')} with SIP in one direction only ({names}{more}): "
        "answers in the other direction may exist and not be captured."
    )


def _late(trace: Trace) -> str | None:
    found = [one for one in open_before(trace) if one.transport == "tcp"]
    if not found:
        return None
    return (
        f"{amount(len(found), 'connection')} open before the capture began (no SYN): what was said "
        "earlier is not in the capture."
    )


def _conflicts(trace: Trace) -> str | None:
    found = trace.quality.conflicts
    if not found:
        return None
    where = frames_text([one.frame for one in found])
    return (
        f"{amount(len(found), 'retransmission')} with bytes that differ from those first seen "
        f"({where}): the first ones are used."
    )


def _broken_messages(trace: Trace) -> str | None:
    counts = [
        (sum(1 for notes in trace.rows.notes if notes & bit), words)
        for bit, words in (
            (HOLE, "with bytes missing"),
            (TRUNCATED, "cut short"),
            (BAD_XCCOS, "whose XCCOS cannot be read"),
        )
    ]
    found = [f"{amount(count, 'message')} {words}" for count, words in counts if count]
    return f"{'; '.join(found)} (see notes in `xccos messages`)." if found else None


def _malformed(trace: Trace) -> str | None:
    layers = ("link", "ip", "tcp", "udp", "sip")
    counters = trace.quality.counters
    found = [
        f"{counters[f'malformed {layer}']} {layer.upper() if layer != 'link' else 'link layer'}"
        for layer in layers
        if counters.get(f"malformed {layer}")
    ]
    if not found:
        return None
    first = next((one for one in trace.quality.problems if one.layer in layers), None)
    example = f", the first in frame {first.frame}: {first.reason}" if first else ""
    return f"Could not be decoded: {', '.join(found)}{example}."


_REMARKS: tuple[Callable[[Trace], str | None], ...] = (
    _damage,
    _holes,
    _cut_frames,
    _one_sided,
    _late,
    _broken_messages,
    _conflicts,
    _malformed,
)


def contents(trace: Trace) -> list[str]:
    """Return what a capture without SIP holds instead, a sentence each."""
    quality = trace.quality
    if not quality.frames:
        return ["The capture has no frames."]
    found = [f"There is no SIP message in {amount(quality.frames, 'frame')}."]
    if quality.services:
        names = _ranked(quality.services)
        found.append(f"TCP connections by what they carry: {names}.")
    if quality.ignored:
        found.append(f"Frames that are neither TCP nor UDP: {_ranked(quality.ignored)}.")
    return found


def _ranked(counts: dict[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    more = f" and {len(ranked) - 8} more kinds" if len(ranked) > 8 else ""
    return ", ".join(f"{name} {count}" for name, count in ranked[:8]) + more


def _is_rsa(one: TlsConnectionTold) -> bool:
    """Tell whether the key of the server's certificate opens a connection."""
    return one.status == "dark" and (one.suite or "").startswith("TLS_RSA_")


def advice(trace: Trace) -> list[str]:
    """Return what to do about a capture without SIP."""
    quality = trace.quality
    found = []
    if quality.damaged:
        found.append("Repeat the capture or the transfer of the file: it is damaged.")
    if quality.services.get("TLS"):
        found.append(
            "Signalling is probably inside TLS (port 5061 or 443). Give the keys of these "
            "connections with --keylog FILE, or capture where SIP is plain, for example between "
            "front end and chat servers on one machine."
        )
        opened = sorted({one.suite for one in quality.tls if one.suite and _is_rsa(one)})
        if opened:
            found.append(
                f"The server's RSA key opens connections with {opened[0]}, too: --rsa-key FILE."
            )
    if quality.counters.get("cut frames"):
        found.append("Capture whole frames (tcpdump -s 0): these were cut short.")
    found.append(
        "Check that the capture was taken while the client signed in, on the interface and without "
        "a filter that leaves out its connection to the front end (TCP 5060 or 5061)."
    )
    return found
