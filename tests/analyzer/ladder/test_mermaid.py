"""Mermaid ladders, read and drawn by Mermaid itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.export.printable import printable
from analyzer.ladder.look import Look
from analyzer.ladder.mermaid import LIMIT, escaped, render_mermaid
from analyzer.ladder.text_cells import safe
from tests.analyzer.ladder.examples import (
    BEGAN,
    CHANNEL,
    CLIENT,
    EVERY,
    HOSTILE,
    LANES,
    arrow,
    hostile_texts,
    long,
    sign_in,
)
from tests.support.browser import browser
from tests.support.mermaid import mermaid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from analyzer.ladder.values import Ladder
    from tests.support.mermaid import Mermaid

__all__ = ["browser"]

# One process starts it, not each.
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.untraced]

GOLDEN = Path(__file__).parent / "golden"
CODED = (
    *("end", "End of it", "wrap: a", ":wrap:b", "nowrap: c", "title x", "Note over p0: x"),
    *("a%%b", "%%{init: {}}%%", "style a: #b;c", "classDef x:#y;z", "accTitle: x", "#35;", "#lt;"),
    *("$$x^2$$", "a<br/>b", "a<br>b", "<b>c</b>", "<img src=http://127.0.0.1/x>", "&lt;", "```"),
    *("p0->>p1: x", "-->", "--x", "a;b", "{}", "[]", "@{ x }", "ﬂ°°60¶ß", "\\n", "---", "×11"),
    *("https://127.0.0.1/x", "link p0: x @ http://127.0.0.1", "日本語", "e\u0301", "\u202e", '"'),
    HOSTILE,
)
"""Texts that mean something to Mermaid, to HTML or to Markdown somewhere."""


@pytest.fixture(scope="module")
def judge(browser: Browser) -> Iterator[Mermaid]:
    with mermaid(browser) as running:
        yield running


def texts(ladder: Ladder, look: Look | None = None) -> list[str]:
    return [page.decode() for page in render_mermaid(ladder, look or Look())]


def saying(labels: list[str]) -> Ladder:
    """Return a ladder whose arrows, marks, lanes, steps and notes say these."""
    ladder = sign_in()
    events = tuple(
        replace(arrow(at, CLIENT, CHANNEL, text, at), marks=(text,), kind="request")
        for at, text in enumerate(labels)
    )
    groups = tuple(
        replace(ladder.groups[0], first=at, last=at, flow=text, title=text, detail=text)
        for at, text in enumerate(labels)
    )
    lanes = tuple(replace(lane, subtitle=text) for lane, text in zip(LANES, labels, strict=False))
    return replace(
        *(ladder,), events=events, groups=groups, brackets=(), lanes=lanes, left_out=tuple(labels)
    )


def test_mermaid_reads_every_example(judge: Mermaid) -> None:
    looks = (Look(), Look(theme="dark", times="delta"), Look(theme="light", times="relative"))
    ladders = [make() for make in EVERY.values()]
    documents = [text for one in ladders for look in looks for text in texts(one, look)]
    assert len(judge.read(documents)) == len(ladders) * len(looks)


@pytest.mark.parametrize("name", EVERY)
def test_every_lane_arrow_and_frame_arrives_in_order(judge: Mermaid, name: str) -> None:
    ladder = EVERY[name]()
    (read,) = judge.read(texts(ladder))
    assert [one for one, _ in read.actors] == [f"p{at}" for at in range(len(ladder.lanes))]
    ends = [(one.source, one.target) for one in read.arrows]
    assert ends == [(f"p{one.source}", f"p{one.target}") for one in ladder.arrows]
    frames = [int(re.findall(r"frame (\d+), ", one.lines[1])[0]) for one in read.arrows]
    assert frames == [one.frame for one in ladder.arrows]
    assert read.groups == len(ladder.groups)


def test_requests_responses_and_connections_are_told_apart(judge: Mermaid) -> None:
    (read,) = judge.read(texts(sign_in()))
    kinds = {"request": "->>", "response": "-->>", "connection": "-)"}
    assert [one.arrow for one in read.arrows] == [kinds[one.kind] for one in sign_in().arrows]


def test_a_lost_message_ends_in_a_cross(judge: Mermaid) -> None:
    lost = (
        arrow(0, CLIENT, CHANNEL, "INFO grpchat", 0, marks=("lost",)),
        arrow(1, CHANNEL, CLIENT, "200 OK", 1, marks=("lost",)),
    )
    (read,) = judge.read(texts(replace(sign_in(), events=lost, groups=(), brackets=())))
    assert [one.arrow for one in read.arrows] == ["-x", "--x"]


def test_labels_arrive_as_they_are_whatever_they_say(judge: Mermaid) -> None:
    labels = [*CODED, *hostile_texts([*CODED, "a", " ", ":", "#", ";", "%", "\n", "\r"], 60)]
    (read,) = judge.read(texts(saying(labels), Look(label=1000)))  # none is cut
    shown = [one.lines[0].strip() for one in read.arrows]
    assert shown == [safe(text, unicode=True).strip() for text in labels]


def test_what_mermaid_draws_shows_hostile_text_as_text_and_asks_for_nothing(judge: Mermaid) -> None:
    before = len(judge.asked)
    (drawn,) = judge.draw(texts(saying(list(CODED)), Look(label=300)))
    shown = {" ".join(one.split()) for one in drawn["text"]}
    wanted = {" ".join(safe(text, unicode=True).split()) for text in CODED}
    assert wanted <= shown
    assert not {"img", "script", "a", "b", "foreignObject", "math"} & set(drawn["names"])
    assert judge.asked[before:] == []


def test_a_long_ladder_is_split_below_mermaids_limit_and_loses_nothing(judge: Mermaid) -> None:
    ladder = long(1500)
    documents = texts(ladder)
    assert len(documents) > 1
    assert max(len(one.encode("utf-16-le")) // 2 for one in documents) <= LIMIT < judge.limit
    read = judge.read(documents)
    frames = [int(re.findall(r"frame (\d+), ", one.lines[1])[0]) for d in read for one in d.arrows]
    assert frames == [one.frame for one in ladder.arrows]
    assert all(f"page {at} of {len(read)}" in one.title for at, one in enumerate(read, 1))


def test_entities_and_wide_characters_count_against_the_limit() -> None:
    ladder = saying([f"{at} {'<🎉>' * 15}" for at in range(500)])
    documents = texts(ladder)
    assert max(len(one.encode("utf-16-le")) // 2 for one in documents) <= LIMIT
    assert sum(one.count("->>") for one in documents) == 500


def test_pages_are_no_longer_than_asked() -> None:
    assert [one.count("frame ") for one in texts(long(25), Look(page=10))] == [10, 10, 5]


def test_the_picture_has_a_title_and_a_description(judge: Mermaid) -> None:
    (read,) = judge.read(texts(sign_in()))
    assert read.title == "Session 1: user1"
    assert read.description.startswith("capture.pcap, 2026-11-22 07:06:46")
    assert "14 arrows between 5 lanes" in read.description


def test_heat_marks_and_replies_are_said_in_words(judge: Mermaid) -> None:
    (read,) = judge.read(texts(sign_in()))
    said = {one.lines[1].split(",")[0]: one.lines[2:] for one in read.arrows}
    assert said["frame 14"] == ("retransmission",)
    assert said["frame 34"] == ("580 ms after join in frame 32, slow!",)
    assert said["frame 38"] == ("join answered after 2.50 s (frame 36), very slow!!",)


def test_a_hole_is_a_note_over_its_lanes(judge: Mermaid) -> None:
    (read,) = judge.read(texts(sign_in()))
    (hole,) = [one for one in read.said if one.lines[0].startswith("≈≈ hole")]
    assert (hole.arrow, hole.source, hole.target) == ("note", "p0", "p1")


def test_a_ladder_without_lanes_or_events_is_read(judge: Mermaid) -> None:
    bare = replace(sign_in(), lanes=(), events=(), groups=(), brackets=())
    (read,) = judge.read(texts(bare))
    assert (read.title, read.said) == ("Session 1: user1", ())


def test_times_are_shown_as_wanted() -> None:
    second = [re.findall(r"frame 12, ([^<]*)<", texts(sign_in(), Look(times=times))[0])[0]
              for times in ("absolute", "relative", "delta")]  # fmt: skip
    assert second == ["07:06:46.553123", "+0.012000", "+0.012000"]
    third = [re.findall(r"frame 14, ([^<]*)<", texts(sign_in(), Look(times=times))[0])[0]
             for times in ("relative", "delta")]  # fmt: skip
    assert third == ["+0.014000", "+0.002000"]


def test_a_theme_is_asked_for_only_where_somebody_did() -> None:
    first = {theme: texts(sign_in(), Look(theme=theme))[0].split("\n")[0]
             for theme in ("auto", "light", "dark")}  # fmt: skip
    assert first["auto"] == "sequenceDiagram"
    assert '"default"' in first["light"]
    assert '"dark"' in first["dark"]


def test_an_escaped_text_keeps_plain_words_readable() -> None:
    assert escaped("INFO rpl:join 200 ×2 (sip:u@contoso.com)") == (
        "INFO rpl:join 200 ×2 (sip:u@contoso.com)"
    )
    assert escaped("a;b") == "a#59;b"


def test_nothing_that_could_steer_a_terminal_is_written() -> None:
    for make in EVERY.values():
        for text in texts(make()):
            assert all(line == printable(line) for line in text.split("\n"))


def test_the_golden_document() -> None:
    assert texts(sign_in()) == [(GOLDEN / "sign_in.mmd").read_text(encoding="utf-8")]


def test_the_time_of_a_ladder_begins_with_it() -> None:
    assert f"{BEGAN % 1_000_000_000:09d}"[:6] in texts(sign_in())[0]
