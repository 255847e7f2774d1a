"""What stays the same of a message on one hop, wherever it is seen there.

The one rule: addresses and times prove nothing, because there may be NAT between two places and
every input has its own clock. The number of Vias is part of the identity: a proxy adds one to a
request and takes one from a response (RFC 3261 sections 16.6 and 16.7), so that the copy on the
next hop is another message here.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from analyzer.rows import Interned
from dissectors.notes import QUOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.window import Window

Identity = tuple[int, ...]
"""Call-ID, CSeq, status, method, tags, From URI, number of Vias, CRC of the topmost branch."""

# What the receiver adds to the topmost Via: RFC 3261 18.2.1, RFC 3581, [MS-SIPRE] 2.2.1.
_ADDED_TO_VIA = re.compile(rb";(?:received|rport|ms-received-[\w-]+)(?:=[^;,\s]*+)?", re.IGNORECASE)
# Counts line ends, which a text trace may have changed.
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*+:[^\n]*+\n?", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class Fingerprint(NamedTuple):
    """Hashes of the bytes of a message, without what may differ between a capture and a trace."""

    head: bytes
    body: bytes


def identities(traces: Sequence[Window]) -> list[dict[Identity, list[int]]]:
    """Return the rows of each identity, of each input; identities compare between inputs.

    What an ICMP error quotes was not seen on its way, and is left out.
    """
    strings: Interned[str] = Interned()
    cseqs: Interned[tuple[int, str]] = Interned()
    found = []
    for trace in traces:
        rows = trace.rows
        text = [strings.id(value) for value in rows.strings.values].__getitem__
        cseq = [cseqs.id(value) for value in rows.cseqs.values].__getitem__
        keys = zip(
            map(text, rows.call_id),
            map(cseq, rows.cseq),
            rows.status,
            map(text, rows.method),
            map(text, rows.from_tag),
            map(text, rows.to_tag),
            map(text, rows.from_uri),
            rows.vias,
            rows.branch,
            strict=True,
        )
        groups: dict[Identity, list[int]] = {}
        for row, (key, notes) in enumerate(zip(keys, rows.notes, strict=True)):
            if not notes & QUOTED:
                groups.setdefault(key, []).append(row)
        found.append(groups)
    return found


def is_identified(key: Identity) -> bool:
    """Tell whether a message has Call-ID and CSeq; without them only its bytes identify it."""
    return bool(key[0] and key[1])


def fingerprint(raw: bytes) -> Fingerprint:
    """Return the fingerprint of a message: all white space and Content-Length left out.

    Text traces end lines in their own way and break long ones.
    """
    head, *rest = _BLANK_LINE.split(raw, maxsplit=1)
    head = _ADDED_TO_VIA.sub(b"", _LENGTH.sub(b"", head))
    return Fingerprint(_digest(head.lower()), _digest(rest[0] if rest else b""))


def _digest(data: bytes) -> bytes:
    return blake2b(b"".join(data.split()), digest_size=16).digest()
