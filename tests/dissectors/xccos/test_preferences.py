"""Preference documents in every container that a client may have used."""

from __future__ import annotations

import base64
import gzip
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.model import Malformed
from dissectors.xccos.preferences import MAX_PREFERENCE, Preference, decode_preference

if TYPE_CHECKING:
    from collections.abc import Callable

XML = "<?xml version='1.0'?><GroupChannels><c uri='ma-chan://contoso.com/é'/></GroupChannels>" * 3


def deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def with_length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def decoded(data: bytes) -> Preference:
    found = decode_preference(base64.b64encode(data).decode())
    assert isinstance(found, Preference)
    return found


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": deflated,
    "length+gzip": lambda data: with_length(gzip.compress(data)),
    "length+zlib": lambda data: with_length(zlib.compress(data)),
    "length+deflate": lambda data: with_length(deflated(data)),
}


@pytest.mark.parametrize("how", CONTAINERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_container_and_the_encoding_are_recognised(how: str, encoding: str) -> None:
    data = XML.encode(encoding)
    assert decoded(CONTAINERS[how](data)) == Preference(how, XML, data)
    assert decoded(CONTAINERS[how](data)).form == "xml"


def test_text_and_binary_are_told_apart() -> None:
    assert decoded(b"a=1\r\nb=2").form == "text"
    binary = decoded(b"\x00\x01\x02\xff\xfe")
    assert (binary.form, binary.text, binary.how) == ("binary", None, "plain")
    assert decoded(gzip.compress(b"\x00\xff")) == Preference("gzip", None, b"\x00\xff")


def test_padding_and_white_space_may_be_missing_or_added() -> None:
    letters = base64.b64encode(b"text!").decode()
    for spelling in (letters, letters.rstrip("="), "\r\n ".join(letters), f" {letters}\n"):
        assert decode_preference(spelling) == Preference("plain", "text!", b"text!")
    assert decode_preference("") == Preference("plain", "", b"")


@pytest.mark.parametrize("content", ["!", "a", "ab=c", "é", "\ud800", "YQ==YQ=="])
def test_what_is_not_base64_is_malformed(content: str) -> None:
    found = decode_preference(content)
    assert isinstance(found, Malformed)
    assert "not base64" in found.reason


@pytest.mark.parametrize("how", [how for how in CONTAINERS if how != "plain"])
def test_a_bomb_is_refused(how: str) -> None:
    bomb = CONTAINERS[how](bytes(MAX_PREFERENCE + 1))
    found = decode_preference(base64.b64encode(bomb).decode())
    assert isinstance(found, Malformed)
    assert "grows beyond" in found.reason


def test_the_longest_document_is_accepted() -> None:
    assert len(decoded(gzip.compress(bytes(MAX_PREFERENCE))).data) == MAX_PREFERENCE


def test_content_that_is_itself_too_long_is_refused() -> None:
    found = decode_preference("A" * (2 * MAX_PREFERENCE + 1))
    assert isinstance(found, Malformed)
    assert len(found.raw) <= 512


def test_a_cut_container_is_shown_as_it_is() -> None:
    data = gzip.compress(XML.encode())[:-4]
    assert decoded(data) == Preference("plain", None, data)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded(data: bytes) -> None:
    found = decode_preference(base64.b64encode(data).decode())
    assert isinstance(found, Preference | Malformed)


@given(st.text())
def test_any_text_is_taken_without_an_exception(content: str) -> None:
    assert isinstance(decode_preference(content), Preference | Malformed)
