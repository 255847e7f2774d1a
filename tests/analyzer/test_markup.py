"""Elements of pages: text stays text, frames become links, what is hostile is spelt out."""

from __future__ import annotations

import pytest
from lxml import etree

from analyzer.markup import Column, Page, add, badge, copy_button, facts, linked, more, say, table
from tests.analyzer.ladder.examples import HOSTILE


class _Places:
    """Messages of even frames are in the report."""

    @staticmethod
    def href_of(frame: int) -> str | None:
        return f"#m{frame}" if frame % 2 == 0 else None


PAGE = Page(_Places())


def _prose(text: str) -> str:
    made = etree.Element("p")
    PAGE.prose(made, text)
    return etree.tostring(made, encoding="unicode")


def _link(frame: int) -> str:
    return f'<a class="frame" href="#m{frame}">{frame}</a>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lost (frame 4)", f"lost (frame {_link(4)})"),
        ("in frame 5.", "in frame 5."),
        ("frames 4, 7-8 and 10", f"frames {_link(4)}, 7-{_link(8)} and {_link(10)}"),
        ("in frame 4, 2 more posts", f"in frame {_link(4)}, 2 more posts"),
        ("keyframe 4", "keyframe 4"),
        ("joined *Sales EMEA* (frame 2)", f"joined <em>Sales EMEA</em> (frame {_link(2)})"),
        ("2 * 3 < 7", "2 * 3 &lt; 7"),
        ("frame " + "9" * 40, "frame " + "9" * 40),
    ],
)
def test_frames_and_rooms_in_sentences_stand_out(text: str, expected: str) -> None:
    assert _prose(text) == f"<p>{expected}</p>"


def test_what_is_hostile_is_text() -> None:
    made = _prose(HOSTILE + "\ufffe\uffff*<b>*")
    assert "<script" not in made
    assert "\\x1b" in made
    assert "\\ud800" in made
    assert "\\ufffe\\uffff" in made
    assert "<em>&lt;b&gt;</em>" in made


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ufffe", "\uffff", "\ud800", "\u202e"])
def test_no_character_breaks_a_document(character: str) -> None:
    made = etree.Element("p")
    add(made, "b", "c", character, title=character)
    say(made, character)
    assert character not in etree.tostring(made, encoding="unicode")


def test_many_frames_are_cut_and_counted() -> None:
    made = etree.Element("td")
    PAGE.frames(made, [*range(2, 40, 2), 2], shown=3)
    assert "".join(map(str, made.itertext())) == "2, 4, 6 and 16 more"


def test_a_status_has_its_sign_and_its_word() -> None:
    made = etree.Element("td")
    badge(made, "not-captured")
    assert "".join(map(str, made.itertext())) == "⋯ not captured"
    assert badge(made, "failed").get("class") == "badge bad"


def test_a_table_has_a_caption_heads_and_a_name_for_its_region() -> None:
    made = etree.Element("div")
    found = table(
        made, "Rooms", (Column("a"), Column("b", "num")), [("x", 7), (None, linked("y", "m1"))]
    )
    assert made[0].get("role") == "region"
    assert made[0].get("aria-label") == found.findtext("caption") == "Rooms"
    assert [one.get("scope") for one in found.iter("th")] == ["col", "col"]
    cells = ["".join(map(str, one.itertext())) for one in found.iter("td")]
    assert cells == ["x", "7", "", "y"]


def test_facts_that_are_not_known_are_left_out() -> None:
    made = etree.Element("div")
    facts(made, [("a", "1"), ("b", None), ("c", ""), ("d", 0)])
    assert [one.text for one in made.iter("dt")] == ["a", "d"]


def test_what_is_left_out_is_counted() -> None:
    made = etree.Element("div")
    more(made, 0, "finding", "xccos findings")
    assert len(made) == 0
    more(made, 2, "finding", "xccos findings")
    assert made[0].text == "2 more findings: xccos findings"


def test_what_markup_cannot_hold_is_not_offered_to_be_copied() -> None:
    made = etree.Element("p")
    copy_button(made, "command", "xccos show 'a\nb.pcap'")
    copy_button(made, "command", "xccos show 'a\x01b.pcap'")
    assert [one.get("data-copy") for one in made] == ["xccos show 'a\nb.pcap'", None]
    assert made[1].text == "command: not to be copied, it has control characters"
