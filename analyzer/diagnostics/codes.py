"""What ms-diagnostics ids, SIP statuses and codes of replies mean in Group Chat.

The tables are those of [MS-OCER] as far as Group Chat meets them; ids compare, reasons differ
between server versions. An id that is not here is told by its range and by the reason that the
server gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import Malformed
from dissectors.sip.ms_headers import ms_diagnostics

if TYPE_CHECKING:
    from analyzer.trace import Trace
    from dissectors.sip.ms_headers import MsDiagnostics


class Code(NamedTuple):
    """One id: the reason as documented, and what it typically means for chat."""

    reason: str
    meaning: str = ""


DIAGNOSTICS: dict[int, Code] = {
    1000: Code("Final handshake failed", "wrong credentials, or no security association"),
    1002: Code(
        "From URI not authorized to communicate with federated partners",
        "the chat pool is in a federated domain that this user may not reach",
    ),
    1003: Code("User does not exist", "of an INVITE to the Lookup service: wrong lookup URI"),
    1004: Code("Route set is no longer valid", "the front end restarted: the dialog is dead"),
    1005: Code("Cannot route to destination domain", "the domain of the lookup URI is wrong"),
    1007: Code("Temporarily cannot route", "the server behind is down"),
    1008: Code("Unable to resolve DNS SRV record", "DNS of the federated domain"),
    1009: Code(
        "Conflicting SRV and host domains",
        "DNS of the federated domain: its SRV names a host of another domain",
    ),
    1010: Code(
        "Certificate trust with next-hop could not be established",
        "certificate problem on the chat server or the Edge server",
    ),
    1011: Code("Diagnostics not provided by previous hop", "look at the server upstream"),
    1013: Code("Significant time skew during authentication", "clocks of client and server differ"),
    1014: Code("Unable to resolve DNS A record", "the name of the chat server is not in DNS"),
    1017: Code("Cannot route From and To domains in this combination", "split domain"),
    4004: Code(
        "Credentials not authorized to act as From URI",
        "signed in with the account of somebody else",
    ),
    4005: Code(
        "Destination URI either not enabled for SIP or does not exist",
        "the lookup or pool URI is missing",
    ),
    4006: Code("User not found in pool", "the account has moved"),
    4011: Code("Epid not present", "the client does not say which device it is"),
    4012: Code("Epid too long", "the client does not say which device it is"),
    5001: Code("Request timed out", "the application server is silent"),
    17002: Code("Invalid protocol client version", "the version filter blocks this client"),
    20000: Code("Chat service busy", "overload, or a message it could not read"),
    20001: Code("Could not initialize session", "the chat service could not begin the session"),
    20002: Code("Missing participant information", "the service does not know who is asking"),
    20003: Code("Rejected session", "the service does not admit this user"),
    20004: Code("Start handling new session failed", "a fault of the chat service"),
    20005: Code("End handling new session failed", "a fault of the chat service"),
    20006: Code(
        "Unknown session", "the service has forgotten the session: it expired or restarted"
    ),
    20007: Code("Chat service error", "a fault of the chat service"),
    20008: Code("Rejected session (inbound queue is full)", "overload"),
    20009: Code(
        "Rejected session (no more endpoints allowed)", "the user is signed in on too many devices"
    ),
    20010: Code(
        "Rejected session (principal not provisioned)",
        "the user is not known to the chat service, or not enabled for it",
    ),
    20011: Code("Rejected message (inbound queue is full)", "overload"),
}
"""[MS-OCER] ms-diagnostics."""

RANGES: tuple[tuple[range, str], ...] = (
    (range(1000), "common"),
    (range(1000, 2000), "SIP stack"),
    (range(2000, 3000), "presence"),
    (range(3000, 4000), "focus of conferences"),
    (range(4000, 5000), "user services"),
    (range(5000, 6000), "applications"),
    (range(6000, 7000), "IM conferencing"),
    (range(7000, 8000), "audio and video conferencing"),
    (range(8000, 9000), "telephony conferencing"),
    (range(9000, 10000), "media relay authentication"),
    (range(10000, 11000), "mediation server"),
    (range(11000, 12000), "metrics"),
    (range(12000, 15000), "voice routing"),
    (range(15000, 16000), "Exchange unified messaging"),
    (range(16000, 17000), "IM filter"),
    (range(17000, 18000), "client version filter"),
    (range(20000, 21000), "Group Chat"),
)

STATUSES: dict[int, str] = {
    301: "the Director sends the client to its home pool",
    401: "a challenge: normal, as long as a later attempt succeeds",
    403: "not allowed: account, credentials or policy",
    404: "the URI does not exist here, or is not enabled for SIP",
    407: "a challenge of a proxy: normal, as long as a later attempt succeeds",
    408: "nobody answered in time",
    480: "the URI is known, but nothing is registered under it now",
    481: "the other side no longer knows the dialog: it expired, or the service restarted",
    487: "of an INVITE: cancelled; from a client to an INFO: it regards the dialog as obsolete",
    503: "the service is overloaded or going down; the client repeats the message",
    504: "a server further on did not answer or cannot be reached",
}
"""RFC 3261 section 21, in the sense that they have in Group Chat."""

OVERLOAD = frozenset({20000, 20008, 20011})
NOT_ADMITTED = frozenset({20003, 20010})
TOO_MANY_ENDPOINTS = 20009
CERTIFICATE = 1010
BAD_CREDENTIALS = frozenset({1000, 4004})
FEDERATION = frozenset({1002, 1008, 1009, 1017})
NO_SUCH_USER = frozenset({1003, 1005, 4005, 4006})
ROUTING = frozenset({1003, 1004, 1005, 1007, 1011, 1014, 5001})
"""Failures to route that no more special group has."""


def range_of(number: int) -> str | None:
    """Return what the range of an id is for; None where no range has it."""
    return next((name for span, name in RANGES if number in span), None)


def explain_diagnostics(number: int, given: str | None = None) -> str:
    """Return ``20000 Chat service busy: overload, or ...``; ``given`` is the server's reason."""
    known = DIAGNOSTICS.get(number)
    if known is not None:
        return f"{number} {known.reason}" + (f": {known.meaning}" if known.meaning else "")
    area = range_of(number)
    return f"{number} {given or ''}".rstrip() + (f": {area}" if area else "")


def diagnostics_of(trace: Trace, row: int) -> MsDiagnostics | None:
    """Return the first ms-diagnostics of a message; None where it has none that can be read."""
    message = trace.message(row)
    if isinstance(message, Malformed):
        return None
    return next((found for _, found in ms_diagnostics(message.headers)), None)


def answer_text(trace: Trace, row: int) -> str:
    """Return ``503 Service Unavailable (20000 Chat service busy: overload, or ...)``."""
    rows = trace.rows
    text = f"{rows.status[row]} {rows.strings.values[rows.reason[row]] or ''}".rstrip()
    found = diagnostics_of(trace, row)
    return text if found is None else f"{text} ({explain_diagnostics(found.id, found.reason)})"


def explain_number(number: int) -> list[str]:
    """Return what a number means: as ms-diagnostics id, SIP status and code of a reply."""
    lines = []
    area = range_of(number)
    if number in DIAGNOSTICS or (area is not None and number >= 1000):
        lines.append(f"ms-diagnostics {explain_diagnostics(number)}")
        if number in DIAGNOSTICS and area is not None:
            lines.append(f"Range: {area}")
    if number in STATUSES:
        lines.append(f"SIP {number}: {STATUSES[number]}")
    if number == 200:
        lines.append("SIP 200: accepted; of an INFO with a command it is no result yet")
        lines.append("Code 200 of a reply (resp): SUCCESS_OK, the command was done")
    elif number < 1000:
        lines.append(
            f"Code {number} of a reply (resp): the command failed; no code but 200 is documented, "
            "the text beside it says why"
        )
    return lines
