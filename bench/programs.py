"""The programs that are compared: their command lines, what counts their output, what is missing.

A program that is not installed stays in the list with the reason, and the table shows it.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import counts

if TYPE_CHECKING:
    from bench.counts import Counter

FIELDS = "frame,time,src,dst,method,status,call_id,cseq,from_uri,to_uri"
TSHARK_FIELDS = (
    *("frame.number", "frame.time_epoch", "ip.src", "ip.dst", "sip.Method", "sip.Status-Code"),
    *("sip.Call-ID", "sip.CSeq", "sip.from.addr", "sip.to.addr"),
)
LOOPS = Path(__file__).with_name("loops.py")
FILE = "{FILE}"  # stands for the path of the capture in a command line
DIALOGS = "10000000"  # sngrep drops dialogs after 20,000 unless it is told otherwise
COMPILED = "compiled path"


@dataclass(frozen=True, slots=True)
class Program:
    """A command line with a name."""

    name: str
    words: tuple[str, ...]
    count: Counter | None = None
    unit: str = "msgs"
    """What ``count`` counts, by its name in the truth file."""
    environment: tuple[tuple[str, str], ...] = ()
    absent: str = ""
    """Why it cannot run here."""
    ours: bool = False
    reader: bool = True
    """Whether it is meant to find every message."""

    @property
    def reads(self) -> bool:
        """Whether it reads a capture at all."""
        return any(FILE in word for word in self.words)

    def line(self, capture: Path) -> list[str]:
        """Return the command line for a capture."""
        return [word.replace(FILE, str(capture)) for word in self.words]


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are; None where they are not."""

    xccos: str
    tshark: str | None
    sngrep: str | None
    dd: str | None
    dpkt: bool
    pyshark: bool
    path: str
    """What ``xccos --version`` says."""


def find_tools() -> Tools:
    """Look for the programs: ours beside the interpreter, the others on the path."""
    xccos = str(Path(sys.executable).with_name("xccos"))
    return Tools(
        xccos,
        shutil.which("tshark"),
        shutil.which("sngrep"),
        shutil.which("dd"),
        importlib.util.find_spec("dpkt") is not None,
        importlib.util.find_spec("pyshark") is not None,
        first_line([xccos, "--version"]),
    )


def first_line(line: list[str]) -> str:
    """Return the first line that a command prints; nothing where it does not run."""
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip().partition("\n")[0].strip()


def catalogue(tools: Tools) -> dict[str, Program]:
    """Return all programs by the keys that ``bench.plan`` uses."""
    return {**_ours(tools), **_tshark(tools), **_others(tools)}


def _ours(tools: Tools) -> dict[str, Program]:
    messages = (tools.xccos, "messages", FILE, "--no-index", "--format", "jsonl")
    ten = (*messages, "--fields", FIELDS)
    return {
        "ten": Program("xccos, ten fields", ten, counts.lines, ours=True),
        "all": Program("xccos, all fields", messages, counts.lines, ours=True),
        "full": Program("xccos --full", (*messages, "--full"), counts.lines, ours=True),
        "triage": Program(
            "xccos triage", (tools.xccos, "triage", FILE, "--no-index"), counts.triage, ours=True
        ),
        "pure": Program(
            "xccos pure Python, ten fields",
            ten,
            counts.lines,
            environment=(("XCCOS_PURE", "1"),),
            absent="" if COMPILED in tools.path else "xccos runs this path here anyway",
            ours=True,
        ),
        "ladder": Program(
            "xccos ladder, SVG",
            (tools.xccos, "ladder", FILE, "--no-index", "--format", "svg"),
            reader=False,
        ),
        "ladder-text": Program(
            "xccos ladder, text", (tools.xccos, "ladder", FILE, "--no-index"), reader=False
        ),
        "help": Program("xccos --help", (tools.xccos, "--help"), ours=True),
    }


def _tshark(tools: Tools) -> dict[str, Program]:
    absent = "" if tools.tshark else "not installed (Debian package tshark)"
    read = (tools.tshark or "tshark", "-n", "-r", FILE)
    # Without the option a message in reordered segments is lost, or read at the wrong place.
    whole = (*read, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "sip")
    fields = ("-T", "fields", *(word for name in TSHARK_FIELDS for word in ("-e", name)))
    return {
        "fields": Program(
            "tshark -T fields, ten fields", (*whole, *fields), counts.tshark_fields, absent=absent
        ),
        "ek": Program("tshark -T ek", (*whole, "-T", "ek"), counts.tshark_ek, absent=absent),
        "flow": Program(
            "tshark -z flow (text)",
            (*read, "-q", "-z", "flow,any,standard"),
            absent=absent,
            reader=False,
        ),
        "json": Program(
            "tshark -T json", (*whole, "-T", "json"), counts.tshark_json, absent=absent
        ),
    }


def _others(tools: Tools) -> dict[str, Program]:
    loop = (sys.executable, "-P", str(LOOPS))
    return {
        "pyshark": Program(
            "pyshark loop",
            (*loop, "pyshark", FILE),
            counts.last_number,
            absent="" if tools.pyshark and tools.tshark else "not installed (extra bench, tshark)",
        ),
        "dpkt": Program(
            "dpkt loop (no reader)",
            (*loop, "dpkt", FILE),
            counts.last_number,
            absent="" if tools.dpkt else "not installed",
            reader=False,
        ),
        "sngrep": Program(
            "sngrep -N",
            (tools.sngrep or "sngrep", "-F", "-N", "-l", DIALOGS, "-I", FILE),
            counts.last_number,
            unit="dialogs",
            absent="" if tools.sngrep else "not installed (Debian package sngrep)",
        ),
        "dd": Program(
            "dd bs=1M (reads only)",
            (tools.dd or "dd", f"if={FILE}", "of=/dev/null", "bs=1M"),
            absent="" if tools.dd else "not installed",
            reader=False,
        ),
        "python": Program("python -c pass", (sys.executable, "-c", "pass"), reader=False),
    }
