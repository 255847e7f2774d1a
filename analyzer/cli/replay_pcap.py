"""``xccos replay pcap``: a script written as a capture."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import click

from analyzer.cli.main import color_option
from analyzer.cli.options import parsed_by, reading_options
from analyzer.cli.output import destination
from analyzer.cli.replay_case import case_of, script_argument, stopped
from analyzer.cli.replay_options import parse_setting, settings_option
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.times import parse_typed_time
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analyzer.replay.capture import CaptureOptions, CaptureSummary

_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}", re.IGNORECASE)


class Times(NamedTuple):
    """One word of ``--time``."""

    scale: float | None = None
    start_ns: int | None = None


def parse_times(text: str) -> Times:
    """Read ``recorded``, ``scale=2`` or ``start=2026-11-22T07:20:06Z``."""
    name, _, value = text.strip().partition("=")
    if name == "recorded" and not value:
        return Times()
    if name == "scale" and re.fullmatch(r"[0-9]{1,5}(?:\.[0-9]{1,9})?", value):
        return Times(scale=float(value))
    if name == "start":
        typed = parse_typed_time(value)
        if typed.day is None:
            raise ValueError(f"{value!r}: a capture starts on a day: 2026-11-22T07:20:06Z")
        return Times(start_ns=typed.first(0))
    raise ValueError(f"{text!r}: times are recorded, scale=2 or start=2026-11-22T07:20:06Z")


def parse_mac(text: str) -> tuple[str, str]:
    """Read ``10.0.0.5=02:00:00:00:00:05``."""
    address, mac = parse_setting(text)
    if not _MAC.fullmatch(mac.strip()):
        raise ValueError(f"{mac!r} is no Ethernet address: 02:00:00:00:00:05")
    return address, mac.strip().replace("-", ":").lower()


@click.command(
    epilog="""\b
Examples:
  xccos replay pcap case.json -o again.pcapng
  xccos replay pcap case.json -o slow.pcap --time scale=2 --time start=2026-12-01T08:00:00Z
  xccos replay pcap case.json -o lab.pcapng --address server=10.0.0.5 --vlan 42 --fresh
"""
)
@script_argument
@click.option("-o", "--output", metavar="FILE", required=True,
              help="The capture: .pcapng, or .pcap; - is stdout.")  # fmt: skip
@click.option("--time", "times", multiple=True, metavar="recorded|scale=N|start=TIME",
              callback=parsed_by(parse_times),
              help="As recorded (default); scale=2 takes twice as long; start moves the whole, "
              "with the times that messages tell. Repeatable.")  # fmt: skip
@click.option("--address", "addresses", multiple=True, metavar="OLD=NEW",
              callback=parsed_by(parse_setting),
              help="Another address: 10.0.0.5=192.168.1.5, 10.0.0.5:5060=..., server=..., "
              "client1=... Repeatable.")  # fmt: skip
@click.option("--mac", "macs", multiple=True, metavar="ADDRESS=MAC", callback=parsed_by(parse_mac),
              help="The Ethernet address of an IP address, of the server or a client: "
              "10.0.0.5=02:00:00:00:00:05, server=... Repeatable.")  # fmt: skip
@click.option("--vlan", type=click.IntRange(1, 4094), metavar="N", help="Tag frames with a VLAN.")
@click.option("--mss", type=click.IntRange(min=48, max=65_495), default=1460, show_default=True,
              metavar="N", help="Bytes of a TCP segment.")  # fmt: skip
@click.option("--fresh", is_flag=True,
              help="New identifiers: Call-IDs, tags, branches, envids.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
              help="Of all that is made up: the same seed gives the same file.")  # fmt: skip
@click.option("--comments", is_flag=True,
              help="Say in a packet comment which turn it is (pcapng).")  # fmt: skip
@settings_option
@reading_options
@color_option
def pcap(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Write the script as a capture.

    Ethernet, IP and TCP with handshakes, acknowledgements and checksums; analysed again it says the
    same as the recording. What cannot be as in the recording is said on stderr.
    """
    case = case_of(options)
    from analyzer.replay.capture import ScriptFaultError, write_script_capture

    try:
        chosen = _options_of(options, case.values)
        with destination(options["output"], (case.file,)) as write:
            summary = write_script_capture(case.script, chosen, output(write))
    except ScriptFaultError as error:
        raise stopped(case.file, str(error)) from None
    except ValueError as error:
        raise click.UsageError(printable(str(error))) from None
    _tell(summary)
    return case.code


def _options_of(options: dict[str, Any], values: Mapping[str, str]) -> CaptureOptions:
    from analyzer.replay.capture import CaptureOptions, format_of

    times: Sequence[Times] = options["times"]
    scales = [one.scale for one in times if one.scale is not None]
    starts = [one.start_ns for one in times if one.start_ns is not None]
    if len(scales) > 1 or len(starts) > 1:
        raise ValueError("--time: one scale and one start")
    return CaptureOptions(
        format=format_of(options["output"]),
        addresses=dict(options["addresses"]),
        macs=dict(options["macs"]),
        vlan=options["vlan"],
        mss=options["mss"],
        scale=scales[0] if scales else 1.0,
        start_ns=starts[0] if starts else None,
        fresh=options["fresh"],
        seed=options["seed"],
        comments=options["comments"],
        values=values,
    )


def _tell(summary: CaptureSummary) -> None:
    said = (
        f"{amount(summary.frames, 'frame')}, {amount(summary.turns, 'message')}, "
        f"{amount(summary.connections, 'connection')}"
    )
    talk(f"xccos: {said}")
    for note in summary.notes:
        talk(f"xccos: {printable(note)}")


class _Output(io.RawIOBase):
    """What a writer of captures takes for a file: it only ever writes."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__()
        self._write = write

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  (any buffer)
        """Pass the bytes on."""
        self._write(bytes(data))
        return len(data)


def output(write: Callable[[bytes], object]) -> BinaryIO:
    """Return a stream for what takes bytes."""
    return cast("BinaryIO", _Output(write))
