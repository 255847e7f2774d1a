"""Key logs: the secrets of TLS connections, as clients and servers write them down.

The format is that of NSS (draft-ietf-tls-keylogfile); ``SSLKEYLOGFILE`` names such a file. Whatever
an editor, PowerShell or a mail made of it (UTF-16, a byte order mark, CRLF, blanks), its lines are
found. A file without any says what it is instead.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer.sources.files import SourceError
from analyzer.sources.private import private_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

# Key logs grow for months; a line has 200 bytes, so that this is a million of them.
MAX_KEY_LOG = 256 << 20
_MAX_LINE = 4096
_BLOCK = 1 << 16
_HEAD = 1024

_LINE = re.compile(
    rb"\s*+(?:(?P<label>[A-Z][A-Z0-9_]{2,48}+) (?P<id>[0-9A-Fa-f]{16,128}+) [0-9A-Fa-f]{32,512}+"
    rb"|RSA Session-ID:[0-9A-Fa-f]{0,64}+ Master-Key:[0-9A-Fa-f]{96})\s*+"
)
"""Label, client random and secret; after ``RSA`` the beginning of the encrypted secret, or a
session. A hash has 64 bytes at most, and a finite field of Diffie-Hellman 256 (RFC 8446)."""
_RANDOM = 64  # digits


def has_secrets(head: bytes) -> bool:
    """Tell whether the beginning of a file, of whatever encoding, has a line of a key log."""
    return any(_LINE.fullmatch(line) for line in head.replace(b"\0", b"").splitlines())


class KeyLog:
    """Secrets of TLS sessions, to be closed."""

    def __init__(self, name: str, file: BinaryIO, encoding: str | None = None) -> None:
        self.name = name
        self._file = file
        self._encoding = encoding

    def lines(self) -> Iterator[tuple[bytes | None, bytes]]:
        """Yield client random (None: tied to something else) and line, of lines with secrets."""
        for line in self._raw():
            found = _LINE.fullmatch(line)
            if found is None:
                continue
            named = found["id"] is not None and found["label"] != b"RSA"
            yield bytes.fromhex(found["id"].decode()) if named else None, line.strip() + b"\n"

    def secrets_of(self, randoms: Collection[bytes]) -> Iterator[bytes]:
        """Yield the lines of those client randoms."""
        for random, line in self.lines():
            if random is not None and random in randoms:
                yield line

    def why_empty(self) -> str:
        """Return what the file is, in words, where it has no secrets: ``is empty``."""
        self._file.seek(0)
        head = self._file.read(_HEAD)
        if not head.strip(b"\0 \r\n\t"):
            return "is empty"
        text = (head.decode(self._encoding, "ignore").encode() if self._encoding else head).lower()
        for mark, words in _OTHERS:
            if mark in text:
                return words
        return "has no line with a TLS secret"

    def close(self) -> None:
        """Close the file; one made of embedded secrets is gone then."""
        self._file.close()

    def _raw(self) -> Iterator[bytes]:
        self._file.seek(0)
        if self._encoding is None:
            left = MAX_KEY_LOG
            while left > 0 and (line := self._file.readline(_MAX_LINE)):
                left -= len(line)
                yield line
            return
        decoder = codecs.getincrementaldecoder(self._encoding)("ignore")
        held, read = b"", 0
        while read < MAX_KEY_LOG and (block := self._file.read(_BLOCK)):
            read += len(block)
            *whole, held = (held + decoder.decode(block).encode("ascii", "ignore")).split(b"\n")
            yield from whole
            held = held[:_MAX_LINE]
        yield held


_OTHERS = (
    (b"<html", "is a web page, and no key log"),
    (b"<!doctype", "is a web page, and no key log"),
    (b"-----begin", "is a key or certificate, and no key log (an RSA key is for --rsa-key)"),
    (b"\xd4\xc3\xb2\xa1", "is a capture, and no key log"),
    (b"\x0a\x0d\x0d\x0a", "is a capture, and no key log"),
    (b"\x1f\x8b", "is compressed, and no key log"),
    (b"pk\x03\x04", "is compressed, and no key log"),
)


def open_key_log(path: str | Path) -> KeyLog:
    """Open a key log. Raises ``SourceError`` with one line for the user."""
    try:
        plain = Path(path).is_file()
        # Closed by KeyLog.close.
        file = cast("BinaryIO", Path(path).open("rb")) if plain else _member(path)  # noqa: SIM115
        return KeyLog(str(path), file, _encoding(file.read(_HEAD)))
    except OSError as error:
        raise SourceError(f"the key log {path} cannot be opened: {error.strerror}") from None


def _member(path: str | Path) -> BinaryIO:
    """Return a key log in an archive. Raises ``SourceError``; a pipe could not be read twice."""
    from analyzer.sources.named import open_keys

    found = open_keys(path, MAX_KEY_LOG)
    if found is None:
        raise SourceError(f"the key log {path} is not a file")
    return found


def embedded(secrets: Sequence[bytes]) -> KeyLog:
    """Return the secrets that a capture carries as a key log. Raises ``SourceError``."""
    try:
        file = private_file()
        file.write(b"\n".join(secrets))
        file.flush()
    except OSError as error:
        text = f"the secrets in the capture cannot be used: {error.strerror}"
        raise SourceError(text) from None
    return KeyLog("the capture", file)


def _encoding(head: bytes) -> str | None:
    """Return the encoding of a file whose bytes are not ASCII, by how it begins."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pair = head[:64]
    if len(pair) >= 8 and not any(pair[1::2]) and all(pair[::2]):
        return "utf-16-le"
    return "utf-16-be" if len(pair) >= 8 and not any(pair[::2]) and all(pair[1::2]) else None
