"""Captures of the corpus with frames left out, or with the bytes of some replaced.

with edited(tmp_path, path, lambda frame: frame.number > 40) as trace:
    ...
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from analyzer.trace import Trace, open_capture
from dissectors.capture.detect import reader_for
from dissectors.capture.writer import write_pcap
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@cache
def frames_of(path: Path) -> tuple[Frame, ...]:
    """Return the frames of a capture."""
    data = path.read_bytes()
    reader = reader_for(data[:512])
    assert not isinstance(reader, Malformed)
    found = [*reader.feed(data), *reader.close()]
    return tuple(one for one in found if isinstance(one, Frame))


def edited(
    place: Path,
    path: Path,
    keep: Callable[[Frame], bool],
    change: Callable[[Frame], bytes] | None = None,
) -> Trace:
    """Write the frames that are kept to a capture of its own and open it."""
    kept = [frame for frame in frames_of(path) if keep(frame)]
    if change is not None:
        kept = [frame._replace(data=change(frame)) for frame in kept]
    made = place / "edited.pcap"
    made.write_bytes(write_pcap(kept, link=kept[0].link))
    return open_capture(made, index=False)


def port_of(frame: Frame) -> int:
    """Return the source port of a frame: Ethernet, IPv4 without options, TCP."""
    return int.from_bytes(frame.data[34:36], "big")
