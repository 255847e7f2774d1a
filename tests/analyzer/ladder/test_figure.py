"""The plotly figure of a ladder."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.extras import MissingExtra
from analyzer.ladder.figure import figure_of
from analyzer.ladder.figure_layout import LABELLED, SHOWN
from analyzer.ladder.look import Look
from tests.analyzer.ladder.examples import EVERY, HOSTILE, long, sign_in

if TYPE_CHECKING:
    from analyzer.ladder.values import Ladder


def made(ladder: Ladder, look: Look | None = None) -> dict[str, Any]:
    """Return a figure as plotly writes it."""
    figure: dict[str, Any] = figure_of(ladder, look or Look()).to_plotly_json()
    return figure


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in figure["data"] if one["name"] == name]
    return dict(found)


def heads(figure: dict[str, Any]) -> list[tuple[list[Any], float, str]]:
    """Return row, frame and number of each arrow head, its lane and its symbol, in order."""
    names = {"message", "success", "doubtful", "error or loss"}
    found = [
        (list(data), x, symbol)
        for one in figure["data"] if one["name"] in names
        for data, x, symbol in zip(one["customdata"], one["x"], one["marker"]["symbol"],
                                   strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda one: int(one[0][2]))


@pytest.mark.parametrize("name", EVERY)
def test_every_arrow_head_can_be_clicked_and_knows_its_row_and_frame(name: str) -> None:
    ladder = EVERY[name]()
    clicked = [data for data, _, _ in heads(made(ladder))]
    assert clicked == [
        [event.rows[0] if event.rows else None, event.frame, number]
        for number, event in enumerate(ladder.events)
        if event in ladder.arrows
    ]


def test_heads_stand_at_the_lane_that_they_go_to() -> None:
    found = heads(made(sign_in()))
    assert [round(x) for _, x, _ in found] == [one.target for one in sign_in().arrows]


def test_tones_differ_in_their_symbols_too() -> None:
    figure = made(sign_in())
    symbols = {name: set(trace(figure, name)["marker"]["symbol"])
               for name in ("message", "doubtful", "error or loss")}  # fmt: skip
    assert symbols["error or loss"] == {"x"}
    assert symbols["doubtful"] == {"triangle-right-open-dot"}
    assert not symbols["message"] & (symbols["doubtful"] | symbols["error or loss"])


def test_requests_responses_and_connections_have_their_own_lines() -> None:
    dashes = {one["name"].split(",")[0]: one["line"]["dash"] for one in made(sign_in())["data"]
              if "," in one["name"]}  # fmt: skip
    assert dashes == {"request": "solid", "response": "dash", "connection": "dot"}


def test_time_runs_down_and_lanes_stand_on_top() -> None:
    layout = made(sign_in())["layout"]
    assert layout["yaxis"]["range"][0] > layout["yaxis"]["range"][1]
    assert layout["yaxis"]["ticktext"][1] == "07:06:46.553123  #12"
    assert layout["xaxis"]["side"] == "top"
    assert layout["xaxis"]["ticktext"][0].startswith("<b>user1</b><br><span")
    assert "sip:user1@contoso.com" in layout["xaxis"]["ticktext"][0]


def test_labels_carry_latency_heat_and_marks() -> None:
    shown = trace(made(sign_in()), "labels")["text"]
    assert "401 Unauthorized · 12.0 ms" in shown
    assert "✗ 503 Service Unavailable · 580 ms slow!" in shown
    assert "INFO rpl:join 200 · 2.50 s very slow!!" in shown
    assert "REGISTER, retransmission" in shown


def test_hover_has_the_whole_text_and_utc() -> None:
    shown = trace(made(sign_in()), "error or loss")["hovertext"][0]
    assert "Channel to user1: 503 Service Unavailable" in shown
    assert "frame 34, 07:06:47.241123" in shown
    assert "2026-11-22 07:06:47.241123 UTC" in shown
    assert "580 ms after join in frame 32, slow!" in shown


def test_texts_of_a_capture_bring_no_markup_and_no_control_characters() -> None:
    figure = figure_of(EVERY["alone"](), Look())
    text = figure.to_json().encode("ascii").decode("unicode_escape")
    assert "script" in text
    assert "<script" not in text
    assert not {"\x00", "\x1b", "\ud800"} & set(text)
    assert "&lt;script&gt;" in trace(figure.to_plotly_json(), "labels")["text"][0]


def test_lanes_that_are_passed_and_holes_are_drawn() -> None:
    figure = made(sign_in())
    assert set(trace(figure, "passed through")["x"]) == {1}
    assert list(trace(figure, "holes")["x"]) == [0, 1, None]
    notes = trace(figure, "note")
    assert notes["customdata"][0][1] == 33
    assert notes["marker"]["symbol"][0] == "x-thin-open"


def test_steps_are_bands_with_sign_and_word() -> None:
    layout = made(sign_in())["layout"]
    assert len(layout["shapes"]) == len(sign_in().groups)
    said = [one["text"] for one in layout["annotations"]]
    assert "sign-in 1: REGISTER  ✓ ok" in said
    assert "posting 2: join  ! retried" in said


def test_the_theme_is_the_one_asked_for() -> None:
    light, dark = made(sign_in())["layout"], made(sign_in(), Look(theme="dark"))["layout"]
    assert dark["template"] != light["template"]
    assert dark["annotations"][0]["font"]["color"] != light["annotations"][0]["font"]["color"]


def test_a_figure_grows_with_its_events_up_to_a_limit_and_then_shows_some_at_a_time() -> None:
    heights = [made(long(count))["layout"]["height"] for count in (20, 60, LABELLED)]
    assert heights == sorted(set(heights))
    layout = made(long(LABELLED + 1))["layout"]
    assert layout["height"] < heights[-1]
    assert layout["yaxis"]["range"][0] < SHOWN
    assert f"{SHOWN} of {LABELLED + 1:,} events at a time" in layout["title"]["text"]


@pytest.mark.untraced
def test_five_thousand_arrows_are_one_figure() -> None:
    ladder = long(5000)
    figure = figure_of(ladder, Look())
    assert len(heads(figure.to_plotly_json())) == 5000


def test_the_figure_says_what_it_is() -> None:
    layout = made(replace(sign_in(), title=f"Session {HOSTILE}"))["layout"]
    assert layout["title"]["text"].startswith("Session &lt;script&gt;")
    assert "14 arrows between user1, Front End" in layout["meta"]["description"]


def test_without_plotly_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(MissingExtra, match=r"plotly is not installed \(pip install .*\[plot\]"):
        figure_of(sign_in(), Look())
