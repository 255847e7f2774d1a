"""Several inputs read together: those that tell one story are told as one."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.cli.reading import Reading
    from analyzer.trace import Trace

T = TypeVar("T")
Opened = tuple[str, "Trace"]


class Several:
    """Opens all inputs before the first is told."""

    def __init__(self, reading: Reading, files: Sequence[str]) -> None:
        self._reading = reading
        self._files = files

    def each(self, of: Callable[[str, Trace], Iterator[T]], *, certain: bool) -> Iterator[T]:
        """Yield what ``of`` makes of each story.

        ``certain``: all inputs are one, whether they share messages or not.
        """
        opened = list(self._opened())
        gc.freeze()
        try:
            for group in self._groups(opened, certain=certain):
                yield from self._told(group, of)
        finally:
            for _, trace in opened:
                trace.close()
            gc.unfreeze()

    def _opened(self) -> Iterator[Opened]:
        for file in dict.fromkeys(self._files):
            try:
                yield file, self._reading.opened(file)
            except (click.ClickException, click.exceptions.Exit):
                raise
            except Exception as error:  # noqa: BLE001  (a file must never end the run)
                self._reading.failed(file, error)

    @staticmethod
    def _groups(opened: Sequence[Opened], *, certain: bool) -> list[list[Opened]]:
        if certain or len(opened) < 2:
            return [list(opened)] if opened else []
        from analyzer.inputs.opening import stories

        return [[opened[k] for k in group] for group in stories([one for _, one in opened])]

    def _told(
        self, group: Sequence[Opened], of: Callable[[str, Trace], Iterator[T]]
    ) -> Iterator[T]:
        name, trace = group[0]
        if len(group) > 1:
            from analyzer.inputs.opening import join

            name = " + ".join(file for file, _ in group)
            trace = join([one for _, one in group])
        try:
            yield from self._reading.told(name, trace, of)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:  # noqa: BLE001  (a file must never end the run)
            self._reading.failed(name, error)
