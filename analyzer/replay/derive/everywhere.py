"""What may stand in any text of a message, and who marks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analyzer.replay.derive.addresses import Addresses
    from analyzer.replay.derive.people import People
    from analyzer.replay.derive.secrets import Secrets
    from analyzer.replay.derive.tokens import Tokens


class Everywhere(NamedTuple):
    """The markers of what is not told by its place."""

    people: People
    addresses: Addresses
    secrets: Secrets
    tokens: Tokens
