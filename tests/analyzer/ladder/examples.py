"""Ladders written by hand, for the tests of renderers: everything that a ladder can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analyzer.ladder.values import Answer, Arrow, Bracket, Group, Hop, Ladder, Lane, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BEGAN = 1_795_331_206_541_123_000
"""2026-11-22 07:06:46.541123 UTC"""
MS = 1_000_000
HOSTILE = "<script>alert('x')</script> & \"quotes\" \x00\x1b[31m\ud800 --> ; %% #35; ]]>"
"""A label that a capture can hold: markup, control characters, half a surrogate pair."""

CLIENT, FRONT_END, LOOKUP, CHANNEL, WEB = range(5)
LANES = (
    Lane("client-1", "client", "user1", "sip:user1@contoso.com, 10.0.0.21"),
    Lane("front-end-1", "front-end", "Front End", "10.0.0.5"),
    Lane("lookup-1", "lookup", "Lookup", "sip:ocschat@contoso.com"),
    Lane("channel-1", "channel", "Channel", "sip:channel01@contoso.com, 10.0.0.6"),
    Lane("web-1", "web", "Web service", "files.contoso.com:443"),
)


def arrow(number: int, source: int, target: int, label: str, at: float, **more: object) -> Arrow:
    given: dict[str, object] = {
        "kind": "response" if label[:1].isdigit() else "request",
        "text": f"{LANES[source].title} to {LANES[target].title}: {label}",
        "rows": (number,),
        "frames": (10 + 2 * number,),
        "session": 0,
        "call_id": "c1",
        **more,
    }
    return Arrow(
        source=source,
        target=target,
        label=label,
        time=BEGAN + round(at * MS),
        frame=10 + 2 * number,
        **given,  # type: ignore[arg-type]
    )


def sign_in() -> Ladder:
    """Return a ladder with steps, a proxy, a reply, a fold, a hole, a retry and an upload."""
    through = (FRONT_END,)
    events = (
        arrow(0, CLIENT, FRONT_END, "REGISTER", 0, method="REGISTER"),
        arrow(1, FRONT_END, CLIENT, "401 Unauthorized", 12, status=401, latency_ms=12.0),
        arrow(2, CLIENT, FRONT_END, "REGISTER", 14, method="REGISTER", marks=("retransmission",)),
        arrow(3, FRONT_END, CLIENT, "200 OK", 30, status=200, tone="good", latency_ms=16.0),
        arrow(4, CLIENT, FRONT_END, "SUBSCRIBE ×4", 35, count=4, until=BEGAN + 60 * MS,
              rows=(4, 5, 6, 7), frames=(18, 20, 22, 24),
              answer=Answer(8, 26, 200, "200 OK", 5.5)),
        arrow(9, CLIENT, LOOKUP, "INVITE Lookup", 70, via=through, method="INVITE",
              hops=(Hop(40, 90, "10.0.0.5:5061", "10.0.0.6:5041", BEGAN + 71 * MS),)),
        arrow(10, LOOKUP, CLIENT, "200 OK", 90, via=through, status=200, latency_ms=20.0),
        Note("hole", (CLIENT, FRONT_END), "hole: 1460 bytes missing",
             "1460 bytes from client to front end are missing before frame 33",
             BEGAN + 95 * MS, (33,)),
        arrow(11, CLIENT, CHANNEL, "INFO join", 120, via=through, method="INFO"),
        arrow(12, CHANNEL, CLIENT, "503 Service Unavailable", 700, via=through, status=503,
              tone="bad", latency_ms=580.0, latency_of="join in frame 32", heat="slow"),
        arrow(13, CLIENT, CHANNEL, "INFO join", 5700, via=through, method="INFO",
              marks=("retry",), tone="doubtful"),
        arrow(14, CHANNEL, CLIENT, "INFO rpl:join 200", 8201, via=through, method="INFO",
              tone="good", latency_ms=2501.0, latency_of="join in frame 36", heat="very-slow"),
        arrow(15, CLIENT, WEB, "upload", 8300, kind="connection", rows=(), method=None),
        arrow(16, CLIENT, CHANNEL, f"INFO grpchat {HOSTILE}", 8400, via=through, method="INFO"),
        arrow(17, CHANNEL, CHANNEL, "INFO to itself", 8500, method="INFO"),
        Note("finding", (), "GC204", "GC204: 503 in frame 34", BEGAN + 8600 * MS, (34,), "bad"),
    )  # fmt: skip
    groups = (
        Group(0, 3, "sign-in", "1", "REGISTER", "ok", "200 OK after 1 challenge"),
        Group(4, 4, "sign-in", "2", "SUBSCRIBE: contact list", "ok", "4 subscriptions"),
        Group(5, 6, "sign-in", "4", "INVITE to Lookup", "ok", "200 OK"),
        Group(8, 11, "posting", "2", "join", "retried", "503, then 200"),
        Group(12, 12, "posting", "4", "upload", "not-captured", ""),
        Group(13, 13, "posting", "4", "upload", "not-captured", "", continued=True),
    )
    brackets = (Bracket("reply", 10, 11, "join 2.50 s", 2501.0, "very-slow"),)
    return Ladder(
        "Session 1: user1",
        "capture.pcap, 2026-11-22 07:06:46 to 07:06:55 UTC",
        LANES,
        events,
        groups,
        brackets,
        BEGAN,
        6,
        ("12 keep-alives are not shown: --show-keep-alives",),
    )


def empty() -> Ladder:
    """Return a ladder in which nothing was said."""
    return Ladder("Session 1: user1", "capture.pcap", LANES[:2], ())


def long(count: int) -> Ladder:
    """Return a ladder of many requests and answers."""
    events = tuple(
        arrow(number, CLIENT, CHANNEL, f"INFO getpref {number}", number, via=(FRONT_END,))
        if number % 2 == 0
        else arrow(number, CHANNEL, CLIENT, "200 OK", number, via=(FRONT_END,), status=200)
        for number in range(count)
    )
    return Ladder("Long", "capture.pcap", LANES, events, began=BEGAN)


def alone() -> Ladder:
    """Return a ladder with one lane that speaks to itself, and hostile names everywhere."""
    lane = Lane("unknown-1", "unknown", HOSTILE, HOSTILE)
    spoken = Arrow(0, 0, "request", HOSTILE, HOSTILE, BEGAN, 1, (0,), (1,), marks=(HOSTILE,))
    note = Note("remark", (0,), HOSTILE, HOSTILE, BEGAN, ())
    group = Group(0, 0, HOSTILE, "1", HOSTILE, "ok", HOSTILE)
    return Ladder(HOSTILE, HOSTILE, (lane,), (spoken, note), (group,), (), BEGAN, 9, (HOSTILE,))


EVERY: dict[str, Callable[[], Ladder]] = {
    "sign_in": sign_in,
    "empty": empty,
    "alone": alone,
    "long": lambda: long(60),
}
"""Ladders that every renderer must stand."""


def hostile_texts(pieces: Sequence[str], count: int) -> list[str]:
    """Return texts made by Hypothesis, always the same; many are made of ``pieces``."""
    made: list[str] = []
    some = st.sampled_from([*pieces, "\x00", "\ud800"])

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(st.text(max_size=60), st.lists(some, max_size=8).map("".join)))
    def collect(text: str) -> None:
        made.append(text)

    collect()
    return made
