"""The SIPp files of one dialog: the entry of this package.

The rule: the scenarios run unedited. What SIPp cannot do is said in the notes, never left to be
found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.replay.script import SERVER, Script
from analyzer.replay.sipp.conversation import conversation_of
from analyzer.replay.sipp.fields import Fields, fields_of
from analyzer.replay.sipp.scenario import Scenario
from analyzer.replay.sipp.syntax import MAX_FILE
from analyzer.replay.sipp.uac import Client
from analyzer.replay.sipp.uas import Server
from analyzer.replay.sipp.values import Values

if TYPE_CHECKING:
    from analyzer.replay.sipp.conversation import Conversation

LIMITS = (
    "one dialog a scenario: SIPp cannot hold the dialogs of several roles on one connection",
    "the client's requests go out one after the other, whatever was under way at once",
    "no NTLM and no Kerberos: the server must let the client in, or know its address",
    "no sign-off: the registration ends by its expiry",
    "no surprises: SIPp can put off one message that comes while it sends another, not two",
)


@dataclass(frozen=True, slots=True)
class SippFiles:
    """Two scenarios and the CSV file that the client's reads."""

    uac: str
    uas: str
    csv: str
    notes: tuple[str, ...] = ()
    """Sentences: what SIPp cannot do of it, and which values stayed as recorded."""


def write_sipp(
    script: Script, dialog: str | None = None, *, register: bool = True, pauses: bool = False
) -> SippFiles:
    """Return the SIPp files of one dialog of a script.

    Args:
        script: a script.
        dialog: id of the dialog (``channel1``); None: the first channel, lookup or other dialog.
        register: the client's REGISTER comes first, where the script has one.
        pauses: the client waits between its requests as it did in the recording.

    Raises:
        ValueError: the script has no such dialog, or none that a client begins; a value cannot be
            said where it stands; or even the first requests are more than SIPp reads.
    """
    conversation = conversation_of(script, dialog, register=register)
    fields = fields_of(script, conversation)
    files = _written(script, conversation, fields, pauses=pauses)
    if files is None:
        files = _shortened(script, conversation, fields, pauses=pauses)
    return files


def _shortened(
    script: Script, conversation: Conversation, fields: Fields, *, pauses: bool
) -> SippFiles:
    """Return the files of as many requests as SIPp can read."""
    least, most, best = 1, len(conversation.steps), None
    while least < most:
        middle = (least + most) // 2
        files = _written(script, conversation.cut(middle), fields, pauses=pauses)
        if files is None:
            most = middle
        else:
            best, least = files, middle + 1
    if best is None:
        raise ValueError(
            f"the dialog {conversation.dialog.id} is too long for SIPp, which reads 64 KiB"
        )
    return best


def _written(
    script: Script, conversation: Conversation, fields: Fields, *, pauses: bool
) -> SippFiles | None:
    """Return the files; None where one is too long."""
    dialog = conversation.dialog
    ours = Values(script, dialog, conversation.client, fields.columns)
    theirs = Values(script, dialog, SERVER, {})
    run = "-t t1 -m 1"
    uac = Scenario(f"{script.title} ({dialog.id}, client)", (
        f"The client's part of {dialog.id}: {script.title}",
        f"sipp -sf uac.xml -inf users.csv {run} HOST:PORT",
    ))  # fmt: skip
    uas = Scenario(f"{script.title} ({dialog.id}, server)", (
        f"The server's part of {dialog.id}: {script.title}",
        f"sipp -sf uas.xml {run} -p PORT",
    ))  # fmt: skip
    Client(conversation, ours, uac, pauses=pauses).write()
    Server(conversation, theirs, uas).write()
    if max(len(one.text().encode()) for one in (uac, uas)) > MAX_FILE:
        return None
    kept = {**ours.kept, **theirs.kept}
    notes = (
        *LIMITS,
        *conversation.notes,
        *fields.notes,
        *(f"{slot.name} keeps its recorded value {slot.value[:60]!r}" for slot in kept.values()),
    )
    return SippFiles(uac.text(), uas.text(), fields.csv, notes)
