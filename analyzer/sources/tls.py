"""tshark, which opens TLS: records of one kind in, what they hold out.

The one rule: secrets stay where they are. tshark gets open files only, never names: the records,
the lines of key logs, and RSA keys, each in a file that nobody else can open. Its command line has
numbers of descriptors in it and nothing to hide, it runs without the user's settings, and it looks
nothing up.

What it gets is not the capture but its TLS records written down anew (``analyzer.tls_capture``), a
whole one a frame. Of a capture as it was taken it loses what came out of order or out of step.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, Self

from analyzer.sources.private import private_file
from analyzer.sources.programs import how_to_install, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.sources.files import Source
    from analyzer.sources.rsa_keys import RsaKey
    from analyzer.sources.spool import Spool
    from dissectors.model import Malformed

PLAINTEXT = 1 << 62
"""Offsets from here on lie in what was decrypted, not in the capture. No file is so large, and the
columns of rows hold 64 bits."""

# One line a record, in hexadecimal digits, and its numbers.
MAX_LINE = 2 * (1 << 15) + 4096
# Cipher overhead of a record: explicit IV, MAC, padding to the next block (RFC 5246 6.2.3).
_MAX_OVERHEAD = 96

_FIELDS = (
    "frame.number", "tls.record.content_type", "tls.record.opaque_type", "tls.record.length",
    "data.data",
)  # fmt: skip
# The TLS dissector asks these whether a record is theirs before it heeds the port; one that begins
# with a line such as ``GET / HTTP/1.1`` would not come out as data.
_THIEVES = ("http", "http2", "mq", "fix", "credssp", "rdpmt", "aim", "5gli")
_APPLICATION_DATA = b"23"
# What an old tshark, or one built without a library, says of an option.
_UNKNOWN = ("unknown preference", "Unknown preference", "isn't valid", "Some fields aren't valid")


class TlsFrame(NamedTuple):
    """What became of a record."""

    number: int
    """Its frame in the capture that tshark read, from 1 on."""
    unread: bool
    """It has application data that could not be decrypted."""
    plain: tuple[bytes, ...]
    """What could be, in hexadecimal digits."""


class Tshark:
    """A run of tshark over records. Iterate over it in a ``with`` block, which ends the run."""

    def __init__(
        self,
        capture: int,
        secrets: BinaryIO,
        rsa: Sequence[RsaKey] = (),
        *,
        port: int,
        behind_holes: bool = False,
    ) -> None:
        """Begin.

        Args:
            capture: descriptor of a pcap; it stays open until the run has ended, as do the keys.
            secrets: the lines of key logs.
            rsa: keys of servers.
            port: TCP port on which TLS is spoken.
            behind_holes: decrypt what is not the next record. Its MAC is not verified then, so that
                wrong keys give garbage: this is for connections whose keys are known to be right.

        Raises ``OSError``.
        """
        self.problem: str | None = None
        """Why the run ended early; set after iteration."""
        with ExitStack() as stack:
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            keys = [stack.enter_context(_handed(key)) for key in rsa]
            files = [capture, secrets.fileno(), *(key.fileno() for key in keys)]
            for descriptor in files:  # /dev/fd shares the position on some systems
                os.lseek(descriptor, 0, os.SEEK_SET)
            self._child = _started(
                _command(files, port, behind_holes=behind_holes), files, self._errors
            )
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._child.wait()
        self._open.close()

    def __iter__(self) -> Iterator[TlsFrame]:
        """Yield what became of the records, in their order; frames without a record are left out.

        A record whose line is too long counts as unread.
        """
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
        said = [line.strip() for line in lines if line.startswith("tshark: ")]
        if not said:
            return f"tshark ended with status {self._child.returncode}"
        old = any(mark in said[-1] for mark in _UNKNOWN)
        return f"{said[-1]} (Wireshark 4.0 or newer with GnuTLS is needed)" if old else said[-1]


def tshark_path() -> str | None:
    """Return where tshark is; None when it is not installed."""
    return program("tshark")


def no_tshark() -> str:
    """Return what to say where it is not."""
    return how_to_install("tshark")


def _handed(key: RsaKey) -> BinaryIO:
    """Return a file that has a key in it."""
    file = private_file()
    try:
        file.write(key.pem())
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


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


def _command(files: Sequence[int], port: int, *, behind_holes: bool) -> list[str]:
    capture, log, *keys = (f"/dev/fd/{descriptor}" for descriptor in files)
    command = [tshark_path() or "tshark", "-n", "-r", capture, "-T", "fields"]
    command += ["-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
    command += ["-o", f"tls.keylog_file:{log}"]
    command += ["-o", f"tls.ignore_ssl_mac_failed:{str(behind_holes).upper()}"]
    for key in keys:
        command += ["-o", f'uat:rsa_keys:"{key}",""']
    for name in _THIEVES:
        command += ["--disable-protocol", name]
    # With SIP, or any other protocol, on top, records would be put together.
    command += ["-d", f"tcp.port=={port},tls", "-d", f"tls.port=={port},data"]
    for field in _FIELDS:
        command += ["-e", field]
    return command


def _frame(line: bytes, *, whole: bool) -> TlsFrame | None:
    """Read a line of tshark's; None where it is not one of the expected form."""
    fields = line.rstrip(b"\n").split(b"\t")
    if len(fields) != len(_FIELDS):
        return None
    number, kinds, opaque, lengths, data = fields
    try:
        plain = tuple(data.split(b",")) if data and whole else ()
        return TlsFrame(int(number), not whole or _unread(kinds, opaque, lengths, plain), plain)
    except ValueError:
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


def _count(values: bytes) -> int:
    return values.count(b",") + 1 if values else 0


class DecryptedSource:
    """A source, and what was decrypted of it: from offset ``PLAINTEXT`` on."""

    def __init__(self, source: Source, plaintext: Spool) -> None:
        self.name = source.name
        self.problem: Malformed | None = source.problem
        self.conversion = source.conversion
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
