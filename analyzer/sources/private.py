"""A file for secrets: it has no name, nobody else can open it, and it is gone when it is closed.

Where the system can, it is in memory alone, so that no disk ever has it.
"""

from __future__ import annotations

import os
from typing import BinaryIO, cast


def private_file() -> BinaryIO:
    """Return a new file, to be written, handed to a program by its descriptor, and closed.

    Raises ``OSError``.
    """
    create = getattr(os, "memfd_create", None)  # Linux
    if create is None:
        import tempfile

        return cast("BinaryIO", tempfile.TemporaryFile())
    descriptor: int = create("secrets", getattr(os, "MFD_CLOEXEC", 1))
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w+b")
