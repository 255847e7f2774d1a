"""The names that a user gives as inputs: archives by their members, sets of files as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.sources.files import STANDARD_INPUT, SourceError, is_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from analyzer.sources.files import Source
    from analyzer.sources.sets import FileSet


class Named:
    """Expands names; an archive that cannot be read is reported and left out."""

    def __init__(
        self,
        failed: Callable[[str, Exception], None],
        skipped: Callable[[str, str], None],
        *,
        siblings: bool,
    ) -> None:
        """Begin.

        Args:
            failed: is told which archive could not be read, and why.
            skipped: the same of members of archives.
            siblings: each file stands for the set that it belongs to.
        """
        self._failed, self._skipped = failed, skipped
        self._siblings = siblings
        self.sets: dict[str, FileSet] = {}
        """The sets, by the name that each has among the inputs."""

    def inputs(self, files: Sequence[str]) -> list[str]:
        """Return the names of the inputs, in order."""
        names = [name for file in files for name in self._members(file)]
        if len(names) < 2 and not self._siblings:
            return names
        from analyzer.sources.sets import file_sets, siblings

        sets = map(siblings, names) if self._siblings else file_sets(names)
        return [self._set(one) for one in sets]

    def _set(self, files: FileSet) -> str:
        if len(files.paths) < 2:
            return files.paths[0]
        directory, slash, _ = files.paths[0].rpartition("/")
        name = f"{directory}{slash}{files.pattern}"
        self.sets[name] = files
        return name

    def _members(self, file: str) -> list[str]:
        if file == STANDARD_INPUT or not is_zip(file):
            return [file]
        from analyzer.sources.named import inputs_in

        try:
            return inputs_in(file, self._skipped)
        except SourceError as error:
            self._failed(file, error)
            return []


def open_set(files: FileSet, step: Callable[[int], None], zone: tzinfo | None) -> Source:
    """Open a set. Raises ``SourceError``."""
    from analyzer.sources import named

    return named.open_set(files, progress=step, zone=zone)
