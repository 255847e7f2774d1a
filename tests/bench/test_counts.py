"""The counters agree with what each program prints for a frame with one message and with two."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from bench import counts

if TYPE_CHECKING:
    from bench.counts import Counter

REQUEST = b"1\t0.5\t10.0.0.1\t10.0.0.2\tINFO\t\tid\t1 INFO\ta\tb\n"
TWO_REQUESTS = b"2\t0.5\t10.0.0.1\t10.0.0.2\tINFO,BYE\t\tid,id\t1 INFO,2 BYE\ta,a\tb,b\n"
BOTH_KINDS = b"3\t0.5\t10.0.0.1\t10.0.0.2\tINFO\t200\tid,id\t1 INFO,2 INFO\ta,a\tb,b\n"
ONE_LAYER = b'        "sip": {\n            "sip.Method": "INFO"\n        }\n'


@pytest.mark.parametrize(
    ("counter", "printed", "number"),
    [
        (counts.lines, b"{}\n{}\n{}\n", 3),
        (counts.triage, b"x.pcap\n  2,083 frames, 1,057 SIP messages, 2026\n", 1057),
        (counts.triage, b"x.pcap\n  1 frame, 1 SIP message\n", 1),
        (counts.tshark_fields, REQUEST, 1),
        (counts.tshark_fields, REQUEST + TWO_REQUESTS + BOTH_KINDS, 5),
        (counts.tshark_json, ONE_LAYER + b',        "tcp": {}\n' + ONE_LAYER, 2),
        (counts.tshark_ek, b'{"index":{}}\n{"layers":{"sip":{}}}\n', 1),
        (counts.tshark_ek, b'{"index":{}}\n{"layers":{"sip":[{},{}]}}\n', 2),
        (counts.last_number, b"Dialog count: 7\rDialog count: 800", 800),
        (counts.last_number, b"", 0),
        (counts.drain, b"12345", 5),
    ],
)
def test_a_counter_finds_every_message(counter: Counter, printed: bytes, number: int) -> None:
    assert counter(io.BytesIO(printed)) == number
