"""Root is given up as soon as dumpcap runs: what strangers send is never read with its rights."""

from __future__ import annotations

import os
import sys

NOBODY = 65534
"""Where the system has no user of that name (the customary number on Linux)."""
PACKAGES = (
    *("dissectors.capture", "dissectors.sip", "dissectors.transport", "dissectors.xccos"),
    *("analyzer.diagnostics", "analyzer.flows", "analyzer.narrative", "analyzer.sessions"),
    *("analyzer.views", "analyzer.live", "analyzer.sources"),
)
"""Where everything is that looks at a capture and tells of it."""
MAX_ID = (1 << 32) - 2


class StillPrivilegedError(RuntimeError):
    """Root could not be given up; nothing may be read."""


def is_root() -> bool:
    """Tell whether this process may do everything."""
    return sys.platform != "win32" and os.geteuid() == 0


def give_up_root() -> str:
    """Become the user who called sudo, else nobody; return who that is.

    Raises ``StillPrivilegedError`` where that did not work.
    """
    if sys.platform == "win32":
        raise StillPrivilegedError("there is no root here")
    user, uid, gid = _whom()
    try:
        os.setgroups(os.getgrouplist(user, gid) if user else [gid])
        os.setgid(gid)
        os.setuid(uid)
    except OSError as error:
        raise StillPrivilegedError(f"root cannot be given up: {error.strerror}") from None
    _verify(uid, gid)
    return user or str(uid)


def load_what_is_needed() -> None:
    """Import what a live capture may come to need, as long as it can be read.

    The program itself may lie where only root looks, and most of it is imported when it is needed.
    """
    from importlib import import_module
    from pkgutil import iter_modules

    from analyzer.paths import compiled

    for name in PACKAGES:
        package = import_module(name)
        for module in iter_modules(package.__path__, f"{name}."):
            if not module.ispkg and not module.name.rpartition(".")[2].startswith("_"):
                import_module(module.name)
    if compiled():
        from analyzer._speedups import exchanges, legs, pipeline  # noqa: F401


def _whom() -> tuple[str, int, int]:
    """Return name, user and group of who called sudo, else those of nobody."""
    import pwd  # not on Windows

    uid, gid = _number("SUDO_UID"), _number("SUDO_GID")
    if uid and gid:
        try:
            return pwd.getpwuid(uid).pw_name, uid, gid
        except KeyError:
            return "", uid, gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return "", NOBODY, NOBODY
    return "nobody", nobody.pw_uid, nobody.pw_gid


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
    return number if number <= MAX_ID else 0


def _verify(uid: int, gid: int) -> None:
    """See to it that there is no way back."""
    ids = (os.getuid(), os.geteuid(), os.getgid(), os.getegid())
    if ids != (uid, uid, gid, gid) or 0 in os.getgroups():
        raise StillPrivilegedError(f"root was not given up: the process has the ids {ids}")
    try:
        os.setuid(0)
    except OSError:
        return
    raise StillPrivilegedError("root was not given up: it can be had again")
