"""The page: whole and accessible without script, all links lead somewhere, nothing leaves it."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import timedelta, timezone
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.look import Look
from analyzer.ladder.selection import Choice
from analyzer.named import parse_frames
from analyzer.report import content, messages, sessions
from analyzer.report.sharing import MASKED, Sharing
from analyzer.trace import open_capture
from tests.analyzer.diagnostics.edited import changed, write
from tests.analyzer.report.reports import (
    HOPS,
    ORIGIN,
    SAMPLE,
    TWO_USERS,
    by_id,
    document,
    known,
    page,
    words,
)
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.analyzer.diagnostics.edited import Said

every = pytest.mark.parametrize("path", [SAMPLE, TWO_USERS, HOPS], ids=lambda path: path.stem)
HEADINGS = ("h1", "h2", "h3", "h4", "h5")
HOSTILE = b"<script>alert('x')</script>&\"'\x1b[31m\xe2\x80\xae\xef\xbf\xbe]]>"


@every
def test_every_id_is_unique_and_every_link_leads_to_one(path: Path) -> None:
    found = known(path)
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids))
    links = [one[1:] for one in found.xpath("//a/@href")]
    assert len(links) > 100
    assert set(links) <= set(ids)


@every
def test_nothing_is_asked_of_the_network(path: Path) -> None:
    found = known(path)
    assert found.xpath("//a[not(starts-with(@href, '#'))]") == []
    assert found.xpath("//link/@href") == ["data:,"]
    assert found.xpath("//@src | //@srcset | //@action | //form | //iframe | //object") == []
    assert found.xpath("//@style") == []
    assert [
        one
        for one in found.xpath("//@*")
        if one.getparent() is not None and one.attrname.startswith("on")
    ] == []
    styles = "".join(found.xpath("//style/text()"))
    assert "url(" not in styles
    assert "@import" not in styles


@every
def test_the_policy_names_script_and_style_and_allows_nothing_else(path: Path) -> None:
    found = known(path)
    policy = found.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for name, text in (
        ("style", found.xpath("string(//style)")),
        ("script", found.xpath("string(//script[not(@type)])")),
    ):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


@every
def test_headings_go_down_one_level_at_a_time(path: Path) -> None:
    levels = [int(one.tag[1]) for one in known(path).iter(*HEADINGS)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))


@every
def test_the_page_has_landmarks_and_tables_have_captions(path: Path) -> None:
    found = known(path)
    assert [one.tag for one in found.find("body") if one.tag != "script"] == [
        *("a", "header", "nav", "main", "footer")
    ]
    assert found.get("lang") == "en"
    tables = found.xpath("//main//div[@class='scroll']/table")
    assert len(tables) > 4
    assert all(one.findtext("caption") for one in tables)
    assert all(one.get("scope") == "col" for table in tables for one in table.iter("th"))


def test_the_contents_name_all_sections() -> None:
    found = known(TWO_USERS)
    listed = [one[1:] for one in found.xpath("//nav/ol/li/a/@href")]
    assert listed == [
        *("summary", "about", "findings", "session-1", "session-2", "messages", "quality", "legend")
    ]


def test_the_head_says_what_it_is_of_and_that_it_is_not_redacted() -> None:
    found = known(SAMPLE)
    assert words(found.find(".//h1")) == ORIGIN.name
    assert words(found.xpath("//header//*[@role='note']")[0]).startswith("Not redacted.")
    about = words(by_id(found, "about"))
    assert ORIGIN.sha256 is not None
    for text in ("1,234 bytes", ORIGIN.sha256, ORIGIN.command, "xccos-analyzer 1.0", "83 frames"):
        assert text in about
    assert "2026-11-22 06:08:36.626374 to 06:08:38.514288 UTC" in about


def test_the_summary_says_the_verdict_in_words() -> None:
    text = words(by_id(known(SAMPLE), "summary"))
    assert "1 session; findings: 1 error." in text
    assert "✕ problem" in text
    assert "1 post answered 503 and lost (frame 57)" in text
    assert "no problem seen" in words(by_id(known(TWO_USERS), "summary"))


def test_a_finding_has_its_advice_certainty_and_evidence() -> None:
    found = known(SAMPLE)
    hit = by_id(found, "finding-1")
    card = words(hit.xpath("ancestor::li")[0])
    for text in ("✕ error GC409 Post answered 503 and lost", "What to do:", "likely", "Session 1"):
        assert text in card
    assert "frame.number in {57, 59}" in card
    targets = [by_id(found, one[1:]) for one in hit.xpath(".//a/@href")]
    frames = [one.findtext("td[2]") for one in targets if one.get("id", "").startswith("m")]
    assert frames == ["57", "59", "57", "59"]
    assert any("finding" in one.get("class", "") for one in targets)


def test_steps_have_status_frames_and_a_link_to_the_ladder() -> None:
    found = known(SAMPLE)
    rows = by_id(found, "session-1-sign-in").xpath(".//tbody/tr")
    assert len(rows) == 10
    assert [words(one) for one in rows[:2]] == [
        "1 REGISTER ✓ ok 1.45 ms 4, 6 200 OK; without authentication",
        "2 SUBSCRIBE: contact list ✓ ok 3.96 ms 8, 9, 10, 13 200 OK; 3 subscriptions; the "
        "contact list came in frame 9",
    ]
    assert rows[0].xpath("string(td[1]/a/@href)") == "#ladder-1-g0"
    assert words(rows[6]).endswith("not applicable Pidgin with SIPE does not do this")


def test_posts_say_who_got_copies() -> None:
    text = words(by_id(known(TWO_USERS), "session-1-rooms"))
    assert "Sales EMEA" in text
    assert "user2@contoso.com ✓ echo to the author 131 1.06 ms 200" in text
    assert "user1@contoso.com ✓ came 130 1.04 ms 200" in text


def test_the_critical_path_has_bars_and_the_same_in_words() -> None:
    made = by_id(known(SAMPLE), "session-1-path")
    rows = made.xpath(".//tbody/tr")
    bars = made.xpath(".//*[local-name()='svg']")
    assert len(bars) == len(rows) == 13
    assert "Waited for front end 5.29 ms (47%)" in words(made)
    widths = [int(bar[1].get("width")) for bar in bars]
    assert max(widths) == 344
    assert "largest" in words(rows[widths.index(344)])


def test_the_story_is_told_with_its_times_and_names() -> None:
    made = by_id(known(SAMPLE), "session-1-story")
    lines = made.xpath(".//li")
    assert words(lines[0]).startswith("06:08:36.626534")
    assert made.xpath(".//em")[0].text == "Sales EMEA"
    bad = [one for one in lines if one.get("class") == "error"]
    assert len(bad) == 2
    assert all("✕" in words(one) for one in bad)


def test_every_message_is_a_row_and_leads_to_the_ladder() -> None:
    found = known(HOPS)
    table = by_id(found, "message-table")
    rows = table.xpath("tbody/tr")
    with open_capture(HOPS, index=False) as trace:
        assert [one.get("id") for one in rows] == [f"m{row}" for row in range(len(trace))]
    assert all(one.xpath("td[last()]/a") for one in rows)
    copies = [one for one in rows if "copy" in (one.get("class") or "")]
    assert copies
    assert all("hop copy" in words(one) for one in copies)
    assert [words(one) for one in table.xpath("thead/tr/th")][:7] == [
        *("#", "frame", "time (UTC)", "from", "to", "message", "XCCOS")
    ]


def test_errors_are_marked_by_a_sign_too() -> None:
    table = by_id(known(SAMPLE), "message-table")
    bad = table.xpath("tbody/tr[contains(@class, 'bad')]")
    assert [words(one)[:40] for one in bad]
    assert all("✕" in words(one) for one in bad)


def test_times_are_shown_in_the_zone_that_was_chosen() -> None:
    zone = timezone(timedelta(hours=1))
    found = document(page(SAMPLE, look=Look(zone=zone, theme="dark")))
    assert found.get("data-theme") == "dark"
    about = words(by_id(found, "about"))
    assert "2026-11-22 07:08:36.626374 to 07:08:38.514288 UTC+01:00" in about
    assert "06:08:36.626374" in about
    assert "those in sentences in UTC" in about
    assert "time (UTC+01:00)" in words(by_id(found, "message-table").xpath("thead")[0])
    assert "2026-11-22 06:08:36.626534 UTC" in found.xpath("string(//*[@id='m0']//time/@title)")


def test_of_some_messages_the_report_says_so() -> None:
    found = document(page(SAMPLE, Choice(frames=parse_frames("57-62"))))
    assert len(by_id(found, "message-table").xpath("tbody/tr")) == 4
    assert by_id(found, "ladder-of-choice") is not None
    ids = set(found.xpath("//@id"))
    assert {one[1:] for one in found.xpath("//a/@href")} <= ids


def test_hosts_have_the_names_that_people_gave_them() -> None:
    found = document(page(SAMPLE, aliases={"127.0.0.1": "lab"}))
    assert "lab:39256 lab:5060" in words(by_id(found, "m0"))


def test_capture_quality_is_told() -> None:
    text = words(by_id(known(SAMPLE), "quality"))
    assert "Nothing seems to be missing." in text
    assert "127.0.0.1:39256 127.0.0.1:5060 tcp" in text
    assert "seen from its beginning" in text


def test_what_was_not_read_is_told() -> None:
    from tests.analyzer.truths import CAPTURES, named

    path = named(CAPTURES, "tls")
    found = document(page(path, None))
    assert "There is no SIP message" in words(by_id(found, "summary")) or "TLS" in words(
        by_id(found, "quality")
    )


def test_an_empty_capture_has_a_report(tmp_path: Path) -> None:
    whole = SAMPLE.read_bytes()
    (tmp_path / "empty.pcap").write_bytes(whole[:24])
    found = document(page(tmp_path / "empty.pcap"))
    assert "The capture has no frames." in words(by_id(found, "summary"))
    assert "None." in words(by_id(found, "messages"))


def test_credentials_are_nowhere_in_the_page() -> None:
    path = SAMPLES / "r2-signin-full.pcap"
    data = page(path).decode()
    with open_capture(path, index=False) as trace:
        secrets = [
            secret
            for row in range(len(trace))
            for secret in re.findall(
                rb'(?:response|rspauth|gssapi-data)="(.{16,}?)"', trace.raw(row)
            )
        ]
    assert secrets
    assert all(secret.decode() not in data for secret in secrets)
    assert MASKED in data


def test_chat_texts_are_in_message_details_alone_and_not_without_bodies() -> None:
    secret = _chat_text(SAMPLE)
    found = known(SAMPLE)
    outside = [one for one in found.iter() if one.get("class") != "xl-details"]
    assert all(secret not in (one.text or "") + (one.tail or "") for one in outside)
    assert any(secret in (one.text or "") for one in found.xpath("//script[@class='xl-details']"))
    assert secret not in page(SAMPLE, sharing=Sharing(bodies=False)).decode()


def _chat_text(path: Path) -> str:
    """Return a text that someone wrote in a capture."""
    with open_capture(path, index=False) as trace:
        for row in range(len(trace)):
            found = re.search(rb"<chat[^>]*>([^<]{6,})</chat>", trace.raw(row))
            if found:
                return found[1].decode()
    raise AssertionError("nobody wrote anything")


def _hostile(said: Said) -> Said:
    """Return a message with hostile names wherever they still leave it readable."""
    raw = re.sub(
        rb"(?im)^(User-Agent|Server): [^\r]*", lambda one: one[1] + b": " + HOSTILE, said.raw
    )
    raw = re.sub(rb"^(SIP/2\.0 \d+ )[^\r]*", lambda one: one[1] + b"OK<b>&\"'\x1b", raw)
    raw = raw.replace(b'name="Sales EMEA"', b'name="&lt;img src=x onerror=alert(1)&gt;"')
    return said.sub(re.escape(said.raw), raw.replace(b"\\", b"\\\\"))


def test_hostile_names_are_text_everywhere(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        SAMPLE,
        lambda those: [changed(lambda _: True, _hostile)([one])[0] for one in those],
    )
    data = page(path)
    found = document(data)
    assert found.xpath("//main//script[not(@type)] | //img | //b[contains(., 'img')]") == []
    assert len(found.xpath("//script")) == len(re.findall(rb"<script[\s>]", data))
    text = words(found)
    assert "<script>alert" in text
    assert "<img src=x onerror=alert(1)>" in text
    assert "\\x1b" in text
    assert not re.search("[\x00-\x08\x0e-\x1f\u202e\ufffe]", data.decode())


def test_a_hostile_file_name_is_text() -> None:
    from analyzer.ladder.build import Options
    from analyzer.report.content import content_of
    from analyzer.report.document import report_html
    from analyzer.report.head import Origin

    name = "<script>&\"'\ud800.pcap"
    origin = Origin(name, None, None, f"xccos report {name}", "1.0")
    with open_capture(SAMPLE, index=False) as trace:
        found = content_of(trace, Choice(), Options())
        made = document(report_html(found, origin, Sharing(), Look(), {}))
    assert words(made.find(".//h1")) == "<script>&\"'\\ud800.pcap"
    assert "not known: the capture was not read from a file" in words(by_id(made, "about"))


def test_what_limits_leave_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_MESSAGES", 40)
    monkeypatch.setattr(content, "MAX_LADDERS", 1)
    monkeypatch.setattr(sessions, "MAX_SENTENCES", 3)
    monkeypatch.setattr(messages, "DETAIL_BYTES", 20_000)
    monkeypatch.setattr(messages, "LONG", 10)
    found = document(page(TWO_USERS))
    text = words(found)
    for sentence in (
        "40 of the 114 messages of the capture",
        "xccos messages twousers-post.pcap",
        "xccos ladder twousers-post.pcap --session 2 -o ladder.html",
        "more sentences: xccos story twousers-post.pcap --session 1",
        "are not in this page",
        "Printed are the messages",
    ):
        assert sentence in text
    ids = set(found.xpath("//@id"))
    assert {one[1:] for one in found.xpath("//a/@href")} <= ids


def test_many_sessions_are_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.views.told.MAX_STORIES", 0)
    found = document(page(SAMPLE))
    rows = by_id(found, "sessions").xpath(".//tbody/tr")
    assert len(rows) == 1
    assert "user1@contoso.com" in words(rows[0])
    assert "GC409" in words(by_id(found, "findings-others"))
    assert by_id(found, "findings-others").xpath("string(.//a/@href)") == "#s1"
    assert found.xpath("//section[@class='session']") == []
