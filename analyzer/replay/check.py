"""Whether a script can be played: what is wrong with it, each in one sentence with its place.

The rule: an error means that it cannot be played as it stands; nothing here changes a script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.check_messages import check_message
from analyzer.replay.check_names import Names, check_names
from analyzer.replay.check_order import check_order
from analyzer.replay.check_secrets import check_secrets
from analyzer.replay.problem import Problem, error

if TYPE_CHECKING:
    from analyzer.replay.script import Script

__all__ = ["Problem", "check_script", "errors_of"]


def check_script(script: Script) -> list[Problem]:
    """Return what is wrong with a script: names, order, messages, secrets."""
    names = Names(script)
    found: list[Problem] = []
    if not script.turns:
        found.append(error("turns", "there is none, so that nothing is said"))
    found.extend(check_names(script, names))
    found.extend(check_order(script))
    for turn in script.turns:
        found.extend(check_message(turn, names.slots))
    found.extend(check_secrets(script))
    return found


def errors_of(script: Script) -> list[Problem]:
    """Return what keeps a script from being played."""
    return [one for one in check_script(script) if one.severity == "error"]
