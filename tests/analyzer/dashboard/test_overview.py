"""The first screen: whether something is wrong, in words; where; what the capture is worth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.dashboard.pages import overview
from analyzer.dashboard.verdict.headline import damage_text, groups, headline, worth
from analyzer.dashboard.verdict.told import told_of
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

require_shared()
FLOWS = SHARED / "flows"


def test_a_healthy_capture_is_said_to_be_without_problems() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    assert headline(case) == ("ok", "no problem seen", "No problem is to be seen in 2 sessions.")
    drawn = markup(looked_at(case), "overview")
    assert "No problem is to be seen in 2 sessions." in drawn
    assert "The rules found nothing." in drawn
    assert drawn.index("No problem") < drawn.index("Sessions (2)") < drawn.index("Findings (0)")
    assert told_of(case).summary(0) in drawn
    assert "user2 signed in at " in drawn


def test_a_broken_session_is_told_with_the_first_thing_that_failed() -> None:
    case = opened(FLOWS / "lookup-404.pcap")
    drawn = markup(looked_at(case), "overview")
    assert "Something is wrong: the only session has a problem (" in drawn
    assert re.search(
        r", 3 of 10 steps done in \d+ ms; step 4 \(INVITE to Lookup\) failed\.", drawn
    ), "how long it took stands with what was done, not with what failed"
    row = case.row_of_frame(35)
    for href in (
        f"view=flow&amp;session=1&amp;message={row}&amp;step=1.4",
        f"view=ladder&amp;session=1&amp;message={row}",
        f"view=messages&amp;session=1&amp;message={row}",
        "view=findings&amp;rule=GC101&amp;severity=error",
    ):
        assert href in drawn, href


def test_what_failed_first_is_the_first_in_time() -> None:
    failure = told_of(opened(SAMPLES / "fault-no-reply.pcap")).failure(0)
    assert failure is not None
    assert (failure.kind, failure.step) == ("GC301", "2.3"), "the history before the post"
    failure = told_of(opened(FLOWS / "fanout-missing.pcapng")).failure(0)
    assert failure is not None
    assert (failure.kind, failure.step) == ("GC404", "3.5"), "the copies of the second post"


def test_what_nobody_could_see_is_no_failure() -> None:
    case = opened(FLOWS / "late-start.pcapng")
    assert headline(case).sign == "not-captured"
    assert told_of(case).failure(0) is None
    assert told_of(case).progress(0).outcome == "not-captured"


def test_a_slow_sign_in_is_a_remark_and_no_failure() -> None:
    case = opened(FLOWS / "slow-signin.pcap")
    assert (
        headline(case).text
        == "Nothing failed, but the only session has something to remark (Slow step)."
    )
    failure = told_of(case).failure(0)
    assert failure is not None
    assert failure.kind == "GC601"


def test_an_empty_capture_says_what_to_do_next(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes((SAMPLES / "keepalive.pcap").read_bytes()[:24])
    drawn = markup(looked_at(opened(empty)), "overview")
    assert "There is no SIP to be read in this." in drawn
    assert "The capture has no frames." in drawn
    assert "What to do next" in drawn
    assert "Sessions (" not in drawn
    assert "Nothing seems to be missing" not in drawn


def test_dark_tls_leads_to_where_keys_are_given(tmp_path: Path) -> None:
    dark = tmp_path / "dark.pcap"
    dark.write_bytes((SHARED / "captures" / "tls.pcap").read_bytes())
    case = opened(dark)
    drawn = markup(looked_at(case), "overview")
    assert "--keylog" in drawn
    assert "view=open" in drawn
    assert "not decrypted" in dict(worth(case))["TLS"]


def test_a_damaged_file_says_where_and_what_was_read_before(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((SAMPLES / "r2-post-full.pcap").read_bytes()[:6000])
    case = opened(cut)
    said = damage_text(case)
    assert said == (
        "The file is damaged: byte 4933: the file ends inside record 11 (1067 of 1224 bytes). "
        "Read before that: 10 frames, 5 SIP messages."
    )
    assert said in markup(looked_at(case), "overview")


def test_many_sessions_are_counted_and_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "SHOWN", 2)
    case = opened(FLOWS / "fanout-missing.pcapng")
    drawn = markup(looked_at(case), "overview")
    assert "1 of 3 sessions has a problem" in drawn
    assert "1 to 2 of 3 sessions" in drawn
    assert "view=sessions&amp;verdict=failed" in drawn
    assert "view=sessions&amp;first=GC404" in drawn
    assert drawn.index("Session 1: chandra") < drawn.index("Session 2: eva")
    assert "Session 3: bob" not in drawn
    assert "Session 3: bob" in markup(looked_at(case, session=2), "overview"), "its own page"


def test_the_list_of_many_connections_is_drawn_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overview, "CONNECTIONS", 1)
    case = opened(SAMPLES / "twousers-post.pcap")
    drawn = markup(looked_at(case), "overview")
    assert "Connections that carried SIP" not in drawn
    assert "quality=all" in drawn
    assert "Connections that carried SIP" in markup(looked_at(case, quality="all"), "overview")


def test_findings_are_counted_by_rule_and_severity() -> None:
    case = opened(SAMPLES / "fault-no-reply.pcap")
    found = [(one.severity, one.rule, len(one.numbers), one.sessions) for one in groups(case)]
    assert found == [("error", "GC301", 1, 1), ("error", "GC408", 1, 1)]


def test_several_inputs_are_told_with_their_clocks() -> None:
    case = opened(SAMPLES / "fault-no-reply.pcap", SAMPLES / "fault-no-reply-server.txt")
    assert len(case.record["inputs"]) == 2
    told = [text for name, text in worth(case) if name == "Input"]
    assert [text.partition(":")[0] for text in told] == [
        "fault-no-reply.pcap",
        "fault-no-reply-server.txt",
    ]
    drawn = markup(looked_at(case), "overview")
    assert "xccos merge" in drawn
