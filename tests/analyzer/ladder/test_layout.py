"""The layout that SVG, PNG and PDF share: nothing overlaps, is lost, or leaves the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from analyzer.ladder.drawing.captions import HEAT_WORDS
from analyzer.ladder.drawing.fonts import OPEN_SANS, WIDEST
from analyzer.ladder.drawing.layout import REPEAT, layout, layouts, sheets
from analyzer.ladder.drawing.primitives import Circle, Path, Rect, Text
from analyzer.ladder.drawing.theme import GROUNDS, PALETTES, ROLES, STYLES
from analyzer.ladder.drawing.tracks import MOST_TRACKS, tracks
from analyzer.ladder.look import Look
from analyzer.ladder.values import Arrow, Bracket, Ladder, Note
from tests.analyzer.ladder.examples import BEGAN, LANES, arrow, empty, long, sign_in
from tests.analyzer.ladder.shapes import LADDERS, crowd, ladders, outside, overlapping, parts
from tests.support.contrast import contrast

if TYPE_CHECKING:
    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.drawing.primitives import Drawing

LOOK = Look()
INDIA = timezone(timedelta(hours=5, minutes=30))
LOOKS = {
    "absolute": LOOK,
    "abroad": Look(zone=INDIA),
    "relative": Look(times="relative"),
    "delta": Look(times="delta", label=12),
}
every_ladder = pytest.mark.parametrize("name", LADDERS)
every_look = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
every_metrics = pytest.mark.parametrize("metrics", [OPEN_SANS, WIDEST], ids=["open-sans", "widest"])


def texts(drawing: Drawing) -> list[str]:
    return [part.text for part in parts(drawing) if isinstance(part, Text)]


def one_arrow(**more: object) -> Ladder:
    event = replace(sign_in().arrows[0], **more)  # type: ignore[arg-type]
    return Ladder("One", "", LANES, (event,), began=BEGAN)


def styles_of(ladder: Ladder) -> set[str]:
    drawn = (item for item in layout(ladder, LOOK).items if item.kind == "arrow")
    return {part.style for item in drawn for part in item.parts if not isinstance(part, Text)}


@every_ladder
@every_look
@every_metrics
def test_no_text_lies_over_another(name: str, look: Look, metrics: Metrics) -> None:
    assert overlapping(layout(LADDERS[name](), look, metrics), metrics) == []


@every_ladder
@every_look
@every_metrics
def test_nothing_is_beyond_the_edges(name: str, look: Look, metrics: Metrics) -> None:
    assert outside(layout(LADDERS[name](), look, metrics), metrics) == []


@given(ladders())
@settings(max_examples=30, deadline=None)
def test_any_ladder_is_drawn_within_its_edges_and_without_overlaps(ladder: Ladder) -> None:
    drawing = layout(ladder, LOOK)
    assert overlapping(drawing, WIDEST) == []
    assert outside(drawing, WIDEST) == []


@every_ladder
def test_every_lane_and_frame_and_time_is_written(name: str) -> None:
    ladder = LADDERS[name]()
    written = texts(layout(ladder, Look(times="relative")))
    assert [text for text in written if text.startswith("+")] != [] or not ladder.events
    for event in ladder.arrows:
        assert str(event.frame) in written
    for lane in ladder.lanes:
        assert any(text in lane.title for text in written if len(text) > 3)


def test_a_label_that_fits_is_written_whole() -> None:
    written = texts(layout(sign_in(), LOOK))
    for label in ("REGISTER", "401 Unauthorized", "SUBSCRIBE ×4", "INFO rpl:join 200", "upload"):
        assert label in written


def test_a_long_label_is_broken_into_lines_before_it_is_cut() -> None:
    label = "INFO " + " ".join(f"rpl:command{n}" for n in range(12))
    written = texts(layout(one_arrow(label=label), Look(label=400)))
    lines = [text for text in written if "rpl:" in text]
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert " ".join(lines)[:-1] == label[: len(" ".join(lines)) - 1]


def test_what_was_cut_is_whole_in_the_tooltip() -> None:
    text = "user1 to Front End: " + "long " * 60
    drawing = layout(one_arrow(label="long " * 60, text=text), LOOK)
    tips = [item.tip for item in drawing.items if item.kind == "arrow"]
    assert tips[0].startswith(text)
    assert all(len(one) <= LOOK.label for one in texts(drawing) if one.startswith("long"))


def test_a_tooltip_tells_time_in_the_zone_and_in_utc_with_frames_latency_and_hops() -> None:
    drawing = layout(sign_in(), Look(zone=INDIA))
    tips = [item.tip for item in drawing.items if item.kind == "arrow"]
    invite, reply = tips[5], tips[10]
    assert "2026-11-22 12:36:46.611123 UTC+05:30 (2026-11-22 07:06:46.611123 UTC)" in invite
    assert "frame 28" in invite
    assert "also seen in frame 90: 10.0.0.5:5061 to 10.0.0.6:5041" in invite
    assert "through Front End" in invite
    assert "latency 2.50 s since join in frame 36 (very slow)" in reply


def test_a_tooltip_of_a_fold_tells_count_and_answer() -> None:
    tip = next(item.tip for item in layout(sign_in(), LOOK).items if "SUBSCRIBE" in item.tip
               and item.kind == "arrow")  # fmt: skip
    assert "frames 18, 20, 22, 24" in tip
    assert "4 messages, the last at 2026-11-22 07:06:46.601123 UTC" in tip
    assert "answered 200 OK in frame 26 after 5.50 ms" in tip


def test_a_thousand_frames_are_counted_not_listed() -> None:
    drawing = layout(one_arrow(frames=tuple(range(1, 1001))), LOOK)
    assert "and 980 more" in next(item.tip for item in drawing.items if item.kind == "arrow")


def test_times_of_another_zone_have_utc_beside_them() -> None:
    written = texts(layout(sign_in(), Look(zone=INDIA)))
    assert "12:36:46.541123" in written
    assert "07:06:46.541123" in written
    assert {"time (UTC+05:30)", "UTC", "2026-11-22"} <= set(written)


def test_the_date_is_written_again_where_a_new_day_begins() -> None:
    day = 24 * 3600 * 1000
    events = tuple(arrow(n, 0, 1, "OPTIONS", n * day / 2) for n in range(4))
    written = texts(layout(Ladder("Days", "", LANES, events, began=BEGAN), LOOK))
    assert [text for text in written if text.startswith("2026-")] == ["2026-11-22", "2026-11-23"]


def test_kinds_of_arrows_differ_by_line_and_head_not_only_by_colour() -> None:
    seen = {(STYLES[kind].dash, STYLES[f"{kind}-head"].fill is None)
            for kind in ("request", "response", "connection")}  # fmt: skip
    assert len(seen) == 3
    assert "response-head" in styles_of(one_arrow(kind="response"))
    assert "connection" in styles_of(one_arrow(kind="connection"))


def test_a_bad_arrow_is_thicker_and_has_a_symbol() -> None:
    assert STYLES["response-bad"].width > STYLES["response"].width
    assert {"response-bad", "sign-bad"} <= styles_of(one_arrow(kind="response", tone="bad"))
    assert not any(style.startswith("sign-") for style in styles_of(one_arrow()))


@pytest.mark.parametrize("heat", ["slow", "very-slow"])
def test_what_is_slow_is_told_by_word_and_symbol_and_weight(heat: str) -> None:
    drawing = layout(one_arrow(heat=heat, latency_ms=900.0), LOOK)
    words = f"900 ms {HEAT_WORDS[heat]}"  # type: ignore[index]
    found = [part for part in parts(drawing) if isinstance(part, Text) and part.text == words]
    assert [ROLES[part.role].bold for part in found] == [True]
    assert any(isinstance(part, Path) and part.style.startswith("sign-") for part in parts(drawing))


def test_a_proxy_that_an_arrow_passes_has_a_dot_on_its_lane() -> None:
    dots = [part for part in parts(layout(one_arrow(target=3, via=(1,)), LOOK))
            if isinstance(part, Circle) and part.style == "hop"]  # fmt: skip
    assert len(dots) == 2  # one more in the legend
    assert "through Web service" in texts(layout(one_arrow(target=3, via=(4,)), LOOK))


def test_the_folded_answer_stands_at_the_end_of_the_arrow() -> None:
    drawing = layout(sign_in(), LOOK)
    answer = next(part for part in parts(drawing) if isinstance(part, Text)
                  and part.text == "200 in 5.50 ms")  # fmt: skip
    label = next(part for part in parts(drawing) if isinstance(part, Text)
                 and part.text == "SUBSCRIBE ×4")  # fmt: skip
    assert answer.y > label.y
    assert answer.x > label.x


def test_a_challenge_as_answer_is_no_error() -> None:
    answer = sign_in().arrows[4].answer
    assert answer is not None
    for status, bad in ((401, False), (407, False), (403, True), (503, True)):
        ladder = one_arrow(answer=replace(answer, status=status, text=f"{status} Text"))
        assert ("sign-bad" in styles_of(ladder)) is bad


def test_a_hole_is_torn_over_the_lanes_it_concerns() -> None:
    drawing = layout(sign_in(), LOOK)
    notes = [part for item in drawing.items if item.kind == "note" for part in item.parts]
    torn = [part for part in notes if isinstance(part, Path) and len(part.commands) > 20]
    assert [part.style for part in torn] == ["note-doubtful"]
    assert "hole: 1460 bytes missing" in texts(drawing)


def test_every_status_of_a_step_is_told_by_a_word() -> None:
    written = texts(layout(sign_in(), LOOK))
    assert {"ok", "retried", "not captured"} <= set(written)


def test_a_step_that_goes_on_is_named_again_but_not_told_again() -> None:
    group = replace(sign_in().groups[0], last=1)
    rest = replace(group, first=3, last=3, continued=True)
    written = texts(layout(replace(sign_in(), groups=(group, rest)), LOOK))
    assert written.count("1  REGISTER") == 2
    assert [text for text in written if text.startswith("ok")] == ["ok", "ok (continued)"]
    assert written.count("200 OK after 1 challenge") == 1


def test_a_card_tells_as_much_of_a_step_as_it_has_room_for() -> None:
    told = " ".join(f"sentence{n}." for n in range(40))
    group = replace(sign_in().groups[0], last=9, detail=told)
    lines = [text for text in texts(layout(replace(sign_in(), groups=(group,)), LOOK))
             if text.startswith("sentence")]  # fmt: skip
    assert len(lines) == 8
    assert lines[-1].endswith("…")


def test_a_row_grows_where_its_step_needs_more_room() -> None:
    with_step = replace(sign_in(), brackets=())
    assert layout(with_step, LOOK).height > layout(replace(with_step, groups=()), LOOK).height


def test_a_post_with_many_copies_takes_one_track() -> None:
    copies = [Bracket("copy", 0, n, "copy", 1.0) for n in range(1, 500)]
    assert [(one.first, one.last, one.column) for one in tracks(copies)] == [(0, 499, 0)]


def test_brackets_at_the_same_time_never_share_a_column() -> None:
    brackets = [Bracket("reply", n, n + 5, "reply", 1.0) for n in range(90)]
    made = tracks(brackets)
    for one in made:
        for other in made:
            if one is not other and one.column is not None and one.column == other.column:
                assert one.last < other.first or other.last < one.first
    assert max(one.column or 0 for one in made) < MOST_TRACKS


def test_of_too_many_brackets_the_labels_remain() -> None:
    ladder = replace(long(60), brackets=tuple(
        Bracket("reply", n, n + 30, f"command{n}", 1.0) for n in range(30)))  # fmt: skip
    written = texts(layout(ladder, LOOK))
    assert all(f"command{n}" in written for n in range(30))


def test_heads_come_again_on_the_way_and_at_the_bottom() -> None:
    written = texts(layout(long(2 * REPEAT + 1), LOOK))
    assert written.count("Lookup") == 4
    assert texts(layout(sign_in(), LOOK)).count("Lookup") == 2
    assert texts(layout(one_arrow(), LOOK)).count("Lookup") == 1


def test_what_is_left_out_is_said() -> None:
    sentences = tuple(f"{n} keep-alives are not shown" for n in range(30))
    written = texts(layout(replace(sign_in(), left_out=sentences), LOOK))
    assert written.count("19 more things are not shown.") == 1
    assert sentences[10] in written


def test_the_legend_explains_only_what_is_there() -> None:
    assert "SIP response" in texts(layout(sign_in(), LOOK))
    assert "SIP response" not in texts(layout(one_arrow(), LOOK))


def test_lanes_stay_on_a_page_however_many_they_are() -> None:
    few, many = layout(sign_in(), LOOK), layout(crowd(40), LOOK)
    assert few.width < 1600
    assert many.width < 6000


def test_lanes_move_apart_for_their_labels() -> None:
    wide = layout(one_arrow(label="INFO rpl:getserverinfo 200 of the service"), LOOK)
    assert wide.width > layout(one_arrow(label="BYE"), LOOK).width


def test_pages_have_their_lanes_in_the_same_places_and_tell_their_number() -> None:
    drawings = list(layouts(long(130), Look(page=50)))
    assert len({drawing.width for drawing in drawings}) == 1
    assert [drawing.title for drawing in drawings] == [f"Long (page {n} of 3)" for n in (1, 2, 3)]
    frames = [item.frame for drawing in drawings for item in drawing.items if item.kind == "arrow"]
    assert frames == [event.frame for event in long(130).arrows]


def test_a_bracket_over_two_pages_has_its_label_where_it_ends() -> None:
    first, second = layouts(sign_in(), Look(page=11))
    assert "join 2.50 s very slow" not in texts(first)
    assert "join 2.50 s very slow" in texts(second)
    assert any(item.kind == "bracket" for item in first.items)
    # One row is left of the step: too low for two lines of text.
    assert {"retried", "2  join"} <= set(texts(second))


def test_sheets_are_no_taller_than_asked_and_hold_every_event_once() -> None:
    made = list(sheets(long(130), LOOK, OPEN_SANS, 800))
    assert len(made) > 4
    assert all(sheet.height <= 800 for sheet in made)
    frames = [item.frame for sheet in made for item in sheet.items if item.kind == "arrow"]
    assert frames == [event.frame for event in long(130).arrows]
    assert all("Front End" in texts(sheet) for sheet in made)
    for sheet in made:
        assert overlapping(sheet, OPEN_SANS) == []
        assert outside(sheet, OPEN_SANS) == []


def test_a_row_taller_than_a_sheet_still_has_one() -> None:
    made = list(sheets(sign_in(), LOOK, OPEN_SANS, 10))
    assert len(made) == len(sign_in().events)


def test_sheets_name_the_date_on_each() -> None:
    made = list(sheets(long(130), LOOK, OPEN_SANS, 800))
    assert all("2026-11-22" in " ".join(texts(sheet)) for sheet in made)


def test_an_empty_ladder_says_so() -> None:
    drawing = layout(empty(), LOOK)
    assert "No messages." in texts(drawing)
    assert "It has no messages." in drawing.description


def test_a_ladder_without_lanes_is_drawn() -> None:
    note = Note("remark", (), "Nothing", "Nothing was said", BEGAN, ())
    drawing = layout(Ladder("Bare", "", (), (note,), began=BEGAN), LOOK)
    assert overlapping(drawing, WIDEST) == []
    assert outside(drawing, WIDEST) == []


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_text_stands_out_from_every_ground(theme: str, ground: str) -> None:
    palette = PALETTES[theme]  # type: ignore[index]
    for role, face in ROLES.items():
        assert contrast(palette[face.colour], palette[ground]) >= 4.5, role


@pytest.mark.parametrize("theme", PALETTES)
def test_every_line_with_a_meaning_stands_out_from_the_paper(theme: str) -> None:
    palette = PALETTES[theme]  # type: ignore[index]
    for name, style in STYLES.items():
        if style.stroke and style.stroke not in {"rule", "life"}:
            assert contrast(palette[style.stroke], palette["paper"]) >= 3, name


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_widths_are_those_of_the_font() -> None:
    from reportlab.pdfbase.ttfonts import TTFontFace
    from ttf_opensans import OPENSANS_REGULAR, OPENSANS_SEMIBOLD

    for font, table in ((OPENSANS_REGULAR, OPEN_SANS.regular), (OPENSANS_SEMIBOLD, OPEN_SANS.bold)):
        face = TTFontFace(str(font.path))
        wrong = {code: (ems, face.charWidths[code]) for code, ems in table.items()
                 if abs(ems * 1000 - face.charWidths[code]) > 1}  # fmt: skip
        assert wrong == {}
        assert all(WIDEST.width(chr(code), 1) >= OPEN_SANS.width(chr(code), 1) for code in table)


def test_texts_are_cut_and_broken_to_the_width_asked() -> None:
    text = "sip:channel01@contoso.com"
    for room in range(20, 200, 7):
        assert OPEN_SANS.width(OPEN_SANS.fitted(text, room, 12), 12) <= room
        lines = OPEN_SANS.wrapped(text, room, 12, 3)
        assert len(lines) <= 3
        assert all(OPEN_SANS.width(line, 12) <= room for line in lines)
    assert OPEN_SANS.wrapped(text, 130, 12, 2) == ["sip:channel01@", "contoso.com"]


def test_a_rect_behind_a_label_hides_the_lanes_below_it() -> None:
    ladder = one_arrow(target=4, label="INFO " + "word " * 9)
    halos = [part for part in parts(layout(ladder, LOOK)) if isinstance(part, Rect)
             and part.style == "halo"]  # fmt: skip
    assert len(halos) == 1


def test_arrows_keep_the_order_of_the_ladder() -> None:
    drawing = layout(sign_in(), LOOK)
    frames = [item.frame for item in drawing.items if item.kind in {"arrow", "note"}]
    assert frames == [event.frame if isinstance(event, Arrow) else event.frames[0]
                      for event in sign_in().events]  # fmt: skip
