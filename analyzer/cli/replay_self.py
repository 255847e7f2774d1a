"""``xccos replay self``: both ends of a script, in memory."""

from __future__ import annotations

from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.replay_case import case_of, script_argument
from analyzer.cli.replay_options import (
    fault_options,
    needs_passwords,
    play_options,
    play_options_of,
    result_options,
    users_options,
)
from analyzer.cli.replay_plays import (
    faults_of,
    seed_of,
    seed_remarks,
    server_play,
)
from analyzer.cli.replay_results import Places, Played
from analyzer.replay.plays import cast, client_play

if TYPE_CHECKING:
    from analyzer.cli.replay_case import Case
    from analyzer.replay.actions import WireEvent

LIMIT = 86_400.0
"""Seconds of virtual time: a script as recorded is over within a day."""


@click.command(
    "self",
    epilog="""\b
Examples:
  xccos replay self case.json
  xccos replay self case.json --fault "503 cmd=join nth=1 retry-after=2" -o refused.pcapng
  xccos replay self capture.pcap --diff capture.pcap
""",
)
@script_argument
@play_options
@users_options
@click.option("--ntlm", "scheme", flag_value="NTLM", help="The server demands NTLM.")
@click.option("--digest", "scheme", flag_value="Digest", help="The server demands Digest.")
@fault_options
@click.option("--client-fault", "client_rules", multiple=True, metavar="RULE",
              help="A fault of the client's end; --fault is the server's. Repeatable.")  # fmt: skip
@result_options
def both(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Play both ends of the script against each other in memory.

    Without sockets, in a time of its own that needs no waiting: an hour as recorded takes seconds.
    """
    return _Both(options).run()


class _Both:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        inputs = (options["file"], options["users_file"], options["fault_file"])
        self._places = Places(options, inputs)
        self._seed = seed_of(options)
        rules, file = options["fault_rules"], options["fault_file"]
        self._server_faults = faults_of(rules, file, self._seed)
        self._client_faults = faults_of(options["client_rules"], None, self._seed)

    def run(self) -> int:
        """Play and tell; return the exit code."""
        case = case_of(self._options)
        return self._places.write(case, self._play(case))

    def _play(self, case: Case) -> Played:
        from analyzer.replay.memory import play_in_memory
        from analyzer.replay.told.account import Account, end_of

        options = play_options_of(self._options, case, self._seed)
        needs_passwords(options)
        played_by = replace(options, users=cast(case.script, options.users))
        events: list[WireEvent] = []
        began = time_ns()
        found = play_in_memory(
            client_play(case.script, played_by, self._client_faults, began),
            server_play(case.script, replace(options, once=True), self._server_faults, began),
            start_ns=began,
            observe=events.append if self._places.wire_wanted else None,
            limit_seconds=options.limit or LIMIT,
        )
        ends = (end_of("client", found.client), end_of("server", found.server))
        failed = not all(end.held for end in ends)
        remarks = seed_remarks(self._options, self._seed, wanted=failed)
        account = Account(case.file, case.script.title, ends, found.seconds, remarks)
        return Played(account, events)
