"""The story: sentences in time order, each with the frames that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.causes.consequences import consequences_of
from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from analyzer.narrative import story as stories
from analyzer.narrative.names import names_of
from analyzer.narrative.story import Story, story_of
from tests.analyzer.causes.told import flow, opened
from tests.analyzer.truths import FLOWS, PLAIN, name_of
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.narrative.tale import Sentence

DOCUMENTED = {one.name: one for one in (SIGN_IN, POSTING)}


def story(path: Path, session: int = 0) -> Story:
    _, views, runs = opened(path)
    losses = consequences_of(views[session], runs, DOCUMENTED)
    return story_of(views[session], runs, names_of(views), losses)


def sentence(found: Story, words: str) -> Sentence:
    return next(one for one in found.sentences if words in one.text)


@pytest.mark.parametrize("path", [*FLOWS, *PLAIN], ids=name_of)
def test_sentences_stand_in_time_order_and_cite_frames(path: Path) -> None:
    trace, views, _ = opened(path)
    for view in views:
        found = story(path, view.index)
        times = [one.time for one in found.sentences]
        assert times == sorted(times)
        assert len(times) > 3
        for one in found.sentences:
            assert one.frames == tuple(sorted(one.frames))
            assert one.frames
            assert max(one.frames) <= trace.quality.frames
            assert one.text.endswith(".")
            assert "None" not in one.text


def test_the_way_in_is_told_with_rounds_scheme_and_what_was_learned() -> None:
    found = story(flow("r2-signin-full"))
    first = found.sentences[0]
    assert "(REGISTER, frame 10) after 2 challenges with NTLM: 200 OK" in first.text
    channel = sentence(found, "invited the Channel service")
    learned = sentence(found, "and learned sip:")
    assert f"gave in frame {learned.frames[-1]}" in channel.text
    assert sentence(found, "11 preference documents").tone == "plain"
    assert sentence(found, "closed the dialog with the Lookup service").frames


def test_forked_lookups_are_told() -> None:
    assert "forked to 3 instances" in sentence(story(flow("forked-lookup")), "the Lookup").text


def test_a_post_is_told_with_its_copies() -> None:
    found = story(flow("r2-post-full"), 1)
    assert "accepted, delivered to the other member" in sentence(found, "wrote into *R&D*").text
    copies = sentence(found, "sent copies").text
    assert "its author after 18.4 ms (frame 371) and hiro after 39.3 ms (frame 378)" in copies
    upload = sentence(found, "With the token of frame")
    assert upload.tone == "plain"
    assert len(upload.frames) > 1


def test_who_got_no_copy_is_named() -> None:
    found = story(flow("fanout-missing"))
    lost = sentence(found, "No copy of the post in frame 453")
    assert lost.tone == "bad"


def test_a_failure_is_told_with_what_it_took_down() -> None:
    found = story(flow("lookup-404"))
    assert sentence(found, "404 Not Found (4005").tone == "bad"
    assert "steps 5 to 10 did not follow" in sentence(found, "Because of step 4").text


def test_a_refused_room_is_told_where_the_join_was_answered() -> None:
    found = story(flow("partial-join"))
    bad = [one for one in found.sentences if one.tone == "bad"]
    assert len(bad) == 1
    assert "refused (OPERATION_FAILED): *0560c303" in bad[0].text


def test_a_repetition_names_the_refused_one() -> None:
    found = story(flow("retry-503-succeeds"))
    refused = sentence(found, "503 Service Unavailable")
    again = sentence(found, "a repetition of the refused one")
    assert refused.tone == "bad"
    assert f"in frame {refused.frames[0]}" in again.text


def test_an_obsolete_dialog_is_told_with_its_487() -> None:
    found = story(flow("stale-duplicate-dialog"))
    assert "487 3 times (frames 196, 202, 208)" in sentence(found, "given up").text


def test_what_the_capture_lacks_is_told_where_it_is() -> None:
    hole = story(flow("hole-in-the-middle"))
    assert sentence(hole, "Frames are missing from the capture before frame 53").frames == (53,)
    late = story(flow("late-start"))
    assert "begins in the middle" in late.sentences[0].text
    assert sentence(late, "its INVITE is not captured").tone == "doubtful"


def test_frames_are_those_nearest_to_the_client() -> None:
    path = SAMPLES / "fe-two-hops.pcapng"
    trace, views, _ = opened(path)
    copies = {row for dialog in views[0].dialogs for row in dialog.copies}
    far = {trace.rows.frame[row] for row in copies}
    cited = {frame for one in story(path).sentences for frame in one.frames}
    assert far
    assert not cited & far


def test_a_story_is_bounded_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = story(flow("r2-signin-full"))
    monkeypatch.setattr(stories, "MAX_SENTENCES", 3)
    cut = story(flow("r2-signin-full"))
    assert whole.left_out == 0
    assert cut.sentences == whole.sentences[:3]
    assert cut.left_out == len(whole.sentences) - 3
