"""The words of the protocol in a script: none of them is replaced for being somebody's name too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.edit.originals import SOFTWARE

if TYPE_CHECKING:
    from analyzer.replay.edit.originals import Original
    from analyzer.replay.script import Script

SHORTEST = 4
"""Characters of a value that is looked for everywhere; of shorter ones too many are words of the
protocol (``sip``, ``get``), and they are replaced where only private values stand."""
_NAMES = re.compile(r"</?(?:[\w.-]+:)?([\w.-]+)|[\s;,]([\w:.-]+)\s*=")
_WORD = re.compile(r"[^\W_]+")
_HEADER_WORDS = re.compile(r"[\w.-]+")
COMMON = (
    "sip sips tcp tls udp uri urn uuid http https xccos info invite register subscribe notify "
    "benotify service message bye ack cancel options update true false null none name user users "
    "default active success failed error data text plain html xml application server client "
    "contact route event state presence registration room rooms channel group chat tag branch "
    "epid gruu opaque proxy replace transport version reason source "
    "sipinternal sipexternal lyncdiscover lyncdiscoverinternal "
    "example"  # nobody's domain (RFC 2606), and in the pseudonyms of others
)


def vocabulary(script: Script) -> frozenset[str]:
    """Return the names of headers, parameters, elements and attributes, and what software says."""
    found = set(COMMON.split())
    for turn in script.turns:
        message = turn.message
        for name, value in message.headers:
            found.add(name.lower())
            found.update(_WORD.findall(name.lower()))
            if name.lower() in SOFTWARE or name.lower() == "event":
                found.update(_HEADER_WORDS.findall(value.lower()))
            found.update(names.lower() for pair in _NAMES.findall(value) for names in pair)
        found.update(names.lower() for pair in _NAMES.findall(message.body) for names in pair)
    return frozenset(found)


def is_telling(one: Original, words: frozenset[str]) -> bool:
    """Tell whether a value is nobody's word but of who it belongs to: it can vanish everywhere."""
    value = one.value.lower()
    if len(value) < SHORTEST or value in words:
        return False
    if one.kind == "text":  # "see you" may be said by others, "restarting now" hardly
        return len(value) >= 2 * SHORTEST and " " in value
    return not value.isdecimal() or len(value) > SHORTEST + 1
