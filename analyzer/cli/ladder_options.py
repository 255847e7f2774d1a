"""Options of what draws ladders: what is chosen of a capture, and how it looks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from analyzer.cli.chosen import session_option, whose_option
from analyzer.cli.options import applied, parsed, parsed_by
from analyzer.ladder.aliases import parse_alias, parse_aliases
from analyzer.ladder.build import Options
from analyzer.ladder.look import Look, Theme, TimeMode
from analyzer.ladder.selection import Choice
from analyzer.named import parse_frames
from analyzer.zoned_times import parse_time, placed
from analyzer.zones import parse_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from analyzer.trace import Trace

MAX_ALIASES = 1 << 20
"""Bytes of a file of aliases."""

choice_options = applied(
    (
        session_option,
        whose_option,
        click.option("--dialog", "dialogs", multiple=True, metavar="ID",
                     help="Call-ID, its beginning followed by *, or #N as `xccos dialogs` shows."),
        click.option("--flow", "flows", multiple=True, metavar="NAME[:N]",
                     help="sign-in or posting; posting:2 is the second one."),
        click.option("--room", "rooms", multiple=True, metavar="ROOM",
                     help="URI or name of a room, or a part of one."),
        click.option("--finding", "findings", multiple=True, metavar="ID|N",
                     help="The dialogs of what a finding rests on: GC409, or its number in "
                     "`xccos findings`, from 1."),
        click.option("--from-time", callback=parsed_by(lambda text: parse_time(text)),
                     metavar="TIME", help="2026-11-22T07:20:06Z, 07:20; in the zone of --zone "
                     "unless it has one."),
        click.option("--to-time", callback=parsed_by(lambda text: parse_time(text)),
                     metavar="TIME",
                     help="The same; up to the end of the day, minute or second given."),
        click.option("--frames", callback=parsed_by(parse_frames), metavar="4,8-13",
                     help="Frames that bring a message."),
    )
)  # fmt: skip

shown_options = applied(
    (
        click.option("--hops", is_flag=True,
                     help="Draw every hop as it was captured, not one arrow from end to end."),
        click.option("--no-fold", is_flag=True, help="Draw likes one by one, not once with ×N."),
        click.option("--fold-answers", is_flag=True,
                     help="Put SIP answers of success into the arrows of their requests."),
        click.option("--no-findings", is_flag=True, help="Leave findings out."),
        click.option("--hide-lane", "hide_lanes", multiple=True, metavar="NAME",
                     help="Leave out a lane, by its name or kind (client, dns, director, "
                     "front-end, lookup, channel, server, web)."),
        click.option("--hide-method", "hide_methods", multiple=True, metavar="NAME",
                     help="Leave out a SIP method or an XCCOS command with its answers."),
        click.option("--alias", "aliases", multiple=True, metavar="ADDRESS=NAME",
                     callback=parsed_by(parse_alias),
                     help="Name a host, host:port, user or URI: 10.0.0.5=fe1. Repeatable."),
        click.option("--aliases", "alias_file", metavar="FILE",
                     type=click.Path(exists=True, dir_okay=False),
                     help="A file of them, one a line, or as /etc/hosts."),
    )
)  # fmt: skip

look_options = applied(
    (
        click.option("--time", "times", type=click.Choice(get_args(TimeMode)), default="absolute",
                     help="Time of day (default), since the first message, or since the one "
                     "before."),
        click.option("--zone", default="UTC", callback=parsed_by(lambda text: parse_zone(text)),
                     metavar="ZONE",
                     help="Europe/Berlin, +02:00 or local; UTC by default, and always at hand."),
        click.option("--theme", type=click.Choice(get_args(Theme)), default="auto",
                     help="Of SVG, HTML and images: auto, light or dark."),
        click.option("--label", type=click.IntRange(8, 400), default=60, metavar="N",
                     help="Cut labels after N characters (60); the whole is in the tooltip."),
        click.option("--page-size", "page_size", type=click.IntRange(1, 50_000), default=5000,
                     metavar="N", help="Events on one page (5000)."),
    )
)  # fmt: skip


def in_zone(choice: Choice, zone: tzinfo, trace: Trace) -> Choice:
    """Return a choice with the times that have no zone of their own in this one."""
    times = (choice.from_time, choice.to_time)
    first, last = (None if one is None else placed(one, zone, trace.began or 0) for one in times)
    return replace(choice, from_time=first, to_time=last)


def choice_of(options: dict[str, Any]) -> Choice:
    """Return what the options of ``choice_options`` choose."""
    return Choice(
        sessions=tuple(number - 1 for number in options["numbers"]),
        users=options["whose"],
        dialogs=options["dialogs"],
        flows=options["flows"],
        rooms=options["rooms"],
        findings=options["findings"],
        from_time=options["from_time"],
        to_time=options["to_time"],
        frames=options["frames"] or (),
    )


def shown_of(options: dict[str, Any]) -> Options:
    """Return what the options of ``shown_options`` say. Raises UsageError."""
    return Options(
        hops=options["hops"],
        fold=not options["no_fold"],
        fold_answers=options["fold_answers"],
        findings=not options["no_findings"],
        hide_lanes=options["hide_lanes"],
        hide_methods=options["hide_methods"],
        aliases=aliases_of(options["alias_file"], options["aliases"]),
    )


def aliases_of(file: str | None, given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the aliases of a file and of the command line, which goes before it."""
    found: dict[str, str] = {}
    if file is not None:
        try:
            text = Path(file).read_bytes()[:MAX_ALIASES].decode("utf-8-sig", "replace")
        except OSError as error:
            raise click.UsageError(f"--aliases {file}: {error.strerror}") from None
        found.update(parsed(lambda lines: dict(parse_aliases(lines)), text.splitlines()))
    return {**found, **dict(given)}


def look_of(options: dict[str, Any]) -> Look:
    """Return how it is to look, for a file."""
    return Look(
        times=options["times"],
        zone=options["zone"],
        theme=options["theme"],
        label=options["label"],
        page=options["page_size"],
    )
