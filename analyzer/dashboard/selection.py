"""What someone looks at, as it stands in the address of the page.

The rule: an address that was sent by somebody else shows the same. What it says wrongly is passed
over and told, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

VIEWS = {
    "open": "Open",
    "overview": "Overview",
    "sessions": "Sessions",
    "flow": "Flow",
    "ladder": "Ladder",
    "commands": "Commands",
    "messages": "Messages",
    "topology": "Topology",
    "rooms": "Rooms",
    "compare": "Compare",
    "findings": "Findings",
    "export": "Take away",
    "replay": "Replay",
}
"""The pages by their names in addresses, in the order of the navigation."""
MAX_VALUE = 2_000
"""Characters of one value: a filter that somebody typed is shorter."""
MAX_MORE = 40
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Selection:
    """What is looked at. Everything in it is in the address."""

    case: str = ""
    """The id of what was opened; empty: nothing."""
    name: str = ""
    """What the case is called: whoever gets the address learns which capture to open."""
    view: str = "overview"
    session: int | None = None
    """Index of a session, from 0; in the address from 1, as everywhere that people read."""
    message: int | None = None
    """Row of a message."""
    filter: str = ""
    """What the filter box says: which messages lists and ladders show."""
    zone: str = ""
    """Name of a time zone; empty: UTC."""
    more: Mapping[str, str] = field(default_factory=dict)
    """What a page needs beyond that: the page of a table, the other side of a comparison."""
    wrong: tuple[str, ...] = ()
    """What the address said and nobody understands, in words."""

    def but(self, **changes: Any) -> Selection:  # noqa: ANN401  (values of fields, or of ``more``)
        """Return this with changes; a name that is no field is a key of ``more``, None removes it.

        Another page begins without the ``more`` of the page before; another case with nothing.
        """
        own = {key: value for key, value in changes.items() if key in _FIELDS}
        rest = {key: value for key, value in changes.items() if key not in _FIELDS}
        kept = dict(self.more)
        base = self
        if own.get("case", self.case) != self.case:
            base = Selection(zone=self.zone, view=self.view)
            kept = {}
        elif own.get("view", self.view) != self.view:
            kept = {}
        more = {key: str(value) for key, value in (kept | rest).items() if value is not None}
        return replace(base, **own, more=more, wrong=())

    def params(self) -> dict[str, str]:
        """Return what stands in the address, defaults left out."""
        found = {
            "case": self.case,
            "of": self.name,
            "view": self.view if self.view != "overview" else "",
        }
        if self.session is not None:
            found["session"] = str(self.session + 1)
        if self.message is not None:
            found["message"] = str(self.message)
        found |= {"filter": self.filter, "zone": self.zone}
        return {key: value for key, value in (found | dict(self.more)).items() if value}

    def href(self, **changes: Any) -> str:  # noqa: ANN401  (as for ``but``)
        """Return the address with changes, for a link: ``?case=...&view=ladder``."""
        return "?" + urlencode(self.but(**changes).params())


_FIELDS = {one.name for one in fields(Selection)} - {"more", "wrong"}


def parse_selection(params: Mapping[str, str]) -> Selection:
    """Return what an address says; whatever it says."""
    wrong: list[str] = []
    given = {key: value for key, value in list(params.items())[:MAX_MORE] if value}
    for key, value in list(given.items()):
        if len(value) > MAX_VALUE or "\x00" in value:
            wrong.append(f"the {key[:20]} in the address is too long")
            del given[key]
    view = given.pop("view", "overview")
    if view not in VIEWS:
        wrong.append(f"there is no page {view[:40]!r}")
        view = "overview"
    session = _number(given.pop("session", ""), "session", wrong, first=1)
    message = _number(given.pop("message", ""), "message", wrong)
    return Selection(
        case=given.pop("case", ""),
        name=given.pop("of", ""),
        view=view,
        session=None if session is None else session - 1,
        message=message,
        filter=given.pop("filter", ""),
        zone=given.pop("zone", ""),
        more=given,
        wrong=tuple(wrong),
    )


def _number(text: str, name: str, wrong: list[str], first: int = 0) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or int(text) < first:
        wrong.append(f"{text[:40]!r} in the address is no number of a {name}")
        return None
    return int(text)
