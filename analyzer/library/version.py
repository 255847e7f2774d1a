"""Which version of the reading code made an index: any other one may have read differently.

A release has its number. Whoever works on the code has the same number all the time, so the code
itself counts too; a number raised by hand would be forgotten.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import analyzer
import dissectors

# Modules that are not in these directories do not read: they show what was read.
_READING = (
    (dissectors, "**/*"),
    (analyzer, "*"),
    (analyzer, "_speedups/*"),
    (analyzer, "library/*"),
    (analyzer, "sources/*"),
)
_CODE = {".py", ".so"}


def reading_version() -> str:
    """Return a text that changes with the code that reads captures. Takes a few milliseconds."""
    state = hashlib.sha256(analyzer.__version__.encode())
    for package, pattern in _READING:
        root = Path(package.__file__ or "").parent
        for path in sorted(root.glob(pattern)):
            if path.suffix in _CODE:
                code = path.read_bytes()
                state.update(f"{path.relative_to(root)} {len(code)}\n".encode())
                state.update(code)
    return f"{analyzer.__version__} {state.hexdigest()}"
