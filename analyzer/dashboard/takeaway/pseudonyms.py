"""A case in which nobody is named: the messages as a script, pseudonyms in it, a capture of it.

The rule: the old values are looked for in every text of the script; where one is left, nothing is
made.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from analyzer.dashboard.takeaway.apart import looking_into
from analyzer.ladder.selection import Choice
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.takeaway.scope import Scope
    from analyzer.dashboard.takeaway.work import Work
    from analyzer.replay.script import Script
    from analyzer.trace import Trace

CAPTURE = "pseudonyms.pcapng"


class Pseudonymised(NamedTuple):
    """A script with pseudonyms."""

    script: Script
    notes: tuple[str, ...]
    """What was replaced, and what the script does not have of the capture."""


def script_of(case: Case, scope: Scope, work: Work, *, playable: bool) -> Script:
    """Return the script of what is taken of a case.

    Args:
        case: an open case.
        scope: what of it.
        work: the job.
        playable: with what the messages rest on, so that it can be played.

    Raises:
        ValueError: there is nothing that a script can be of, with one line for people.
    """
    from analyzer.replay.derive.build import derive
    from analyzer.replay.derive.grounded import derive_playable

    with looking_into(case, work) as trace:
        work.say("deriving a script")
        choice = Choice() if scope.whole else scope.choice
        return (derive_playable if playable else derive)(trace, choice, work.step)


def pseudonymised(script: Script, work: Work, seed: int = 0) -> Pseudonymised:
    """Return a script with pseudonyms. Raises ValueError where an old value is left in it."""
    from analyzer.replay.derive.losses import losses
    from analyzer.replay.edit.anonymise import anonymise
    from analyzer.replay.edit.leaks import leaks

    work.say("finding pseudonyms")
    done = anonymise(script, seed)
    work.say("looking for what is left of the old values")
    left = leaks(done.script, done.originals)
    if left:
        places = ", ".join(dict.fromkeys(one.place for one in left[:5]))
        raise ValueError(
            f"{amount(len(left), 'place')} could not be given pseudonyms, so nothing was made: "
            f"{places}"
        )
    counted = ", ".join(f"{kind} ×{count}" for kind, count in done.places.items()) or "nothing"
    said = f"Replaced {counted}; none of the old values is left."
    return Pseudonymised(done.script, (said, *losses(script.origin)))


@contextmanager
def opened(script: Script, folder: Path, work: Work) -> Iterator[Trace]:
    """Give the capture of a script, open."""
    from analyzer.replay.capture import CaptureOptions, write_script_capture
    from analyzer.trace import open_capture

    work.say("writing it as a capture")
    path = folder / CAPTURE
    with path.open("wb") as out:
        write_script_capture(script, CaptureOptions(), out)
    try:
        with open_capture(path, progress=lambda _: work.check()) as trace:
            yield trace
    finally:
        path.unlink(missing_ok=True)
