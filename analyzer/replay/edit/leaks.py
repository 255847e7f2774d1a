"""The proof: what of the old values is still somewhere in a script.

The rule: it knows nothing of how values were replaced. Every text of the file is looked through,
and what XML, base64 or UTF-16 hides is looked through as well.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.edit.originals import Original, Originals, folders
from analyzer.replay.edit.vocabulary import is_telling, vocabulary
from analyzer.replay.edit.words import Words, fold
from analyzer.replay.fill import is_xml
from analyzer.replay.script_record import script_record
from analyzer.replay.template import SLOT
from dissectors.model import Malformed
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.script import Script
    from dissectors.xccos.messages import Element

_OWN_NAME = re.compile(r"(?:client|user|host|room|text|domain|name|topic)[0-9]{1,6}", re.IGNORECASE)
"""Names that scripts give to people and things: they say nothing, though somebody is called so."""
_IDS = re.compile(
    r"parties\[\d+\]\.(?:id|user)$|connections\[\d+\]\.(?:id|opener|responder|closed_by)$"
    r"|dialogs\[\d+\]\.\w+$|slots\[\d+\]\.(?:name|said_by|turn|part_of)$"
    r"|turns\[\d+\]\.(?:id|speaker|listener|connection|dialog|answers|cause|copy_of|after\[\d+\])$"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")


MASK = "\0"
"""In place of a reference: no letter, so that what stands beside it is a word."""


class Leak(NamedTuple):
    """An old value that is still there."""

    kind: str
    value: str
    place: str
    """``turns[3].message.headers[2]``."""


def leaks(script: Script, originals: Iterable[Original]) -> list[Leak]:
    """Return where a script still has any of these values.

    A value that is a word of the protocol, or short, counts where only private values stand.
    """
    known = tuple(originals)
    words = vocabulary(script)
    telling = {one.value: one.kind for one in known if is_telling(one, words)}
    table = Words(telling)
    found = [
        Leak(telling[one.old], one.old, place)
        for place, text in texts_of(script)
        for one in table.find(SLOT.sub(_named_by_script, text))
        if not (_IDS.match(place) and _OWN_NAME.fullmatch(one.old))
    ]
    found += [Leak("folder", one, "title") for one in folders(script.title)]
    left = {compared(one) for one in Originals(script)}
    found += [
        Leak(one.kind, one.value, _place(script, one))
        for one in known
        if compared(one) in left and one.value not in telling
    ]
    return found


def _place(script: Script, wanted: Original) -> str:
    """Return where a value first stands that counts at its place only."""
    slots = {slot.name: slot for slot in script.slots}
    table = Words([wanted.value])
    for turn in script.turns:
        # Alone with its own slots: what is found then is said in this turn.
        own = tuple(slots[name] for name in turn.message.slots() if name in slots)
        alone = replace(script, origin={}, connections=(), asides=(), slots=own, turns=(turn,))
        if not any(compared(one) == compared(wanted) for one in Originals(alone)):
            continue
        for slot in own:
            if next(table.find(slot.value), None):
                return f"slot {slot.name}"
        for place, text in texts_of(alone):
            if place.startswith("turns[0].message") and next(table.find(text), None):
                return f"turn {turn.id}, {place.removeprefix('turns[0].')}"
        return f"turn {turn.id}"
    return "connections, asides or origin"


def compared(one: Original) -> tuple[str, str]:
    """Return what a value is compared by: its kind, and itself in lower case."""
    return one.kind, fold(one.value)


def _named_by_script(reference: re.Match[str]) -> str:
    """Return what counts of a reference to a slot: nothing where a script would call it so."""
    own = _OWN_NAME.fullmatch(reference[2].partition(".")[0])
    return MASK if own and not reference[1] else reference[0]


def texts_of(script: Script) -> Iterator[tuple[str, str]]:
    """Yield every text of the file with its place, also what is hidden in it."""
    for place, text in _walk(script_record(script), ""):
        yield place, text
        for blob in _BASE64.findall(text):
            yield from ((place, hidden) for hidden in _decoded(blob))
    for at, turn in enumerate(script.turns):
        body = turn.message.body
        yield f"turns[{at}].message.body", body  # in one piece
        if is_xml(body):
            parsed = parse(body.encode())
            if not isinstance(parsed, Malformed):
                yield from ((f"turns[{at}].message.body", text) for text in _inside(parsed.root))


def _walk(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _walk(each, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _walk(each, f"{place}[{at}]")


def _inside(root: Element) -> Iterator[str]:
    """Yield texts and values of attributes without escapes."""
    for node in root.iter():
        yield node.text
        yield from (value for name, value in node.attributes if not name.startswith("xmlns"))


def _decoded(blob: str) -> Iterator[str]:
    try:
        data = base64.b64decode(blob + "=" * (-len(blob) % 4))
    except (binascii.Error, ValueError):
        return
    yield data.decode("utf-8", "ignore")
    yield data.decode("utf-16-le", "ignore")
