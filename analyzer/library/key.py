"""The key of this user, which makes an index believable: nobody else can have made it.

A capture often comes from somebody else, and an index may come with it. Believing that one would
let its maker show messages that the capture does not hold. So an index carries a code (HMAC,
RFC 2104) by a key that only this user has, on this machine.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

LENGTH = 32
_NAME = Path("xccos") / "index.key"


def key_path() -> Path | None:
    """Return where the key is kept (XDG Base Directory Specification); None without a home."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():  # relative ones are to be ignored
        return Path(state) / _NAME
    try:
        return Path.home() / ".local" / "state" / _NAME
    except RuntimeError:
        return None


def user_key() -> bytes | None:
    """Return the key; None where there is none, or where others could have read or made it."""
    path = key_path()
    try:
        descriptor = -1 if path is None else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    if descriptor < 0:
        return None
    try:
        status = os.fstat(descriptor)
        private = stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077
        if not private or status.st_uid != os.geteuid():
            return None
        key = os.read(descriptor, LENGTH + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return key if len(key) == LENGTH else None


def made_key() -> bytes | None:
    """Return the key, made where there is none; None where that cannot be."""
    path = key_path()
    if path is None:
        return None
    if (key := user_key()) is not None:
        return key
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    return user_key()


def _make(path: Path) -> None:
    """Write a new key whole, and only where there is none: another process may do the same."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
