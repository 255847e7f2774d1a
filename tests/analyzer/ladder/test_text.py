"""Ladders as text: what stands where, at every width, in Unicode and in ASCII."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from analyzer.export.printable import printable
from analyzer.ladder.look import Look
from analyzer.ladder.text import HEADS_EVERY, render_text, text_lines
from analyzer.ladder.text_cells import ASCII, UNICODE, Row, cells, cut_cells, safe, wrapped
from analyzer.ladder.text_columns import LEAST_WIDTH, WIDTH, letter
from analyzer.ladder.values import Bracket, Hop, Lane, Note
from tests.analyzer.ladder.examples import (
    BEGAN,
    CHANNEL,
    CLIENT,
    EVERY,
    FRONT_END,
    LANES,
    LOOKUP,
    MS,
    WEB,
    arrow,
    empty,
    long,
    sign_in,
)

if TYPE_CHECKING:
    from analyzer.ladder.values import Arrow, Event, Ladder

GOLDEN = Path(__file__).parent / "golden"
WIDTHS = (LEAST_WIDTH, 55, 60, 72, 80, 100, 120, 140, 200)
DAY = 86_400_000 * MS
STYLES = {"plain", "bold", "dim", "good", "bad", "doubtful"}


def lines(ladder: Ladder, width: int = WIDTH, *, unicode: bool = True) -> list[str]:
    return list(text_lines(ladder, Look(width=width, unicode=unicode)))


def of(*events: Event, **changes: object) -> Ladder:
    """Return the example ladder with other events and neither steps nor brackets."""
    given: dict[str, object] = {"groups": (), "brackets": (), "left_out": (), **changes}
    return replace(sign_in(), events=events, **given)  # type: ignore[arg-type]


def drawn(one: Arrow, width: int = WIDTH, *, unicode: bool = True) -> list[str]:
    """Return the rows of a ladder's only arrow."""
    shown = lines(of(one), width, unicode=unicode)
    return shown[next(at for at, line in enumerate(shown) if line.startswith("frame ")) + 1 :]


@pytest.mark.parametrize("width", [55, 60, 80, 100, 140])
def test_the_golden_ladder_in_unicode(width: int) -> None:
    (page,) = render_text(sign_in(), Look(width=width))
    assert page.decode() == (GOLDEN / f"sign_in_{width}.txt").read_text(encoding="utf-8")


def test_the_golden_ladder_in_ascii() -> None:
    (page,) = render_text(sign_in(), Look(width=100, unicode=False))
    assert page == (GOLDEN / "sign_in_100_ascii.txt").read_bytes()


def test_the_golden_ladder_of_hostile_names() -> None:
    (page,) = render_text(EVERY["alone"](), Look(width=80))
    assert page.decode() == (GOLDEN / "alone_80.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EVERY)
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    for unicode in (True, False):
        assert max(map(cell_len, lines(EVERY[name](), width, unicode=unicode))) <= width


@pytest.mark.parametrize("name", EVERY)
def test_nothing_in_it_can_steer_a_terminal(name: str) -> None:
    for width in (55, 100):
        assert all(line == printable(line) for line in lines(EVERY[name](), width))


@pytest.mark.parametrize("name", EVERY)
def test_ascii_is_ascii(name: str) -> None:
    assert all(line.isascii() for line in lines(EVERY[name](), unicode=False))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EVERY)
def test_every_frame_and_time_is_there_in_order(name: str, width: int) -> None:
    ladder = EVERY[name]()
    found = [re.match(r" *(\d+)  \d\d:\d\d:\d\d\.\d+", line) for line in lines(ladder, width)]
    frames = [int(one[1]) for one in found if one]
    wanted = [getattr(event, "frame", None) or (event.frames or (0,))[0] for event in ladder.events]
    assert frames == [one for one in wanted if one]


@given(
    names=st.lists(st.text("ab é日本語漢\u0301\u200d\ufe0f👩🎉\u1161x ", max_size=24), min_size=5,
                   max_size=5),
    label=st.text("ab日e\u0301\u200b🎉 -", max_size=40),
    width=st.integers(LEAST_WIDTH, 160),
    unicode=st.booleans(),
)  # fmt: skip
def test_wide_and_combining_characters_do_not_break_the_columns(
    names: list[str], label: str, width: int, unicode: bool
) -> None:
    lanes = tuple(replace(lane, title=name, subtitle=name)
                  for lane, name in zip(LANES, names, strict=True))  # fmt: skip
    said = replace(arrow(0, CLIENT, CHANNEL, "x", 0, via=(FRONT_END,)), label=label)
    shown = lines(of(said, arrow(1, WEB, CLIENT, "200 OK", 1), lanes=lanes), width, unicode=unicode)
    assert max(map(cell_len, shown)) <= width
    bare = [line for line in shown if re.fullmatch(r"[│| ]*", line) and line]
    heads = [line for line in shown if line.startswith("frame ")]
    places = {tuple(found.start() for found in re.finditer(r"[│|]", line)) for line in heads + bare}
    assert len(places) == 1


def test_a_wide_label_keeps_the_lanes_to_its_right_in_their_cells() -> None:
    said = arrow(0, CLIENT, FRONT_END, "INFO 日本", 0)
    (row, *_) = drawn(said, 140)
    head = next(line for line in lines(of(said), 140) if line.startswith("frame"))
    assert cell_len(row) == cell_len(head)
    assert "─ INFO 日本 ─" in row


def test_a_request_is_a_line_and_a_response_is_dashes_with_the_head_at_the_target() -> None:
    (request,) = drawn(arrow(0, CLIENT, FRONT_END, "REGISTER", 0), 140)
    (response,) = drawn(arrow(1, FRONT_END, CLIENT, "200 OK", 1), 140)
    assert request.index("├") < request.index(" REGISTER ") < request.index("►")
    assert re.search(r"│◄─ ─ .*200 OK ", response)
    assert response.index("◄") < response.index("┤")


def test_what_is_no_sip_message_is_a_double_line() -> None:
    (row,) = drawn(arrow(0, CLIENT, WEB, "upload", 0, kind="connection"))
    assert re.search(r"├═+ upload ═+►│", row)


def test_a_lane_that_is_passed_shows_a_crossing_and_one_that_is_not_is_covered() -> None:
    rows = drawn(arrow(0, CLIENT, CHANNEL, "INFO", 0, via=(FRONT_END,)))
    assert rows[-1].count("┼") == 1
    assert rows[-1].count("│") == 2  # the target and the web service: Lookup is passed over
    ascii_rows = drawn(arrow(0, CLIENT, CHANNEL, "INFO", 0, via=(FRONT_END,)), unicode=False)
    assert ascii_rows[-1].count("o") == 1


def test_a_lane_on_the_way_that_lies_elsewhere_is_named() -> None:
    rows = drawn(arrow(0, CLIENT, FRONT_END, "INFO", 0, via=(LOOKUP,)))
    assert "via Lookup" in rows[0]


def test_a_label_without_room_stands_over_its_arrow() -> None:
    over, line = drawn(arrow(0, CLIENT, FRONT_END, "SERVICE with a long name", 0), 80)
    assert "SERVICE with a long name" in over
    assert "├" in line


def test_a_message_to_itself_turns_round_within_the_lanes() -> None:
    for lane in (CLIENT, CHANNEL, WEB):
        out, back = drawn(arrow(0, lane, lane, "INFO to itself", 0))
        assert "INFO to itself" in out
        assert re.search(r"◄─┘|└─►", back)


def test_a_long_label_is_cut_with_a_sign() -> None:
    look = Look(label=12)
    (row,) = [one for one in text_lines(of(arrow(0, CLIENT, WEB, "x" * 40, 0)), look) if "x" in one]
    assert "x" * 11 + "…" in row
    assert "x" * 12 not in row


def test_latency_and_reply_stand_at_the_right() -> None:
    shown = "\n".join(lines(sign_in(), 140))
    assert "after 12.0 ms" in shown
    assert "580 ms after join in frame 32, slow!" in shown
    assert "join answered after 2.50 s (frame 36)," in shown


def test_heat_is_a_word() -> None:
    shown = " ".join(" ".join(lines(sign_in(), 200)).split())
    assert "slow!" in shown
    assert "very slow!!" in shown


def test_a_copy_says_how_late_it_is_and_of_which_post() -> None:
    events = (arrow(0, CLIENT, CHANNEL, "INFO grpchat", 0), arrow(1, CHANNEL, CLIENT, "INFO", 5))
    brackets = (Bracket("copy", 0, 1, "echo 5.00 ms", 5.0), Bracket("copy", 0, 1, "", 5.0))
    shown = lines(of(*events, brackets=brackets), 140)
    assert "echo after 5.00 ms (frame 10)" in shown[-2]
    assert "copy after 5.00 ms (frame 10)" in shown[-1]


def test_of_a_batch_of_replies_the_slowest_are_named() -> None:
    events = tuple(arrow(at, CLIENT, CHANNEL, "INFO cmd", at) for at in range(9))
    reply = arrow(9, CHANNEL, CLIENT, "INFO rpl ×9", 10)
    brackets = tuple(Bracket("reply", at, 9, f"c{at} {9 - at}.00 ms", 9.0 - at) for at in range(9))
    shown = "\n".join(lines(of(*events, reply, brackets=brackets), 140))
    assert "c0 answered after 9.00 ms (frame 10)" in shown
    assert "c8 answered" not in shown
    assert "and 6 more answered sooner" in shown


def test_marks_folds_answers_codes_and_hops_are_said() -> None:
    hops = tuple(Hop(90 + at, 90 + at, "a", "b", BEGAN) for at in range(5))
    one = arrow(0, CLIENT, CHANNEL, "INFO rpl", 0, marks=("retry", "lost"), code="405", hops=hops,
                count=3, until=BEGAN + MS)  # fmt: skip
    shown = " ".join(" ".join(drawn(one, 200)).replace("│", " ").split())
    for words in ("INFO rpl ×3", "retry, lost", "code 405", "last at 07:06:46.542123",
                  "also frames 90, 91, 92 and 2 more"):  # fmt: skip
        assert words in shown
    folded = " ".join(lines(sign_in(), 200))
    assert "200 OK after 5.50 ms (frame 26)" in folded


def test_an_error_and_a_doubt_have_their_signs() -> None:
    shown = "\n".join(lines(sign_in()))
    assert "✗ 503 Service Unavailable" in shown
    assert "! INFO join" in shown
    assert "x 503 Service Unavailable" in "\n".join(lines(sign_in(), unicode=False))


def test_a_hole_breaks_the_lanes_that_it_lies_over() -> None:
    hole = Note("hole", (FRONT_END, CHANNEL), "hole: 9 bytes", "", BEGAN, (7,))
    shown = lines(of(hole))
    (row,) = [line for line in shown if "hole" in line]
    assert re.search(r"7  \S+  │ +≈+ hole: 9 bytes ≈+ +│$", row)
    (everywhere,) = [line for line in lines(of(replace(hole, lanes=()))) if "hole" in line]
    assert everywhere.count("│") == 0
    (narrow,) = [line for line in lines(of(replace(hole, lanes=(WEB,)))) if "hole" in line]
    assert "≈≈≈ hole: 9 bytes ≈" in narrow


def test_a_finding_is_told_in_full_over_the_lanes() -> None:
    text = "GC204: " + "a sentence of some length " * 8
    shown = lines(of(Note("finding", (), "GC204", text, BEGAN, (34,), "bad")))
    assert " ".join(" ".join(shown).replace("│", " ").split()).count("a sentence of some") == 8
    assert "✗ GC204: a sentence" in "\n".join(shown)


def test_steps_are_headings_with_sign_and_word() -> None:
    shown = lines(sign_in())
    headings = [line for line in shown if line.startswith("── ")]
    assert headings[0].startswith("── sign-in 1: REGISTER  ✓ ok: 200 OK after 1 challenge ──")
    assert any("posting 2: join  ! retried: 503, then 200" in line for line in headings)
    assert any("posting 4: upload (continued)  ? not captured" in line for line in headings)
    assert any("outside the steps" in line for line in headings)


def test_a_long_step_keeps_its_status_and_tells_the_rest_below() -> None:
    group = replace(sign_in().groups[0], last=0, title="t" * 200, status="failed", detail="d " * 90)
    shown = lines(of(arrow(0, CLIENT, FRONT_END, "REGISTER", 0), groups=(group,)), 80)
    (heading,) = [line for line in shown if "ttt" in line]
    assert "✗ failed" in heading
    assert "\n".join(shown).count("d") >= 90


def test_names_without_room_become_letters_with_a_key() -> None:
    lanes = tuple(replace(lane, title=f"channel{at}.contoso.com")
                  for at, lane in enumerate(LANES))  # fmt: skip
    shown = lines(of(arrow(0, CLIENT, WEB, "x", 0), lanes=lanes), 80)
    assert "  A  channel0.contoso.com" in "\n".join(shown)
    assert any(re.fullmatch(r" +A +B +C +D +E", line) for line in shown)


def test_more_lanes_than_fit_become_one_line_an_arrow() -> None:
    lanes = tuple(Lane(f"l{at}", "server", f"server {at}", "10.0.0.1") for at in range(30))
    one = replace(arrow(0, CLIENT, CHANNEL, "INFO join", 0, via=(FRONT_END,)), source=28, target=29)
    shown = lines(of(one, lanes=lanes), 80)
    assert shown[-1].split()[2:5] == ["server", "28", "→"]
    assert "INFO join" in "\n".join(shown)
    narrow = lines(of(replace(one, via=(28,)), lanes=lanes), 50)
    assert "28 → " not in "\n".join(narrow)
    assert any(line.startswith(f"  {letter(29)}  server 29") for line in narrow)
    assert [letter(0), letter(25), letter(26)] == ["A", "Z", "A1"]


def test_a_narrow_ladder_puts_remarks_under_its_arrows() -> None:
    rows = drawn(arrow(0, FRONT_END, CLIENT, "200 OK", 0, latency_ms=3.0), 60)
    assert "◄" in rows[1]
    assert "after 3.00 ms" in rows[2]


def test_names_stand_again_on_a_long_ladder() -> None:
    shown = lines(long(2 * HEADS_EVERY + 1))
    assert sum(line.startswith("frame  time (UTC)") for line in shown) == 3


def test_times_are_shown_as_wanted_and_utc_is_at_hand() -> None:
    east = timezone(timedelta(hours=2))
    shown = "\n".join(text_lines(sign_in(), Look(zone=east)))
    assert "Begins 2026-11-22 09:06:46.541123 UTC+02:00, which is 2026-11-22 07:06:46.54" in shown
    assert "12  09:06:46.553123" in shown
    relative = "\n".join(text_lines(sign_in(), Look(times="relative")))
    assert "Seconds since 2026-11-22 07:06:46.541123 UTC" in relative
    assert "14  +0.014000" in relative
    delta = "\n".join(text_lines(sign_in(), Look(times="delta")))
    assert "14  +0.002000" in delta


def test_a_new_day_is_said() -> None:
    two = (arrow(0, CLIENT, WEB, "a", 0), replace(arrow(1, CLIENT, WEB, "b", 1), time=BEGAN + DAY))
    assert sum(line.startswith("── 2026-11-23 ") for line in lines(of(*two))) == 1


def test_what_is_left_out_is_said_at_the_end() -> None:
    assert lines(sign_in())[-1] == "· 12 keep-alives are not shown: --show-keep-alives"


def test_an_empty_ladder_says_so() -> None:
    assert lines(empty())[-1] == "Nothing was said."
    assert lines(replace(empty(), lanes=()))[-1] == "Nothing was said."


def test_pages_are_whole_documents_and_a_terminal_gets_one() -> None:
    ladder = long(25)
    found = [page.decode() for page in render_text(ladder, Look(page=10))]
    assert [page.split("\n")[0] for page in found] == [f"Long (page {at} of 3)" for at in (1, 2, 3)]
    assert all("frame  time (UTC)" in page and page.endswith("\n") for page in found)
    assert sum("page" in line for line in text_lines(ladder, Look(page=10))) == 0


@pytest.mark.parametrize("width", [55, 60, 100])
def test_paint_changes_no_character(width: int) -> None:
    styles = set()

    def paint(text: str, style: str) -> str:
        styles.add(style)
        return f"\x1b[1m{text}\x1b[0m"

    for make in EVERY.values():
        painted = [re.sub(r"\x1b\[\dm", "", line).rstrip()
                   for line in text_lines(make(), Look(width=width), paint)]  # fmt: skip
        assert painted == lines(make(), width)
    assert styles <= STYLES
    assert {"bold", "bad", "doubtful", "good"} <= styles


def test_a_painted_label_is_painted_as_a_whole() -> None:
    shown = list(text_lines(sign_in(), Look(width=80), lambda text, style: f"<{style}:{text}>"))
    assert any("<bad:✗ 503 Service Unavailable>" in line for line in shown)


def test_cells_are_counted_and_cut_by_what_a_terminal_shows() -> None:
    assert cells("日本e\u0301") == 5
    assert cut_cells("日本語", 5, "…") == "日本…"
    assert cut_cells("abc", 3, "...") == "abc"
    assert cut_cells("abcd", 2, "...") == ".."
    assert cut_cells("abcd", 0, "…") == ""
    assert wrapped("ab 日本 cd", 5) == ["ab", "日本", "cd"]
    assert wrapped("日本語", 1) == ["日", "本", "語"]
    assert wrapped("", 5) == []


def test_invisible_characters_are_spelt_out() -> None:
    assert safe("a\u200db\ufe0f\u00ad", unicode=True) == "a\\u200db\\ufe0f\\u00ad"
    assert safe("\x1b[31mZoë ×2 …→", unicode=False) == "\\x1b[31mZo\\xeb x2 ...->"


def test_a_row_keeps_combining_characters_with_their_base_and_ends_where_it_ends() -> None:
    row = Row(4)
    assert row.put(1, "e\u0301日本") == 4
    assert row.text() == " e\u0301日"
    row = Row(2)
    row.put(0, "\u0301a")
    assert row.text() == "a"


def test_both_sets_of_signs_take_the_same_cells_where_lines_are_drawn() -> None:
    names = ("lane", "via", "solid", "dashed", "double", "right", "left", "from_left", "from_right",
             "turn_above", "turn_below", "turn_above_left", "turn_below_left", "hole")  # fmt: skip
    for name in names:
        assert len(getattr(ASCII, name)) == len(getattr(UNICODE, name))
