"""Comments: what a packet says in Wireshark, short, on one line, in numbers of its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.table import diagnose
from analyzer.export.choice import Choice
from analyzer.export.comments import MAX_LINES, MAX_TEXT, Comments
from analyzer.trace import open_capture
from dissectors.capture import blocks
from dissectors.capture.writer import COMMENT, MAX_COMMENT, PcapngStream
from dissectors.model import Frame
from tests.analyzer.captures import ESCAPE, capture, chat, message
from tests.analyzer.export.slicing import cut
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def comments_of(data: bytes) -> list[list[str]]:
    """Return the comments of each packet of a pcapng in little-endian order."""
    found, at = [], 0
    while at < len(data):
        kind, length = (int.from_bytes(data[at + k : at + k + 4], "little") for k in (0, 4))
        if kind == blocks.ENHANCED_PACKET:
            captured = int.from_bytes(data[at + 20 : at + 24], "little")
            options = blocks.options(
                "<", data[at + 28 + captured + -captured % 4 : at + length - 4]
            )
            found.append([one[1].decode() for one in options if one and one[0] == COMMENT])
        at += length
    return found


def of(path: Path, frames: Iterable[int]) -> dict[int, list[str]]:
    with open_capture(path) as trace:
        comments = Comments(trace, diagnose(trace), lambda number: number)
        return {frame: comments.of(frame) for frame in frames}


def test_a_command_tells_its_reply_and_where_it_is() -> None:
    told = of(SAMPLES / "fault-503.pcap", range(1, 84))
    assert told[46] == ["cmd:join Sales EMEA (user1) → 200 after 0.96 ms in frame 49"]
    assert told[49] == ["rpl:join 200 to cmd:join in frame 46"]
    assert told[47] == []


def test_a_finding_stands_on_the_frames_that_it_cites() -> None:
    told = [one for found in of(SAMPLES / "fault-503.pcap", range(84)).values() for one in found]
    assert told.count("GC409 error: Post answered 503 and lost") == 2
    assert "grpchat Sales EMEA (user1) → SIP 503 after 0.57 ms, refused" in told


def test_like_commands_are_one_comment_with_their_number() -> None:
    told = of(SAMPLES / "r2-signin-full.pcap", range(109))
    assert any(one.startswith("cmd:getpref ×11 (") for found in told.values() for one in found)


def test_numbers_are_those_of_the_file_that_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "fault-503.pcap") as trace:
        cut(trace, out, Choice(flows=("posting:1",)), told=True)
        told = comments_of(out.read_bytes())
        with open_capture(out) as again:
            for pair in again.analysis().pairs:
                if pair.row is not None and pair.replies:
                    frame = again.rows.frame[pair.row]
                    reply = again.rows.frame[pair.replies[0].row]
                    assert any(f"in frame {reply}" in one for one in told[frame - 1])


def test_what_was_written_anew_says_so(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "fault-503.pcap") as trace:
        cut(trace, out, Choice(flows=("posting:1",)), told=True)
    for told in comments_of(out.read_bytes()):
        assert told[-1].startswith("xccos: written anew from frame ")


def test_comments_of_the_capture_are_kept(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    stream = PcapngStream()
    with open_capture(capture(tmp_path / "one.pcap", message(), chat("hello"))) as trace:
        frames = [
            Frame(k + 1, 10**9 * k, 6, 1, trace.read(offset, length), 0, length)
            for k, (offset, length) in enumerate(frame_places(trace.read))
        ]
    blocks_ = [stream.header(), stream.frame(frames[0], ["mine", b"\xff odd"])]
    source.write_bytes(b"".join([*blocks_, stream.frame(frames[1], ["other"])]))
    with open_capture(source) as trace:
        cut(trace, out, None, told=True)
        first, second = comments_of(out.read_bytes())
        assert first == ["mine", "� odd"]
        assert second[0] == "other"
        assert any(one.startswith("grpchat") for one in second[1:])
        cut(trace, out, None)
        assert comments_of(out.read_bytes()) == [["mine", "� odd"], ["other"]]


def frame_places(read: Callable[[int, int], bytes]) -> list[tuple[int, int]]:
    """Return where the frames of a small pcap are."""
    found, at = [], 24
    while head := read(at, 16):
        length = int.from_bytes(head[8:12], "little")
        found.append((at + 16, length))
        at += 16 + length
    return found


def test_nothing_of_a_capture_gets_through_raw_and_no_text_is_endless(tmp_path: Path) -> None:
    body = "".join(
        f'<cmd id="cmd:{ESCAPE.encode().hex()}{k}\u202e{"x" * 800}" seqid="{k}"/>'
        for k in range(40)
    )
    envelope = f'<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="7">{body}</xccos>'
    source = capture(
        tmp_path / "in.pcap",
        message("INFO sip:ann@example.com SIP/2.0", envelope, Content_Type="text/plain"),
    )
    told = of(source, [1])[1]
    assert len(told) == MAX_LINES
    assert told[-1].startswith("and ")
    assert all(len(one) <= MAX_TEXT and one.isprintable() for one in told)


def test_a_comment_ends_at_the_end_of_a_character() -> None:
    frame = Frame(1, 0, 6, 1, b"abc", 0, 3)
    written = PcapngStream().frame(frame, ["→" * MAX_COMMENT, "a\ud800b"])
    first, second = comments_of(written)[0]
    assert first == "→" * (MAX_COMMENT // 3)
    assert second == "a\\ud800b"
