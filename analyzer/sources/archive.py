"""ZIP archives: which members are captures, logs or keys, and the bytes of each.

The one rule: an archive is never unpacked to disk. Names in it are names and no paths, every member
is a bounded stream, and what a damaged one gave before the damage is used, with one line about it.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self, cast

from analyzer.sources.files import STANDARD_INPUT, SourceError
from analyzer.sources.member import LOCAL_HEADER, MAGIC, METHODS, Budget, MemberStream
from analyzer.sources.spool import GZIP_MAGIC, ZSTD_MAGIC, GzipDecoder, ZstdDecoder
from dissectors.capture.detect import READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zipfile import ZipFile, ZipInfo

EMPTY_MAGIC = b"PK\x05\x06"

MAX_MEMBERS = 10_000
"""Members of one archive. A collection of the logs of a whole pool has hundreds."""
MAX_DIRECTORY = 4 << 20
"""Bytes of the list of members, which is held whole: 400 for each."""
HEAD = 1 << 16
"""Bytes of a member that are looked at to tell what it is."""

KEY_SUFFIXES = (".keylog", ".pem", ".p12", ".pfx", ".key", ".der")
KEY_NAMES = ("sslkeylog", "keylog")
KEY_TEXTS = (b"CLIENT_RANDOM ", b"# SSL/TLS secrets", b"-----BEGIN ", b"RSA Session-ID:")

_ARCHIVES = {
    MAGIC: "a ZIP archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"MSCF": "a cabinet archive",
}
_TAR_AT, _TAR = 257, b"ustar"
_CAPTURES = (*READERS, b"GMBU", b"RTSS", b"snoop\0\0\0")
# The library could unpack bzip2 and LZMA as well, but in steps without a bound. Windows takes
# Deflate64 for members of more than 2 GB.
_OTHER_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 95: "xz", 98: "PPMd"}
_ENCRYPTED = 1  # bit of the flags, APPNOTE.TXT 4.4.4
_END = struct.Struct("<4s4H2IH")  # end of central directory, APPNOTE.TXT 4.3.16
_END_MAGIC = b"PK\x05\x06"
_LOCATOR = struct.Struct("<4sIQI")  # of the ZIP64 one, 4.3.15
_LOCATOR_MAGIC = b"PK\x06\x07"
_END_64_MAGIC = b"PK\x06\x06"
_END_64 = struct.Struct("<4sQ2H2I4Q")  # 4.3.14
_MAX_COMMENT = 1 << 16
_OVERLAPS = "it overlaps another member"
NO_INPUT = "it is no capture and no trace"
"""Why most members are not read: letters, pictures, configurations."""


class Member(NamedTuple):
    """A capture or log in an archive."""

    name: str
    """As written in the archive: never a path to be opened."""
    size: int
    """Bytes when unpacked, as the archive claims."""
    position: int
    """In the archive's own list: names may occur twice."""


class Ignored(NamedTuple):
    """A member that is not read."""

    name: str
    reason: str


class Archive:
    """The members of an archive that is open; to be closed."""

    def __init__(self, name: str, file: ZipFile) -> None:
        """Take an archive that the library has opened from the disk."""
        self.name = name
        self.members: list[Member] = []
        """Captures and logs, in the order of the archive."""
        self.key_logs: list[str] = []
        """Names of members that look like keys."""
        self.keys: list[Member] = []
        """The same members, to be opened by whoever was told to use them."""
        self.ignored: list[Ignored] = []
        self._file = file
        self._descriptor = cast("BinaryIO", file.fp).fileno()
        self._budget = Budget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive; streams of its members end."""
        self._file.close()

    def open(self, member: Member) -> MemberStream:
        """Return the bytes of a member, unpacked as they are read.

        Several may be open at once. Raises ``SourceError`` when the member cannot be opened.
        """
        try:
            return self._stream(self._file.infolist()[member.position])
        except _failures() as error:
            raise SourceError(f"{member.name} in {self.name}: {_told(error)}") from None

    def _stream(self, info: ZipInfo) -> MemberStream:
        return MemberStream(self._descriptor, info, self._budget)

    def sort(self, is_input: Callable[[bytes], bool]) -> None:
        """Put each member where it belongs; called once, by ``members``."""
        infos = self._file.infolist()
        if len(infos) > MAX_MEMBERS:
            raise SourceError(f"{self.name} has {len(infos)} members, more than {MAX_MEMBERS}")
        overlapping = _overlapping(infos)
        for position, info in enumerate(infos):
            if info.is_dir():
                continue
            reason = _refusal(info) or (_OVERLAPS if position in overlapping else "")
            head = b""
            if not reason and not is_key(info.filename):
                head, reason = self._look(info)
            if is_key(info.filename) or head.startswith(KEY_TEXTS):
                self.key_logs.append(info.filename)
                if not reason:
                    self.keys.append(Member(info.filename, info.file_size, position))
            elif reason := reason or _what_else(head, is_input):
                self.ignored.append(Ignored(info.filename, reason))
            else:
                self.members.append(Member(info.filename, info.file_size, position))

    def _look(self, info: ZipInfo) -> tuple[bytes, str]:
        """Return the first bytes of a member; or why there are none."""
        try:
            with self._stream(info) as stream:
                head = io.BufferedReader(stream, HEAD).read(HEAD)
                return head, "" if head else stream.problem or "it is empty"
        except _failures() as error:
            return b"", _told(error)


def members(path: str | Path, is_input: Callable[[bytes], bool]) -> Archive:
    """Open a ZIP archive and look at the first bytes of each member.

    ``is_input`` says of first bytes whether a trace of some kind begins with them; captures are
    known here. Raises ``SourceError`` when the archive cannot be read, or is too large.
    """
    name = str(path)
    if name == STANDARD_INPUT:
        raise SourceError("a ZIP archive cannot be read from standard input: give the file's name")
    from zipfile import ZipFile  # 8 ms, and few inputs are archives

    try:
        if reason := _unfit(name):
            raise SourceError(f"{name} is no ZIP archive that can be read: {reason}")
        archive = Archive(name, ZipFile(name))
    except _failures() as error:
        raise SourceError(f"{name} is no ZIP archive that can be read: {_told(error)}") from None
    try:
        archive.sort(is_input)
    except BaseException:
        archive.close()
        raise
    return archive


def is_archive(head: bytes) -> bool:
    """Tell a ZIP archive by its first 4 bytes."""
    return head.startswith((MAGIC, EMPTY_MAGIC))


def is_key(name: str) -> bool:
    """Tell a name of keys: a key log, a certificate with its key."""
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return last.startswith(KEY_NAMES) or last.endswith(KEY_SUFFIXES)


def _failures() -> tuple[type[Exception], ...]:
    """Return what the library raises for files that are not as they should be."""
    from zipfile import BadZipFile

    # RuntimeError: a password is needed, or a method is not known.
    return (
        *(OSError, EOFError, ValueError, RuntimeError, OverflowError, MemoryError),
        *(BadZipFile, zlib.error, struct.error),
    )


def _told(error: Exception) -> str:
    """Return one line for people."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    return f"it is damaged ({text})" if text else "it is damaged"


def _unfit(name: str) -> str:
    """Say why the list of members is not read: missing, or too large to be held."""
    with Path(name).open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        at = max(size - _MAX_COMMENT - _END.size, 0)
        file.seek(at)
        tail = file.read()
        found = tail.rfind(_END_MAGIC)
        if found < 0 or len(tail) - found < _END.size:
            return "the list of members at its end is missing; was it cut short?"
        _, _, _, _, number, length, _, _ = _END.unpack_from(tail, found)
        # The library looks for the one of ZIP64 right before it.
        locator = tail[max(found - _LOCATOR.size, 0) : found]
        if locator.startswith(_LOCATOR_MAGIC) and len(locator) == _LOCATOR.size:
            file.seek(max(at + found - _LOCATOR.size - _END_64.size, 0))
            end = file.read(_END_64.size)
            if end.startswith(_END_64_MAGIC) and len(end) == _END_64.size:
                number, length = _END_64.unpack(end)[7:9]
    if length > MAX_DIRECTORY:
        return f"its list of members has {length} bytes, more than {MAX_DIRECTORY}"
    return f"it has {number} members, more than {MAX_MEMBERS}" if number > MAX_MEMBERS else ""


def _overlapping(infos: Iterable[ZipInfo]) -> set[int]:
    """Return which members share bytes of the file with another: a bomb, or damage."""
    found: set[int] = set()
    end, last = 0, -1
    places = sorted((info.header_offset, index, info) for index, info in enumerate(infos))
    for start, index, info in places:
        if last >= 0 and start < end:
            found |= {last, index}
        stop = start + LOCAL_HEADER + len(info.orig_filename) + info.compress_size
        if stop >= end:
            end, last = stop, index
    return found


def _refusal(info: ZipInfo) -> str:
    """Say why a member cannot be unpacked; an empty string where it can."""
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted with a password; unpack it first"
    if info.compress_type not in METHODS:
        method = _OTHER_METHODS.get(info.compress_type, f"method {info.compress_type}")
        return f"it is compressed with {method}; unpack it first"
    return ""


def _what_else(head: bytes, is_input: Callable[[bytes], bool]) -> str:
    """Say what a member is that is no input; an empty string where it is one."""
    for magic, name in _ARCHIVES.items():
        if head.startswith(magic):
            return f"it is {name} inside the archive; unpack it first"
    if head[_TAR_AT:].startswith(_TAR):
        return "it is a tar archive inside the archive; unpack it first"
    if head.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
        plain = _unpacked(head)
        return _what_else(plain, is_input) if _is_plain(plain) else "it is compressed twice"
    return "" if head.startswith(_CAPTURES) or is_input(head) else NO_INPUT


def _is_plain(head: bytes) -> bool:
    return not head.startswith((GZIP_MAGIC, ZSTD_MAGIC))


def _unpacked(head: bytes) -> bytes:
    """Return the first bytes that a compressed member unpacks to."""
    decoder = GzipDecoder() if head.startswith(GZIP_MAGIC) else ZstdDecoder()
    plain = b""
    for piece in decoder.decode(head):
        plain += piece
        if len(plain) >= HEAD:
            break
    return plain[:HEAD]
