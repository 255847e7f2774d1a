"""Meaning: traces, transactions, dialogs, commands, sessions.

``open_capture`` is where to begin; ``docs/api.md`` has a worked example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.trace import Trace, open_capture

__version__ = "0.1.0"
__all__ = ["Trace", "__version__", "open_capture"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (PEP 562)
    """Import the API when it is first asked for: ``xccos --help`` needs none of it."""
    if name in {"Trace", "open_capture"}:
        from analyzer import trace

        return getattr(trace, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
