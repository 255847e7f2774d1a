"""Hypothesis strategies for SIP messages: well-formed ones, oddly written ones, broken ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from dissectors.sip.writer import build_message

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

_TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"

METHODS = ("INFO", "INVITE", "REGISTER", "BENOTIFY", "SERVICE", "NEGOTIATE", "ACK", "BYE")

tokens: SearchStrategy[str] = st.text(_TOKEN_CHARACTERS, min_size=1, max_size=12)
"""RFC 3261 tokens."""

methods = st.one_of(st.sampled_from(METHODS), tokens)

values = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40
).map(lambda text: text.strip(" \t"))
"""Header values on one line, without blanks around."""

hosts = st.sampled_from(("contoso.com", "gc01.contoso.com", "192.0.2.7", "[2001:db8::7]"))

uris = st.builds("sip:{}@{}".format, st.text("abcxyz019", min_size=1, max_size=8), hosts)

bodies = st.one_of(st.binary(max_size=80), st.just(b'<xccos ver="1" envid="7"/>'))

extension_headers = st.tuples(tokens.map(lambda name: f"X-{name}"), values)


@st.composite
def start_and_headers(draw: DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """Draw the start line and headers of a message with all mandatory headers."""
    method = draw(methods)
    start = f"{method} {draw(uris)} SIP/2.0"
    if draw(st.booleans()):
        start = f"SIP/2.0 {draw(st.integers(100, 699))} {draw(st.sampled_from(('', 'OK', 'Так')))}"
    headers = [
        ("Via", f"SIP/2.0/TLS {draw(hosts)}:{draw(st.integers(1, 65535))}"),
        ("From", f"<{draw(uris)}>;tag={draw(tokens)};epid=0123456789"),
        ("To", f'"{draw(tokens)}" <{draw(uris)}>'),
        ("Call-ID", draw(tokens)),
        ("CSeq", f"{draw(st.integers(0, 2**31 - 1))} {method}"),
        *draw(st.lists(extension_headers, max_size=5)),
    ]
    return start, draw(st.permutations(headers))


@st.composite
def messages(draw: DrawFn) -> bytes:
    """Draw the bytes of a canonical message: what ``build_message`` writes."""
    start, headers = draw(start_and_headers())
    return build_message(start, headers, draw(bodies))


@st.composite
def odd_messages(draw: DrawFn) -> bytes:
    """Draw a message written as unusually as can still be read: folds, blanks, any line ends."""
    start, headers = draw(start_and_headers())
    end = draw(st.sampled_from(("\r\n", "\n", "\r")))
    fold = draw(st.sampled_from((" ", "\t", f"{end} ", f"{end}\t  ")))
    colon = draw(st.sampled_from((":", " :", ": ", " \t:\t ")))
    before = end * draw(st.integers(0, 2))
    lines = [name + colon + value.replace(" ", fold) for name, value in headers]
    blank = end * draw(st.integers(0, 2))
    head = end.join([before + start, *lines]) + blank
    return head.encode() + draw(bodies)


@st.composite
def mutated(draw: DrawFn, originals: SearchStrategy[bytes]) -> bytes:
    """Draw bytes in which a few runs were replaced, removed or put in."""
    data = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 6))
        data[at : at + cut] = draw(
            st.one_of(st.binary(max_size=4), st.sampled_from((b"\r\n", b'"', b"<", b";,", b"\n ")))
        )
    return bytes(data)
