r"""Display filters of Wireshark that show exactly the frames that are named.

The rule that matters: the syntax is that of Wireshark 3.6 to 4.x: sets with commas and ranges with
``..``, strings in double quotes with backslashes before ``"`` and ``\`` (wireshark-filter(4)).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LENGTH = 30_000
"""Characters of one filter. The filter field of Wireshark takes 32,767 (the default of Qt's line
edit), and the command line of Windows as many with everything else that stands on it."""
NOTHING = "frame.number == 0"
"""Shows no frame: they are counted from 1. An empty filter would show all of them."""
_SET = "frame.number in {%s}"


def frames_filter(frames: Iterable[int]) -> str:
    """Return the filter that shows these frames and no others, whatever its length."""
    return _of(list(_runs(frames)))


def frames_filters(frames: Iterable[int], limit: int = MAX_LENGTH) -> list[str]:
    """Return filters of at most ``limit`` characters that together show these frames, in order."""
    room = limit - len(_SET % "") + len(", ")  # the last has none behind it
    found: list[list[str]] = [[]]
    taken = 0
    for run in _runs(frames):
        if found[-1] and taken + len(run) + 2 > room:
            found.append([])
            taken = 0
        found[-1].append(run)
        taken += len(run) + 2  # with its ", "
    return [_of(runs) for runs in found]


def call_id_filter(*call_ids: str) -> str:
    """Return the filter that shows the SIP messages with one of these Call-IDs."""
    known = list(dict.fromkeys(call_ids))
    if not known:
        return NOTHING
    if len(known) == 1:
        return f"sip.Call-ID == {quoted(known[0])}"
    return f"sip.Call-ID in {{{', '.join(map(quoted, known))}}}"


def quoted(text: str) -> str:
    """Return a text as a string of the filter language; control characters by their code."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    # A character outside ASCII is known by its bytes; lone surrogates stand for bytes themselves.
    return "".join(f"\\x{one:02x}" for one in character.encode("utf-8", "surrogateescape"))


def _runs(frames: Iterable[int]) -> Iterator[str]:
    """Yield the parts of a set: ``4``, ``8..13``; two that follow each other stay single."""
    numbers = sorted(set(frames))
    if not numbers:
        return
    begin = numbers[0]
    for frame, following in pairwise([*numbers, numbers[-1] + 2]):
        if following == frame + 1:
            continue
        if frame - begin < 2:
            yield from map(str, range(begin, frame + 1))
        else:
            yield f"{begin}..{frame}"
        begin = following


def _of(runs: list[str]) -> str:
    if not runs:
        return NOTHING
    if len(runs) == 1 and runs[0].isdecimal():
        return f"frame.number == {runs[0]}"
    return _SET % ", ".join(runs)
