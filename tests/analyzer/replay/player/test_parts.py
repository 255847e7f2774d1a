"""Scripts of a part of a capture can be played as well as the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.selection import Choice
from analyzer.meaning import outline
from analyzer.replay.derive.build import derive
from analyzer.replay.derive.grounded import derive_playable
from analyzer.trace import open_capture
from tests.analyzer.replay.player.scripts import Played
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

PATHS = sorted(SAMPLES.glob("*.pcap*"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_session_and_every_dialog_can_be_played_alone(path: Path) -> None:
    with open_capture(path) as trace:
        found = outline(trace)
        choices = [Choice(sessions=(number,)) for number in range(len(found.sessions))]
        choices += [Choice(dialogs=(f"#{number}",)) for number in range(len(found.dialogs))]
        for choice in choices:
            assert Played(derive_playable(trace, choice)).bad == [], choice


def test_a_post_is_played_by_people_who_have_signed_in_and_entered_the_room() -> None:
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        script = derive_playable(trace, Choice(flows=("posting:1",)))
        bare = derive(trace, Choice(flows=("posting:1",)))
        whole = derive(trace)
    assert len(bare.turns) < len(script.turns) < len(whole.turns)
    said = [turn.message.start.split(" ")[0] for turn in script.turns if turn.is_request]
    assert said.count("REGISTER") == 2
    bodies = " ".join(turn.message.body for turn in script.turns)
    assert "cmd:join" in bodies
    assert "cmd:part" not in bodies
    played = Played(script)
    assert played.bad == []
    assert played.result.client.played == 2


def test_what_is_not_cut_across_dialogs_is_taken_as_it_is() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        choice = Choice(dialogs=("#0",))
        assert derive_playable(trace, choice) == derive(trace, choice)
