"""What a script does not have of its capture, or has otherwise: a sentence each.

The rule: nothing is left out in silence. What is counted while a script is derived stands in its
``origin``, so that whoever gets the script can read it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LEFT_OUT, UNPLAYED, CUT, HOLES, PORTS = "left out", "not played", "cut", "holes", "invented ports"
"""Keys of ``Script.origin``."""
_SENTENCES = {
    LEFT_OUT: "{}: left out of the script",
    UNPLAYED: "not played, because the capture has not what they follow from: messages {}; "
    "only a regenerated capture has them",
    CUT: "{} that the capture cut or has with a hole: in the script as far as they go",
    HOLES: "the capture has {}: what was lost in them is missing in the script, "
    "and a capture made from it will not show that it was lost",
    PORTS: "{} on a connection that others use too: on one of their own in the script, "
    "with an invented port",
}


def losses(origin: Mapping[str, str]) -> list[str]:
    """Return sentences about what was lost on the way to a script."""
    return [text.format(origin[key]) for key, text in _SENTENCES.items() if origin.get(key)]


def numbered(count: int, noun: str) -> str:
    """Return a count with its noun; empty for none, which needs no sentence."""
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
