"""The steps of a session: what failed, what it took down, what was waited for, who got copies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree, html

from analyzer.dashboard.flow.timeline import WIDE, scale_of
from analyzer.dashboard.flow.told import loss_text, path_of, runs_of, story_told
from analyzer.dashboard.pages import flow
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

require_shared()
FLOWS = SHARED / "flows"


def _text(element: etree._Element) -> str:
    return " ".join(str(element.xpath("string()")).split())


def _rows(drawn: str, caption: str) -> list[list[str]]:
    """Return the cells of the table of a caption."""
    tree = html.fromstring(drawn)
    (table,) = (one for one in tree.iter("table") if one.findtext("caption") == caption)
    return [[*map(_text, row)] for body in table.iter("tbody") for row in body]


def test_the_failing_step_is_in_view_with_its_finding_and_what_to_do() -> None:
    case = opened(FLOWS / "lookup-404.pcap")
    drawn = markup(looked_at(case, "flow", session=0), "flow")
    card = drawn.index("What failed first")
    assert card < drawn.index("steps 5 to 10 did not follow.") < drawn.index("Steps of the sign-in")
    assert "Check that the lookup account exists" in drawn
    assert 'data-copy="frame.number in {35, 38}"' in drawn
    assert "view=findings&amp;session=1&amp;rule=GC101&amp;about=rule" in drawn
    rows = _rows(drawn, "Steps of the sign-in")
    assert [row[0].split()[0] for row in rows] == [str(step) for step in range(1, 11)]
    assert rows[3][1:4] == ["✕ failed", "+551 ms", "46.2 ms"]
    row = case.row_of_frame(35)
    assert f'message={row}">4 INVITE to Lookup' in drawn


def test_without_a_selected_session_the_worst_is_shown_and_said_to_be() -> None:
    drawn = markup(looked_at(opened(FLOWS / "fanout-missing.pcapng"), "flow"), "flow")
    assert "Session 1: chandra" in drawn
    assert "No session is selected. This is the one to look at first" in drawn


def test_a_post_tells_who_got_each_copy_and_when() -> None:
    drawn = markup(looked_at(opened(FLOWS / "fanout-missing.pcapng"), "flow", session=0), "flow")
    tree = html.fromstring(drawn)
    posts = [one for one in tree.iter("details") if one.get("class") == "post"]
    heads = [_text(next(one.iter("summary"))) for one in posts]
    assert [head.rpartition(", ")[2] for head in heads] == [
        "3 of 3 copies came",
        "2 of 3 copies came",
    ]
    copies = _rows(etree.tostring(posts[1], encoding="unicode"), "Who got a copy")
    assert [(row[0].partition("@")[0], row[1]) for row in copies] == [
        ("sip:chandra", "✓ echo to the author"),
        ("sip:eva", "✓ came"),
        ("sip:bob.keller", "∅ missing"),
    ]
    assert re.fullmatch(r"16:45:\d\d\.\d{6}", copies[1][2])
    assert copies[1][3].endswith(" ms")
    assert drawn.index("Posts (2)") < drawn.index("Steps of the sign-in"), "what failed is first"


def test_a_step_of_the_address_is_marked() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    tree = html.fromstring(markup(looked_at(case, "flow", session=0, step="1.6"), "flow"))
    marked = [_text(row[0]) for row in tree.iter("tr") if row.get("data-selected")]
    assert [text.split()[0] for text in marked] == ["6"]
    for nonsense in ("9.9", "x", "1" * 99, "-1.2", "²"):
        markup(looked_at(case, "flow", session=0, step=nonsense), "flow")


def test_the_critical_path_is_drawn_and_told() -> None:
    case = opened(FLOWS / "slow-signin.pcap")
    drawn = markup(looked_at(case, "flow", session=0), "flow")
    assert "What to remark first" in drawn
    assert re.search(r"10\.82 s in all\. Waited for lookup [\d.]+ s \(\d+%\)", drawn)
    (one,) = runs_of(case, 0, "sign-in")
    path = path_of(case, 0, one)
    assert drawn.count("<title>") == len(path.waits)
    assert f"Every wait ({len(path.waits)})" in drawn
    assert any(row[5] == "88%" for row in _rows(drawn, "Steps of the sign-in"))


def test_bars_lie_within_the_time_of_the_run() -> None:
    case = opened(FLOWS / "slow-signin.pcap")
    (one,) = runs_of(case, 0, "sign-in")
    scale = scale_of(one.run, path_of(case, 0, one))
    assert scale.at(one.run.started) == 0
    assert scale.at(one.run.started + scale.span) == WIDE
    assert scale.at(0) == 0
    tree = etree.HTML(markup(looked_at(case, "flow"), "flow"))
    bars = [one for one in tree.iter("rect") if "done" in (one.get("class") or "")]
    assert len(bars) == 10
    assert all(int(bar.get("x", "")) + int(bar.get("width", "")) <= WIDE for bar in bars)


def test_what_a_failure_took_down_is_said_of_its_own_step_alone() -> None:
    case = opened(FLOWS / "lookup-404.pcap")
    assert loss_text(case, 0, "1.4") == "steps 5 to 10 did not follow"
    assert loss_text(case, 0, "1.1") is None
    assert loss_text(case, 0, None) is None


def test_the_story_is_told_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "SENTENCES", 5)
    case = opened(SAMPLES / "fault-no-reply.pcap")
    sentences = [one["text"] for one in story_told(case, 0)["sentences"]]
    drawn = html.fromstring(markup(looked_at(case, "flow", story=2), "flow"))
    (told,) = (one for one in drawn.iter("ol") if one.get("class") == "story")
    assert len(told) == 5
    assert f"6 to 10 of {len(sentences)} sentences" in _text(drawn)


def test_many_posts_are_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "POSTS", 1)
    case = opened(FLOWS / "fanout-missing.pcapng")
    drawn = markup(looked_at(case, "flow", session=0), "flow")
    assert "2 to 2 of 2 posts" in drawn, "the page of the post that failed"
    assert "1 to 1 of 2 posts" in markup(looked_at(case, "flow", session=0, posts=1), "flow")


def test_a_capture_without_sessions_has_no_flow(tmp_path: Path) -> None:
    empty = tmp_path / "nothing.pcap"
    empty.write_bytes((SAMPLES / "keepalive.pcap").read_bytes()[:24])
    assert "there is no flow to show" in markup(looked_at(opened(empty), "flow"), "flow")
