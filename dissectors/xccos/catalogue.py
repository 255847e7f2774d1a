"""The ids that are known, and what they mean in words for people.

The rule that matters: this table explains, it never decides. An id that is not here is shown as it
is. Listed are ids seen on the wire or used by implementations that work, and the replies that
follow from their commands (evidence ``I``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dissectors.xccos.messages import ID_PREFIXES, base_name

Direction = Literal["to server", "to client", "both"]
Evidence = Literal["W", "C", "I"]
"""``W`` seen on the wire, ``C`` in an implementation or stated by Microsoft, ``I`` inferred."""


@dataclass(frozen=True, slots=True)
class Known:
    """One id."""

    id: str
    """In lower case, with its prefix."""
    meaning: str
    replies: tuple[str, ...]
    """Ids that answer it; for a reply the ids of the commands it answers."""
    direction: Direction
    evidence: Evidence


def _command(name: str, meaning: str, evidence: Evidence, *replies: str) -> Known:
    ids = tuple(f"rpl:{reply}" for reply in replies or (name,))
    return Known(f"cmd:{name}", meaning, ids, "to server", evidence)


def _reply(name: str, meaning: str, evidence: Evidence, *commands: str) -> Known:
    ids = tuple(f"cmd:{command}" for command in commands or (name,))
    return Known(f"rpl:{name}", meaning, ids, "to client", evidence)


def _notice(name: str, meaning: str, evidence: Evidence) -> Known:
    return Known(f"ntc:{name}", meaning, (), "to client", evidence)


COMMANDS = (
    _command("requri", "ask the lookup service for a channel server", "C"),
    _command("getserverinfo", "ask for limits and configuration of the server", "W",
             "getserverinfo", "getservinfo"),
    _command("getpref", "fetch a preference document", "W"),
    _command("setpref", "store a preference document", "W"),
    _command("bjoin", "join several rooms at once", "C"),
    _command("join", "join a room", "C"),
    _command("part", "leave a room", "C"),
    _command("bccontext", "fetch the recent history of a room", "C"),
    _command("chansrch", "search for rooms", "C"),
    _command("getinv", "ask for pending invitations", "W"),
    _command("getfutok", "ask for a token to upload a file", "W", "getftok"),
    _command("getfdtok", "ask for a token to download a file", "W", "getftok"),
    _command("nodespermcreatechild", "ask in which categories rooms may be created", "W"),
)  # fmt: skip

REPLIES = (
    _reply("requri", "address of the channel server", "C"),
    _reply("getserverinfo", "limits and configuration of the server", "C"),
    _reply("getservinfo", "limits and configuration of the server", "W", "getserverinfo"),
    _reply("getpref", "a preference document, or that there is no newer one", "I"),
    _reply("setpref", "result of storing a preference document", "I"),
    _reply("bjoin", "rooms joined, their members, and rooms that failed", "C"),
    _reply("join", "the room joined and its members", "C"),
    _reply("part", "the room left", "C"),
    _reply("bccontext", "recent history of a room", "C"),
    _reply("chansrch", "rooms found", "C"),
    _reply("getinv", "pending invitations", "I"),
    _reply("getftok", "token and address for a file transfer", "W", "getfutok", "getfdtok"),
    _reply("nodespermcreatechild", "categories in which rooms may be created", "W"),
)

NOTICES = (
    _notice("join", "users entered a room", "C"),
    _notice("bjoin", "users entered rooms", "C"),
    _notice("part", "users left a room", "C"),
)

CHAT = Known("grpchat", "chat message", (), "both", "C")

KNOWN = {entry.id: entry for entry in (*COMMANDS, *REPLIES, *NOTICES, CHAT)}

RESP_CODES = {"200": "SUCCESS_OK"}
"""The only ``resp@code`` evidenced; any other is a failure whose text says which."""

URNS = {
    "urn:parlano:ma:info:ucnt": "number of participants",
    # The misspelling is that of the protocol; the right spelling is taken for the same.
    "urn:parlano:ma:info:visibilty": "visibility",
    "urn:parlano:ma:info:visibility": "visibility",
    "urn:parlano:ma:prop:filepost": "files may be posted",
    "urn:parlano:ma:prop:invite": "members are invited",
    "urn:parlano:ma:prop:logged": "history is kept",
}
"""Meaning of the ``id`` of ``info`` and ``prop``."""

PERMISSIONS = {
    2: "manage",
    4: "create children",
    7: "join",
    8: "chat",
    10: "read history when not joined",
    11: "see the room",
    12: "chat in an auditorium",
    13: "bypass visibility",
}
"""Bits of ``aib@key``, counted from 0, by the permission table of the server's database; that the
key is this mask is inferred. 3984 is an ordinary member, 12276 a manager."""


MAX_BITS = 64
"""A mask is a number of the wire; nothing wider than 64 bits is one."""


def known(identifier: str) -> Known | None:
    """Return the entry of an id such as ``cmd:join``, in any case; None when it is not known."""
    return KNOWN.get(identifier.lower())


def meaning(identifier: str) -> str:
    """Return what an id means in one line; ``unknown command`` and so on where it is not known."""
    entry = known(identifier)
    if entry is not None:
        return entry.meaning
    prefix, colon, _ = identifier.lower().partition(":")
    return f"unknown {ID_PREFIXES.get(prefix, 'item') if colon else 'item'}"


def reply_aliases(command_name: str) -> tuple[str, ...]:
    """Return the names of replies that may answer a command, names without prefix, any case.

    An unknown command is answered by the reply of its own name.
    """
    name = base_name(command_name)
    entry = KNOWN.get(f"cmd:{name}")
    return (name,) if entry is None else tuple(base_name(reply) for reply in entry.replies)


def permissions(key: int) -> tuple[str, ...]:
    """Return the names of the bits set in ``aib@key``, lowest first; ``bit 5`` for unknown ones.

    Only bits below ``MAX_BITS`` are looked at; a negative number has none.
    """
    if key < 0:
        return ()
    return tuple(
        PERMISSIONS.get(bit, f"bit {bit}")
        for bit in range(min(key.bit_length(), MAX_BITS))
        if key >> bit & 1
    )
