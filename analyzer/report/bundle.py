"""A bundle for a ticket: the report, the capture of what is in it, JSON and ladders, in one zip.

The same input and command line give the same bytes: names are sorted, times are those of the
capture, and nothing of the machine that made it is inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from analyzer.export.records import encoded, json_lines
from analyzer.ladder.renderers import renderer_of
from analyzer.report.records import command_records, finding_records, flow_records, message_blocks
from analyzer.report.slice import slice_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from analyzer.ladder.look import Look
    from analyzer.ladder.selection import Choice
    from analyzer.report.content import Content, Drawn
    from analyzer.report.head import Origin
    from analyzer.report.sharing import Sharing

IN_MEMORY = 8 << 20
"""Bytes of one part that are held before it goes to a temporary file."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""Zip knows no time before it, and none after 2107."""
LATEST_YEAR = 2107
LADDER_FORMATS = ("svg", "txt", "mmd")
LADDER_WIDTH = 132
"""Columns of ladders as text: two lanes more than a terminal, and as wide as an old printer."""
PARTS = {
    "report.html": "the report: one page that needs no network; open it in a browser",
    "capture.pcapng": "the frames of what is in the report, with comments; opens in Wireshark",
    "frame-numbers.csv": "the number of each frame in the whole capture, and in capture.pcapng",
    "findings.jsonl": "what is wrong, a JSON object a line (xccos findings)",
    "flows.jsonl": "how far each sign-in and post got, by steps (xccos flows)",
    "commands.jsonl": "XCCOS commands and posts with both answers (xccos commands)",
    "messages.jsonl": "SIP messages (xccos messages)",
    "svg": "a ladder as a picture",
    "txt": "a ladder as text",
    "mmd": "a ladder for Mermaid",
}

NUMBERED = (
    "capture.pcapng has some of its frames, and Wireshark numbers these anew: the comments on",
    "packets have the new numbers, and frame-numbers.csv has both.",
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes into a bundle beside the page."""

    content: Content
    origin: Origin
    sharing: Sharing
    choice: Choice
    look: Look


class _Part(NamedTuple):
    name: str
    about: str
    data: BinaryIO
    size: int
    sha256: str


def write_bundle(bundle: Bundle, page: bytes, write: Callable[[bytes], object]) -> None:
    """Write a bundle with a page; ``write`` takes its bytes in order."""
    parts: list[_Part] = []
    try:
        for name, about, blocks in _contents(bundle, page):
            parts.append(_kept(name, about, blocks))
        parts.append(_kept("README.txt", "", [_readme(bundle, parts).encode()]))
        _write_zip(sorted(parts, key=lambda one: one.name), _when(bundle.content), write)
    finally:
        for part in parts:
            part.data.close()


def _contents(bundle: Bundle, page: bytes) -> Iterator[tuple[str, str, Iterable[bytes]]]:
    """Yield name, words and bytes of each file."""
    content, sharing = bundle.content, bundle.sharing
    for name, blocks in (
        ("report.html", iter([page])),
        ("findings.jsonl", encoded(json_lines(finding_records(content)))),
        ("flows.jsonl", encoded(json_lines(flow_records(content)))),
        ("commands.jsonl", encoded(json_lines(command_records(content)))),
        ("messages.jsonl", message_blocks(content, sharing)),
    ):
        yield name, PARTS[name], blocks
    if sharing.bodies:  # else whoever asked for no bodies would share them in it
        cut = slice_of(content, bundle.choice)
        yield "capture.pcapng", PARTS["capture.pcapng"], cut.blocks()
        numbers = cut.numbers()
        if numbers:
            yield "frame-numbers.csv", PARTS["frame-numbers.csv"], numbers
    for drawn in content.ladders:
        yield from _ladders(drawn, bundle.look)


def _ladders(drawn: Drawn, look: Look) -> Iterator[tuple[str, str, Iterable[bytes]]]:
    """Yield a ladder in each format, its pages as files of their own."""
    shown = replace(look, width=LADDER_WIDTH, unicode=True)
    what = drawn.prefix if drawn.session is None else f"session-{drawn.session + 1}"
    for name in LADDER_FORMATS:
        for number, page in enumerate(renderer_of(name)(drawn.whole, shown), 1):
            nth = "" if number == 1 else f"-{number}"
            yield f"ladders/{what}{nth}.{name}", PARTS[name], [page]


def _kept(name: str, about: str, blocks: Iterable[bytes]) -> _Part:
    """Return a part with all its bytes, its size and its digest."""
    data = cast("BinaryIO", SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115  (closed by the writer)
    digest, size = sha256(), 0
    for block in blocks:
        data.write(block)
        digest.update(block)
        size += len(block)
    data.seek(0)
    return _Part(name, about, data, size, digest.hexdigest())


def _readme(bundle: Bundle, parts: Sequence[_Part]) -> str:
    origin, sharing = bundle.origin, bundle.sharing
    known = "not known: it was not read from a file"
    lines = [
        f"Group Chat capture report of {origin.name}",
        "",
        f"{sharing.word.capitalize()}. {sharing.remark}",
        "Credentials and file tokens are masked in the page and in JSON"
        + (
            ", not in capture.pcapng: that has the bytes as they were captured."
            if sharing.bodies
            else "."
        ),
        ""
        if sharing.bodies
        else "There is no capture in it: messages in it would have their bodies.",
        f"Made with   xccos-analyzer {origin.version}",
        f"Command     {origin.command}",
        f"Capture     {origin.name}",
        f"  size      {'unknown' if origin.size is None else f'{origin.size:,} bytes'}",
        f"  SHA-256   {origin.sha256 or known}",
        "",
        "Frame numbers in the report and in JSON are those of this capture.",
        *(NUMBERED if any(one.name == "frame-numbers.csv" for one in parts) else ()),
        "",
        "Files",
        "",
    ]
    for part in sorted(parts, key=lambda one: one.name):
        lines += [part.name, f"  {part.about}", f"  {part.size:,} bytes, SHA-256 {part.sha256}"]
    return "\n".join([*lines, ""])


def _when(content: Content) -> tuple[int, int, int, int, int, int]:
    """Return the time of all files: that of the capture's first frame, in UTC."""
    first: str | None = content.record["first_time"]
    if first is None or not EARLIEST[0] <= int(first[:4]) <= LATEST_YEAR:
        return EARLIEST
    return (
        *(int(first[:4]), int(first[5:7]), int(first[8:10])),
        *(int(first[11:13]), int(first[14:16]), int(first[17:19])),
    )


class _Stream:
    """What ``ZipFile`` writes to: it never goes back."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        self._write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _write_zip(
    parts: Iterable[_Part],
    when: tuple[int, int, int, int, int, int],
    write: Callable[[bytes], object],
) -> None:
    with ZipFile(cast("Any", _Stream(write)), "w") as archive:
        for part in parts:
            info = ZipInfo(part.name, when)
            info.compress_type = ZIP_DEFLATED
            info.create_system = 3  # Unix on every system, so that the bytes are the same
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=part.size > 1 << 31) as out:
                while block := part.data.read(1 << 20):
                    out.write(block)
