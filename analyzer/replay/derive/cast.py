"""Who speaks: the parties of a script, and whose each message is.

The rule: a client is a user at one endpoint; everything behind the clients' connections is the
server. What passes between hosts behind it is kept for a regenerated capture only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.derive.strangers import Strangers
from analyzer.replay.derive.wires import Wires
from analyzer.replay.script import SERVER, Party
from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Container

    from analyzer.dialogs import DialogDraft
    from analyzer.replay.derive.recording import Recording
    from analyzer.sessions.view import SessionView


class Voice(NamedTuple):
    """Whose a message is."""

    client: str
    """Party in whose conversation it is."""
    speaker: str
    listener: str
    connection: str
    from_client: bool
    """The client said it, on whatever hop it was seen."""
    hop: bool
    """It was seen between hosts behind the server."""
    copy_of: int | None
    """Row of the same message on the client's connection."""


class Whose:
    """Whose the messages are, while that is found out."""

    def __init__(self) -> None:
        self.client: dict[int, str] = {}
        self.from_client: dict[int, bool] = {}
        self.hop: dict[int, int | None] = {}
        """Rows on further hops, with the row that they are copies of."""
        self.near: dict[int, int] = {}
        """Row seen first to the row nearest to the client."""
        self.users: dict[str, str] = {}
        """URI of each client, as on the wire."""
        self._parties: dict[str, list[tuple[str | None, str]]] = {}

    def take(self, row: int, client: str, *, from_client: bool) -> None:
        """Note whose a message is."""
        self.client[row] = client
        self.from_client[row] = from_client

    def party(self, uri: str, epid: str | None) -> str:
        """Return the client that a user at an endpoint is, a new one where there is none yet."""
        known = self._parties.setdefault(plain_uri(uri), [])
        for other, client in known:
            if None in (epid, other) or other == epid:
                return client
        client = f"client{len(self.users) + 1}"
        self.users[client] = uri
        known.append((epid, client))
        return client


class Cast:
    """The parties of a recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._scene = recording.scene
        self._whose = Whose()
        for view in self._scene.views:
            self._of_session(view)
        Strangers(recording, self._whose).take_all()
        self.wires = Wires(recording, self._whose)
        self.voices = {row: self._voice(row) for row in recording.rows}

    @property
    def users(self) -> dict[str, str]:
        """The URI of each client, as on the wire."""
        return self._whose.users

    def parties(self, named: Container[str]) -> tuple[Party, ...]:
        """Return the clients, the server and the hosts; ``named``: the slots that there are."""
        clients = (
            Party(one, "client", name if (name := f"{one}.user") in named else None)
            for one in self.users
        )
        hosts = (Party(one, "host") for one in self.wires.hosts)
        return (*clients, Party(SERVER, "server"), *hosts)

    def _voice(self, row: int) -> Voice:
        whose, client = self._whose, self._whose.client[row]
        wire, hop = self.wires.of(row, client), row in self._whose.hop
        ends = (wire.opener, wire.responder)
        speaker, listener = ends if self.wires.by_opener(row) else ends[::-1]
        from_client = speaker == client if not hop else whose.from_client[row]
        copied = whose.hop.get(row)
        return Voice(
            client, speaker, listener, wire.id, from_client, hop,
            copied if copied in whose.client and copied != row else None,
        )  # fmt: skip

    def _of_session(self, view: SessionView) -> None:
        messages, whose, scene = self._recording.messages, self._whose, self._scene
        if not any(row in messages for dialog in view.dialogs for row in dialog.rows):
            return
        client = whose.party(view.user or "", view.epid)
        for dialog in view.dialogs:
            behind = None if dialog.index in view.branches else self._behind(dialog)
            for row in (row for row in dialog.rows if row in messages):
                whose.take(row, client, from_client=scene.from_client(row))
                if behind is None or scene.rows.stream[row] >> 1 in behind:
                    whose.hop[row] = None
                else:
                    whose.near[scene.origin(row)] = row
        for row in (row for dialog in view.dialogs for row in dialog.copies if row in messages):
            whose.take(row, client, from_client=scene.from_client(row))
            whose.hop[row] = whose.near.get(scene.origin(row))
        self._outside(view, client)

    def _outside(self, view: SessionView, client: str) -> None:
        """Take the messages outside dialogs; their copies are found with what is in no session."""
        for index in view.outside:
            for row in view.found.all_rows(index):
                if row in self._recording.messages:
                    self._whose.take(row, client, from_client=self._scene.from_client(row))
                    self._whose.near[self._scene.origin(row)] = row

    def _behind(self, dialog: DialogDraft) -> set[int]:
        """Return the connections of a dialog that lie behind its client's.

        100 Trying and CANCEL are passed on by nobody (RFC 3261 sections 16.7 and 16.10): there is
        no copy to tell them by.
        """
        if not dialog.copies:
            return set()
        stream, copied = self._scene.rows.stream, {self._scene.origin(row) for row in dialog.copies}
        nearest = {stream[row] >> 1 for row in dialog.rows if self._scene.origin(row) in copied}
        behind = {stream[row] >> 1 for row in dialog.copies}
        return behind - nearest - {dialog.connection}
