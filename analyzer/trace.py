"""An opened capture: rows, and the way back from a row to its bytes.

The capture file is the store. ``Trace.message(i)`` reads the bytes of a message from it and parses
them; nothing else of a message is kept than its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, Self

from analyzer.library.places import may_have_index
from analyzer.parallel import read_in_shares
from analyzer.sources.files import open_source
from analyzer.window import Window, streams_of
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from analyzer.model import Analysis
    from analyzer.others import Beginning, Head
    from analyzer.reading import Reading
    from analyzer.rows import Connection
    from analyzer.sources.files import Source
    from analyzer.sources.tls import DecryptedSource, KeyLog
    from dissectors.dns import NameQuery
    from dissectors.model import Malformed

# What is read, decoded and framed at a time should stay in the processor's cache: 64 KiB is a tenth
# faster than 512 KiB.
CHUNK = 1 << 16
# Starting a process and merging its rows costs as much as reading so many bytes.
MIN_SHARED = 8 << 20


@dataclass(frozen=True, slots=True)
class Hole:
    """Bytes of a SIP connection that the capture does not have."""

    stream: int
    frame: int
    """The first frame after the hole."""
    length: int
    """0 where it cannot be known."""


@dataclass(frozen=True, slots=True)
class ConflictingOverlap:
    """A retransmission whose bytes differed from those seen first (which were used)."""

    stream: int
    frame: int
    length: int


class OtherConnection(NamedTuple):
    """A TCP connection that carries TLS or HTTP, as far as its beginning tells."""

    opener: str
    """``ip:port``"""
    responder: str
    service: str
    """``TLS`` or ``HTTP``."""
    heads: tuple[Head, ...]
    """The first bytes of each side; of a SOAP service those of its requests and responses."""

    @property
    def time(self) -> int:
        """Of the first bytes; nanoseconds since 1970 UTC."""
        return self.heads[0].time_ns

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames of the heads."""
        return tuple(head.frame for head in self.heads)

    @property
    def sent(self) -> bytes:
        """First bytes from the opener, at most 512."""
        return next(iter(self.said(0)), b"")

    @property
    def answered(self) -> bytes:
        """First bytes to it."""
        return next(iter(self.said(1)), b"")

    def said(self, side: int) -> tuple[bytes, ...]:
        """Return the heads of a side: 0 from the opener, 1 to it."""
        return tuple(head.data for head in self.heads if head.side == side)


@dataclass(frozen=True, slots=True)
class Quality:
    """What the capture is worth: read this before believing that something is absent."""

    frames: int
    first_time: int | None
    """Nanoseconds since 1970 UTC."""
    last_time: int | None
    digits: int
    """Decimal digits of a second that the time stamps carry."""
    link_types: tuple[int, ...]
    problems: tuple[Malformed, ...]
    """What could not be decoded, the first ones word by word."""
    counters: dict[str, int]
    """Counts by short names: ``cut frames``, ``retransmitted segments``, ``malformed ip`` ..."""
    ignored: dict[str, int]
    """Frames that carry neither TCP nor UDP, by what they are."""
    services: dict[str, int]
    """TCP connections that carry something else than SIP, by protocol (``TLS``, ``HTTP`` ...)."""
    holes: tuple[Hole, ...]
    conflicts: tuple[ConflictingOverlap, ...]
    damaged: bool
    """The file is damaged or cut, or is no capture: not everything in it could be read."""
    notes: tuple[str, ...] = ()
    """Sentences for people, about TLS that could not be read."""
    others: tuple[OtherConnection, ...] = ()
    """TCP connections with TLS or HTTP, by their first frame; at most 8192."""
    queries: tuple[NameQuery, ...] = ()
    """Questions to DNS for a pool, and the answers."""


def quality_of(reading: Reading, ended: Malformed | None) -> Quality:
    """Return what a settled reading is worth; ``ended``: why its bytes ended early, if they did."""
    problems = [*reading.problems, *([] if ended is None else [ended])]
    return Quality(
        frames=reading.frames,
        first_time=reading.first_time,
        last_time=reading.last_time,
        digits=reading.digits,
        link_types=tuple(sorted(reading.links)),
        problems=tuple(problems),
        counters=dict(+reading.counters + reading.stream_counters),
        ignored=reading.ignored,
        services=dict(reading.services),
        holes=tuple(Hole(*hole) for hole in reading.holes),
        conflicts=tuple(ConflictingOverlap(*conflict) for conflict in reading.conflicts),
        damaged=reading.damaged or ended is not None,
        notes=tuple(reading.notes),
        others=tuple(map(_other, reading.others)),
        queries=tuple(reading.queries),
    )


def _other(one: Beginning) -> OtherConnection:
    opener, responder = address_text(one.key)
    return OtherConnection(opener, responder, one.service, tuple(one.heads))


class Trace(Window):
    """All messages of one capture. Use it as a context manager, or ``close`` it."""

    def __init__(self, source: Source | DecryptedSource, reading: Reading) -> None:
        self._source = source
        self.name: str = source.name
        self.connections: list[Connection] = [flow.row() for flow in reading.flows]
        streams = streams_of(
            (opener, responder, transport, syn)
            for _, opener, responder, transport, syn, *_ in self.connections
        )
        super().__init__(reading.rows, streams, source.read, began=reading.first_time)
        self.quality = quality_of(reading, source.problem)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the capture; rows stay, messages can no longer be read back."""
        self._source.close()

    @cached_property
    def _analysis(self) -> Analysis:
        from analyzer.meaning import analyse

        return analyse(self)

    def analysis(self) -> Analysis:
        """Return transactions, dialogs, command pairs and sessions (computed once)."""
        return self._analysis


def open_capture(
    path: str | Path,
    *,
    progress: Callable[[int], None] | None = None,
    jobs: int = 1,
    items: bool = True,
    keylog: str | Path | None = None,
    index: bool = True,
) -> Trace:
    """Read a capture (``-``: standard input) and return its trace.

    Args:
        path: pcap or pcapng, plain or compressed by gzip or zstd.
        progress: called now and then with the number of bytes of the file read so far.
        jobs: processes that may share the reading of a large plain file. More than one needs a
            process without threads of its own: it is forked.
        items: scan bodies for XCCOS. Without it reading is a third faster, and the rows have no
            items; ``document`` still gives them.
        keylog: TLS secrets in the format of NSS (``SSLKEYLOGFILE``). By default those of
            ``NAME.pcap.keylog`` or ``NAME.keylog`` beside the capture, else those that a pcapng
            carries. TLS is decrypted by tshark, where that is installed.
        index: use the saved rows of ``xccos index``, where there are some that fit; they always
            have items.

    Raises:
        SourceError: the file, or the key log given, cannot be opened. What a damaged file still
            gives is no error: see ``Trace.quality``.
    """
    keys = _given_keys(keylog)
    source = open_source(path, progress=progress)
    try:
        reading = _saved(path, source, items=items) if index else None
        if reading is None:
            reading = read_plain(source, jobs=jobs, items=items)
        return trace_of(path, source, reading, keys, items=items)
    except BaseException:
        source.close()
        raise
    finally:
        if keys is not None:
            keys.close()


def read_plain(source: Source, *, jobs: int = 1, items: bool = True) -> Reading:
    """Read a source, of which nothing was read yet; its TLS connections stay closed."""
    if not (source.rereadable and (source.size or 0) >= MIN_SHARED):
        jobs = 1
    here, there = partial(source.chunks, CHUNK), partial(_reread, source)
    return read_in_shares(here, there, jobs, items=items, read_back=source.read)


def _saved(path: str | Path, source: Source, *, items: bool) -> Reading | None:
    if not may_have_index(path, source.size):
        return None
    from analyzer.library.saved import saved_reading

    return saved_reading(path, source, items=items)


def _given_keys(keylog: str | Path | None) -> KeyLog | None:
    if keylog is None:
        return None
    from analyzer.sources.tls import open_key_log  # most captures need none of this

    return open_key_log(keylog)


def trace_of(
    path: str | Path, source: Source, reading: Reading, given: KeyLog | None, *, items: bool
) -> Trace:
    """Return the trace of a reading, its TLS connections read too as far as there are keys."""
    if not reading.tls:
        return Trace(source, reading)
    return Trace(_decrypted(path, source, reading, given, items=items), reading)


def _decrypted(
    path: str | Path, source: Source, reading: Reading, given: KeyLog | None, *, items: bool
) -> Source | DecryptedSource:
    """Read the TLS connections of a capture; return where the bytes of all rows are."""
    from analyzer.decryption import key_log_of, read_tls
    from analyzer.sources.tls import DecryptedSource

    keys = given or key_log_of(path, reading)
    try:
        plaintext = read_tls(reading, source, keys, items=items)
    finally:
        if keys is not None:
            keys.close()
    return source if plaintext is None else DecryptedSource(source, plaintext)


def _reread(source: Source) -> Iterator[bytes]:
    """Give the bytes of a plain file again, without the file position that processes share."""
    offset = 0
    while data := source.read(offset, CHUNK):
        offset += len(data)
        yield data
