"""Traces that were copied out of mails and pages, and times in the forms of other countries."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.trace import open_capture
from dissectors.capture.text.formats import text_reader_for
from dissectors.capture.text.lines import TextDecoder
from dissectors.capture.text.values import TextMessage
from dissectors.model import Malformed
from tests.paths import SAMPLES
from tests.support.text_logs import FORMS, read_trace, write_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dissectors.capture.text.values import Record, TextReader

every_form = pytest.mark.parametrize("form", FORMS)
STAMP = re.compile(r"(\d\d)/(\d\d)/(\d{4})([-|])(\d\d):(\d\d:\d\d)\.(\d+)")


@cache
def trace(form: str) -> str:
    with open_capture(SAMPLES / "twousers-post.pcap") as capture:
        return write_trace(capture, form, seed=3, newline="\n").decode()


def read(text: str, sizes: Sequence[int] = ()) -> list[Record | Malformed]:
    data = text.encode()

    def make() -> TextReader:
        reader = text_reader_for(data)
        assert reader is not None
        return reader

    return read_trace(data, make, sizes)


def messages(text: str, sizes: Sequence[int] = ()) -> list[tuple[int, bool, bytes]]:
    return [
        (one.time_ns, one.outgoing, one.data)
        for one in read(text, sizes)
        if isinstance(one, TextMessage)
    ]


def broken(text: str) -> str:
    """Return a text as a mail program wraps it."""
    lines = [
        wrap(line, 76, break_long_words=False, break_on_hyphens=False) or [""]
        for line in text.split("\n")
    ]
    return "\n".join("\n".join(line) for line in lines)


def quoted(text: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in text.split("\n"))


COPIES: dict[str, Callable[[str], str]] = {
    "quoted": quoted,
    "quoted twice": lambda text: quoted(quoted(text)),
    "quoted below a greeting": lambda text: f"Hello,\n\nwhat is wrong here?\n\n{quoted(text)}",
    "indented": lambda text: text.replace("\n", "\n\t"),
    "with a blank line behind each": lambda text: text.replace("\n", "\n\n"),
    "of a page's source": lambda text: f"<html><pre>\n{escape(text, quote=False)}</pre></html>",
    "wrapped": broken,
    "wrapped and quoted": lambda text: quoted(broken(text)),
}


# What was numbered before it was wrapped has its numbers in the middle of lines.
@pytest.mark.parametrize(
    ("form", "copy"),
    [
        (form, copy)
        for form in FORMS
        for copy in COPIES
        if form != "snooper-copy" or not copy.startswith("wrapped")
    ],
)
def test_a_copy_gives_the_messages_of_the_trace(form: str, copy: str) -> None:
    assert messages(COPIES[copy](trace(form))) == messages(trace(form))


@every_form
def test_a_trace_that_was_not_copied_stays_as_it_is(form: str) -> None:
    data = trace(form).encode()
    decoder = TextDecoder()
    lines = decoder.feed(data) + decoder.close()
    assert "".join(f"{line.text}\n" for line in lines) == data.decode()
    assert not decoder.wrapped


@settings(max_examples=20)
@given(
    st.sampled_from(["wrapped and quoted", "of a page's source"]), st.lists(st.integers(1, 9000))
)
def test_copies_do_not_depend_on_how_their_bytes_come(copy: str, sizes: list[int]) -> None:
    text = COPIES[copy](trace("uccapi"))
    assert messages(text, sizes) == messages(text)


def test_quotation_marks_in_what_people_say_are_theirs() -> None:
    text = trace("ocslogger").replace("Message-Body: -", "Message-Body: > so you say")
    assert sum(b"> so you say" in data for _time, _way, data in messages(text)) > 10


def test_lines_keep_the_numbers_of_the_file() -> None:
    plain, copy = read(trace("cls")), read(broken(trace("cls")))
    rows = broken(trace("cls")).split("\n")
    starts = [one.line for one in copy if isinstance(one, TextMessage)]
    assert len(starts) == sum(isinstance(one, TextMessage) for one in plain)
    assert all(rows[line - 1].startswith("TL_") for line in starts)


CLOCKS: dict[str, Callable[[re.Match[str]], str]] = {
    "day first": lambda m: f"{m[2]}/{m[1]}/{m[3]}{m[4]}{m[5]}:{m[6]}.{m[7]}",
    "dots": lambda m: f"{m[2]}.{m[1]}.{m[3]}{m[4]}{m[5]}:{m[6]}.{m[7]}",
    "year first": lambda m: f"{m[3]}-{m[1]}-{m[2]}{m[4]}{m[5]}:{m[6]}.{m[7]}",
    "year first, slashes": lambda m: f"{m[3]}/{m[1]}/{m[2]} {m[5]}:{m[6]}.{m[7]}",
    "comma": lambda m: f"{m[1]}/{m[2]}/{m[3]}{m[4]}{m[5]}:{m[6]},{m[7]}",
    "twelve hours": lambda m: (
        f"{m[1]}/{m[2]}/{m[3]}{m[4]}{(int(m[5]) - 1) % 12 + 1}:{m[6]}.{m[7]} "
        f"{'PM' if int(m[5]) > 11 else 'AM'}"
    ),
    "two digits of a year": lambda m: f"{m[1]}/{m[2]}/{m[3][2:]}{m[4]}{m[5]}:{m[6]}.{m[7]}",
}


@pytest.mark.parametrize("hour", ["00", "06", "12", "23"])
@pytest.mark.parametrize("form", ["ocslogger", "cls", "s4", "uccapi"])
@pytest.mark.parametrize("way", CLOCKS)
def test_times_are_read_as_other_countries_write_them(way: str, form: str, hour: str) -> None:
    text = "\n".join(trace(form).split("\n")[:400])
    text = STAMP.sub(lambda m: f"{m[1]}/{m[2]}/{m[3]}{m[4]}{hour}:{m[6]}.{m[7]}", text)
    wanted = messages(text)
    assert len(wanted) > 5
    assert messages(STAMP.sub(CLOCKS[way], text)) == wanted


@pytest.mark.parametrize("form", ["ocslogger", "s4"])
def test_times_that_nobody_can_read_are_said_once(form: str) -> None:
    text = STAMP.sub("today-noon", trace(form))
    said = [one.reason for one in read(text) if isinstance(one, Malformed)]
    assert len(said) == 1
    assert "without a line that says when it was" in said[0]
