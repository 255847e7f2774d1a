"""Messages of a scenario: what a template keeps, and what SIPp's keywords replace.

The rule: what belongs to the dialog or the transaction is SIPp's (Via, From, To, Call-ID,
CSeq, Route, Record-Route, Content-Length, the target); everything else is the recording's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.fill import is_xml
from analyzer.replay.script import SERVER
from analyzer.replay.sipp.captures import is_kept
from analyzer.replay.sipp.syntax import as_bytes, filled, literal
from analyzer.replay.template import slots_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.replay.script import Turn
    from analyzer.replay.sipp.conversation import Conversation, Exchange
    from analyzer.replay.sipp.values import Values
    from analyzer.replay.template import Template

VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{}]"
CONTACT = "<sip:[local_ip]:[local_port];transport=[transport]>"
REGISTRATION = "registration///"
PEER = "peer"
"""The variable for what the peer calls itself, tag and parameters included: the From of the first
request, the To of its answer (RFC 3261 sections 12.1.1 and 12.1.2)."""
_REPEATED = ("Via", "From", "To", "Call-ID", "CSeq", "Record-Route")
_TAG = re.compile(r";\s*tag=[^<>]*\Z")


class Messages:
    """Writes the messages of one side."""

    def __init__(self, conversation: Conversation, values: Values, ours: str) -> None:
        """Write for the party ``ours``."""
        self._conversation = conversation
        self._values = values
        self._is_server = ours == SERVER
        self.inside = False
        """Whether the dialog was made: its target, route set and tags are known to SIPp."""

    def request(self, exchange: Exchange, branch: int | None = None) -> str:
        """Return a request; ``branch``: of which earlier message (an ACK to a failure)."""
        message = exchange.request.message
        method = message.method
        inside = self.inside and self._conversation.is_inside(exchange)
        start = filled(message.start, self._values.head)
        if inside and branch is None:
            start = f"{literal(method)} [next_url] SIP/2.0"
        lines = [start, VIA.format("" if branch is None else f"-{branch}")]
        lines += ["[routes]"] if inside else []
        lines.append("From: " + self._head(message, "From"))
        lines.append(self._to(message, inside=inside, failed=branch is not None))
        own = self._conversation.is_inside(exchange)
        # SIPp keeps what stands before /// out of its search for the call.
        lines.append("Call-ID: " + ("" if own else REGISTRATION) + "[call_id]")
        lines.append(f"CSeq: [cseq] {literal(method)}")
        return self._with_rest(lines, message, contact=method != "REGISTER")

    def response(self, turn: Turn, request: Turn) -> str:
        """Return a response to what was received last."""
        message = turn.message
        lines = [filled(message.start, self._values.head)]
        lines += [f"[last_{name}:]" for name in _REPEATED]
        to = message.header("To") or ""
        tag = _TAG.search(to)
        if tag and not _TAG.search(request.message.header("To") or ""):
            lines[3] += filled(to[tag.start() :], self._values.head)
        return self._with_rest(lines, message, contact=message.method != "REGISTER")

    def plain_response(self, status: str = "200 OK") -> str:
        """Return a response without anything of its own."""
        lines = (f"[last_{name}:]" for name in _REPEATED)
        return "\n".join((f"SIP/2.0 {status}", *lines, "Content-Length: 0"))

    def _to(self, message: Template, *, inside: bool, failed: bool) -> str:
        if failed:  # an ACK has the To of the response (RFC 3261 section 17.1.1.3)
            return "[last_To:]"
        return "To: " + (f"[${PEER}]" if inside else self._head(message, "To"))

    def _head(self, message: Template, name: str) -> str:
        return filled(message.header(name) or "", self._values.head)

    def _with_rest(self, lines: list[str], message: Template, *, contact: bool) -> str:
        for name, value in message.headers:
            if name.lower() in ("from", "to") or not is_kept(name):
                continue
            own = contact and name.lower() in ("contact", "m") and self._is_unknown(value)
            lines.append(f"{name}: {CONTACT if own else filled(value, self._values.head)}")
        body = self._body(message)
        lines.append("Content-Length: " + ("[len]" if body else "0"))
        return "\n".join(lines) + (f"\n\n{body}" if body else "")

    def _is_unknown(self, contact: str) -> bool:
        """Return whether a Contact is to be SIPp's own address.

        A server's always is; a client's gruu (MS-CONMGMT) where its registrar did not tell it.
        """
        return self._is_server or not all(map(self._values.is_known, slots_of(contact)))

    def _body(self, message: Template) -> str:
        if message.binary:
            return as_bytes(message.binary)
        expression = self._values.xml if is_xml(message.body) else self._values.head
        return filled(message.body, expression, lines=True)


def wanted_of(turns: Iterable[Turn]) -> frozenset[str]:
    """Return the names of the slots that messages use."""
    messages = [turn.message for turn in turns]
    kept = (value for one in messages for name, value in one.headers if is_kept(name))
    texts = (text for one in messages for text in (one.start, one.body))
    return frozenset(name for text in (*kept, *texts) for name in slots_of(text))
