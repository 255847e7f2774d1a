"""Options that several commands share, and what the text of an option becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from analyzer.cli.main import color_option
from analyzer.cli.tls_options import key_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from analyzer.query import Query, Range
    from analyzer.times import TypedTime

T = TypeVar("T")
G = TypeVar("G")

FORMATS = ("table", "json", "jsonl", "csv")
CONDITIONS = ("rejected", "unanswered", "incomplete", "holes", "any")

Command = Any
"""What click's decorators take and give: a function that becomes a command."""


def parsed_by(read: Callable[[str], object]) -> Callable[..., object]:
    """Return a callback that reads the text of an option, or the texts of a repeatable one."""

    def callback(ctx: click.Context, param: click.Parameter, value: object) -> object:
        try:
            if isinstance(value, tuple):
                return tuple(map(read, value))
            return read(value) if isinstance(value, str) else value
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=param) from None

    return callback


def parsed(read: Callable[[G], T], given: G) -> T:
    """Return what was read from an option's text; what it does not fit is a UsageError."""
    try:
        return read(given)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


# Only a list is filtered: the other commands do without the module.
def _status(text: str) -> Range:
    from analyzer.query import parse_status

    return parse_status(text)


def _typed_time(text: str) -> TypedTime:
    from analyzer.times import parse_typed_time

    return parse_typed_time(text)


def applied(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Return a decorator that adds several options, in their order."""

    def apply(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


keylog_option = key_options
"""All options that give TLS keys."""


def _keep_index(ctx: click.Context, _: click.Parameter, no_index: bool) -> None:  # noqa: FBT001  (click's)
    ctx.meta["index"] = not no_index


index_option = click.option(
    "--no-index",
    is_flag=True,
    expose_value=False,
    callback=_keep_index,
    help="Read the capture itself, even where `xccos index` saved its rows.",
)


def _keep_zones(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> None:
    if not texts:
        return
    from analyzer.zones import parse_zone

    zones: dict[str | None, tzinfo] = {}
    for text in texts:
        name, equals, zone = text.rpartition("=")
        try:
            zones[name if equals else None] = parse_zone(zone)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=param) from None
    ctx.meta["zones"] = zones


def _keep(name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: object) -> None:
        ctx.meta[name] = value

    return callback


zone_option = click.option(
    "--tz",
    multiple=True,
    metavar="[FILE=]ZONE",
    expose_value=False,
    callback=_keep_zones,
    help="Time zone of a text trace that does not say its own: Europe/Berlin, +02:00. Default: "
    "UTC. Repeatable, with FILE= for one of several.",
)
with_option = click.option(
    "--with",
    multiple=True,
    metavar="FILE",
    type=click.Path(),
    expose_value=False,
    callback=_keep("with"),
    help="The same story as somebody else saw it: another capture or trace, joined with this one. "
    "Repeatable.",
)
ring_option = click.option(
    "--ring-files",
    is_flag=True,
    expose_value=False,
    callback=_keep("ring_files"),
    help="Take the files of the same ring buffer (dumpcap -b, tcpdump -C or -G) that lie beside "
    "FILE too. Those of a ring that are named are always taken as one capture.",
)
join_option = click.option(
    "--join/--separate",
    default=None,
    expose_value=False,
    callback=_keep("join"),
    help="Take all files as one story, or each for itself. Default: those that share messages are "
    "joined where a story is told, and lists are made file by file.",
)

reading_options = applied((keylog_option, zone_option, with_option, ring_option, index_option))

files_argument = applied(
    (
        click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path()),
        reading_options,
        join_option,
    )
)

filter_options = applied(
    (
        click.option("--user", "users", multiple=True, metavar="WHO",
                     help="URI, address or the part before the @; * stands for any characters."),
        click.option("--call-id", "call_ids", multiple=True, metavar="ID",
                     help="Call-ID, or its beginning followed by *."),
        click.option("--method", "methods", multiple=True, metavar="METHOD",
                     help="SIP method; of an answer, the method it answers."),
        click.option("--status", "statuses", multiple=True, metavar="STATUS",
                     callback=parsed_by(_status), help="200, 4xx, 400-499, >=400 ..."),
        click.option("--command", "commands", multiple=True, metavar="NAME",
                     help="XCCOS id: join, or cmd:join, rpl:join, ntc:join; grpchat."),
        click.option("--room", "rooms", multiple=True, metavar="ROOM",
                     help="URI or name of a room, or a part of one."),
        click.option("--from-time", callback=parsed_by(_typed_time), metavar="TIME",
                     help="2026-11-22T07:20:06Z, 2026-11-22, 07:20; UTC unless it has a zone."),
        click.option("--to-time", callback=parsed_by(_typed_time), metavar="TIME",
                     help="The same; up to the end of the day, minute or second given."),
    )
)  # fmt: skip

output_options = applied(
    (
        click.option("--format", "format_", type=click.Choice(FORMATS),
                     help="Default: by the suffix of -o, else table."),
        click.option("-o", "--output", metavar="FILE",
                     help="Write to a file (.json, .jsonl or .csv), whole or not at all."),
        click.option("--limit", type=click.IntRange(min=0), metavar="N",
                     help="Show the first N only."),
        click.option("--fields", metavar="A,B,C",
                     help="Only these fields, in this order (names as in docs/json.md)."),
        color_option,
    )
)  # fmt: skip

fail_option = click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    type=click.Choice(CONDITIONS),
    help="Exit with 1 when this is found: a command or post rejected or unanswered, a sign-in "
    "that is incomplete, holes in the capture, or any of these. Repeatable.",
)


finding_fail_option = click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    metavar="error|warning|note|ID",
    help="Exit with 1 when there is a finding of this severity (or a higher one), or of this rule. "
    "Repeatable.",
)


wireshark_option = click.option(
    "--wireshark-filter",
    is_flag=True,
    help="Print a display filter for Wireshark instead: it shows the frames of what is listed.",
)


def query_of(options: dict[str, Any]) -> Query:
    """Return the query that the filter options ask for; other options are left alone."""
    from analyzer.query import Query

    names = ("users", "call_ids", "methods", "statuses", "commands", "rooms")
    return Query(
        **{name: tuple(options[name]) for name in names},
        from_time=options["from_time"],
        to_time=options["to_time"],
    )


def fields_of(text: str | None, known: Sequence[str]) -> tuple[str, ...] | None:
    """Return the fields of ``--fields``; None where it is absent. Raises UsageError."""
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        which = f"unknown field {', '.join(unknown)}" if unknown else "no field"
        raise click.UsageError(f"--fields: {which}; there are: {', '.join(known)}")
    return names
