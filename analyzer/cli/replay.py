"""``xccos replay``: the group; each way to play a script is a command of its own."""

from __future__ import annotations

from importlib import import_module

import click

WAYS = {
    "pcap": ("analyzer.cli.replay_pcap:pcap", "Write the script as a capture."),
    "client": ("analyzer.cli.replay_client:client", "Play the clients against a live server."),
    "server": ("analyzer.cli.replay_server:server", "Play the server for live clients."),
    "self": ("analyzer.cli.replay_self:both", "Play both ends in memory."),
}
"""Name: where it is, and its line in the help (kept here so that help imports nothing)."""


class Ways(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order that people need them."""
        return list(WAYS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name."""
        if cmd_name not in WAYS:
            return None
        module, _, name = WAYS[cmd_name][0].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in WAYS.items()])


@click.group(
    "replay",
    cls=Ways,
    epilog="""\b
Examples:
  xccos replay self case.json
  xccos replay server case.json --listen 127.0.0.1:5060
  xccos replay client case.json --target 127.0.0.1:5060
  xccos replay pcap case.json -o again.pcapng

\b
`xccos replay client --help` and so on have the options; docs/replay.md leads through a case.
Exits with 0 only if all that the script expects held, with 1 where something did not.
""",
)
def replay() -> None:
    """Play a script: as a capture, a client, a server, or both.

    SCRIPT is what `xccos script` wrote; a capture is derived from on the fly. A turn that is not as
    the script expects is told with the difference. Nobody but loopback and private addresses is
    called unless you say that the target is yours; captured credentials are never sent.
    """
