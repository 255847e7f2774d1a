"""``xccos replay server``: the server of a script, for live clients."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.options import parsed
from analyzer.cli.replay_case import case_of, script_argument
from analyzer.cli.replay_options import (
    fault_options,
    needs_passwords,
    play_options,
    play_options_of,
    result_options,
    server_options,
)
from analyzer.cli.replay_plays import faults_of, seed_of, seed_remarks, server_play
from analyzer.cli.replay_results import Places, Played, carried
from analyzer.cli.terminal import talk
from analyzer.replay.safety import SIP_PORT, SIPS_PORT, allow_listen, parse_host_port

if TYPE_CHECKING:
    from analyzer.cli.replay_case import Case
    from analyzer.replay.actions import Address
    from analyzer.replay.transport.tls import TlsSettings


@click.command(
    epilog="""\b
Examples:
  xccos replay server case.json
  xccos replay server case.json --listen 127.0.0.1:0 --tls --write-cert server.pem --once
  xccos replay server case.json --ntlm --user ann@contoso.com:secret -o wire.pcapng
  xccos replay server case.json --fault "503 cmd=join nth=1 retry-after=2" --for 10m
"""
)
@script_argument
@server_options
@play_options
@fault_options
@result_options
def server(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Play the server of the script for live clients.

    Requests are paired with those of the script by what they mean; what it has no answer for gets
    a polite one. Says `xccos: listening on ADDRESS:PORT` on stderr when it is ready. Ends on
    Ctrl-C or SIGTERM, with --once or after --for, and then tells what held.
    """
    return _Server(options).run()


class _Server:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        files = ("file", "users_file", "fault_file", "cert", "key")
        self._places = Places(options, (options[name] for name in files))
        self._seed = seed_of(options)
        self._faults = faults_of(options["fault_rules"], options["fault_file"], self._seed)
        port = SIPS_PORT if options["tls"] else SIP_PORT
        asked = parsed(lambda text: parse_host_port(text, port), options["listen"])
        self._listen: Address = parsed(
            lambda address: allow_listen(address, anywhere=options["anywhere"]), asked
        )
        if not options["tls"] and (options["cert"] or options["key"] or options["write_cert"]):
            raise click.UsageError("--cert, --key and --write-cert are for --tls")
        if options["key"] and not options["cert"]:
            raise click.UsageError("--key belongs to a certificate: --cert")

    def run(self) -> int:
        """Play and tell; return the exit code."""
        case = case_of(self._options)
        with carried():
            played = self._play(case)
        return self._places.write(case, played)

    def _play(self, case: Case) -> Played:
        from analyzer.replay.told.account import Account, end_of
        from analyzer.replay.transport.front import play_server

        options = play_options_of(self._options, case, self._seed)
        needs_passwords(options)
        run = self._places.run(options.limit)
        began = monotonic()
        outcome = play_server(
            server_play(case.script, options, self._faults, time_ns()),
            self._listen,
            ready=lambda address: talk(f"xccos: listening on {address}"),
            tls=self._tls(),
            run=run,
        )
        end = end_of("server", outcome, endless=not options.once)
        remarks = seed_remarks(self._options, self._seed, wanted=not end.held)
        account = Account(case.file, case.script.title, (end,), monotonic() - began, remarks)
        return Played.of(account, run, ends_by_signal=True)

    def _tls(self) -> TlsSettings | None:
        if not self._options["tls"]:
            return None
        from analyzer.replay.transport.identity import make_identity, read_identity
        from analyzer.replay.transport.tls import TlsSettings

        certificate, key = self._options["cert"], self._options["key"]
        if certificate is None:
            identity = make_identity((self._listen.host,), now=datetime.now(UTC))
        else:
            identity = read_identity(Path(certificate), None if key is None else Path(key))
        talk(f"xccos: certificate SHA-256 {identity.fingerprint}")
        if self._options["write_cert"] is not None:
            identity.write_certificate(Path(self._options["write_cert"]))
        return TlsSettings(identity=identity)
