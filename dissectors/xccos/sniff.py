"""Whether a body is meant to be XCCOS, told from its beginning.

The rule that matters: the root element decides, never the Content-Type (XCCOS travels as
text/plain). A body that starts as an XCCOS root counts however broken it is further on.
"""

from __future__ import annotations

import re

from dissectors.xccos.encoding import narrowed

# Each alternative starts differently, and runs of characters are possessive, so that the time is
# linear in the length of the prolog, whatever it holds.
_SPACE = r"[ \t\r\n]"
_COMMENT = r"<!--[^-]*+(?:-(?!->)[^-]*+)*-->"
_INSTRUCTION = r"<\?[^?]*+(?:\?(?!>)[^?]*+)*\?>"
_MISC = rf"(?:{_SPACE}++|{_COMMENT}|{_INSTRUCTION})*"
_QUOTED = r""""[^"]*+"|'[^']*+'"""
_SUBSET = rf"""\[(?:[^\]"'<]++|{_QUOTED}|{_COMMENT}|{_INSTRUCTION}|<(?!!--|\?))*\]{_SPACE}*+"""
_DOCTYPE = rf"""<!DOCTYPE(?:[^\[\]<>"']++|{_QUOTED})*(?:{_SUBSET})?>"""
_ROOT = r"""(?:[^\s<>/:="'!?]{1,100}+:)?xccos(?=[\s/>]|\Z)"""
_START = re.compile(
    rf"(?:\xef\xbb\xbf)?{_MISC}(?:{_DOCTYPE}{_MISC})?<{_ROOT}".encode("latin-1"),
    re.IGNORECASE,
)
# A document type that cannot be read to its end may still name its root.
_NAMED = re.compile(
    rf"(?:\xef\xbb\xbf)?{_MISC}<!DOCTYPE{_SPACE}++{_ROOT}".encode("latin-1"), re.IGNORECASE
)


def is_xccos(body: bytes) -> bool:
    """Tell whether the root element of a body has the local name ``xccos``, in any case."""
    start = narrowed(body)
    return _START.match(start) is not None or _NAMED.match(start) is not None
