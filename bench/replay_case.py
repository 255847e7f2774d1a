"""The case that both sides of the replay contest play: a sign-in and one command.

REGISTER, INVITE, ACK, an INFO with a command, the INFO with its reply, BYE, and all answers: taken
from a sample, once as a script for ours and once as scenarios for SIPp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.replay.derive.build import derive
from analyzer.replay.script_json import write_script
from analyzer.replay.sipp.files import write_sipp
from analyzer.trace import open_capture
from bench.captures import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.replay.script import Script, Turn

SAMPLE = ROOT / "samples" / "signin-tcp.pcap"
REGISTRATION, DIALOG = "registration1", "lookup1"
_REQUEST = re.compile(r"<send([^>]*)>(<!\[CDATA\[\n)(?!SIP/2\.0|ACK)([A-Z]+) ")
_ANSWER = '<recv response="200"'


@dataclass(frozen=True, slots=True)
class Case:
    """The files, in one folder."""

    folder: Path
    messages: int
    """Of one client."""
    script: Path
    users: Path
    uac: Path
    uas: Path
    sipp_users: Path


def write_case(folder: Path, clients: int) -> Case:
    """Write all files for a number of clients."""
    folder.mkdir(parents=True, exist_ok=True)
    script = case()
    files = write_sipp(script, DIALOG)
    names = [f"user{number}@contoso.com" for number in range(1, clients + 1)]
    rows = "".join(f"{name};contoso.com;\n" for name in names)
    texts = {
        "case.json": write_script(script),
        "users.csv": "user\n" + "\n".join(names) + "\n",
        "uac.xml": timed(files.uac),
        "uas.xml": files.uas,
        "sipp-users.csv": "".join(f"{line}\n" for line in files.csv.splitlines()[:2]) + rows,
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    return Case(folder, len(script.turns), *(folder / name for name in texts))


def case() -> Script:
    """Return the script: the turns of the registration's beginning and of one dialog."""
    with open_capture(SAMPLE) as trace:
        whole = derive(trace)
    turns = list(_kept(whole))
    known = {turn.id for turn in turns}
    turns = [
        replace(turn, after=tuple(one for one in turn.after if one in known)) for turn in turns
    ]
    used = {name for turn in turns for name in turn.message.slots()}
    dialogs = tuple(one for one in whole.dialogs if one.id in (REGISTRATION, DIALOG))
    used.update(one.call_id for one in dialogs)
    return replace(
        whole,
        title="REGISTER, INVITE, INFO, BYE",
        turns=tuple(turns),
        dialogs=dialogs,
        slots=tuple(slot for slot in whole.slots if slot.name in used),
        asides=(),
    )


def _kept(script: Script) -> Iterator[Turn]:
    registering = 0
    for turn in script.turns:
        if turn.live and turn.dialog == DIALOG:
            yield turn
        elif turn.live and turn.dialog == REGISTRATION and registering < 2:
            registering += 1
            yield turn


def timed(scenario: str) -> str:
    """Return a client's scenario in which SIPp times each request up to its answer."""
    pieces: list[str] = []
    at = 0
    for match in _REQUEST.finditer(scenario):
        answer = scenario.index(_ANSWER, match.end())
        name = match[3]
        pieces += (
            scenario[at : match.start()],
            f'<send{match[1]} start_rtd="{name}">{match[2]}{name} ',
            scenario[match.end() : answer],
            f'{_ANSWER} rtd="{name}"',
        )
        at = answer + len(_ANSWER)
    return "".join((*pieces, scenario[at:]))
