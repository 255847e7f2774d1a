"""What can be taken away, and what of it somebody wants: the words of the address.

The rule: an order says everything that the file depends on, so that the same order is made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from analyzer.extras import MissingExtra
from analyzer.ladder.aliases import parse_alias
from analyzer.ladder.look import Theme, TimeMode

if TYPE_CHECKING:
    from collections.abc import Mapping

Redaction = Literal["", "bodies", "names"]
"""Nothing; no message bodies; pseudonyms for people, hosts, domains, rooms and words."""
Secrets = Literal["", "decrypted", "keys"]
"""Of TLS in a capture: as it was captured, as plain TCP, with its keys."""
TABLES = ("messages", "commands", "dialogs", "sessions", "flows", "findings")
MAX_ALIASES = 60
"""Names that somebody gives to hosts in the address of a page."""
AS_CAPTURED = "Holds {}, as captured."
_NAMES = "names, addresses and rooms"
PSEUDONYMS = (
    "People, domains, hosts' names, rooms and words have pseudonyms, credentials are stand-ins. "
    "Every text of it is searched for the old values; where one is left, nothing is made. "
    "Network addresses stay as captured. It is made anew from the messages: frames have other "
    "numbers, and damaged messages and repetitions are not in it."
)


class Form(NamedTuple):
    """A form in which something can be had."""

    title: str
    suffix: str
    mime: str
    holds: str
    """Of people and secrets."""
    needs: tuple[str, ...] = ()
    """Modules that come with an extra."""
    extra: str = ""


class Group(NamedTuple):
    """Something to take away."""

    title: str
    about: str
    forms: Mapping[str, Form]


_DRAWN = AS_CAPTURED.format(f"{_NAMES}, and what people wrote where a label has it")
_WRITTEN = AS_CAPTURED.format(f"{_NAMES}, and what people wrote to each other")
_MASKED = f"{_WRITTEN} Credentials and file tokens are masked"
_RAW = AS_CAPTURED.format(f"{_NAMES}, what people wrote to each other, credentials and file tokens")
_SCRIPTED = f"{_WRITTEN} Credentials and file tokens are never in a script."
_PICTURES = (("resvg_py", "ttf_opensans"), "images")
GROUPS: dict[str, Group] = {
    "ladder": Group(
        "Ladder",
        "who said what to whom, as a picture or as text",
        {
            "svg": Form("SVG", ".svg", "image/svg+xml", _DRAWN),
            "png": Form("PNG", ".png", "image/png", _DRAWN, *_PICTURES),
            "pdf": Form(
                "PDF", ".pdf", "application/pdf", _DRAWN, ("reportlab", "ttf_opensans"), "images"
            ),
            "mmd": Form("Mermaid", ".mmd", "text/plain", _DRAWN),
            "puml": Form("PlantUML", ".puml", "text/plain", _DRAWN),
            "txt": Form("text", ".txt", "text/plain", _DRAWN),
            "html": Form("HTML", ".html", "text/html", f"{_RAW} Its messages open in it, whole."),
        },
    ),
    "report": Group(
        "Report",
        "verdicts, findings, steps, ladder and messages on one page, for a ticket",
        {
            "html": Form("page (HTML)", ".html", "text/html", f"{_MASKED}."),
            "zip": Form(
                "ticket bundle (ZIP)", ".zip", "application/zip",
                f"{_MASKED} in the page and in JSON, but not in the capture that goes with it.",
            ),
        },
    ),
    "capture": Group(
        "Capture",
        "the frames of what is chosen, for Wireshark",
        {
            "pcapng": Form("pcapng", ".pcapng", "application/vnd.tcpdump.pcap", _RAW),
            "pcap": Form("pcap", ".pcap", "application/vnd.tcpdump.pcap", _RAW),
        },
    ),
    "table": Group(
        "Tables",
        "records for a spreadsheet, a notebook or a program",
        {
            "csv": Form("CSV", ".csv", "text/csv", _WRITTEN),
            "json": Form("JSON", ".json", "application/json", _WRITTEN),
            "jsonl": Form("JSON lines", ".jsonl", "application/x-ndjson", _WRITTEN),
            "parquet": Form(
                "Parquet", ".parquet", "application/vnd.apache.parquet", _WRITTEN,
                ("pyarrow",), "parquet",
            ),
        },
    ),
    "script": Group(
        "Script",
        "a case that can be edited, kept and replayed",
        {
            "json": Form("script (JSON)", ".json", "application/json", _SCRIPTED),
            "sipp": Form("SIPp scenarios (ZIP)", ".zip", "application/zip", _SCRIPTED),
        },
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What somebody wants to take away."""

    group: str = "ladder"
    form: str = "svg"
    redaction: Redaction = ""
    table: str = "messages"
    times: TimeMode = "absolute"
    theme: Theme = "auto"
    hops: bool = False
    fold: bool = True
    answers: bool = False
    aliases: tuple[tuple[str, str], ...] = ()
    secrets: Secrets = ""
    comments: bool = True
    whole: bool = False
    """Connections frame by frame, with whatever else they carry."""
    zone: str = ""
    wrong: tuple[str, ...] = ()
    """What the address says and nobody understands."""

    @property
    def product(self) -> Form:
        """Return the form that is wanted."""
        return GROUPS[self.group].forms[self.form]

    @property
    def redactions(self) -> dict[Redaction, str]:
        """Return what can be done about the people in it."""
        found: dict[Redaction, str] = {"": "as captured"}
        if self.group == "report":
            found["bodies"] = "without message bodies"
        found["names"] = "with pseudonyms"
        return found

    @property
    def holds(self) -> str:
        """Return what it holds of people and secrets, in words."""
        if self.redaction == "names":
            return PSEUDONYMS
        if self.redaction == "bodies":
            capture = " A bundle has no capture in it then." if self.form == "zip" else ""
            return (
                f"{AS_CAPTURED.format(_NAMES)} What people wrote, credentials and tokens are "
                f"left out.{capture}"
            )
        keys = " With its keys everything in it can be read." if self.secrets == "keys" else ""
        return f"{self.product.holds}{keys}"

    @property
    def missing(self) -> str:
        """Return what is not installed and how to get it; empty where nothing is missing."""
        lacking = [name for name in self.product.needs if find_spec(name) is None]
        return str(MissingExtra(", ".join(lacking), self.product.extra)) if lacking else ""

    @property
    def name(self) -> str:
        """Return a name for the file, without what it is of."""
        what = self.table if self.group == "table" else self.group
        if self.group == "script" and self.form == "sipp":
            what = "sipp"
        mark = {"": "", "bodies": "-without-bodies", "names": "-pseudonyms"}[self.redaction]
        return f"{what}{mark}{self.product.suffix}"


def order_of(more: Mapping[str, str], zone: str) -> Order:
    """Return what an address asks for; what it says wrongly is what is usual."""
    wrong: list[str] = []

    def one_of(key: str, known: tuple[str, ...]) -> str:
        value = more.get(key, "")
        if value and value not in known:
            wrong.append(f"There is no {key} {value[:40]!r} here.")
        return value if value in known else known[0]

    group = one_of("take", tuple(GROUPS))
    form = one_of("as", tuple(GROUPS[group].forms))
    redactions = Order(group, form).redactions
    secrets = one_of("tls", get_args(Secrets))
    if secrets == "keys" and form != "pcapng":
        secrets = ""
    return Order(
        group,
        form,
        redaction=one_of("redact", tuple(redactions)),  # type: ignore[arg-type]
        table=one_of("table", TABLES),
        times=one_of("times", get_args(TimeMode)),  # type: ignore[arg-type]
        theme=one_of("theme", get_args(Theme)),  # type: ignore[arg-type]
        hops=more.get("hops") == "1",
        fold=more.get("fold") != "0",
        answers=more.get("answers") == "1",
        aliases=_aliases(more.get("alias", ""), wrong),
        secrets=secrets,  # type: ignore[arg-type]
        comments=more.get("comments") != "0",
        whole=more.get("connections") == "1",
        zone=zone,
        wrong=tuple(wrong),
    )


def _aliases(text: str, wrong: list[str]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in text.splitlines()[:MAX_ALIASES]:
        if not line.strip():
            continue
        try:
            found.append(parse_alias(line.strip()))
        except ValueError as error:
            wrong.append(f"Names: {error}")
    return tuple(found)
