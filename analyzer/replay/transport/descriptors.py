"""How many connections this process may have."""

from __future__ import annotations

SPARE = 64
"""Files besides connections: the log, the capture, what Python itself has open."""


def allow_files(connections: int) -> int:
    """Raise the soft limit of open files as far as needed and allowed; return the connections.

    The hard limit is the administrator's. Where there is no such limit, all are returned.
    """
    try:
        import resource
    except ImportError:  # not on Windows
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if allowed > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    return connections if soft == resource.RLIM_INFINITY else min(connections, soft - SPARE)
