"""TLS that stays closed: where SIP is probably inside, and which key would open it.

The one rule: uploads and other people's web traffic are encrypted as they should be, and no
finding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.diagnostics.reading import listed
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.flows.uploads import talk_of, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.diagnostics.rule import Case, Confidence
    from analyzer.quality import OtherConnection

SIP_PORT = ":5061"
"""SIP over TLS (RFC 3261 section 18)."""
WEB_PORT = ":443"
"""Clients outside reach SIP there too; web services as well."""
SHOWN_FRAMES = 20
MAX_HELLOS = 3
"""Client randoms in one sentence."""
_RANDOM = slice(11, 43)
"""Of a ClientHello in the first record of a connection (RFC 5246 section 7.4.1.2)."""
_NAMES_TLS = re.compile(r"\bTLS\b")


def _closed(case: Case) -> Iterator[Hit]:
    quality = case.trace.quality
    count = quality.services.get("TLS", 0)
    reasons = [note for note in quality.notes if _NAMES_TLS.search(note)]
    if not len(case.rows):
        if count:
            closed = [one for one in quality.others or () if one.service == "TLS"]
            text = (
                f"there is no SIP that can be read, and {_amount(count)}: signalling may "
                f"be inside; {_why(reasons)}{_key(closed)}"
            )
            yield Hit(text, (), None, _sure(closed), _frames(closed), severity="warning")
        return
    found = list(_suspects(case)) if count else []
    if found:
        ends = listed([f"{one.opener} to {one.responder}" for one in found])
        text = (
            f"{_amount(len(found))} to hosts of this SIP ({ends}): sessions in there are not "
            f"shown; {_why(reasons)}{_key(found)}"
        )
        yield Hit(text, (), None, _sure(found), _frames(found), severity="warning")
    for reason in reasons:
        if "read to the end" in reason:
            yield Hit(reason.rstrip("."), ())


def _sure(found: list[OtherConnection]) -> Confidence:
    on_port = any(one.responder.endswith(SIP_PORT) for one in found)
    return "likely" if on_port else "possible"


def _amount(count: int) -> str:
    return f"{count} TLS connection{'s' if count > 1 else ''} that cannot be read"


def _suspects(case: Case) -> Iterator[OtherConnection]:
    """Yield TLS connections on SIP's port, or on that of the web to a server of SIP."""
    hosts = {_ip(one.responder) for one in case.trace.connections}
    files: set[str] | None = None
    for one in case.trace.quality.others or ():
        if one.service != "TLS":
            continue
        if one.responder.endswith(SIP_PORT):
            yield one
        elif one.responder.endswith(WEB_PORT) and _ip(one.responder) in hosts:
            files = _file_hosts(case) if files is None else files
            if (talk_of(one).host or _ip(one.responder)) not in files:
                yield one


def _file_hosts(case: Case) -> set[str]:
    """Return the hosts that file tokens name."""
    return {
        token.host
        for view in case.sessions
        for name in ("getfutok", "getfdtok")
        for command in view.named(name)
        if (token := token_of(view, command)) is not None
    }


def _ip(address: str) -> str:
    return address.rpartition(":")[0]


def _why(reasons: list[str]) -> str:
    return f"{reasons[0].rstrip('.')}" if reasons else "no keys"


def _key(found: list[OtherConnection]) -> str:
    """Say which lines of a key log would open the connections."""
    randoms = [
        one.sent[_RANDOM].hex()
        for one in found
        if len(one.sent) >= _RANDOM.stop and (one.sent[0], one.sent[5]) == (22, 1)
    ]
    if not randoms:
        return ""
    lines = ", ".join(randoms[:MAX_HELLOS])
    return f"; a key log needs the secrets of client random {lines}"


def _frames(found: list[OtherConnection]) -> tuple[int, ...]:
    return tuple(frame for one in found for frame in one.frames[:1])[:SHOWN_FRAMES]


RULES: tuple[Rule, ...] = (
    Rule(
        "GC905",
        "note",
        "TLS that could not be decrypted",
        "A connection that probably carries SIP is encrypted and there is no key for it: its "
        "sessions are not in what is shown. It is a warning on the ports of SIP (5061, and 443 "
        "to a server that also speaks SIP here), or where there is no SIP at all.",
        "Give the key log of the client or server with --keylog FILE (SSLKEYLOGFILE, lines of "
        "the client random that is named); or capture where SIP is plain, between the servers.",
        "RFC 3261 section 18; docs/design.md",
        _closed,
    ),
)
