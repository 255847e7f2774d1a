"""The scan gives what the reader gives, for every body."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.model import Malformed
from dissectors.xccos.reader import MAX_ITEMS, read_document
from dissectors.xccos.scan import Row, _plain_rows, rows_of
from dissectors.xccos.writer import write_document
from dissectors.xccos.xml import MAX_ATTRIBUTES, MAX_BODY, MAX_DEPTH, MAX_ELEMENTS
from tests.dissectors.xccos.scanning import Scan, as_told_by, each_scan, read
from tests.dissectors.xccos.strategies import bodies, damaged, documents

CONTENT_TYPES = st.sampled_from(
    [
        *(None, None, "text/plain", "text/plain;", "text/plain; charset=UTF-8"),
        *('text/plain;charset="iso-8859-1"', "text/plain; charset=us-ascii"),
        "text/plain; charset=klingon",
    ]
)


def envelope(inner: str) -> bytes:
    return f'<xccos ver="1" envid="7" xmlns="urn:parlano:xml:ns:xccos">{inner}</xccos>'.encode()


@each_scan
@given(bodies(), CONTENT_TYPES)
@example(b"", None)
@example(b"<xccos", None)
@example(b"<xccos/>", None)
@example(envelope("<rpl/><rpl><rpl/></rpl>"), None)
@example(envelope('<rpl id="a"><data><commandid seqid="1"/></data></rpl>'), None)
@example(envelope("<rpl><resp>a<b/></resp></rpl>"), None)
@example(envelope("<rpl><commandid seqid='1' envid=\"a&amp;b\"/></rpl>"), None)
@example(envelope('<rpl><commandid seqid="1" envid="a&amp;b"/><resp code="1">x</resp></rpl>'), None)
@example(envelope("<grpchat><chat>a&#13;&#10;b\r\nc\r&amp;lt;</chat></grpchat>"), None)
@example(envelope("<grpchat><chat>&#1114112;</chat></grpchat>"), None)
@example(envelope("<grpchat><chat>&#xD800;</chat></grpchat>"), None)
@example(envelope("<grpchat><chat>&nope;</chat></grpchat>"), None)
@example(envelope("<ntc><data></ntc></data>"), None)
@example(envelope("<grpchat><x/><chat>a</chat></grpchat>"), None)
@example(envelope('<rpl><!--</rpl><cmd id="no item"/><rpl>--></rpl>'), None)
@example(envelope('<rpl><?a </rpl><cmd id="no item"/><rpl>?></rpl>'), None)
@example(envelope('<rpl><![CDATA[</rpl><cmd id="no item"/><rpl>]]></rpl>'), None)
@example(b'<xccos envid="a&amp;b"><cmd/></xccos>', None)
@example(envelope("<cmd>\ufffe</cmd>"), None)
def test_a_scan_equals_a_reading(scan: Scan, body: bytes, content_type: str | None) -> None:
    assert scan(body, content_type) == as_told_by(scan, read(body, content_type))


@each_scan
@given(damaged(), CONTENT_TYPES)
def test_a_scan_equals_a_reading_of_damaged_bodies(
    scan: Scan, body: bytes, content_type: str | None
) -> None:
    assert scan(body, content_type) == as_told_by(scan, read(body, content_type))


@each_scan
@given(st.one_of(st.binary(), st.binary().map(b"<xccos>".__add__)))
def test_a_scan_equals_a_reading_of_any_bytes(scan: Scan, body: bytes) -> None:
    assert scan(body) == as_told_by(scan, read(body))


@pytest.mark.untraced
@each_scan
@given(documents(), st.sampled_from(["client", "server"]))
def test_a_scan_equals_a_reading_of_written_documents(
    scan: Scan, document: object, shape: object
) -> None:
    body = write_document(document, shape)  # type: ignore[arg-type]
    assert scan(body) == as_told_by(scan, read(body))
    assert read(body) == (rows_of(document), False)  # type: ignore[arg-type]


def nested(levels: int, leaf: str = "") -> bytes:
    inner = levels - 2
    return envelope(f"<cmd>{'<a>' * inner}{leaf}{'</a>' * inner}</cmd>")


@each_scan
@pytest.mark.parametrize("padding", ["", "<b/>" * 100, "<b></b>" * 100, "x" * 1000])
@pytest.mark.parametrize("levels", range(MAX_DEPTH - 2, MAX_DEPTH + 3))
def test_depth_is_bounded_alike(scan: Scan, levels: int, padding: str) -> None:
    body = nested(levels, padding)
    deepest = levels + padding.startswith("<")
    assert scan(body) == as_told_by(scan, read(body))
    assert scan(body) == (
        ([], True) if deepest > MAX_DEPTH else ([("cmd", None, None, "7", None, None, None)], False)
    )


@each_scan
def test_a_depth_hidden_by_signs_in_text_is_found(scan: Scan) -> None:
    body = nested(MAX_DEPTH + 1, "/>" * 100)
    assert scan(body) == as_told_by(scan, read(body)) == ([], True)


@each_scan
@pytest.mark.parametrize("count", [MAX_ATTRIBUTES, MAX_ATTRIBUTES + 1])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_attributes_are_bounded_alike(scan: Scan, count: int, quote: str) -> None:
    attributes = "".join(f" a{number}={quote}{quote}" for number in range(count))
    body = envelope(f"<cmd><data{attributes}/></cmd>")
    assert scan(body) == as_told_by(scan, read(body))
    assert scan(body) == (
        ([], True)
        if count > MAX_ATTRIBUTES
        else ([("cmd", None, None, "7", None, None, None)], False)
    )


@each_scan
@pytest.mark.parametrize("count", [MAX_ITEMS, MAX_ITEMS + 1])
def test_items_are_bounded_alike(scan: Scan, count: int) -> None:
    body = envelope('<ntc id="ntc:join"/>' * count)
    found = scan(body)
    assert found == as_told_by(scan, read(body))
    assert found is not None
    assert len(found[0]) == (count if count <= MAX_ITEMS else 0)


@pytest.mark.untraced
@each_scan
@pytest.mark.parametrize("count", [MAX_ELEMENTS - 3, MAX_ELEMENTS - 2])
def test_elements_are_bounded_alike(scan: Scan, count: int) -> None:
    body = envelope(f"<cmd><data>{'<a/>' * count}</data></cmd>")
    assert scan(body) == as_told_by(scan, read(body))
    assert (scan(body) == ([], True)) == (count > MAX_ELEMENTS - 3)


@each_scan
def test_the_size_is_bounded_alike(scan: Scan) -> None:
    whole = len(envelope("<grpchat><chat></chat></grpchat>"))
    for size in (MAX_BODY, MAX_BODY + 1):
        body = envelope(f"<grpchat><chat>{'x' * (size - whole)}</chat></grpchat>")
        assert scan(body) == as_told_by(scan, read(body))
        assert (scan(body) == ([], True)) == (size > MAX_BODY)


@pytest.mark.parametrize(
    "inner",
    [
        '<cmd id="cmd:join" seqid="1"><data/></cmd>',
        '<cmd seqid="1" id="cmd:join"><data/></cmd>',
        '<rpl id="rpl:a" seqid="1"><commandid seqid="1" envid="2"/><resp code="200">OK</resp>'
        "<data><uib/></data></rpl>\r\n  ",
        '<grpchat id="grpchat" msgid="4" seqid="1" chanUri="c"><chat>a &lt; b</chat></grpchat>',
        '<ntc id="ntc:join" seqid="1"><data><uib><aib key="1"/></uib></data></ntc>' * 2,
    ],
)
def test_usual_shapes_need_no_elements(inner: str) -> None:
    """A guard of speed: these must not take the long way round."""
    body = envelope(inner)
    assert _plain_rows(body) == rows_of_plain(body)


def rows_of_plain(body: bytes) -> list[Row]:
    document = read_document(body)
    assert document is not None
    assert not isinstance(document, Malformed)
    return rows_of(document)
