"""What happens in a live capture as lines: for people who scroll, for logs, and as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.export.printable import printable
from analyzer.export.records import to_json
from analyzer.times import latency_text
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.cli.live_status import Status
    from analyzer.cli.terminal import Terminal
    from analyzer.live.changes import Changes, Event
    from analyzer.live.picture import Picture

_MARKS = {"error": ("failed", "bad"), "warning": ("doubtful", "doubtful"), "note": ("none", "dim")}
SIGNIFICANT = ("finding", "finding gone")


def event_line(event: Event, terminal: Terminal) -> str:
    """Return the line of an event, in the style of what it says."""
    moment = str(event.get("time") or "")[11:23].removesuffix("Z")
    number = event.get("session")
    session = "capture" if number is None else f"session {number}"
    text, style = _TOLD[event["event"]](event, terminal)
    return terminal.paint(f"{moment:<12}  {session:<10}  {printable(text)}", style)


def _session(event: Event, _: Terminal) -> tuple[str, str]:
    user = event["user"] or "unknown user"
    return f"{user} ({event['client_address']} to {event['front_end']})", "bold"


def _step(event: Event, terminal: Terminal) -> tuple[str, str]:
    good = event["status"] != "failed"
    mark = terminal.symbol("ok" if good else "failed")
    taken = latency_text(event["latency_ms"])
    facts = [event["status"]] if event["status"] != "ok" else []
    facts += [taken] if taken else []
    facts += [frames_text(event["frames"])] if event["frames"] else []
    facts += [] if good else [event["detail"]]
    text = f"{mark} step {event['step']} {event['title']}"
    return (f"{text}: {', '.join(facts)}" if facts else text), "plain" if good else "bad"


def _finding(event: Event, terminal: Terminal) -> tuple[str, str]:
    symbol, style = _MARKS[event["severity"]]
    where = f" [{frames_text(event['frames'])}]" if event["frames"] else ""
    text = f"{terminal.symbol(symbol)} {event['severity']} {event['rule']} {event['title']}"
    return f"{text}: {event['detail']}{where}", style


def _gone(event: Event, _: Terminal) -> tuple[str, str]:
    return f"no longer: {event['rule']} {event['title']}", "dim"


def _act(event: Event, _: Terminal) -> tuple[str, str]:
    words = {"posted": "posted into"}.get(event["event"], event["event"])
    room = event.get("room_name") or event.get("room") or ""
    return f"{words} {room}".rstrip() + f" [{frames_text(event['frames'])}]", "plain"


def _quality(event: Event, _: Terminal) -> tuple[str, str]:
    holes, dark = event["holes"], event["tls_dark"]
    told = [f"{amount(holes, 'hole')} (bytes of SIP connections are missing)"] if holes else []
    told += [f"{amount(dark, 'connection')} under TLS (not read while live)"] if dark else []
    return "; ".join(told) or "nothing is missing", "doubtful" if holes else "plain"


_TOLD: dict[str, Callable[[Event, Terminal], tuple[str, str]]] = {
    "session": _session,
    "step": _step,
    "finding": _finding,
    "finding gone": _gone,
    "quality": _quality,
    **dict.fromkeys(("joined", "left", "posted", "signed off"), _act),
}


class LogView:
    """A line for every event: where there is no terminal, or none that can be drawn on."""

    def __init__(self, write: Callable[[str], object], terminal: Terminal) -> None:
        self._write, self._terminal = write, terminal

    def show(self, events: Sequence[Event]) -> None:
        """Write what happened."""
        for event in events:
            self._write(event_line(event, self._terminal) + "\n")

    def refresh(self, status: Status, picture: Picture | None, changes: Changes) -> None:
        """Do nothing: counts are not events."""

    def close(self) -> None:
        """Do nothing."""


class JsonView:
    """A JSON object for every event."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def show(self, events: Sequence[Event]) -> None:
        """Write what happened."""
        for event in events:
            self.record(event)

    def record(self, record: dict[str, Any]) -> None:
        """Write one record."""
        self._write(to_json(record) + "\n")

    def refresh(self, status: Status, picture: Picture | None, changes: Changes) -> None:
        """Do nothing: counts are not events."""

    def close(self) -> None:
        """Do nothing."""


class SilentView:
    """Nothing is shown: there is nobody to see it."""

    def show(self, events: Sequence[Event]) -> None:
        """Do nothing."""

    def refresh(self, status: Status, picture: Picture | None, changes: Changes) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
