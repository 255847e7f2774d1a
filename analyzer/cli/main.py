"""``xccos``: the group, its commands by name, and what becomes of errors.

The rule: starting costs nothing. A command's module is imported when the command runs; ``--help``
imports none of them, and no reading code.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from analyzer import __version__
from analyzer.cli.exits import EXIT_CODES, INTERRUPTED, OK, USAGE
from analyzer.cli.terminal import talk

if TYPE_CHECKING:
    from collections.abc import Sequence

# Name: where it is, and its line in the help (kept here so that help imports nothing).
COMMANDS = {
    "triage": ("analyzer.cli.triage:triage", "Say how far each sign-in got and what went wrong."),
    "live": ("analyzer.cli.live:live", "Show sessions and findings while packets are captured."),
    "listen": ("analyzer.cli.listen:listen", "Show live what agents of HOMER see (HEP)."),
    "flows": ("analyzer.cli.flows:flows", "List how far each sign-in and post got, by steps."),
    "story": ("analyzer.cli.story:story", "Tell each session in sentences."),
    "path": ("analyzer.cli.path:path", "Show which waits made a sign-in slow."),
    "diff": ("analyzer.cli.diff:diff", "Compare two sessions: what differs, and what first."),
    "ladder": ("analyzer.cli.ladder:ladder", "Draw who said what to whom: text, SVG, HTML, PDF."),
    "dashboard": (
        "analyzer.cli.dashboard:dashboard",
        "Show captures in a browser.",
    ),
    "report": ("analyzer.cli.report:report", "Write one page, or a bundle, for a ticket."),
    "findings": ("analyzer.cli.findings:findings", "List what is wrong, with frames and advice."),
    "rules": ("analyzer.cli.findings:rules", "List all rules: what findings can be."),
    "explain": ("analyzer.cli.findings:explain", "Explain a rule, or a number of an answer."),
    "sessions": ("analyzer.cli.lists:sessions", "List sessions: all that one client did."),
    "dialogs": ("analyzer.cli.lists:dialogs", "List SIP dialogs and registrations."),
    "commands": ("analyzer.cli.lists:commands", "List commands and posts with both answers."),
    "messages": ("analyzer.cli.lists:messages", "List SIP messages."),
    "show": ("analyzer.cli.show:show", "Show one message: headers, XCCOS tree, raw bytes."),
    "index": ("analyzer.cli.index:index", "Save the rows of captures: the next look is instant."),
    "merge": (
        "analyzer.cli.merge:merge",
        "Put captures of several places into one, clocks corrected.",
    ),
    "export": ("analyzer.cli.export:export", "Write tables, or parts of a capture as a capture."),
    "check": ("analyzer.cli.check:check", "Hold captures against rules of one's own, for CI."),
    "script": ("analyzer.cli.script:script", "Derive a script from a capture: a case to replay."),
    "replay": (
        "analyzer.cli.replay:replay",
        "Play a script: as a capture, a client, a server, or both.",
    ),
    "shrink": (
        "analyzer.cli.shrink:shrink",
        "Drop turns of a script as long as a finding still shows.",
    ),
    "wireshark-plugin": (
        "analyzer.cli.wireshark:wireshark_plugin",
        "Write the plug-in that decodes XCCOS in Wireshark.",
    ),
    "completion": ("analyzer.cli.completion:completion", "Print a shell completion script."),
}

_EPILOG = """\b
Examples:
  xccos triage capture.pcapng
  xccos messages capture.pcap --method INFO --command join
  xccos commands capture.pcap --status '>=400' --format json
  xccos messages capture.pcap -o messages.csv
  xccos show capture.pcap 17

\b
Exit codes:
"""


class Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order that people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  (click's signature)
        """Run the command; a reader that went away (``| head``) is no error."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
            return OK
        return code


def _forget_stdout() -> None:
    """Send what is still buffered nowhere: the interpreter would complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  (click's)
    if wanted and not ctx.resilient_parsing:
        python = ".".join(map(str, sys.version_info[:3]))
        path = import_module("analyzer.paths").description()
        click.echo(f"xccos-analyzer {__version__}, Python {python}, {path}")
        ctx.exit()


def _set_color(ctx: click.Context, _: click.Parameter, choice: str | None) -> None:
    if choice is not None:
        ctx.meta["color"] = choice


def color_option(command: Any) -> Any:  # noqa: ANN401  (click's decorators are functions or commands)
    """Add ``--color``, which may stand before or after the name of a command."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        expose_value=False,
        callback=_set_color,
        help="Colour in tables: auto (only on a terminal; NO_COLOR and FORCE_COLOR are heeded), "
        "always or never.",
    )(command)


@click.group(
    "xccos",
    cls=Commands,
    epilog=_EPILOG + "\n".join(f"  {code:<4} {text}" for code, text in EXIT_CODES.items()),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show name, version, Python and which reading path runs.",
)
@color_option
def main() -> None:
    """Analyze Group Chat and Persistent Chat (XCCOS over SIP) in network captures.

    FILE is a pcap or pcapng capture. Output goes to stdout, remarks to stderr.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (docs/cli.md)."""
    # Analysis makes many small values that stay: collecting at every 700 of them, as is the
    # default, costs a tenth of the run and finds nothing.
    gc.set_threshold(200_000, 20, 20)
    if arguments is None:
        code = _run(sys.argv[1:])
        gc.freeze()  # the process ends now: walking all that is left takes as long as the work did
        return code
    return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        code = main.main(list(arguments), prog_name="xccos", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        talk("xccos: interrupted")
        return INTERRUPTED
    return code if isinstance(code, int) else OK


if __name__ == "__main__":
    sys.exit(run())
