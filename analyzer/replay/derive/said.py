"""A message on its way to becoming a turn: who says it, where it belongs, its texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.replay.derive.marks import Marks
from analyzer.replay.script import SERVER

if TYPE_CHECKING:
    from analyzer.replay.derive.cast import Voice
    from analyzer.replay.derive.places import Place
    from dissectors.sip.messages import SipMessage


@dataclass(slots=True)
class Said:
    """One message."""

    row: int
    number: int
    """Of the turn, from 1."""
    voice: Voice
    dialog: str
    message: SipMessage
    asked: int | None
    """Of a response: the row of its request."""
    live: bool = True
    start: Marks = field(default_factory=lambda: Marks(""))
    headers: list[tuple[str, str, Marks]] = field(default_factory=list)
    """Name as written, name as it compares, value."""
    body: Marks = field(default_factory=lambda: Marks(""))
    binary: bytes = b""
    places: tuple[Place, ...] = ()
    """Of a body that is XML."""
    xccos: bool = False

    @property
    def turn(self) -> str:
        """The id of the turn."""
        return f"t{self.number}"

    @property
    def client(self) -> str:
        """The client in whose conversation it is."""
        return self.voice.client

    @property
    def by(self) -> str:
        """The party that says it, hosts being the server."""
        return self.client if self.voice.from_client else SERVER

    @property
    def to(self) -> str:
        """The party that hears it."""
        return SERVER if self.voice.from_client else self.client

    @property
    def is_request(self) -> bool:
        """Say whether it is a request."""
        return self.message.kind == "request"

    @property
    def asker(self) -> str:
        """The party whose request it is, or answers."""
        return self.by if self.is_request else self.to

    @property
    def asked_party(self) -> str:
        """The party that the request went to."""
        return self.to if self.is_request else self.by

    @property
    def method(self) -> str:
        """The method, of a response that of its request."""
        return (self.message.method or self.message.cseq_method or "").upper()

    @property
    def items(self) -> tuple[str, ...]:
        """The items of an XCCOS body by their ids, in lower case: ``cmd:join``."""
        if not self.xccos:
            return ()
        return tuple(
            dict.fromkeys(
                place.steps[0].partition("[")[0].lower() for place in self.places if place.steps
            )
        )

    def marks(self, name: str) -> Marks | None:
        """Return the value of the first header of a name (as it compares)."""
        return next((marks for _, known, marks in self.headers if known == name), None)
