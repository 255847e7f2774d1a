"""The page of messages: what is listed, in which words, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree, html

from tests.analyzer.captures import capture, chat, message
from tests.paths import SAMPLES, require_shared
from tests.support.dashboard import looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.dashboard.cases import Case


@pytest.fixture(scope="module")
def case() -> Case:
    return opened(SAMPLES / "r2-post-full.pcap")


def _page(case: Case, **selected: Any) -> Any:  # noqa: ANN401  (an element; as ``Selection.but``)
    return html.fromstring(markup(looked_at(case, "messages", **selected), "messages"))


def _frames(page: Any) -> list[int]:  # noqa: ANN401
    return [int(one) for one in page.xpath("//tbody/tr/td[1]/a/text()")]


def _words(element: Any) -> str:  # noqa: ANN401
    return " ".join(element.text_content().split())


def test_messages_stand_in_order_with_who_what_and_how_long_after(case: Case) -> None:
    page = _page(case)
    frames = _frames(page)
    assert frames == list(case.trace.rows.frame[:100])
    first, second = (
        [_words(cell) for cell in row.xpath("td")] for row in page.xpath("//tbody/tr")[:2]
    )
    assert first[:7] == [
        *("4", "12:18:20.679526", "", "hiro → Front End 10.20.1.13", "REGISTER", "", "1")
    ]
    assert second[2] == "+13.5 ms"
    assert second[4] == "i 401 Unauthorized REGISTER"
    assert "1 to 100 of 221 messages" in _words(page)
    head = [_words(one) for one in page.xpath("//thead//th")]
    assert head[:4] == ["frame", "time (UTC)", "since above", "from → to"]


def test_a_link_to_a_message_shows_its_page_and_turning_pages_keeps_it_selected(
    case: Case,
) -> None:
    page = _page(case, message=150)
    selected = page.xpath("//tr[@data-selected]")
    assert [_words(one.xpath("td")[0]) for one in selected] == [str(case.trace.rows.frame[150])]
    assert _frames(page)[0] == case.trace.rows.frame[100]
    third = page.xpath("//nav[@class='pager']/a[text()='3']/@href")[0]
    assert "message=150" in third
    turned = _page(case, message=150, page=3, at=150)
    assert _frames(turned)[0] == case.trace.rows.frame[200]
    assert turned.xpath("//tr[@data-selected]") == []
    # Another message than the one that was selected when the page was turned.
    assert _frames(_page(case, message=120, page=3, at=150))[0] == case.trace.rows.frame[100]


def test_a_page_is_as_long_as_wanted_and_the_wait_goes_over_its_edge(case: Case) -> None:
    page = _page(case, size=50, page=2)
    rows = case.trace.rows
    assert _frames(page) == list(rows.frame[50:100])
    assert _words(page.xpath("//tbody/tr[1]/td[3]")[0]).startswith("+")
    assert len(_frames(_page(case, size="nonsense", page="nonsense"))) == 100


def test_hop_copies_are_marked_counted_and_can_be_hidden(case: Case) -> None:
    copies = len(case.scene.analysis.copy_of)
    page = _page(case, size=500)
    assert len([one for one in page.xpath("//tbody/tr") if "hop copy" in _words(one)]) == copies
    assert f"{copies} hop copies shown: hide them" in _words(page)
    hidden = _page(case, size=500, copies="hide")
    assert len(_frames(hidden)) == len(case.trace.rows) - copies
    assert f"{copies} hop copies hidden: show them" in _words(hidden)
    assert "marks" not in _words(hidden.xpath("//thead")[0])


def test_ids_that_follow_one_another_are_one_and_a_refusal_is_marked(case: Case) -> None:
    assert "rpl:getpref ×11" in _words(_page(case, filter="rpl:getpref"))
    refused = opened(require_shared() / "flows" / "overload-503-burst.pcap")
    assert "✕ 503" in _words(_page(refused, filter="is:error"))


def test_what_was_looked_for_is_shown_where_it_was_found(case: Case) -> None:
    page = _page(case, filter="chanib")
    assert page.xpath("//mark/text()")
    assert {one.lower() for one in page.xpath("//mark/text()")} == {"chanib"}
    assert len(page.xpath("//mark")) == len(_frames(page))


def test_a_filter_that_lets_nothing_through_says_so_and_leads_out(case: Case) -> None:
    page = _page(case, filter='"nothing of the kind"', session=0)
    assert page.xpath("//table") == []
    assert "No message is let through." in _words(page)
    assert "filter=" not in page.xpath("//a[text()='show all messages']/@href")[0]


def test_a_selected_message_that_is_not_listed_is_told(case: Case) -> None:
    page = _page(case, filter="method:INFO", message=0)
    assert "The selected message (frame 4) is not among these" in _words(page)
    href = page.xpath("//a[text()='show it among all messages']/@href")[0]
    assert "message=0" in href
    assert "filter" not in href


def test_the_list_leads_to_the_export_with_its_filter(case: Case) -> None:
    href = _page(case, filter="method:INFO").xpath("//a[text()='these messages as CSV']/@href")[0]
    assert "view=export" in href
    assert "filter=method%3AINFO" in href


def test_a_capture_without_messages_says_so(tmp_path: Path) -> None:
    empty = opened(capture(tmp_path / "empty.pcap"))
    assert "No SIP message is in this capture." in _words(_page(empty))


def test_a_damaged_file_lists_what_could_be_read(tmp_path: Path) -> None:
    data = (SAMPLES / "fault-503.pcap").read_bytes()
    damaged = opened(_written(tmp_path / "cut.pcap", data[: len(data) // 2]))
    page = _page(damaged, filter="kind:response")
    assert 0 < len(_frames(page)) < len(damaged.trace.rows)


def test_what_a_capture_says_stays_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\x1b]0;x\x07"
    made = opened(
        capture(
            tmp_path / "hostile.pcap",
            message(f"SIP/2.0 400 {hostile}"),
            chat("&lt;img src=x onerror=alert(1)&gt; needle"),
            message(From=f"<sip:{hostile}@example.com>;tag=1"),
        )
    )
    page = _page(made, filter="-zzz")
    assert page.xpath("//script | //img") == []
    assert "alert(1)</script>" not in etree.tostring(page, encoding="unicode")
    found = _page(made, filter="needle onerror")
    assert found.xpath("//img") == []
    assert [_words(one) for one in found.xpath("//mark")] == ["needle"]


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
