"""Challenges and credentials: what stands in WWW-Authenticate, Authorization and their like.

The rule: one value is one challenge (RFC 3261 20.44 forbids joining several), read tolerantly and
written so that nothing a peer said can end the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors.sip.fields import NO_PARAMS, Params, split_list, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.messages import SipMessage

Header = tuple[str, str]
"""Name and value."""

CHALLENGE = ("WWW-Authenticate", "Proxy-Authenticate")
"""Of a 401 and of a 407."""
CREDENTIALS = ("Authorization", "Proxy-Authorization")
"""What answers them."""
INFO = ("Authentication-Info", "Proxy-Authentication-Info")
"""What a server that accepted them says."""

MAX_FIELDS = 16
"""Challenges of one message that are read: a server offers one for each scheme and algorithm."""

_SCHEME_RE = re.compile(
    r"[ \t]*([\w!#$%&'*+\-.^`|~]{1,40}+)(?:[ \t]++(?![ \t]*=)(.*))?\Z", re.DOTALL
)
_CONTROL_RE = re.compile(r"[\x00-\x1f\x7f]")


class AuthField(NamedTuple):
    """One challenge, or the credentials that answer it."""

    scheme: str
    """As written: ``NTLM``, ``Digest``; empty where none is named."""
    params: Params = NO_PARAMS

    def get(self, name: str) -> str:
        """Return the value of a parameter without quotes; empty when it is absent."""
        return self.params.get(name) or ""

    def is_of(self, scheme: str) -> bool:
        """Say whether it belongs to a scheme (in any case, RFC 3261 25.1)."""
        return self.scheme.lower() == scheme.lower()


def read_field(value: str) -> AuthField | None:
    """Read one value; None when there is nothing to read.

    The scheme is empty where there is none: Digest's Authentication-Info (RFC 7616 3.5).
    """
    match = _SCHEME_RE.match(value)
    scheme, rest = (match[1], match[2] or "") if match else ("", value)
    params = []
    for part in split_list(rest):
        name, equals, text = part.partition("=")
        if equals:
            params.append((name.strip(), unquote(text.strip())))
    return AuthField(scheme, Params(params)) if scheme or params else None


def fields_of(message: SipMessage, name: str) -> tuple[AuthField, ...]:
    """Return what can be read of all headers of a name, in order."""
    values = message.headers.all(name)[:MAX_FIELDS]
    return tuple(field for field in map(read_field, values) if field is not None)


def quoted(text: str) -> str:
    """Return a quoted string; control characters, which could end the line, are dropped."""
    plain = _CONTROL_RE.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def write_field(scheme: str, params: Iterable[tuple[str, str]]) -> str:
    """Return a value from a scheme (or none) and parameters, quoted where they must be."""
    return f"{scheme} ".lstrip() + ", ".join(f"{name}={value}" for name, value in params)
