"""Full text: in bytes, in decoded bodies, over anything that a capture may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from analyzer.filters import texts
from analyzer.filters.texts import Phrase, decoded
from tests.analyzer.captures import capture, chat, message
from tests.analyzer.filters.looking import Looking

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _body(data: bytes) -> bytes:
    head = message("INFO sip:ann@example.com SIP/2.0", CSeq="2 INFO", Content_Type="text/plain")
    return head.replace(b"Content-Length: 0", b"Content-Length: %d" % len(data)) + data


def test_words_are_found_whatever_their_case(tmp_path: Path) -> None:
    found = Looking(capture(tmp_path / "a.pcap", chat("Hello World"), chat("goodbye")))
    assert found.rows("HELLO") == [0]
    assert found.rows("hello goodbye") == []
    assert found.rows('text:hello text:"goodbye"') == [0, 1]
    assert found.rows("options") == []
    assert found.rows("info") == [0, 1]


def test_a_phrase_goes_over_blanks_line_ends_and_quotes(tmp_path: Path) -> None:
    folded = message(Subject="one\r\n two", Via='SIP/2.0/UDP a;x="quoted",y=1')
    found = Looking(capture(tmp_path / "a.pcap", folded, message(Subject="one and two")))
    assert found.rows('"one two"') == [0]
    assert found.rows('text:"x= quoted ,y=1"') == [0]
    assert found.rows(r'"x=\"quoted"') == [0]


def test_references_are_resolved_as_often_as_a_history_quotes(tmp_path: Path) -> None:
    found = Looking(
        capture(
            tmp_path / "a.pcap",
            chat("if a &lt; b &amp; c"),
            chat("&#72;ello"),
            chat("&amp;lt;b&amp;gt;bold"),
            chat("plain"),
        )
    )
    assert found.rows('"a < b & c"') == [0]
    assert found.rows("hello") == [1]
    assert found.rows("<b>bold") == [2]
    assert found.rows('"&lt;"') == [0]  # the bytes are found too


def test_what_is_not_ascii_is_found_without_case(tmp_path: Path) -> None:
    found = Looking(capture(tmp_path / "a.pcap", chat("GRÜSSE aus KÖLN"), chat("gruesse")))
    assert found.rows("köln") == [0]
    assert found.rows("grüße") == [0]
    assert found.rows('"grüsse AUS"') == [0]


def test_a_body_of_sixteen_bits_is_read(tmp_path: Path) -> None:
    text = '<xccos xmlns="urn:parlano:xml:ns:xccos"><grpchat><chat>tief</chat></grpchat></xccos>'
    wide = _body(b"\xff\xfe" + text.encode("utf-16-le"))
    found = Looking(capture(tmp_path / "a.pcap", wide, chat("hoch")))
    assert found.rows("tief") == [0]


def test_what_was_found_is_shown_with_what_stands_around_it(tmp_path: Path) -> None:
    found = Looking(capture(tmp_path / "a.pcap", chat("some words &lt;here&gt; and more")))
    shown = texts.Texts(found.trace).snippet(0, ["WORDS <here>"])
    assert shown is not None
    assert shown.found == "words <here>"
    assert shown.before.endswith("some ")
    assert shown.behind.startswith(" and more")
    assert texts.Texts(found.trace).snippet(0, ["nothing of the kind"]) is None


def test_only_so_much_decoded_text_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_KEPT", 700)
    many = [chat(f"&lt;number {number}&gt;") for number in range(5)]
    found = Looking(capture(tmp_path / "a.pcap", *many))
    for _ in range(2):
        assert found.rows('"number 3>"') == [3]
        assert found.rows('"<number"') == [0, 1, 2, 3, 4]


@given(st.binary(max_size=300), st.text(min_size=1, max_size=20).filter(str.strip))
def test_anything_is_decoded_and_searched(data: bytes, text: str) -> None:
    said = decoded(b"INFO x SIP/2.0\r\n\r\n" + data).casefold()
    phrase = Phrase(text)
    assert phrase.in_text(f"{said} {text.casefold()}")
    phrase.in_bytes(data.lower())


@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_a_text_is_found_in_the_message_that_says_it(text: str) -> None:
    phrase = Phrase(text)
    data = decoded(b"INFO x SIP/2.0\r\n\r\n" + text.encode("utf-8", "replace"))
    if "&" not in text and text.isprintable():
        assert phrase.in_text(data.casefold())
