"""Values of header fields, well-formed and not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip import fields
from dissectors.sip.fields import (
    MediaType,
    Params,
    RetryAfter,
    Via,
    Warn,
    parse_content_type,
    parse_cseq,
    parse_name_addr,
    parse_name_addrs,
    parse_params,
    parse_retry_after,
    parse_seconds,
    parse_via,
    parse_vias,
    parse_warnings,
    split_list,
    unquote,
)
from dissectors.sip.messages import Header
from dissectors.sip.ms_headers import ms_diagnostics, parse_ms_diagnostics


@pytest.mark.parametrize(
    ("value", "display", "uri", "params"),
    [
        ("<sip:a@b>", "", "sip:a@b", ()),
        ("<sip:a@b;x=1>;tag=7", "", "sip:a@b;x=1", (("tag", "7"),)),
        ("sip:a@b;x=1", "", "sip:a@b", (("x", "1"),)),
        ("sip:a@b ;   tag    = 19n", "", "sip:a@b", (("tag", "19n"),)),
        ("caller<sip:a@b>;tag=3", "caller", "sip:a@b", (("tag", "3"),)),
        ("Anna B. <sip:a@b>", "Anna B.", "sip:a@b", ()),
        ('"B, \\"x\\" <y>;z" <sip:a@b>', 'B, "x" <y>;z', "sip:a@b", ()),
        ('"a\\\\" <sip:a@b>;lr', "a\\", "sip:a@b", (("lr", None),)),
        ('sip:a@b;d="<x>;y"', "", "sip:a@b", (("d", "<x>;y"),)),
        ("< sip:a@b >", "", "sip:a@b", ()),
        ('"Mr. J. User <sip:a@b>', '"Mr. J. User', "sip:a@b", ()),
        ("<sip:a@b", "", "sip:a@b", ()),
        ("alan@example.com", "", "alan@example.com", ()),
        ("tel:+1-555;tag=1", "", "tel:+1-555", (("tag", "1"),)),
        ("*", "", "*", ()),
        (
            '<sip:h>;+sip.instance="<urn:uuid:ff66>";gruu="sip:u@d;opaque=user:epid:x;gruu"',
            "",
            "sip:h",
            (("+sip.instance", "<urn:uuid:ff66>"), ("gruu", "sip:u@d;opaque=user:epid:x;gruu")),
        ),
    ],
)
def test_addresses(
    value: str, display: str, uri: str, params: tuple[tuple[str, str | None], ...]
) -> None:
    found = parse_name_addr(value)
    assert found is not None
    assert (found.display, found.uri, found.params) == (display, uri, Params(params))


@pytest.mark.parametrize("value", ["", "  ", "<>", ";tag=1", '"x" <>'])
def test_an_address_without_a_uri_is_none(value: str) -> None:
    assert parse_name_addr(value) is None


def test_tag_and_epid_are_found_in_any_case() -> None:
    found = parse_name_addr("<sip:u@c>;TAG=a1;Epid=01ab")
    assert found is not None
    assert (found.tag, found.epid) == ("a1", "01ab")


def test_lists_respect_quotes_and_brackets() -> None:
    value = '"a, b" <sip:a@b?x=1,2>;p="c,d", <sip:c>,, sip:d'
    assert split_list(value) == ['"a, b" <sip:a@b?x=1,2>;p="c,d"', "<sip:c>", "sip:d"]
    assert [addr.uri for addr in parse_name_addrs(value)] == ["sip:a@b?x=1,2", "sip:c", "sip:d"]


def test_parameters_are_found_by_name() -> None:
    params = parse_params('a=1;B;;c="x;\\"y";  d = z ;=w;a=2')
    assert list(params) == [
        ("a", "1"),
        ("B", None),
        ("c", 'x;"y'),
        ("d", "z"),
        ("", "w"),
        ("a", "2"),
    ]
    assert params.get("A") == "1"
    assert params.get("b", "default") is None
    assert params.get("none", "default") == "default"
    assert params.has("b")
    assert not params.has("e")


@pytest.mark.parametrize(
    ("text", "content"), [('"a\\"b"', 'a"b'), ('"', '"'), ('""', ""), ("a", "a"), ('a"', 'a"')]
)
def test_unquoting(text: str, content: str) -> None:
    assert unquote(text) == content


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SIP/2.0/TLS 10.1.2.3:50136", Via("SIP/2.0", "TLS", "10.1.2.3", 50136)),
        (
            "SIP  / 2.0  / TCP     h.example.com   ;  branch  =   z9hG4bK9",
            Via("SIP/2.0", "TCP", "h.example.com", None, Params((("branch", "z9hG4bK9"),))),
        ),
        ("SIP/2.0/UDP [2001:db8::9:1]:5060", Via("SIP/2.0", "UDP", "[2001:db8::9:1]", 5060)),
        (
            "SIP/2.0/UDP [::1];received=2001:db8::1;rport",
            Via(
                "SIP/2.0",
                "UDP",
                "[::1]",
                None,
                Params((("received", "2001:db8::1"), ("rport", None))),
            ),
        ),
        ("SIP/2.0/UDP", None),
        ("SIP/2.0 h", None),
        ("", None),
    ],
)
def test_via(value: str, expected: Via | None) -> None:
    assert parse_via(value) == expected


def test_via_parameters() -> None:
    via = parse_via(
        "SIP/2.0/TLS h:1;received=10.5.17.254;ms-received-port=53248;ms-received-cid=F8;branch=z"
    )
    assert via is not None
    assert (via.received, via.ms_received_port, via.ms_received_cid) == ("10.5.17.254", 53248, "F8")
    assert via.branch == "z"


def test_unreadable_values_of_a_via_list_are_dropped() -> None:
    value = 'SIP/2.0/UDP a;x=",",, junk, SIP/2.0/UDP b'
    assert [via.host for via in parse_vias(value)] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0009 INVITE", (9, "INVITE")),
        ("1\tinvite", (1, "invite")),
        ("36893488147419103232 REGISTER", (36893488147419103232, "REGISTER")),
        ("INVITE", None),
        ("1", None),
        ("-1 INVITE", None),
        ("\u0661 INVITE", None),
        ("1 INVITE x", None),
        ("1" * 1001 + " INVITE", None),
    ],
)
def test_cseq(value: str, expected: tuple[int, str] | None) -> None:
    assert parse_cseq(value) == expected


def test_content_type() -> None:
    found = parse_content_type('Multipart / Mixed ; boundary="a;b"')
    assert found == MediaType("multipart", "mixed", Params((("boundary", "a;b"),)))
    assert parse_content_type("text") is None
    assert parse_content_type("/plain") is None


def test_seconds() -> None:
    assert parse_seconds("3600;refresher=uac") == 3600
    assert parse_seconds("-1") is None
    assert parse_seconds("soon") is None


def test_retry_after() -> None:
    assert parse_retry_after("5") == RetryAfter(5, "", Params())
    assert parse_retry_after("120 (in a (long) meeting) ;duration=60") == RetryAfter(
        120, "in a (long) meeting", Params((("duration", "60"),))
    )
    assert parse_retry_after("later") is None
    assert parse_retry_after("5 minutes") is None


def test_warnings() -> None:
    value = '310 lcs.contoso.com "Old, \\"very\\" old", junk, 399 h:5060'
    assert parse_warnings(value) == (
        Warn(310, "lcs.contoso.com", 'Old, "very" old'),
        Warn(399, "h:5060", ""),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            '1018;reason="Parsing failure";source="gc01.contoso.com"',
            (1018, None, "gc01.contoso.com", "Parsing failure"),
        ),
        (
            '20000;source="xxx";reason="Chat service busy";component="GroupChat"',
            (20000, None, "xxx", "Chat service busy"),
        ),
        (
            '4268.2 ; Reason = "a; \\"b\\""; SOURCE="fe.contoso.com"',
            (4268, "2", "fe.contoso.com", 'a; "b"'),
        ),
        ("1011", (1011, None, None, None)),
    ],
)
def test_ms_diagnostics(
    value: str, expected: tuple[int, str | None, str | None, str | None]
) -> None:
    found = parse_ms_diagnostics(value)
    assert found is not None
    assert (found.id, found.sub, found.source, found.reason) == expected


def test_ms_diagnostics_keep_parameters_that_are_not_known() -> None:
    found = parse_ms_diagnostics('20000;component="GroupChat";HRESULT="0x80072746"')
    assert found is not None
    assert found.params.get("Component") == "GroupChat"
    assert found.params.get("hresult") == "0x80072746"


@pytest.mark.parametrize("value", ["", "reason", 'source="x"', "12x;a=b", "1" * 11])
def test_ms_diagnostics_without_an_id_are_none(value: str) -> None:
    assert parse_ms_diagnostics(value) is None


def test_diagnostics_are_found_under_all_their_names() -> None:
    headers = [
        Header(name, f'{number};reason="r"', b"")
        for number, name in enumerate(
            ("Ms-diagnostics", "ms-diagnostics-public", "X", "MS-Client-Diagnostics"), 1
        )
    ]
    found = ms_diagnostics([*headers, Header("ms-diagnostics", "?", b"")])
    assert [(name, value.id) for name, value in found] == [
        ("Ms-diagnostics", 1),
        ("ms-diagnostics-public", 2),
        ("MS-Client-Diagnostics", 4),
    ]


PARSERS = (
    *(fields.parse_name_addr, fields.parse_name_addrs, fields.parse_via, fields.parse_vias),
    *(fields.parse_cseq, fields.parse_content_type, fields.parse_seconds, fields.parse_params),
    *(fields.parse_retry_after, fields.parse_warning, fields.parse_warnings, fields.split_list),
    parse_ms_diagnostics,
)


@given(st.one_of(st.text(max_size=60), st.text('"\\<>;,= :/a1()[]', max_size=60)))
def test_no_parser_of_values_raises(value: str) -> None:
    results = [parser(value) for parser in PARSERS]
    assert len(results) == len(PARSERS)


@pytest.mark.untraced
@pytest.mark.parametrize(
    "piece", ['"', '\\"', "<", ">", ";", ",", "=", " ", "(", ")", ";a=", '"\\']
)
def test_values_cost_linear_time(piece: str) -> None:
    # Every parser takes some milliseconds; quadratic time would be minutes.
    began = time.process_time()
    for start in ("", "1 ", "a ", "<a>", "SIP/2.0/UDP ", '"'):
        results = [parser(start + piece * (200_000 // len(piece))) for parser in PARSERS]
        assert len(results) == len(PARSERS)
    assert time.process_time() - began < 5
