"""Uploads: connections that carry something else, and which of them belongs to a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.flows.uploads import TOKEN_NS, Token, Uploads, server_name
from analyzer.library.sections import reading_of, sections_of
from analyzer.others import FIRST_BYTES, MAX_HEADS, Head
from analyzer.pipeline import Pipeline
from analyzer.quality import OtherConnection, quality_of
from analyzer.times import SECOND
from tests.analyzer.flows.room_stories import TOKEN_URI, Person, runs_of, traced
from tests.analyzer.stories import START_NS, Story
from tests.support.conversation import Conversation
from tests.support.packets import pcap
from tests.support.reading import CHUNK, read
from tests.support.sameness import plain_reading
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.flows.uploads import Upload
    from analyzer.reading import Reading
    from tests.support.packets import Tcp

HOST = "web.example.com"
CLIENT, WEB = "10.0.1.97:50100", "10.0.0.8:443"
SOAP = (
    b"POST /MGCWebService/MGCWebService.asmx HTTP/1.1\r\nContent-Type: text/xml\r\n"
    b'SOAPAction: "http://www.microsoft.com/%s"\r\nHost: %s\r\n\r\n<s:Envelope/>'
)
FAULT = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/xml\r\n\r\n<s:Envelope><s:Body>"
    b"<s:Fault><faultstring>Invalid token</faultstring></s:Fault></s:Body></s:Envelope>"
)


def hello(name: str | None, more: int = 0) -> bytes:
    """Return a ClientHello with a name, and behind it an extension of ``more`` bytes."""
    extensions = b""
    if name is not None:
        host = name.encode()
        entry = b"\x00" + len(host).to_bytes(2, "big") + host
        names = len(entry).to_bytes(2, "big") + entry
        extensions = b"\x00\x00" + len(names).to_bytes(2, "big") + names
    extensions += b"\x00\x15" + more.to_bytes(2, "big") + bytes(more)
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x2f" + b"\x01\x00"
    body += len(extensions).to_bytes(2, "big") + extensions
    shake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(shake).to_bytes(2, "big") + shake


def soap(operation: str, host: str = HOST) -> bytes:
    """Return a request to the Web service."""
    return SOAP % (operation.encode(), host.encode())


def other(
    *said: tuple[int, bytes],
    service: str = "TLS",
    after: float = 1.0,
    opener: str = CLIENT,
    responder: str = WEB,
) -> OtherConnection:
    """Return a connection, ``after`` seconds after the token."""
    at = START_NS + round(after * SECOND)
    heads = tuple(Head(side, 50 + k, at + k, data) for k, (side, data) in enumerate(said))
    return OtherConnection(opener, responder, service, heads)


def token(uri: str = TOKEN_URI) -> Token:
    """Return a token of the first moment."""
    scheme, _, rest = uri.partition("://")
    host, _, port = rest.partition("/")[0].partition(":")
    return Token(3, START_NS, uri, scheme, host, int(port or {"https": 443, "http": 80}[scheme]))


def found(*others: OtherConnection, uri: str = TOKEN_URI, until: int | None = None) -> Upload:
    """Return what is found of an upload."""
    return Uploads(traced(Story(), others)).of(token(uri), "10.0.1.97:50000", until)


# what a connection says


@pytest.mark.parametrize("more", [0, 300, 1500])
def test_the_name_is_read_from_a_hello_of_which_the_rest_is_not_there(more: int) -> None:
    assert server_name(hello("Web.Example.COM", more)[:FIRST_BYTES]) == HOST


@pytest.mark.parametrize("data", [b"", b"\x16\x03\x01\x00\x05\x01", hello(None), b"\x17" * 100])
def test_what_has_no_name_gives_none(data: bytes) -> None:
    assert server_name(data) is None


@given(st.binary(max_size=80), st.integers(0, 120), st.integers(0, 255))
def test_no_bytes_raise_an_error(noise: bytes, at: int, byte: int) -> None:
    data = bytearray(hello(HOST))
    data[min(at, len(data) - 1)] = byte
    for one in (noise, b"\x16\x03\x01\x00\x50\x01\x00" + noise, bytes(data), bytes(data[:at])):
        name = server_name(one)
        assert name is None or name == name.lower()


# which belongs to a token


def test_https_to_the_server_of_the_token_is_encrypted() -> None:
    upload = found(other((0, hello(HOST)), (1, b"\x16\x03\x03")))
    assert (upload.state, upload.frames, upload.expired) == ("encrypted", (50, 51), False)


def test_https_to_another_server_is_none() -> None:
    assert found(other((0, hello("lyncdiscover.example.com")))).state == "absent"


def test_a_name_without_its_domain_is_the_same() -> None:
    assert found(other((0, hello("web")))).state == "encrypted"


def test_without_a_name_port_and_client_decide() -> None:
    nameless = hello(None)
    assert found(other((0, nameless))).state == "encrypted"
    assert found(other((0, nameless), responder="10.0.0.8:8443")).state == "absent"
    assert found(other((0, nameless), opener="10.0.1.98:50100")).state == "absent"


def test_sip_over_tls_to_the_same_server_is_no_upload() -> None:
    assert found(other((0, hello(HOST)), responder="10.0.0.8:5061")).state == "absent"


def test_http_shows_the_operations() -> None:
    ok = b"HTTP/1.1 200 OK\r\n\r\n"
    upload = found(
        other(
            (0, soap("RequestUniqueFilenameWithExtension")), (1, ok), (0, soap("AppendChunk")),
            (1, ok), service="HTTP", responder="10.0.0.8:80",
        ),
        uri=TOKEN_URI.replace("https", "http"),
    )  # fmt: skip
    assert upload.state == "seen"
    assert "RequestUniqueFilenameWithExtension, AppendChunk" in upload.detail


def test_an_http_fault_of_any_request_fails_the_upload() -> None:
    upload = found(
        other(
            (0, soap("AppendChunk", f"{HOST}:80")), (1, b"HTTP/1.1 100 Continue\r\n\r\n"),
            (1, FAULT), service="HTTP", responder="10.0.0.8:80",
        ),
        uri=TOKEN_URI.replace("https", "http"),
    )  # fmt: skip
    assert upload.state == "failed"
    assert "AppendChunk answered HTTP 500 (Invalid token) in frame 52" in upload.detail


def test_a_fatal_alert_fails_the_upload() -> None:
    upload = found(other((0, hello(HOST)), (1, b"\x15\x03\x01\x00\x02\x02\x28")))
    assert upload.state == "failed"
    assert "TLS alert 40" in upload.detail


def test_a_connection_from_before_the_token_serves_where_there_is_no_later_one() -> None:
    early, late = other((0, hello(HOST)), after=-60), other((0, hello(HOST)), after=10)
    assert found(early).time == early.time
    assert found(early, late).time == late.time
    assert found(other((0, hello(HOST)), after=-150)).state == "absent"


def test_a_connection_after_the_next_token_belongs_to_that_one() -> None:
    late = other((0, hello(HOST)), after=60)
    assert found(late, until=START_NS + 30 * SECOND).state == "absent"
    assert found(late, until=START_NS + 2 * SECOND).state == "encrypted"


@pytest.mark.parametrize(("minutes", "expired"), [(29, False), (31, True)])
def test_a_token_is_good_for_thirty_minutes(minutes: int, expired: bool) -> None:
    assert TOKEN_NS == 30 * 60 * SECOND
    upload = found(other((0, hello(HOST)), after=60 * minutes))
    assert upload.expired is expired
    assert ("31 minutes" in upload.detail) is expired


# what becomes of a post


def posting(*others: OtherConnection) -> tuple[str, str]:
    """Return status and detail of the step of a post with a file."""
    story = Story()
    ann = Person(story, "ann")
    ann.signs_in_to("ma-chan://example.com/1")
    ann.gets_token()
    ann.posts("see ma-filelink://example.com/1/a.txt")
    (run,) = runs_of(story, others)
    return run.steps[3].status, run.steps[3].detail


def test_a_post_with_its_upload_is_well() -> None:
    status, detail = posting(other((0, hello(HOST))))
    assert status == "ok"
    assert "uploaded by HTTPS from frame 50 on" in detail


def test_a_post_with_a_failed_upload_is_failed() -> None:
    status, detail = posting(other((0, hello(HOST)), (1, b"\x15\x03\x01\x00\x02\x02\x28")))
    assert status == "failed"
    assert "SIP answered 200" in detail


def test_a_failed_upload_is_told_though_no_post_followed() -> None:
    alert = (1, b"\x15\x03\x01\x00\x02\x02\x28")
    story = Story()
    ann = Person(story, "ann")
    ann.signs_in_to("ma-chan://example.com/1")
    ann.gets_token()
    assert runs_of(story, [other((0, hello(HOST)))]) == []
    (run,) = runs_of(story, [other((0, hello(HOST)), alert)])
    assert [step.status for step in run.steps[3:]] == ["failed", "missing"]
    assert (run.outcome, run.row) == ("failed", None)


def test_a_link_without_a_token_is_told() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.signs_in_to("ma-chan://example.com/1")
    ann.posts("see ma-filelink://example.com/1/a.txt")
    (run,) = runs_of(story)
    assert run.steps[3].status == "ok"
    assert "the token of its file is not in the capture" in run.steps[3].detail


# reading


def web_capture() -> bytes:
    """Return a capture with SIP, a TLS connection, and two of HTTP."""
    packets: list[Tcp] = []

    def talk(number: int, port: int) -> Conversation:
        made = Conversation(f"10.0.1.97:{number}", f"10.0.0.8:{port}", packets=packets)
        made.handshake()
        return made

    sip = talk(50000, 5060)
    sip.client.sends(b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n")
    tls = talk(50001, 443)
    tls.client.sends(hello(HOST, 700)[:400])
    tls.client.sends(hello(HOST, 700)[400:])
    tls.server.sends(b"\x16\x03\x03\x00\x40" + bytes(64))
    tls.client.sends(b"\x17\x03\x03\x00\x40" + bytes(64))
    web = talk(50002, 80)
    for operation in ("RequestUniqueFilenameWithExtension", "AppendChunk"):
        web.client.sends(soap(operation) + b"x" * 600)
        web.client.sends(b"more of it")
        web.server.sends(b"HTTP/1.1 100 Continue\r\n\r\n")
        web.server.sends(FAULT)
    plain = talk(50003, 80)
    for _ in range(3):
        plain.client.sends(b"GET / HTTP/1.1\r\nHost: intranet\r\n\r\n")
        plain.server.sends(b"HTTP/1.1 200 OK\r\n\r\n")
    many = talk(50004, 80)
    for _ in range(2 * MAX_HEADS):
        many.client.sends(soap("AppendChunk"))
    ssh = talk(50005, 22)
    ssh.client.sends(b"SSH-2.0-OpenSSH_9\r\n")
    for one in (sip, tls, web, plain, many, ssh):
        one.close()
    return pcap(packets)


def starts(reading: Reading) -> dict[str, list[tuple[int, bytes]]]:
    """Return the heads of each connection, cut to a few bytes, by the port of the client."""
    return {
        one.opener.rpartition(":")[2]: [(head.side, head.data[:8]) for head in one.heads]
        for one in quality_of(reading, None).others
    }


def test_a_reading_remembers_how_tls_and_http_begin() -> None:
    reading = read(web_capture())
    assert reading.services == {"TLS": 1, "HTTP": 3, "SSH": 1}
    seen = starts(reading)
    assert list(seen) == ["50001", "50002", "50003", "50004"]
    assert seen["50001"] == [(0, hello(HOST, 700)[:8]), (1, b"\x16\x03\x03\x00\x40\x00\x00\x00")]
    once = [(0, b"POST /MG"), (1, b"HTTP/1.1"), (1, b"HTTP/1.1")]
    assert seen["50002"] == once + once
    assert seen["50003"] == [(0, b"GET / HT"), (1, b"HTTP/1.1")]
    assert len(seen["50004"]) == MAX_HEADS
    assert all(len(head.data) <= FIRST_BYTES for one in reading.others for head in one.heads)


def test_no_more_connections_are_remembered_than_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.others.MAX_OTHERS", 2)
    assert list(starts(read(web_capture()))) == ["50001", "50002"]


def compiled_pipeline() -> Pipeline:
    """Return the compiled pipeline."""
    from analyzer._speedups.pipeline import Pass  # not everywhere

    return Pass()  # type: ignore[return-value]


@pytest.mark.skipif(not is_built(), reason="the compiled twin is not built")
@pytest.mark.parametrize("size", [100, CHUNK])
def test_both_paths_remember_the_same(size: int) -> None:
    data = web_capture()
    readings = [plain_reading(_fed(make, data, size)) for make in (Pipeline, compiled_pipeline)]
    assert readings[0]["others"] == readings[1]["others"] != []
    assert readings[0] == readings[1]


def _fed(make: Callable[[], Pipeline], data: bytes, size: int) -> Reading:
    pipeline = make()
    for at in range(0, len(data), size):
        pipeline.feed(data[at : at + size])
    reading = pipeline.close()
    reading.settle()
    return reading


def test_processes_that_share_the_reading_remember_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.parallel.compiled", lambda: False)
    from analyzer.parallel import read_in_shares

    data = web_capture()
    one, three = (
        read_in_shares(lambda: iter([data]), lambda: iter([data]), jobs) for jobs in (1, 3)
    )
    assert one.others == three.others != []


def test_an_index_keeps_them() -> None:
    reading = read(web_capture())
    sections = {name: memoryview(data) for name, data in sections_of(reading).items()}
    assert reading_of(sections).others == reading.others != []
