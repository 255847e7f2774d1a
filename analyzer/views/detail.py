"""One message with everything around it: the record of ``xccos show`` (docs/json.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.views.annotations import annotations_record
from analyzer.views.commands import command_record
from analyzer.views.inputs import sightings_record, unseen_names
from analyzer.views.messages import message_record
from dissectors.model import Malformed
from dissectors.notes import NOTES
from dissectors.xccos.catalogue import meaning

if TYPE_CHECKING:
    from analyzer.model import CommandPair
    from analyzer.trace import Trace
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import Element, XccosDocument

Record = dict[str, Any]

NOTE_MEANINGS = {
    "hole": "bytes of this message are missing from the capture",
    "resynchronised": "bytes before this message could not be used; reading resumed at it",
    "folded": "a header value continues on the next line",
    "truncated": "cut short by the capture or by the end of the stream",
    "lf-only": "lines end with LF alone instead of CR LF",
    "no-content-length": "no Content-Length on a stream, where it is needed (RFC 3261 20.14)",
    "bad-content-length": "Content-Length is no number, or does not fit the bytes that follow",
    "not-utf8": "header bytes that are not UTF-8, shown as Latin-1",
    "repeated-header": "a header that may stand once stands several times, with different values",
    "bad-header": "a header line without a colon or without a name",
    "bad-start-line": "a start line that RFC 3261 does not allow, but that can be read",
    "missing-header": "Call-ID, CSeq, From, To or Via is absent (RFC 3261 8.1.1)",
    "bad-xccos": "the XCCOS body is not well-formed, or is refused (DTD, limits)",
    "icmp-quoted": "quoted in an ICMP error: it was not delivered",
    "junk-before": "bytes before the start line of the datagram were passed over",
    "trailing-bytes": "bytes after the message in the same datagram (RFC 3261 18.3: discarded)",
    "compact": "header names in compact form",
    "bad-version": "a SIP version other than 2.0",
    "cseq-mismatch": "the method in CSeq is not that of the request",
}
"""What the notes of a message mean, by their public names."""


def note_meaning(name: str) -> str:
    """Return what a note means; its name where there are no words for it yet."""
    return NOTE_MEANINGS.get(name, name)


def detail_record(trace: Trace, row: int) -> Record:
    """Return one message: its record, its headers, its body, and what it belongs to."""
    message, document = trace.message(row), trace.document(row)
    return {
        **message_record(trace, row),
        "note_meanings": {
            name: note_meaning(name) for bit, name in NOTES.items() if trace.rows.notes[row] & bit
        },
        "belongs_to": belongings(trace, row),
        "seen_in": sightings_record(trace, row),
        "not_seen_in": unseen_names(trace, row),
        "remarks": annotations_record(trace, row),
        **_parsed(message),
        "document": _document_record(document),
    }


def _parsed(message: SipMessage | Malformed) -> Record:
    """Return what parsing the whole message gives."""
    if isinstance(message, Malformed):
        return {"start_line": None, "headers": [], "body": None, "problems": [message.reason]}
    return {
        "start_line": message.start_line.decode("utf-8", "backslashreplace"),
        "headers": [{"name": one.name, "value": one.value} for one in message.headers],
        "body": message.body.decode("utf-8", "backslashreplace") if message.body else None,
        "problems": list(message.problems),
    }


def _document_record(document: XccosDocument | Malformed | None) -> Record | None:
    if document is None:
        return None
    if isinstance(document, Malformed):
        return {"problem": document.reason, "meanings": {}, "notes": [], "root": None}
    ids = [item.id for item in document.items if item.id is not None]
    return {
        "problem": None,
        "meanings": {identifier: meaning(identifier) for identifier in ids},
        "notes": list(document.notes),
        "root": element_record(document.root),
    }


def element_record(element: Element) -> Record:
    """Return an XML element and all that is in it."""
    return {
        "name": element.name,
        "attributes": dict(element.attributes),
        "text": element.text or None,
        "children": [element_record(child) for child in element.children],
    }


def belongings(trace: Trace, row: int) -> Record:
    """Return the transaction, dialog, session and commands that a message is part of."""
    analysis = trace.analysis()
    dialog = analysis.dialog_of.get(row)
    found = None if dialog is None else analysis.dialogs[dialog]
    copy = analysis.copy_of.get(row)
    return {
        "transaction": _transaction(trace, row),
        "dialog": found and {"index": found.index, "role": found.role, "evidence": found.evidence},
        "session": None if found is None else found.session,
        "copy_of": None if copy is None else {"message": copy, "frame": trace.rows.frame[copy]},
        "commands": [command_record(trace, pair) for pair in pairs_with(trace, row)],
    }


def _transaction(trace: Trace, row: int) -> Record | None:
    analysis = trace.analysis()
    index = analysis.transaction_of.get(row)
    if index is None:
        return None
    found = analysis.transactions[index]
    frames = trace.rows.frame
    return {
        "index": index,
        "method": found.method,
        "request": found.request,
        "request_frame": None if found.request is None else frames[found.request],
        "final": found.final,
        "final_frame": None if found.final is None else frames[found.final],
        "status": found.status,
        "latency_ms": found.latency_ms,
        "expects_answer": found.expects_answer,
        "retransmissions": list(found.retransmissions),
    }


def pairs_with(trace: Trace, row: int) -> list[CommandPair]:
    """Return the commands and posts that a message carried, or answered with a reply.

    The SIP answer of a command belongs to it too.
    """
    analysis = trace.analysis()
    index = analysis.transaction_of.get(row)
    transaction = None if index is None else analysis.transactions[index]
    request = None if transaction is None or transaction.final != row else transaction.request
    by_row = _pairs_by_row(trace)
    found = {*by_row.get(row, ()), *(by_row.get(request, ()) if request is not None else ())}
    pairs = (analysis.pairs[number] for number in sorted(found))
    return [
        pair
        for pair in pairs
        if pair.row in {row, request} or any(reply.row == row for reply in pair.replies)
    ]


def _pairs_by_row(trace: Trace) -> dict[int, list[int]]:
    """Return the numbers of the pairs that each message is part of, worked out once."""
    known: dict[int, list[int]] | None = trace.__dict__.get("_pairs_by_row")
    if known is None:
        known = trace.__dict__["_pairs_by_row"] = {}
        for number, pair in enumerate(trace.analysis().pairs):
            for row in {pair.row, *(reply.row for reply in pair.replies)}:
                if row is not None:
                    known.setdefault(row, []).append(number)
    return known
