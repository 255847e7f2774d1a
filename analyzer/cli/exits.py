"""Exit codes: part of the contract of the command line (docs/cli.md).

Of several reasons the highest counts: damage goes before a met condition, because only a part of a
damaged input was judged.
"""

from __future__ import annotations

from typing import Final

OK: Final = 0
"""Read and shown."""
FAILED: Final = 1
"""A condition of ``--fail-on`` was met, a check failed, or a play did not hold; never anything
else."""
USAGE: Final = 2
"""The command line is wrong, a file of rules too, or the output cannot be written."""
DAMAGED: Final = 3
"""An input is damaged or cannot be read; what could be read was shown."""
INTERRUPTED: Final = 130
"""Stopped from the keyboard (128 and the number of SIGINT)."""

EXIT_CODES = {
    OK: "read and shown",
    FAILED: "a condition of --fail-on was met, a check failed, or a play did not hold",
    USAGE: "the command line is wrong, a file of rules too, or the output cannot be written",
    DAMAGED: "an input is damaged or unreadable; what could be read was shown",
    INTERRUPTED: "interrupted",
}
