"""TLS opened with keys that are at hand: the key log, and tshark, which does the decryption.

The one rule: secrets stay where they are. A key log is handed to tshark as an open file; what a
capture carries itself goes through a temporary file that has no name. tshark gets open files only,
never names, runs without the user's settings, and looks nothing up.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, Self

from analyzer.sources.files import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from analyzer.sources.files import Source
    from analyzer.sources.spool import Spool
    from dissectors.model import Malformed

PLAINTEXT = 1 << 62
"""Offsets from here on lie in what was decrypted, not in the capture. No file is so large, and the
columns of rows hold 64 bits."""

# One line a frame. When a late segment fills a hole, its frame completes all records that waited
# for it: a window of 1 MiB in practice, twice as long in hexadecimal digits.
MAX_LINE = 32 << 20
# A capture has a handful of TLS ports; tshark gets them as arguments.
MAX_PORTS = 256
# Key logs grow for months; a line has 200 bytes, so that this is a million of them.
MAX_KEY_LOG = 256 << 20
_MAX_KEY_LINE = 4096
# Cipher overhead of a record: explicit IV, MAC, padding to the next block (RFC 5246 6.2.3).
_MAX_OVERHEAD = 96

_FIELDS = (
    "frame.number", "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
    "tcp.dstport", "tcp.len", "tcp.flags", "tcp.analysis.lost_segment",
    "tcp.analysis.retransmission", "tls.record.content_type", "tls.record.opaque_type",
    "tls.record.length", "data.data",
)  # fmt: skip
# The TLS dissector asks these whether a record is theirs before it heeds the port; one that begins
# with a line such as ``GET / HTTP/1.1`` would not come out as data.
_THIEVES = ("http", "http2", "mq", "fix", "credssp", "rdpmt", "aim", "5gli")
_APPLICATION_DATA = b"23"


class KeyLog:
    """Secrets of TLS sessions in the format of NSS (draft-ietf-tls-keylogfile), to be closed."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._file.fileno()

    def known(self, randoms: Collection[bytes]) -> tuple[set[bytes], bool]:
        """Return those client randoms that have secrets, and whether there may be secrets for more.

        Lines that begin with ``RSA`` are tied to something else than the client random.
        """
        wanted = {random.hex().encode(): random for random in randoms}
        found: set[bytes] = set()
        left = MAX_KEY_LOG
        self._file.seek(0)
        while left > 0 and (line := self._file.readline(_MAX_KEY_LINE)):
            left -= len(line)
            label, _, rest = line.partition(b" ")
            if label == b"RSA":
                return found, True
            random = wanted.get(rest[:64].lower())
            if random is not None:
                found.add(random)
        return found, left <= 0

    def close(self) -> None:
        """Close the file; one made of embedded secrets is gone then."""
        self._file.close()


def open_key_log(path: str | Path) -> KeyLog:
    """Open a key log. Raises ``SourceError`` with one line for the user."""
    try:
        if not Path(path).is_file():  # a pipe could not be read twice
            raise SourceError(f"the key log {path} is not a file")
        return KeyLog(str(path), Path(path).open("rb"))
    except OSError as error:
        raise SourceError(f"the key log {path} cannot be opened: {error.strerror}") from None


def embedded(secrets: Sequence[bytes]) -> KeyLog:
    """Return the secrets that a capture carries as a key log. Raises ``SourceError``."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by KeyLog.close)
        file.write(b"\n".join(secrets))
        file.flush()
    except OSError as error:
        text = f"the secrets in the capture cannot be used: {error.strerror}"
        raise SourceError(text) from None
    return KeyLog("the capture", file)


class TlsFrame(NamedTuple):
    """What a frame with TLS in it brought."""

    frame: int
    time_ns: int
    keys: tuple[bytes, ...]
    """Keys (see ``Segment``) of its IP layers, the innermost first."""
    length: int
    """Bytes of TCP payload."""
    fin: bool
    lost: bool
    """Bytes before it are missing from the capture, or come later in it."""
    repeated: bool
    """A retransmission."""
    records: int
    """TLS records that it completes."""
    unread: bool
    """Application data among them could not be decrypted."""
    plain: tuple[bytes, ...]
    """What could be, one entry a record, in hexadecimal digits."""


class Tshark:
    """A run of tshark over a capture. Iterate over it in a ``with`` block, which ends the run."""

    def __init__(self, capture: int, keys: KeyLog, ports: Sequence[int]) -> None:
        """Begin.

        Args:
            capture: descriptor of the capture, unpacked.
            keys: stays open until the run has ended.
            ports: TCP ports on which TLS is spoken; ``MAX_PORTS`` of them are used.
        """
        self.problem: str | None = None
        """Why the run ended early; set after iteration."""
        files = (capture, keys.fileno())
        for descriptor in files:  # /dev/fd shares the position on some systems
            os.lseek(descriptor, 0, os.SEEK_SET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)
        try:
            self._child = _started(_command(*files, ports[:MAX_PORTS]), files, self._errors)
        except BaseException:
            self._errors.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._child.wait()
        self._errors.close()

    def __iter__(self) -> Iterator[TlsFrame]:
        """Yield frames with TCP payload, and those that close a connection, in capture order."""
        output = self._child.stdout
        if output is None:
            return
        while line := output.readline(MAX_LINE):
            whole = line.endswith(b"\n")
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = output.readline(MAX_LINE)
            frame = _frame(line, whole=whole) if rest else None
            if frame is not None:
                yield frame
        if self._child.wait():
            self.problem = self._last_words()

    def _last_words(self) -> str:
        size = self._errors.seek(0, 2)
        self._errors.seek(max(0, size - 500))
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        said = [line for line in lines if line.startswith("tshark: ")]
        return said[-1] if said else f"tshark ended with status {self._child.returncode}"


def tshark_path() -> str | None:
    """Return where tshark is; None when it is not installed."""
    return shutil.which("tshark")


def _started(
    command: Sequence[str], files: Sequence[int], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    # Arguments are made here, from numbers alone; the program is the user's own.
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        bufsize=1 << 20,
        pass_fds=files,
        # Preferences, plug-ins and key lists of the user would change what is shown.
        env={"LC_ALL": "C", "HOME": "/nonexistent", "WIRESHARK_CONFIG_DIR": "/nonexistent"},
    )


def _command(capture: int, log: int, ports: Sequence[int]) -> list[str]:
    any_port = " || ".join(f"tcp.port == {port}" for port in ports)
    # An ICMP error quotes what was said elsewhere.
    shown = f"({any_port}) && (tcp.len > 0 || tcp.flags.fin == 1) && !icmp && !icmpv6"
    command = [
        tshark_path() or "tshark",
        "-n",
        "-r",
        f"/dev/fd/{capture}",
        "-Y",
        shown,
        "-T",
        "fields",
    ]
    command += ["-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
    for option in (
        "tcp.reassemble_out_of_order:TRUE",
        "tcp.desegment_tcp_streams:TRUE",
        "tls.desegment_ssl_records:TRUE",
        f"tls.keylog_file:/dev/fd/{log}",
    ):
        command += ["-o", option]
    for name in _THIEVES:
        command += ["--disable-protocol", name]
    for port in ports:  # with SIP, or any other protocol, on top, records would be put together
        command += ["-d", f"tcp.port=={port},tls", "-d", f"tls.port=={port},data"]
    for field in _FIELDS:
        command += ["-e", field]
    return command


def _frame(line: bytes, *, whole: bool) -> TlsFrame | None:
    """Read a line of tshark's; None where it is not one of the expected form."""
    fields = line.rstrip(b"\n").split(b"\t")
    if len(fields) != len(_FIELDS):
        return None
    frame, time, *_, flags, lost, repeated, kinds, opaque, lengths, data = fields
    try:
        plain = tuple(data.split(b",")) if data and whole else ()
        return TlsFrame(
            int(frame), _nanoseconds(time), _keys(fields[2:8]), int(_last(fields[8])),
            bool(int(_last(flags), 16) & 1), bool(lost), bool(repeated), _count(lengths),
            not whole or _unread(kinds, opaque, lengths, plain), plain,
        )  # fmt: skip
    except (ValueError, OverflowError, OSError):
        return None


def _unread(kinds: bytes, opaque: bytes, lengths: bytes, plain: Sequence[bytes]) -> bool:
    """Tell whether a frame has application data that did not come out as plain text.

    Of TLS 1.3, the inner type of a record is shown only when it was decrypted (RFC 8446 5.2). A
    record without any plain text is no loss: some ciphers need such ones (RFC 5246 6.2.3.2).
    """
    hidden = max(0, _count(lengths) - _count(kinds)) if opaque else 0
    application = kinds.split(b",").count(_APPLICATION_DATA) + hidden
    if application <= len(plain):
        return False
    encrypted = sum(map(int, lengths.split(b",")))
    return encrypted > sum(map(len, plain)) // 2 + _MAX_OVERHEAD * _count(lengths)


def _keys(fields: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the keys that the addresses of a frame allow; tunnels give it several."""
    ports = b"".join(int(_last(port)).to_bytes(2, "big") for port in fields[4:6])
    found = _pairs(socket.AF_INET, fields[0], fields[1])
    found += _pairs(socket.AF_INET6, fields[2], fields[3])
    return tuple(pair + ports for pair in reversed(found))


def _pairs(family: int, sources: bytes, targets: bytes) -> list[bytes]:
    """Return source and target of each IP layer of a family, the outermost first."""
    if not sources or not targets:
        return []
    packed = [
        [socket.inet_pton(family, text) for text in texts.decode().split(",")]
        for texts in (sources, targets)
    ]
    return [source + target for source, target in zip(*packed, strict=True)]


def _nanoseconds(text: bytes) -> int:
    seconds, _, fraction = text.partition(b".")
    return int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, b"0")) if seconds else 0


def _last(values: bytes) -> bytes:
    return values.rpartition(b",")[2]


def _count(values: bytes) -> int:
    return values.count(b",") + 1 if values else 0


class DecryptedSource:
    """A source, and what was decrypted of it: from offset ``PLAINTEXT`` on."""

    def __init__(self, source: Source, plaintext: Spool) -> None:
        self.name = source.name
        self.problem: Malformed | None = source.problem
        self._source = source
        self._plaintext = plaintext

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes at ``offset``."""
        if offset >= PLAINTEXT:
            return self._plaintext.read(offset - PLAINTEXT, length)
        return self._source.read(offset, length)

    def close(self) -> None:
        """Close both."""
        self._plaintext.close()
        self._source.close()
