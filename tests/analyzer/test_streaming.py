"""A capture in windows: the messages, order and indexes of the whole trace, on either path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from analyzer import streaming
from analyzer.parallel import new_pipeline
from analyzer.rows import Rows
from analyzer.streaming import CaptureStream, WholeCapture, stream_capture
from analyzer.trace import open_capture
from analyzer.views.messages import FIELDS, message_record
from tests.paths import SAMPLES
from tests.support.conversation import Conversation
from tests.support.packets import pcap
from tests.support.sip_texts import message

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.window import Window

CAPTURES = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".pcap", ".pcapng"))


def records(window: Window) -> list[dict[str, Any]]:
    """Return what is said of each message, its index in the capture included."""
    return [message_record(window, row, tuple(FIELDS)) for row in range(len(window))]


@pytest.fixture(params=["compiled", "pure"])
def path_that_runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run over both paths; where the twin is not built, over the pure one twice."""
    if request.param == "pure":
        monkeypatch.setattr("analyzer.parallel.compiled", lambda: False)
        monkeypatch.setattr(streaming, "compiled", lambda: False)
    monkeypatch.setattr(streaming, "MIN_STREAMED", 0)


@pytest.mark.untraced
@pytest.mark.usefixtures("path_that_runs")
@pytest.mark.parametrize("together", [1, 5, 4096])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_windows_give_what_the_whole_gives(
    capture: Path, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "TOGETHER", together)
    monkeypatch.setattr(streaming, "CHUNK", 1000)
    with open_capture(capture) as trace:
        expected, quality = records(trace), trace.quality
    with stream_capture(capture) as stream:
        assert isinstance(stream, CaptureStream)
        found, sizes = [], []
        for window in stream:
            found += records(window)
            sizes.append(len(window))
    assert found == expected
    assert stream.quality == replace(quality, others=(), tls=())
    assert len(sizes) > 1 or together == 4096


def story() -> bytes:
    """Return a capture in which a message is complete long after its last frame."""
    first = Conversation("10.0.0.1:5000", "10.0.0.9:5060")
    first.handshake()
    first.client.sends(message(1))
    first.client.sends(message(2))
    first.client.sends(message(3))
    packets = first.packets
    late = packets.pop(-3)
    second = Conversation("10.0.0.2:5000", "10.0.0.9:5060")
    second.handshake()
    for number in range(10, 20):
        second.client.sends(message(number))
    return pcap([*packets, *second.packets, late])


@pytest.mark.usefixtures("path_that_runs")
def test_no_message_is_given_before_one_of_an_earlier_frame() -> None:
    pipeline = new_pipeline(streaming=True)
    data = story()
    pipeline.feed(data[:-1])
    early = Rows()
    early.strings, early.cseqs = pipeline.reading.rows.strings, pipeline.reading.rows.cseqs
    assert not pipeline.take(early)
    assert pipeline.waiting == 10
    pipeline.feed(data[-1:])
    assert pipeline.take(early)
    frames = list(early.frame)
    assert frames == sorted(frames)
    assert len(frames) == 13


@pytest.mark.usefixtures("path_that_runs")
def test_a_key_log_beside_the_capture_needs_the_whole(tmp_path: Path) -> None:
    capture = tmp_path / "x.pcap"
    capture.write_bytes(story())
    (tmp_path / "x.keylog").write_text("")
    with stream_capture(capture) as stream:
        assert isinstance(stream, WholeCapture)
        assert [len(window) for window in stream] == [13]


def test_the_pure_path_reads_files_of_common_size_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "compiled", lambda: False)
    capture = tmp_path / "x.pcap"
    capture.write_bytes(story())
    with stream_capture(capture) as stream:
        assert isinstance(stream, WholeCapture)
