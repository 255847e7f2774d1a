"""``xccos replay client``: the clients of a script, against a live server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.options import parsed
from analyzer.cli.replay_case import case_of, script_argument
from analyzer.cli.replay_options import (
    client_options,
    fault_options,
    play_options,
    play_options_of,
    result_options,
)
from analyzer.cli.replay_plays import faults_of, seed_of, seed_remarks
from analyzer.cli.replay_results import Places, Played, carried
from analyzer.replay.plays import cast, client_play
from analyzer.replay.safety import (
    SIP_PORT,
    SIPS_PORT,
    allow_rate,
    allow_target,
    ip_of,
    parse_host_port,
)

if TYPE_CHECKING:
    from analyzer.cli.replay_case import Case
    from analyzer.replay.actions import Address
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.told.account import Account
    from analyzer.replay.transport.run import Run
    from analyzer.replay.transport.tls import TlsSettings


@click.command(
    epilog="""\b
Examples:
  xccos replay client case.json --target 127.0.0.1:5060
  xccos replay client case.json --target fe.lab.test --tls --user ann@lab.test --password
  xccos replay client case.json --target 10.0.0.5 --users users.csv --clients 200 --rate 10/s
  xccos replay client capture.pcap --target 127.0.0.1:5060 --diff capture.pcap
"""
)
@script_argument
@client_options
@play_options
@fault_options
@result_options
def client(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Play the clients of the script against a live server.

    Every client has its own connection, identifiers are fresh, and what the server says is taken by
    what it means. Only loopback and private addresses are called without --i-own-this-target.
    """
    return _Client(options).run()


class _Client:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        files = ("file", "users_file", "fault_file", "ca")
        self._places = Places(options, (options[name] for name in files))
        self._seed = seed_of(options)
        self._faults = faults_of(options["fault_rules"], options["fault_file"], self._seed)
        port = SIPS_PORT if options["tls"] else SIP_PORT
        self._asked: Address = parsed(lambda text: parse_host_port(text, port), options["target"])
        self._clients: int = options["clients"]
        parsed(self._allow_rate, options["rate"])
        if not options["tls"] and (options["ca"] or options["insecure"] or options["keylog"]):
            raise click.UsageError("--ca, --insecure and --keylog are for --tls")
        if options["ca"] and options["insecure"]:
            raise click.UsageError("--ca says whom to trust, --insecure that it does not matter")

    def _allow_rate(self, rate: float) -> None:
        allow_rate(self._clients, rate, unlimited=self._options["no_limits"])

    def run(self) -> int:
        """Play and tell; return the exit code."""
        from analyzer.replay.transport.names import addresses_of

        target = parsed(
            lambda asked: allow_target(asked, owned=self._options["owned"], resolve=addresses_of),
            self._asked,
        )
        case = case_of(self._options)
        with carried():
            played = self._play(case, target)
        return self._places.write(case, played)

    def _play(self, case: Case, target: Address) -> Played:
        options = play_options_of(self._options, case, self._seed)
        run = self._places.run(options.limit)
        many = self._clients > 1
        account = (self._crowd if many else self._alone)(case, options, target, run)
        return Played.of(account, run)

    def _alone(self, case: Case, options: PlayOptions, target: Address, run: Run) -> Account:
        from analyzer.replay.told.account import Account, end_of
        from analyzer.replay.transport.front import play_client

        began = monotonic()
        options = replace(options, users=cast(case.script, options.users))
        play = client_play(case.script, options, self._faults, time_ns())
        outcome = play_client(play, target, tls=self._tls(), run=run)
        end = end_of("client", outcome)
        took = monotonic() - began
        remarks = seed_remarks(self._options, self._seed, wanted=not end.held)
        return Account(case.file, case.script.title, (end,), took, remarks)

    def _crowd(self, case: Case, options: PlayOptions, target: Address, run: Run) -> Account:
        from analyzer.cli.replay_load import Shown, load_of
        from analyzer.replay.told.account import Account, end_of_load
        from analyzer.replay.transport.front import play_load

        load = load_of(case.script, options, self._faults, self._options)
        with Shown(quiet=self._places.quiet) as shown:
            result = play_load(load, target, tls=self._tls(), run=run, watch=shown.watch)
        view = result.view
        rate = view.messages / view.seconds if view.seconds else 0.0
        remarks = (
            f"{view.messages:,} messages, {rate:,.0f} a second",
            *seed_remarks(self._options, self._seed, wanted=not result.held),
        )
        return Account(case.file, case.script.title, (end_of_load(result),), view.seconds, remarks)

    def _tls(self) -> TlsSettings | None:
        given = self._options
        if not given["tls"]:
            return None
        from analyzer.replay.transport.tls import TlsSettings

        # The certificate must be that of the name that was asked for, not of its address.
        name = None if ip_of(self._asked.host) is not None else self._asked.host
        return TlsSettings(
            ca=None if given["ca"] is None else Path(given["ca"]),
            insecure=given["insecure"],
            server_name=name,
            minimum=given["tls_min"],
            keylog=None if given["keylog"] is None else Path(given["keylog"]),
        )
