"""Between whom SIPE spoke: its log names the ends of a connection apart from the messages.

The one rule: what the log says of a connection comes before what its messages tell. Newer versions
write both ends of each connection, with its number, before the first message; of older ones the
topmost Via tells who sent a request, on which of the two sides (RFC 3261 section 18.1.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.capture.text.raw_sip import topmost_via

if TYPE_CHECKING:
    from dissectors.capture.text.values import TextMessage

MAX_WAITING = 256
"""Messages that wait for the other side to be told; a sign-in has some dozens."""
MAX_CONNECTIONS = 4096

_LOCAL = re.compile(r"transport_get_socket_info: (\S{1,300}:\d{1,5})\((0x[0-9A-Fa-f]{1,16})\)")
_PEER = re.compile(r"sip_transport_connected: '(\S{1,300}:\d{1,5})'\((0x[0-9A-Fa-f]{1,16})\)")
_SERVER = re.compile(r"sipe_core_connect: user specified SIP server (\S{1,300}:\d{1,5})\s*$")
# A route, or a request that goes to the server itself: <sip:pool01.contoso.com:5061;transport=tls>
_ROUTE = re.compile(
    rb"\r\n(?:record-route|route)[ \t]*:[ \t]*"
    rb"<sips?:(?:[^@>;\r]{0,255}@)?([^>;\r\s]{1,255})",
    re.IGNORECASE,
)
_REGISTRAR = re.compile(rb"REGISTER sips?:([^;\s@]{1,255})")


class Ends:
    """Gives messages, in their order, the two sides of their connections."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] = {}
        self._server = ""
        self._waiting: list[TextMessage] = []

    def said(self, text: str) -> None:
        """Take a line that is part of no message."""
        if "sip" not in text:
            return
        for side, pattern in enumerate((_LOCAL, _PEER)):
            found = pattern.search(text[:1024])
            if found is not None:
                ends = self._of(found[2])
                if all(ends):  # the number of a connection that has ended is used again
                    self._settle()
                    ends[1 - side] = ""
                ends[side] = found[1]
                return
        found = _SERVER.search(text[:1024])
        if found is not None:
            self._server = found[1]

    def add(self, message: TextMessage) -> None:
        """Take a message."""
        ends = self._of(message.connection)
        transport, host = topmost_via(message.data)
        own = message.outgoing != message.data.startswith(b"SIP/2.0 ")
        if host and not ends[0 if own else 1]:
            ends[0 if own else 1] = _with_port(host, transport)
        self._waiting.append(message)

    def ready(self) -> list[TextMessage]:
        """Return the messages whose sides are known, up to the first one of which they are not."""
        if len(self._waiting) >= MAX_WAITING:
            return self.close()
        count = 0
        for message in self._waiting:
            if not all(self._of(message.connection)):
                break
            count += 1
        return self._take(count)

    def close(self) -> list[TextMessage]:
        """Return all messages; a side that nothing tells is guessed from routes and domain."""
        self._settle()
        return self._take(len(self._waiting))

    def _settle(self) -> None:
        for message in self._waiting:
            ends = self._of(message.connection)
            if not ends[1]:
                ends[1] = self._server or _server_in(message)
        self._waiting = [self._ended(message) for message in self._waiting]

    def _of(self, connection: str) -> list[str]:
        if connection not in self._known:
            if len(self._known) >= MAX_CONNECTIONS:
                self._known.clear()
            self._known[connection] = ["", ""]
        return self._known[connection]

    def _ended(self, message: TextMessage) -> TextMessage:
        if message.peer:
            return message
        local, peer = self._of(message.connection)
        return message._replace(local=local, peer=peer or "server:0")

    def _take(self, count: int) -> list[TextMessage]:
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return [self._ended(message) for message in taken]


def _with_port(host: str, transport: str) -> str:
    """Return a sent-by with its port; the default one is that of the transport (section 18.1.1)."""
    if host.rpartition("]")[2].count(":") == 1:
        return host
    return f"{host}:{5061 if transport == 'tls' else 5060}"


def _server_in(message: TextMessage) -> str:
    """Return the server that a message of the client names, with port 0 where it names none."""
    if not message.outgoing:
        return ""
    found = _ROUTE.search(message.data) or _REGISTRAR.match(message.data)
    if found is None:
        return ""
    name = found[1].decode("utf-8", "replace")
    return name if re.search(r":\d{1,5}$", name) else f"{name}:0"
