"""Scripts from strangers: a capture, or one line that says why not."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.capture import CaptureError, CaptureOptions, write_script_capture
from analyzer.replay.script import Aside, Connection, Slot, Turn
from analyzer.replay.template import Template
from tests.analyzer.replay.capture.hand import CONNECTION, SCRIPT, SLOTS, TURNS

if TYPE_CHECKING:
    from analyzer.replay.script import Script

WORDS = st.sampled_from(
    [
        "",
        "client1",
        "server",
        "c1",
        "c2",
        "t1",
        "${call1}",
        "${nobody}",
        "\r\n",
        "\ud800",
        "a" * 300,
    ]
)
PARTIES = st.sampled_from(["client1", "server", "client1", "server", "\n"])
CONNECTIONS = st.sampled_from(["c1", "c2", "c1", "c2", "\r"])
GOOD_ADDRESSES = [f"10.0.0.{host}:{port}" for host in (1, 2, 3) for port in (53, 5060, 50_000)]
ADDRESSES = st.sampled_from(
    [*GOOD_ADDRESSES, *GOOD_ADDRESSES, "[::1]:1", "10.0.0.1", "::", "a:b", "1.2.3.4:99999"]
)
TIMES = st.sampled_from([0.0, -1.0, 20.0, 20.0, 500.0]) | st.floats(-1e4, 1e4)
MAYBE = st.none() | TIMES | st.sampled_from([float("nan"), float("-inf"), 1e300])
KINDS = st.sampled_from(["call-id", "envid", "time", "date", "address", "host", "port", "instance"])


@st.composite
def _scripts(draw: st.DrawFn) -> Script:
    template = st.builds(
        Template, WORDS, st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple), WORDS
    )
    turns = draw(
        st.lists(
            st.sampled_from(TURNS)
            | st.builds(Turn, WORDS, PARTIES, PARTIES, CONNECTIONS, WORDS, template, at_ms=TIMES),
            max_size=4,
        )
    )
    connection = st.builds(
        Connection,
        *(CONNECTIONS, PARTIES, PARTIES, ADDRESSES, ADDRESSES),
        transport=st.sampled_from(["tcp", "udp", "tls"]),
        opened_ms=MAYBE,
        closed_ms=MAYBE,
        closed_by=st.none() | WORDS,
        closed_how=st.sampled_from(["fin", "rst"]),
    )
    said = st.lists(st.tuples(TIMES, st.booleans(), WORDS), max_size=3).map(tuple)
    protocols = st.sampled_from(["dns", "http", "tls"])
    asides = st.builds(Aside, protocols, TIMES, ADDRESSES, ADDRESSES, said)
    slots = st.builds(Slot, st.sampled_from(["call1", "x"]), KINDS, WORDS | ADDRESSES, WORDS, WORDS)
    return replace(
        SCRIPT,
        turns=tuple(turns),
        connections=(CONNECTION, *draw(st.lists(connection, max_size=2))),
        asides=tuple(draw(st.lists(asides, max_size=2))),
        slots=(*SLOTS, *draw(st.lists(slots, max_size=3))),
        started=draw(st.sampled_from(["", SCRIPT.started, SCRIPT.started, "x"])),
        title=draw(WORDS),
        origin=draw(st.sampled_from([{}, {}, {"ended": SCRIPT.started}, {"ended": "\x00"}])),
    )


@given(
    _scripts(), st.booleans(), st.sampled_from([{}, {"client1": "[::1]:5"}, {"10.0.0.2": "::1"}])
)
def test_a_script_makes_a_capture_or_is_refused_in_one_line(
    script: Script, fresh: bool, addresses: dict[str, str]
) -> None:
    options = CaptureOptions(fresh=fresh, addresses=addresses, comments=True, start_ns=10**18)
    out = io.BytesIO()
    try:
        summary = write_script_capture(script, options, out)
    except CaptureError as error:
        reason = str(error)
    else:
        reason = "".join(summary.notes)
        assert out.getvalue()[:4] == b"\x0a\x0d\x0d\x0a"
        assert summary.turns == len(script.turns)
    assert "\n" not in reason
