"""The replay contest: what is played, and that the figures are those of a play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree

from bench.replay import line, play, text
from bench.replay_case import case, write_case
from bench.replay_ends import Sipp, percentiles

if TYPE_CHECKING:
    from pathlib import Path


def test_the_case_is_a_sign_in_and_one_command() -> None:
    said = [turn.message.start.split(" ")[0] for turn in case().turns if turn.is_request]
    assert said == ["REGISTER", "INVITE", "ACK", "INFO", "INFO", "BYE"]


def test_sipp_times_each_request_up_to_its_answer(tmp_path: Path) -> None:
    root = etree.fromstring(write_case(tmp_path, 3).uac.read_bytes())
    begun = [one.get("start_rtd") for one in root.iter("send")]
    ended = [one.get("rtd") for one in root.iter("recv")]
    assert [one for one in begun if one] == ["REGISTER", "INVITE", "INFO", "BYE"]
    assert [one for one in ended if one] == ["REGISTER", "INVITE", "INFO", "BYE"]


def test_a_play_of_sipp_with_itself_is_measured(tmp_path: Path) -> None:
    written = write_case(tmp_path, 5)
    found = play(written, Sipp, Sipp, 5)
    assert found.client.code == 0
    assert found.server.peak_kib > 1000
    measured = line((Sipp, Sipp), [found, found], 5 * written.messages)
    assert measured.failures == 0
    assert measured.messages_per_second * measured.seconds == pytest.approx(60)
    assert list(measured.latencies) == ["REGISTER", "INVITE", "INFO", "BYE"]
    assert "SIPp → SIPp" in text([measured], 5, written.messages)


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentiles([float(value) for value in range(100, 0, -1)]) == (51.0, 96.0, 100.0)
    assert percentiles([7.0]) == (7.0, 7.0, 7.0)
