"""``xccos completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

from analyzer.cli.exits import OK
from analyzer.cli.main import main


@click.command(
    epilog="""\b
Example, for ~/.bashrc:
  eval "$(xccos completion bash)"
The same without this command:
  eval "$(_XCCOS_COMPLETE=bash_source xccos)"
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print a completion script for bash, zsh or fish."""
    from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

    made = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell](
        main, {}, "xccos", "_XCCOS_COMPLETE"
    )
    # The base class's: that of bash starts the shell to ask for its version.
    click.echo(ShellComplete.source(made))
    return OK
