"""What parts of the program need beyond the plain installation, and one line for those without."""

from __future__ import annotations


class MissingExtra(ValueError):  # noqa: N818  (it is a state of the machine, told to a person)
    """A library that comes with an extra is not installed; its text says how to get it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed (pip install 'xccos-analyzer[{extra}]')")
