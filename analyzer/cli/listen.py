"""``xccos listen``: sessions and findings of what agents of HOMER send."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any

import click

from analyzer import __version__
from analyzer.cli.live_options import watch_options
from analyzer.cli.main import color_option
from analyzer.cli.options import finding_fail_option, parsed, parsed_by
from analyzer.diagnostics.select import condition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.sources.live import Inflow

LOOPBACK = "127.0.0.1"
PORT = 9060
_MAX_PORT = 65_535


def parse_place(text: str) -> tuple[str, int]:
    """Read ``9060``, ``127.0.0.1:9060`` or ``[::1]:9060``; an address alone has the usual port."""
    host, colon, port = text.strip().rpartition(":")
    if not colon and port.isascii() and port.isdecimal():
        host = LOOPBACK
    elif not colon or port.endswith("]"):
        host, port = text.strip(), str(PORT)
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > _MAX_PORT:
        raise ValueError(f"{text!r} is no place to listen: 9060, 127.0.0.1:9060 or [::1]:9060")
    return host.removeprefix("[").removesuffix("]"), int(port)


class Agents:
    """What agents send, as bytes of a capture: an input of a live run."""

    kept = True

    def __init__(self, host: str, port: int, *, tcp: bool) -> None:
        """Listen. Raises ``SourceError``."""
        from analyzer.sources.hep import Listener
        from analyzer.sources.hep_capture import HepCapture

        self._host = host
        self._listener = Listener(host, port, tcp=tcp)
        self._capture = HepCapture(f"xccos-analyzer {__version__}")
        shown = f"[{host}]" if ":" in host else host
        self.name = f"HEP on {shown}:{self._listener.port}"
        self._how = "UDP and TCP" if tcp else "UDP"
        self._stopped = False
        self._ended = False

    def reader(self) -> Callable[[], bytes | None]:
        """Return what receives."""
        from analyzer.sources.live import LOOK_EVERY

        begun = False

        def read() -> bytes | None:
            nonlocal begun
            if not begun:
                begun = True
                return self._capture.header()
            if self._stopped:
                data = b"" if self._ended else self._capture.close()
                self._ended = True
                return data
            # The clock of a packet that does not say when it was seen
            packets = self._listener.receive(LOOK_EVERY)
            return self._capture.take(packets, time_ns()) or None

        return read

    def begun(self, inflow: Inflow) -> str:  # noqa: ARG002  (it runs already)
        """Return where it listens, and who may send."""
        from analyzer.sources.hep import is_loopback

        said = f"listening for {self.name} ({self._how})"
        if is_loopback(self._host):
            return said
        return f"{said}; whoever reaches this address can send: HEP does not say who did"

    def stop(self) -> None:
        """Take no more packets."""
        self._stopped = True

    def ended(self) -> tuple[int | None, str | None]:
        """Return what went wrong with packets."""
        complaint = self._capture.complaint()
        refused = self._listener.refused
        if refused:
            more = f"{refused:,} connections were refused: there were too many"
            complaint = more if complaint is None else f"{complaint}; {more}"
        return None, complaint

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@click.command(
    epilog="""\b
Examples:
  xccos listen --hep 9060
  xccos listen --hep 127.0.0.1:9060 -w monday.pcapng --for 10m
  xccos listen --hep 10.0.0.5:9060 --tcp --until error --format jsonl
"""
)
@click.option("--hep", "place", metavar="[HOST:]PORT", required=True,
              callback=parsed_by(parse_place),
              help="Take HEP here; without a host on this machine only.")  # fmt: skip
@click.option("--tcp", is_flag=True, help="Over TCP as well as over UDP.")
@click.option("-w", "--write", "target", metavar="FILE",
              help="Keep the messages: a pcapng that Wireshark reads too. Default: a ring of 4 "
              "files of 64 MB, deleted at the end.")  # fmt: skip
@watch_options
@finding_fail_option
@color_option
def listen(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Show live what agents of HOMER see: sessions and findings, and a triage at the end.

    Agents (heplify, captagent, Kamailio, OpenSIPS, sngrep -H) send what they see as HEP:
    point one at this port. Ctrl-C ends and tells what was seen; a second one ends at once.
    """
    options["wanted"] = dict(parsed(condition_of, text) for text in options["until"])
    from analyzer.cli.live_run import LiveRun  # rich and the analysis, which --help does without

    host, port = options["place"]

    class ListenRun(LiveRun):
        def _source(self) -> Agents:
            return Agents(host, port, tcp=options["tcp"])

    return ListenRun(options).run()
