"""Several inputs as one pcapng: every frame of each, at its corrected time.

The one rule: read back, the file tells the same story, with the same frame numbers
(``analyzer.sources.merged``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.inputs.order import frames_of
from analyzer.sources.merged import MARK
from dissectors.capture.writer import PcapngStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.inputs.joined import JoinedTrace

_TOGETHER = 1 << 18


def merged(trace: JoinedTrace, program: str, said: Sequence[str]) -> Iterator[bytes]:
    """Yield the pcapng of several inputs, many frames at a time.

    Each input has interfaces of its own, which bear its name. TLS stays closed, and no secrets that
    the inputs carry are copied.

    Args:
        trace: the inputs, joined.
        program: name and version of this one.
        said: what is known of the inputs, for whoever opens the file elsewhere.
    """
    stream = PcapngStream()
    yield stream.header(f"{MARK} ({program})", "; ".join(said))
    hosts = {address: name for part in trace.parts for address, name in part.hosts.items()}
    if hosts:
        yield stream.names(hosts)
    sources = [frames_of(part.plain_read) for part in trace.parts]
    names = unique([one.name for one in trace.inputs])
    held: list[bytes] = []
    size = 0
    for number in range(1, len(trace.order) + 1):
        which, _ = trace.order.source(number)
        frame = next(sources[which])
        frame = frame._replace(number=number, time_ns=trace.order.times[number - 1])
        block = stream.frame(frame, (), names[which])
        held.append(block)
        size += len(block)
        if size >= _TOGETHER:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def unique(names: list[str]) -> list[str]:
    """Return names that are all different: those that come again are numbered."""
    found: list[str] = []
    for name in names:
        other, count = name, 1
        while other in found:
            count += 1
            other = f"{name} ({count})"
        found.append(other)
    return found
