"""Private values in headers and URIs that are too short or too common to be looked for.

The rule: as in bodies what stands at the place of a display name or a telephone number is one,
whatever it is; a person called ``pel`` or ``6000`` is found here and nowhere else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.template import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.edit.places import Kind

_DISPLAY = re.compile(r'((?:^|,)\s*)("?)([^"<>,;]{1,200}?)("?)(?=\s*<)')
"""A display name in front of a URI (RFC 3261 25.1, name-addr)."""
_TEL = re.compile(r"(\btel:)([+\d][\d().-]{2,30})")
"""As ``originals`` finds one (RFC 3966)."""


def with_names(value: str, known: Callable[[Kind, str], str | None]) -> str:
    """Return a header about people with the pseudonyms of the display names that have one."""

    def new(found: re.Match[str]) -> str:
        made = known("name", found[3]) if found[3].strip() and "${" not in found[3] else None
        return found[0] if made is None else f"{found[1]}{found[2]}{escape(made)}{found[4]}"

    return _DISPLAY.sub(new, value)


def with_phones(text: str, known: Callable[[Kind, str], str | None]) -> str:
    """Return a text with the pseudonyms of the telephone numbers in its ``tel`` URIs."""

    def new(found: re.Match[str]) -> str:
        made = known("phone", found[2])
        return found[0] if made is None else f"{found[1]}{made}"

    return _TEL.sub(new, text)
