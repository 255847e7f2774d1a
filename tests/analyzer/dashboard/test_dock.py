"""The docked message: what it is, where it belongs, its parts, and what of it can be copied."""

from __future__ import annotations

import base64
import shlex
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.dock import tabs as dock_tabs
from analyzer.dashboard.dock.copies import COPIED, offers
from analyzer.dashboard.dock.filters import of_attribute, of_header
from analyzer.dashboard.dock.head import Head
from analyzer.dashboard.dock.message import Docked
from analyzer.dashboard.dock.tabs import draw_tab, hex_lines, tab_of, visible
from analyzer.dashboard.dock.tree import Tree, numbered
from analyzer.dashboard.selection import Selection
from analyzer.filters.parse import parse_filter
from analyzer.trace import open_capture
from analyzer.wireshark.filters import frames_filter
from dissectors.model import Malformed
from tests.analyzer.captures import ESCAPE, capture, chat, message
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, SHARED
from tests.support.dashboard import drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.dashboard.cases import Case

SAMPLE = SAMPLES / "twousers-post.pcap"
REPLY = 30
"""rpl:requri of the sample, in frame 39; it answers the command in frame 29."""
LARGE = 16 * 1024 * 1024
Read = Any
"""Markup as lxml.html reads it, whose elements can more than their types say."""


def _parsed(text: str) -> Read:
    return html.fromstring(text)


def _docked(case: Case, row: int, **more: str) -> tuple[Desk, Docked]:
    selection = Selection(case=case.id, view="messages", message=row, more=more)
    return Desk(case, selection), Docked(case, row)


def _drawn(case: Case, row: int, **more: str) -> Read:
    """Return what is drawn of a message, read back as a browser reads it."""
    desk, docked = _docked(case, row, **more)
    made = etree.Element("article")
    Head(desk, docked).draw(made)
    draw_tab(made, desk, docked, tab_of(desk, docked))
    return _parsed(etree.tostring(made, method="html", encoding="unicode"))


def _facts(drawn: Read) -> dict[str, str]:
    names = [one.text_content() for one in drawn.iter("dt")]
    return dict(zip(names, (one.text_content() for one in drawn.iter("dd")), strict=True))


def _targets(drawn: Read, name: str) -> list[dict[str, list[str]]]:
    """Return the selections that the links of a fact lead to."""
    cell = next(one for one in drawn.iter("dt") if one.text_content() == name).getnext()
    return [parse_qs(link.get("href")[1:]) for link in cell.iter("a")]


def test_the_page_shows_the_message_of_the_address_and_how_to_close_it() -> None:
    case = opened(SAMPLE)
    drawn = drawings(looked_at(case, "overview", message=REPLY))
    shown = _parsed(drawn["dock-message"])
    assert shown.find(".//h2").text_content().endswith("INFO rpl:requri 200")
    assert "Lookup service → user2" in shown.text_content()
    close = next(one for one in shown.iter("a") if "Close" in one.text_content())
    assert "message" not in parse_qs(close.get("href")[1:])
    assert drawn["dock-escape"] == close.get("href")


def test_a_message_leads_to_all_that_it_belongs_to() -> None:
    case = opened(SAMPLE)
    drawn = _drawn(case, REPLY)
    facts = _facts(drawn)
    assert facts["Time"].startswith("2026-11-22 06:08:26.552258 UTC")
    assert facts["Frames"] == "frame 39, 970 bytes, message 30 of 114"
    assert facts["Transaction"] == "INFO request (this one), answer 200 (frame 43) after 0.12 ms"
    assert (
        facts["Command"] == "✓ answered requri (frame 29), rpl:requri 200 (this one) after 1.49 ms"
    )
    assert facts["Step"].startswith("✓ ok sign-in step 5 requri: Channel URI")
    assert _targets(drawn, "Session")[0]["session"] == ["1"]
    assert _targets(drawn, "Dialog")[0]["filter"] == ["dialog:#5"]
    (command,) = _targets(drawn, "Command")
    assert case.trace.rows.frame[int(command["message"][0])] == 29


def test_every_message_is_before_the_one_that_is_after_it() -> None:
    case = opened(SAMPLE)
    for row in range(len(case.trace.rows)):
        for one in Docked(case, row).beside():
            if one.after is not None:
                back = {two.order: two.before for two in Docked(case, one.after).beside()}
                assert back[one.order] == row


def test_times_are_told_in_the_zone_of_the_address_and_in_utc() -> None:
    case = opened(SAMPLE)
    desk = Desk(case, Selection(case=case.id, message=REPLY, zone="Europe/Berlin"))
    made = etree.Element("div")
    Head(desk, Docked(case, REPLY)).draw(made)
    text = "".join(map(str, made.itertext()))
    assert "2026-11-22 07:08:26.552258 UTC+01:00 (06:08:26.552258 UTC)" in text


def test_a_failed_answer_leads_to_its_finding_and_step() -> None:
    case = opened(SHARED / "flows" / "lookup-404.pcap")
    status = case.trace.rows.status
    row = next(row for row in range(len(case.trace.rows)) if status[row] == 404)
    drawn = _drawn(case, row)
    rules = {one.rule for number, one in enumerate(case.diagnosed)
             if number in Docked(case, row).findings}  # fmt: skip
    assert rules
    assert {target["rule"][0] for target in _targets(drawn, "Finding")} <= rules
    assert "✕ failed" in _facts(drawn)["Step"]


def test_hop_copies_are_told_with_their_latencies() -> None:
    case = opened(SAMPLES / "fe-two-hops.pcapng")
    copies = case.trace.analysis().copy_of
    copy, origin = next((one, two) for one, two in copies.items() if one > two)
    facts = _facts(_drawn(case, copy))
    times = case.trace.rows.time
    later = (times[copy] - times[origin]) / 1e6
    assert facts["Hop 1"].endswith(", first")
    assert "(this one)" in facts["Hop 2"]
    assert f"{later:.2f} ms after the first" in facts["Hop 2"]


def test_of_several_inputs_it_is_told_which_saw_the_message() -> None:
    case = opened(SAMPLES / "fault-no-reply.pcap", SAMPLES / "fault-no-reply-server.txt")
    lost = next(row for row in range(len(case.trace.rows)) if case.trace.unseen(row))
    assert _facts(_drawn(case, lost))["Not seen in"] == "fault-no-reply-server.txt"
    seen = next(row for row in range(len(case.trace.rows)) if len(case.trace.sightings(row)) > 1)
    text = " ".join(one.text_content() for one in _drawn(case, seen).iter("dd"))
    assert "fault-no-reply.pcap, frame " in text
    assert "fault-no-reply-server.txt, line " in text
    titles = [one.title for one in offers(Docked(case, seen))]
    assert [one for one in titles if one.startswith("Wireshark")] == [
        "Wireshark filter for fault-no-reply.pcap"
    ]


def test_in_a_merged_file_frames_have_its_own_numbers(tmp_path: Path) -> None:
    merged = tmp_path / "merged.pcapng"
    both = SAMPLES / "fault-no-reply.pcap", SAMPLES / "fault-no-reply-server.txt"
    assert xccos("merge", *both, "-o", merged).code == 0
    apart, together = opened(*both), opened(merged)
    (own,) = [one for one in offers(Docked(apart, REPLY)) if one.title.startswith("Wireshark")]
    assert own.title == "Wireshark filter for fault-no-reply.pcap"
    with open_capture(both[0]) as alone:
        assert own.text == frames_filter(alone.frames(REPLY))
    copied = {one.title: one.text for one in offers(Docked(together, REPLY))}
    assert copied["Wireshark filter"] == frames_filter(Docked(apart, REPLY).frames) != own.text


def test_what_was_decrypted_is_said_to_be() -> None:
    captures = SHARED / "captures"
    case = opened(captures / "tls.pcap", keys=(str(captures / "tls.keylog"),))
    streams = case.trace.streams
    row = next(row for row, one in enumerate(case.trace.rows.stream)
               if streams[one].transport == "tls")  # fmt: skip
    assert _facts(_drawn(case, row))["Way"].endswith("TLS, decrypted with the keys that were given")


def test_headers_are_shown_each_with_its_filter() -> None:
    case = opened(SAMPLE)
    drawn = _drawn(case, REPLY, tab="headers")
    lines = [[cell.text_content() for cell in row.iter("td")] for row in drawn.iter("tr")]
    read = Docked(case, REPLY).message
    assert not isinstance(read, Malformed)
    assert [line[:2] for line in lines if line] == [[one.name, one.value] for one in read.headers]
    link = next(one for one in drawn.iter("a") if one.get("aria-label") == "Filter by Call-ID")
    wanted = parse_qs(link.get("href")[1:])["filter"]
    assert wanted == ['call-id:"C3A3gF48Da7BD8iC2BEm9151tF2B9bF805xC151x"']


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("From", '"Ann" <sip:ann@example.com>;tag=1', 'from:"ann@example.com"'),
        ("t", "<sip:bob@example.com>", 'to:"bob@example.com"'),
        ("CSeq", "12 INFO", 'method:"INFO"'),
        ("X-Own", 'says "this" \\', r'text:"says \"this\" \\"'),
        ("Call-ID", "a" * 400, f'call-id:"{"a" * 300}*"'),
        ("X-Own", "", None),
    ],
)
def test_a_header_is_looked_for_by_its_own_word(name: str, value: str, wanted: str | None) -> None:
    assert of_header(name, value) == wanted


@given(st.text(max_size=40))
def test_every_filter_that_is_offered_is_understood_as_it_was_meant(value: str) -> None:
    wanted = of_header("X-Own", value)
    if wanted is not None:
        (term,) = parse_filter(wanted).terms
        assert term.word == "text"
        assert value.startswith(term.texts)


def test_values_in_xccos_are_looked_for_where_they_name_something() -> None:
    assert of_attribute("id", "cmd:join") == 'command:"cmd:join"'
    assert of_attribute("uri", "ma-chan://a/1") == 'room:"ma-chan://a/1"'
    assert of_attribute("author", "sip:ann@example.com") == 'user:"ann@example.com"'
    assert of_attribute("seqid", "1") is None


def test_xccos_is_a_tree_with_the_meanings_of_ids_and_codes() -> None:
    drawn = _drawn(opened(SAMPLE), REPLY)
    text = " ".join(drawn.find(".//ul[@class='dock-tree']").text_content().split())
    assert 'rpl (address of the channel server) id="rpl:requri" seqid="1"' in text
    assert "resp code=✓ 200 SUCCESS_OK" in text


def test_posts_and_preferences_can_be_read(tmp_path: Path) -> None:
    document = "<settings>liked &amp; kept</settings>"
    content = base64.b64encode(zlib.compress(document.encode())).decode()
    body = (
        '<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="7"><rpl id="rpl:getpref" seqid="1">'
        f'<data><pref label="a" seqid="3" content="{content}"/></data></rpl></xccos>'
    )
    info = message("INFO sip:ann@example.com SIP/2.0", body, CSeq="2 INFO")
    case = opened(capture(tmp_path / "c.pcap", info, chat("first &lt;b&gt;\nsecond")))
    preference = _drawn(case, 0).text_content()
    assert "decoded: base64, zlib, xml" in preference
    assert document in preference
    said = _drawn(case, 1).find(".//blockquote")
    assert said.text_content() == "first <b>\nsecond"


def test_text_of_a_capture_stays_text(tmp_path: Path) -> None:
    hostile = f'<img src=x onerror="alert(1)">{ESCAPE}'
    shown = message("OPTIONS sip:ann@example.com SIP/2.0", Subject=hostile, Call_ID=hostile)
    case = opened(capture(tmp_path / "c.pcap", shown))
    for tab in ("headers", "xccos", "raw", "hex"):
        drawn = markup(looked_at(case, "overview", message=0, tab=tab), "dock-message")
        assert "<img" not in drawn
        assert "\x1b" not in drawn


@given(st.binary(max_size=200), st.integers(0, 1 << 20))
def test_the_bytes_are_those_of_the_message(data: bytes, offset: int) -> None:
    lines = [*hex_lines(data, offset)]
    assert b"".join(bytes.fromhex(line[10:58]) for line in lines) == data
    assert [int(line[:8], 16) for line in lines] == [
        offset + at for at in range(0, len(data), dock_tabs.LINE)
    ]


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(1, 9))
def test_parts_of_a_text_cut_no_character_and_lose_none(text: str, size: int) -> None:
    data = text.encode()
    ends = [*range(0, len(data), size), len(data)]
    cuts = [dock_tabs._whole(data, at) for at in ends]
    parts = [data[begin:end] for begin, end in pairwise(cuts)]
    shown = [part.decode("utf-8", "backslashreplace") for part in parts]
    if size > 3:
        assert "".join(shown) == text
    assert b"".join(parts) == data


def test_ends_of_lines_and_controls_show_themselves() -> None:
    assert visible("a\r\nb\tc\x00\x1b[m\u202e") == "a\\r\\n\nb\\tc\\x00\\x1b[m\\u202e"


def test_every_element_of_a_large_tree_is_in_one_part_below_its_parents() -> None:
    case = opened(SAMPLE)
    document = Docked(case, REPLY).document
    assert document is not None
    assert not isinstance(document, Malformed)
    root = numbered(document.root)
    names = []
    for begin in range(0, root.last + 1, 2):
        made = etree.Element("div")
        Tree(begin, begin + 2, lambda text: text).draw(made, root)
        shown = [one.text or "" for one in made.iter("code")]
        names += shown[-(min(begin + 2, root.last + 1) - begin) :]
        assert shown[0] == "xccos"
    assert names == [one.name for one in document.root.iter()]


def test_a_message_of_sixteen_megabytes_is_shown_in_bounded_parts() -> None:
    case = opened(SAMPLE)
    head = Docked(case, REPLY).raw.partition(b"Content-Length")[0]
    big = head + b"Content-Length: %d\r\n\r\n" % LARGE + b"x" * LARGE
    for tab in ("headers", "xccos", "raw", "hex"):
        desk, docked = _docked(case, REPLY, tab=tab, part=f"{REPLY}-3")
        docked.raw = big
        made = etree.Element("div")
        draw_tab(made, desk, docked, tab)
        text = etree.tostring(made, encoding="unicode")
        assert len(text) < 100_000
        if tab != "headers":
            assert "first" in [one.text for one in made.iter("a")]
            last = next(one for one in made.iter("a") if one.text == "last")
            assert parse_qs(str(last.attrib["href"])[1:])["part"][0].startswith(f"{REPLY}-")
    docked = Docked(case, REPLY)
    docked.raw = big
    assert "message" not in [one.title for one in offers(docked)]
    assert max(len(one.text) for one in offers(docked)) < COPIED


def test_the_part_of_another_message_is_not_meant() -> None:
    case = opened(SAMPLE)
    desk, docked = _docked(case, REPLY, tab="hex", part="29-2")
    made = etree.Element("div")
    draw_tab(made, desk, docked, "hex")
    assert "".join(map(str, made.itertext())).count("00000000  ") == 1


def test_what_is_copied_finds_and_shows_the_message() -> None:
    case = opened(SAMPLE)
    docked = Docked(case, REPLY)
    copied = {one.title: one.text for one in offers(docked)}
    assert copied["Wireshark filter"] == frames_filter(docked.frames) == "frame.number == 39"
    assert copied["filter"] == "frame:39"
    words = shlex.split(copied["command"])
    assert xccos(*words[1:], "--raw").raw == docked.raw
    assert copied["message"].replace("\n", "\r\n").encode() == docked.raw


def test_of_a_text_trace_lines_are_named_and_no_filter_for_wireshark() -> None:
    case = opened(SAMPLES / "fault-no-reply-server.txt")
    titles = [one.title for one in offers(Docked(case, 0))]
    assert not [one for one in titles if "Wireshark" in one]
    assert _facts(_drawn(case, 0))["Seen in"].startswith("fault-no-reply-server.txt, line ")


def test_a_message_that_was_cut_says_so(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    data = (SAMPLES / "signin-tcp.pcap").read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    case = opened(cut)
    drawn = markup(looked_at(case, "messages", message=len(case.trace.rows) - 1), "dock-message")
    assert "Frames" in drawn
    broken = capture(tmp_path / "b.pcap", message()[:-2].replace(b"CSeq: 1 OPTIONS\r\n", b""))
    noticed = _drawn(opened(broken), 0).find(".//ul[@class='dock-noticed']")
    assert "missing-header" in noticed.text_content()
