"""Notes of a message: what was unusual about it, as bits of one integer.

``NOTES`` gives their public names, which are part of the JSON contract (docs/json.md).
"""

from __future__ import annotations

HOLE = 1  # bytes of this message are missing from the capture
RESYNC = 2  # bytes before this message could not be used; reading resumed at its start line
FOLDED = 4  # a header value continued on the next line
TRUNCATED = 8  # cut short by the capture or the stream
LF_ONLY = 16  # lines ended by LF alone
NO_LENGTH = 32  # no Content-Length on a stream transport
BAD_LENGTH = 64  # Content-Length is not a number, contradicts itself or does not fit the bytes
NOT_UTF8 = 128  # header bytes that are not UTF-8 (shown as Latin-1)
REPEATED = 256  # a header that may stand once stands several times with different values
BAD_HEADER = 512  # a header line without a colon, or an empty name
BAD_START = 1024  # a start line that RFC 3261 does not allow but that can be read
MISSING_HEADER = 2048  # Call-ID, CSeq, From, To or Via is absent
BAD_XCCOS = 4096  # an XCCOS body that is not well-formed, or is refused (DTD, limits)
QUOTED = 8192  # quoted in an ICMP error: it was not delivered
JUNK = 16384  # bytes before the start line of a datagram were passed over
TRAILING = 32768  # bytes after the message in the same datagram (RFC 3261 18.3: discarded)
COMPACT = 65536  # compact header names
BAD_VERSION = 131072  # a SIP version other than 2.0
CSEQ_MISMATCH = 262144  # the method of the CSeq is not that of the request

NOTES: dict[int, str] = {
    HOLE: "hole",
    RESYNC: "resynchronised",
    FOLDED: "folded",
    TRUNCATED: "truncated",
    LF_ONLY: "lf-only",
    NO_LENGTH: "no-content-length",
    BAD_LENGTH: "bad-content-length",
    NOT_UTF8: "not-utf8",
    REPEATED: "repeated-header",
    BAD_HEADER: "bad-header",
    BAD_START: "bad-start-line",
    MISSING_HEADER: "missing-header",
    BAD_XCCOS: "bad-xccos",
    QUOTED: "icmp-quoted",
    JUNK: "junk-before",
    TRAILING: "trailing-bytes",
    COMPACT: "compact",
    BAD_VERSION: "bad-version",
    CSEQ_MISMATCH: "cseq-mismatch",
}


def note_names(bits: int) -> list[str]:
    """Return the public names of the bits that are set, in the order of ``NOTES``."""
    return [name for bit, name in NOTES.items() if bits & bit] if bits else []
