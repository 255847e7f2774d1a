"""The command line that makes the same as the page.

The rule: it can be typed as it stands. Of what is made in steps there are several commands, one
after the other, and what passes between them is named so that nobody overwrites anything.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.takeaway.order import Order
    from analyzer.dashboard.takeaway.scope import Scope

SCRIPT = "pseudonyms.json"
CAPTURE = "pseudonyms.pcapng"


def command_of(order: Order, scope: Scope, files: Sequence[str]) -> str | None:
    """Return the command line; None where none says the same.

    Args:
        order: what is made.
        scope: of what.
        files: the inputs as arguments.
    """
    chosen = scope.options
    if order.redaction == "names":
        if chosen is None:
            return None
        bare = () if order.group == "script" else ("--bare",)
        script = ["script", *files, *chosen, *(() if scope.whole else bare), "--anonymise"]
        return _lines(*_of_pseudonyms(order, script))
    if order.group == "table":
        chosen = scope.table_options
    if chosen is None:
        return None
    if order.group == "script" and order.form == "sipp":
        return _lines(["script", *files, *chosen, "-o", "case.json"], _sipp("case.json"))
    return _lines([_COMMANDS[order.group], *files, *chosen, *_options(order), *_output(order)])


_COMMANDS = {
    "ladder": "ladder",
    "report": "report",
    "capture": "export",
    "table": "export",
    "script": "script",
}


def _of_pseudonyms(order: Order, script: list[str]) -> list[list[str]]:
    if order.group == "script" and order.form == "json":
        return [[*script, "-o", order.name]]
    first = [*script, "-o", SCRIPT]
    if order.group == "script":
        return [first, _sipp(SCRIPT)]
    if order.group == "capture":
        return [first, ["replay", "pcap", SCRIPT, "-o", order.name]]
    written = ["replay", "pcap", SCRIPT, "-o", CAPTURE]
    return [
        first, written, [_COMMANDS[order.group], CAPTURE, *_options(order), *_output(order)]
    ]  # fmt: skip


def _sipp(file: str) -> list[str]:
    return ["export", file, "--format", "sipp", "-o", "scenarios/"]


def _options(order: Order) -> list[str]:
    """Return what an order has beside what it is of."""
    if order.group == "capture":
        return _capture(order)
    if order.group == "table":
        return ["--table", order.table]
    if order.group == "script":
        return []
    given = [
        *(["--time", order.times] if order.times != "absolute" else []),
        *(["--zone", order.zone] if order.zone else []),
        *(["--theme", order.theme] if order.theme != "auto" else []),
        *(["--hops"] if order.hops else []),
        *([] if order.fold else ["--no-fold"]),
        *(["--fold-answers"] if order.answers else []),
    ]
    for address, name in order.aliases:
        given += ["--alias", f"{address}={name}"]
    if order.group == "report" and order.redaction == "bodies":
        given.append("--no-bodies")
    return given


def _capture(order: Order) -> list[str]:
    return [
        *(["--whole-connections"] if order.whole else []),
        *(["--decrypted"] if order.secrets == "decrypted" else []),
        *(["--with-keys"] if order.secrets == "keys" else []),
        *(["--no-comments"] if order.form == "pcapng" and not order.comments else []),
    ]


def _output(order: Order) -> list[str]:
    flag = "--bundle" if (order.group, order.form) == ("report", "zip") else "-o"
    return [flag, order.name]


def _lines(*commands: Sequence[str]) -> str:
    return " && \\\n  ".join(shlex.join(["xccos", *words]) for words in commands)
