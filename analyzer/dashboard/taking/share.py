"""How much of people's names and words goes along: as captured, without words, or anonymised.

The rule: what is anonymised is made from a script whose pseudonyms a leak check has looked through;
where an original is left, nothing is made.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, get_args

from analyzer.ladder.selection import Choice
from analyzer.sources.files import Source
from analyzer.trace import open_capture
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from analyzer.replay.script import Script
    from analyzer.trace import Trace

Share = Literal["captured", "wordless", "anonymised"]
SHARES: dict[Share, tuple[str, str]] = {
    "captured": (
        "as captured",
        "People's names, addresses and words are in it, and credentials as they were captured.",
    ),
    "wordless": (
        "without words",
        "Message bodies and chat texts are left out; names and addresses are in it.",
    ),
    "anonymised": (
        "anonymised",
        "Made anew: the traffic becomes a script, people, domains, hosts, rooms and words get "
        "pseudonyms, and the script is written as a capture, of which all this is made. Frames "
        "are numbered anew; what the capture lost is missing, and so is all that is no SIP.",
    ),
}
"""Name for people, and what it means."""
ANONYMISED = "anonymised.pcapng"
MAX_ANONYMISED = 20_000
"""Messages that are anonymised: a script of more takes minutes."""


def parse_share(text: str) -> Share:
    """Return the share that an address names; as captured where it names none."""
    return next((one for one in get_args(Share) if one == text), "captured")


def anonymised_script(trace: Trace, session: int | None) -> Script:
    """Return the script of a session, or of the whole capture, with pseudonyms.

    Raises ValueError, with a line for people, where none can be made or an original is left in it.
    """
    from analyzer.replay.edit.anonymise import anonymise
    from analyzer.replay.edit.leaks import leaks

    if session is None and len(trace.rows) > MAX_ANONYMISED:
        raise ValueError(f"more than {MAX_ANONYMISED:,} messages are too many: choose a session")
    done = anonymise(script_of(trace, session))
    left = leaks(done.script, done.originals)
    if left:
        raise ValueError(f"{amount(len(left), 'place')} could not be anonymised: nothing is made")
    return done.script


def script_of(trace: Trace, session: int | None) -> Script:
    """Return the script of a session, or of the whole capture. Raises ValueError."""
    from analyzer.replay.derive.grounded import derive_playable

    return derive_playable(trace, Choice() if session is None else Choice(sessions=(session,)))


def anonymised_trace(trace: Trace, session: int | None) -> Trace:
    """Return what is left of a capture when it is anonymised, to be closed. Raises ValueError."""
    from analyzer.replay.capture.options import CaptureOptions
    from analyzer.replay.capture.write import write_script_capture

    written = io.BytesIO()
    write_script_capture(anonymised_script(trace, session), CaptureOptions(), written)
    written.seek(0)
    return open_capture(Source(ANONYMISED, written, size=None))
