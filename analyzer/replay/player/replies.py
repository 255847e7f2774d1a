"""Replies to commands that the script has no reply for: a client must not wait for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.player.outgoing import simple_request
from dissectors.xccos.messages import CommandId, Resp
from dissectors.xccos.writer import envelope, reply_item, write_document

if TYPE_CHECKING:
    from analyzer.replay.heard import Heard
    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.speaker import Speaker
    from analyzer.replay.player.talk import Talk

MAX_ITEMS = 200
"""Commands of one INFO that are answered; clients send a dozen."""
ENVIDS = (1 << 60, 1 << 63)
"""A server's are 64-bit values."""
REFUSED = "NOT_IN_SCRIPT"


def reply_to_all(talk: Talk, speaker: Speaker, heard: Heard, call: Call) -> None:
    """Answer every command of an INFO with the code that was chosen for what is not in a script."""
    document, wire = heard.document, talk.line.wire(call.connection)
    commands = [item for item in heard.items if item.kind == "command"][:MAX_ITEMS]
    if document is None or wire is None or not commands or not call.established:
        return
    resp = Resp(talk.options.default_reply_code, REFUSED)
    items = [
        reply_item(item.name, str(number), CommandId(item.seqid, document.envid), resp=resp)
        for number, item in enumerate(commands, 1)
    ]
    body = write_document(envelope(str(talk.rng.randrange(*ENVIDS)), *items), "server")
    more = [("Contact", f"<{wire.uri}>"), ("Content-Type", "text/plain; charset=UTF-8")]
    draft = simple_request("INFO", call, wire, talk.branch(), more)
    speaker.ask(call, draft._replace(body=body), "INFO", None)
