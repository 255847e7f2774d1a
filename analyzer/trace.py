"""An opened capture: rows, and the way back from a row to its bytes.

The capture file is the store. ``Trace.message(i)`` reads the bytes of a message from it and parses
them; nothing else of a message is kept than its row.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, Self

from analyzer.library.places import may_have_index
from analyzer.parallel import read_in_shares
from analyzer.quality import quality_of
from analyzer.sources.files import Source, open_source
from analyzer.window import Window, streams_of
from dissectors.capture.pdu_writer import UPPER_PDU

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from analyzer.inputs.joined import Input
    from analyzer.model import Analysis
    from analyzer.reading import Reading
    from analyzer.rows import Connection
    from analyzer.sources.conversion import Conversion
    from analyzer.sources.tls import DecryptedSource
    from analyzer.sources.tls_keys import GivenKeys, Keys

# What is read, decoded and framed at a time should stay in the processor's cache: 64 KiB is a tenth
# faster than 512 KiB.
CHUNK = 1 << 16
# Starting a process and merging its rows costs as much as reading so many bytes.
MIN_SHARED = 8 << 20
NEGOTIATE = "NEGOTIATE"
"""The method that agrees on compression ([MS-SIPCOMP])."""
MERGED = b"xccos merge"
"""Stands in the head of a file that was merged of several inputs: each is read for itself."""


class Seen(NamedTuple):
    """A message at one place."""

    input: int
    """Number of the input."""
    number: int
    """Frame or line in the input."""
    frame: int
    """Of the trace."""
    time_ns: int
    """Corrected."""


def _names(conversion: Conversion | None) -> Callable[[Connection], Connection]:
    """Return what gives the ends of a connection the names that their addresses stand for."""
    if conversion is None or not conversion.hosts:
        return lambda connection: connection
    hosts = conversion.hosts

    def end(text: str) -> str:
        address, _, port = text.rpartition(":")
        name = hosts.get(address.strip("[]"))
        return text if name is None else f"{name}:{port}"

    return lambda one: one._replace(opener=end(one.opener), responder=end(one.responder))


class Trace(Window):
    """All messages of one capture. Use it as a context manager, or ``close`` it."""

    def __init__(self, source: Source | DecryptedSource, reading: Reading) -> None:
        self._source = source
        self.name: str = source.name
        named = _names(source.conversion)
        self.connections: list[Connection] = [named(flow.row()) for flow in reading.flows]
        streams = streams_of(
            (opener, responder, transport, syn)
            for _, opener, responder, transport, syn, *_ in self.connections
        )
        super().__init__(reading.rows, streams, source.read, began=reading.first_time)
        self.quality = quality_of(reading, source.problem, source.conversion)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def plain_read(self) -> Callable[[int, int], bytes]:
        """Reads the capture file itself, by offset and length."""
        return self._source.read

    @property
    def hosts(self) -> dict[str, str]:
        """Names of machines by the addresses that stand for them in the file."""
        conversion = self._source.conversion
        return {} if conversion is None else conversion.hosts

    def seen_until(self, connection: int) -> int:  # noqa: ARG002  (several inputs end apart)
        """Return when the capture of a connection ends; nanoseconds since 1970 UTC."""
        times = self.rows.time
        return self.quality.last_time or (max(times) if len(times) else 0)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs that were joined; of a single one nothing."""
        return ()

    @property
    def has_lines(self) -> bool:
        """At least one of the inputs is a text trace."""
        return self.quality.unit == "line" or self.quality.link_types == (UPPER_PDU,)

    def sightings(self, row: int) -> tuple[Seen, ...]:
        """Return where a message was seen, the first time first."""
        frame = self.rows.frame[row]
        return (Seen(0, self.place(frame), frame, self.rows.time[row]),)

    def unsure(self, one: Seen, other: Seen) -> int:  # noqa: ARG002  (of several inputs)
        """Return how far the times of two sightings may be wrong against each other, in ns."""
        return 0

    def unseen(self, row: int) -> tuple[int, ...]:  # noqa: ARG002  (of several inputs)
        """Return the numbers of inputs that should have seen a message and did not."""
        return ()

    def place(self, frame: int) -> int:
        """Return the number that the input itself gives a frame: its line, in a text trace."""
        return self.where(frame)[1]

    def where(self, frame: int) -> tuple[str, int]:
        """Return the file of a set that a frame came from (else nothing), and the number in it."""
        conversion = self._source.conversion
        return ("", frame) if conversion is None else conversion.where(frame)

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


def open_capture(  # noqa: PLR0913  (all but the path are options)
    path: str | Path | Source,
    *,
    progress: Callable[[int], None] | None = None,
    jobs: int = 1,
    items: bool = True,
    keylog: str | Path | GivenKeys | None = None,
    index: bool = True,
    zone: tzinfo | None = None,
) -> Trace:
    """Read a capture or a text trace (``-``: standard input) and return its trace.

    Args:
        path: pcap, pcapng, or another format that docs/inputs.md names, plain or compressed by
            gzip or zstd, a member of a ZIP archive (``case.zip/client.pcap``); or an opened source.
        progress: called now and then with the number of bytes of the file read so far.
        jobs: processes that may share the reading of a large plain file. More than one needs a
            process without threads of its own: it is forked.
        items: scan bodies for XCCOS. Without it reading is a third faster, and the rows have no
            items; ``document`` still gives them.
        keylog: TLS secrets in the format of NSS (``SSLKEYLOGFILE``), or ``GivenKeys``: several of
            such files, and RSA keys of servers. By default those of ``NAME.pcap.keylog`` or
            ``NAME.keylog`` beside the capture; those that a pcapng carries are always used. TLS is
            decrypted by tshark, where that is installed.
        index: use the saved rows of ``xccos index``, where there are some that fit; they always
            have items.
        zone: of a text trace that does not say its own; UTC by default.

    Raises:
        SourceError: the file, or the key log given, cannot be opened. What a damaged file still
            gives is no error: see ``Trace.quality``.
    """
    keys = _given_keys(keylog)
    if isinstance(path, Source):
        source, path = path, path.name
    else:
        source = open_source(path, progress=progress, zone=zone)
    try:
        if MERGED in source.beginning:
            from analyzer.inputs.reopening import reopened

            joined = reopened(
                source, lambda one: trace_of(path, one, read_plain(one), keys, items=items)
            )
            if joined is not None:
                return joined
        reading = _saved(path, source, items=items) if index else None
        if reading is None:
            reading = read_plain(source, jobs=jobs, items=items)
        if source.conversion is not None and len(source.conversion.machines) > 1:
            from analyzer.inputs.reopening import machines_apart

            return machines_apart(
                source, lambda one: trace_of(path, one, read_plain(one), keys, items=items)
            )
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


def _given_keys(keylog: str | Path | GivenKeys | None) -> Keys | None:
    if keylog is None:
        return None
    from analyzer.sources.tls_keys import opened  # most captures need none of this

    return opened(keylog)


def trace_of(
    path: str | Path, source: Source, reading: Reading, given: Keys | None, *, items: bool
) -> Trace:
    """Return the trace of a reading, with what can be opened of what is encrypted or compressed.

    Args:
        path: of the capture, beside which keys may lie.
        source: of the reading.
        reading: settled.
        given: keys that the user named.
        items: scan bodies for XCCOS.
    """
    found: Source | DecryptedSource = source
    if reading.tls:
        found = _decrypted(path, source, reading, given, items=items)
    if reading.rows.strings.find(NEGOTIATE) is not None or reading.may_give_more:
        from analyzer.compression import decompressed  # one capture of a thousand needs them
        from analyzer.hep_pass import from_agents

        found = decompressed(found, reading, items=items)
        found = from_agents(found, reading, items=items)
    return Trace(found, reading)


def _decrypted(
    path: str | Path, source: Source, reading: Reading, given: Keys | None, *, items: bool
) -> Source | DecryptedSource:
    """Read the TLS connections of a capture; return where the bytes of all rows are."""
    from analyzer.decryption import keys_for, read_tls
    from analyzer.sources.tls import DecryptedSource

    keys = keys_for(path, reading, given)
    try:
        plaintext = read_tls(reading, source, keys, items=items, path=path)
    finally:
        keys.close()
    return source if plaintext is None else DecryptedSource(source, plaintext)


def _reread(source: Source) -> Iterator[bytes]:
    """Give the bytes of a plain file again, without the file position that processes share."""
    offset = 0
    while data := source.read(offset, CHUNK):
        offset += len(data)
        yield data
