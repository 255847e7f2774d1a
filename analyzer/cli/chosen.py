"""The sessions that ``story`` and ``path`` are asked for, with the runs of their flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.flows.runs import flows_of
from analyzer.meaning import outline
from analyzer.query import user_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.cli.options import Command
    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace


session_option = click.option(
    "--session", "numbers", multiple=True, type=click.IntRange(min=1), metavar="N",
    help="Number of the session, as `xccos triage` counts them from 1.",
)  # fmt: skip
whose_option = click.option(
    "--user", "whose", multiple=True, metavar="WHO",
    help="URI, address or the part before the @; * stands for any characters.",
)  # fmt: skip


def session_options(command: Command) -> Command:
    """Add ``--session`` and ``--user`` to a command."""
    return session_option(whose_option(command))


class Chosen:
    """Which sessions are wanted."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._numbers = set(options["numbers"])
        self._whose = options["whose"]
        self._user = user_test(options["whose"])

    def views(self, trace: Trace) -> list[SessionView]:
        """Return the sessions of a capture that are wanted, in order."""
        found: Sequence[SessionView] = outline(trace).sessions  # type: ignore[assignment]
        return [
            view
            for view in found
            if (not self._numbers or view.index + 1 in self._numbers)
            and (not self._whose or self._user(view.user))
        ]

    @staticmethod
    def runs(trace: Trace, views: Sequence[SessionView]) -> Sequence[FlowRun]:
        """Return the runs of the flows of these sessions."""
        if len(views) == len(outline(trace).sessions):
            return flows_of(trace)
        return flows_of(trace, [view.index for view in views])
