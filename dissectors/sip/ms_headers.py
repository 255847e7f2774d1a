"""Headers of Microsoft servers: ms-diagnostics and its variants.

The form ([MS-OCER]) is ``<id>[.<sub>];source="<fqdn>";reason="<text>"[;name="value"]*`` with the
parameters in any order; real servers put blanks after ``;`` and ``=`` and write the name of the
header in several cases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.sip.fields import Params, parse_params

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.messages import Header

DIAGNOSTICS_NAMES = (
    "ms-diagnostics",
    "ms-diagnostics-public",
    "ms-client-diagnostics",
    "x-ms-diagnostics",
)
"""The variants, in lower case: of servers, for federated partners, of clients, of web services."""


@dataclass(frozen=True, slots=True)
class MsDiagnostics:
    """Why a Microsoft server (or client) refused or failed."""

    id: int
    sub: str | None
    """What stands after the dot of the id."""
    params: Params

    @property
    def source(self) -> str | None:
        """The host that says so."""
        return self.params.get("source")

    @property
    def reason(self) -> str | None:
        """In words; the words differ between server versions, the id does not."""
        return self.params.get("reason")


# An id has at most five digits in every list that is published.
_ID_RE = re.compile(r"[ \t]*+([0-9]{1,10}+)(?:\.([0-9A-Za-z]++))?[ \t]*+(?=[;,]|\Z)")


def parse_ms_diagnostics(value: str) -> MsDiagnostics | None:
    """Read the value of an ms-diagnostics header; None when it does not begin with an id."""
    match = _ID_RE.match(value)
    if match is None:
        return None
    return MsDiagnostics(int(match[1]), match[2], parse_params(value[match.end() :]))


def ms_diagnostics(headers: Iterable[Header]) -> tuple[tuple[str, MsDiagnostics], ...]:
    """Return ``(name as written, value)`` of every diagnostics header that can be read."""
    return tuple(
        (header.name, value)
        for header in headers
        if header.name.lower() in DIAGNOSTICS_NAMES
        and (value := parse_ms_diagnostics(header.value)) is not None
    )
