"""PlantUML ladders, read and drawn by PlantUML itself: one start for all documents.

What it draws as SVG tells all: a syntax error is an error picture and an exit code, and the texts,
links, images and the height of each document can be looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from zlib import compress, crc32

import pytest
from lxml import etree

from analyzer.export.printable import printable
from analyzer.ladder.look import Look
from analyzer.ladder.plantuml import escaped, render_plantuml
from analyzer.ladder.text_cells import safe
from analyzer.ladder.text_documents import head_lines
from analyzer.ladder.values import Lane, Note
from tests.analyzer.ladder.examples import (
    BEGAN,
    CHANNEL,
    CLIENT,
    EVERY,
    FRONT_END,
    HOSTILE,
    LANES,
    arrow,
    hostile_texts,
    long,
    sign_in,
)

if TYPE_CHECKING:
    from analyzer.ladder.values import Ladder

pytestmark = [pytest.mark.untraced, pytest.mark.xdist_group("plantuml")]


GOLDEN = Path(__file__).parent / "golden"
PICTURE_ENDS = 4096
"""PLANTUML_LIMIT_SIZE where nobody set it."""
CODED = (
    *("end", "@enduml", "@startuml", "!include x", "!includeurl x", "!define A B", "'c", "/' c '/"),
    *("**b**", "//i//", '""m""', "--s--", "__u__", "~~w~~", "~*", "= h", "== h ==", "* l", "# l"),
    *(
        "----",
        "....",
        "...",
        "..x..",
        "|a|b|",
        "<b>b</b>",
        "<size:40>x",
        "<color:red>x",
        "<&heart>",
    ),
    *("<U+0041>", "&#65;", "&lt;", "%date()", "%newline()", "%getenv(HOME)", "$a", "${a}", "\\n"),
    *("a\\tb", "\\\\", "<<s>>", "<:smile:>", "[[x]]", "{a}", "(C)", ":a:", "<code>", "<latex>x"),
    *("->", "p0 -> p1 : x", "note over p0 : x", "newpage", "title x", "skinparam x y", "×11", '"'),
    *(
        "日本語",
        "e\u0301",
        "\u202e",
        "🎉",
        "a-b_c/d",
        "1...2",
        "a--b",
        "x==y",
        "http://127.0.0.1/x",
    ),
    *(
        "@startjson",
        "a@end b",
        "{{",
        "}}",
        "!$x = 1",
        "\uffff",
        "\U0010ffff",
        "scale 9",
        "...x...",
        HOSTILE,
    ),
)
"""Texts that mean something to PlantUML somewhere."""


class Drawn(NamedTuple):
    """A document as PlantUML drew it."""

    text: str
    """All of it, without spaces: PlantUML cuts it in pieces where it likes."""
    names: set[str]
    """Of its elements."""
    width: float
    height: float


class Judged(NamedTuple):
    """What PlantUML made of the documents, by their names."""

    code: int
    drawn: dict[str, Drawn]
    asked: list[str]
    """What was asked of the web server that hostile texts name."""


def png() -> bytes:
    """Return a red picture of 8 by 8 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    rows = compress((b"\0" + b"\xff\0\0" * 8) * 8)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def texts(ladder: Ladder, look: Look | None = None) -> list[str]:
    return [page.decode() for page in render_plantuml(ladder, look or Look())]


def saying(labels: list[str]) -> Ladder:
    """Return a ladder whose arrows, marks, lanes, steps and notes say these."""
    ladder = sign_in()
    events = tuple(
        replace(arrow(at, CLIENT, CHANNEL, text, at), marks=(text,) * (at % 2), kind="request")
        for at, text in enumerate(labels)
    )
    groups = tuple(
        replace(ladder.groups[0], first=at, last=at, flow=text, title=text, detail=text)
        for at, text in enumerate(labels[: len(CODED)])
    )
    lanes = tuple(replace(lane, subtitle=text) for lane, text in zip(LANES, labels, strict=False))
    return replace(
        ladder, events=events, groups=groups, brackets=(), lanes=lanes, left_out=tuple(labels[:5])
    )


LABELS = [*CODED, *hostile_texts([*CODED, "a", " ", ".", "-", "/", "=", "~", "\n"], 40)]
WIDE = replace(
    sign_in(),
    lanes=tuple(Lane(f"l{at}", "server", f"server {at}") for at in range(16)),
    events=tuple(
        replace(arrow(at, CLIENT, FRONT_END, "x" * 60, at), source=at, target=at + 1)
        for at in range(15)
    ),
    groups=(),
    brackets=(),
)
HOLES = replace(
    sign_in(),
    events=tuple(
        Note("hole", (), f"hole {at}", text, BEGAN, ())
        for at, text in enumerate(("1460 bytes are missing.", "...", "..x..", "==x==", "||9||"))
    ),
    groups=(),
    brackets=(),
)
FETCHING = ("<img:{0}>", "<img src={0}>", "!include {0}", "!includeurl {0}", "[[{0} x]]",
            "%load_json({0})", "!import {0}", "<img:{0}{{scale=2}}>", "\n!include {0}\n",
            "@enduml\n@startuml\n!include {0}", "!theme x from {0}", "<${0}>", "{0}")  # fmt: skip


def documents(place: Path, address: str) -> dict[str, str]:
    """Return the documents that PlantUML gets, by name."""
    made = {f"{name}-light": text for name, make in EVERY.items() for text in texts(make())}
    dark = Look(theme="dark", times="delta")
    made |= {f"sign_in-dark-{at}": text for at, text in enumerate(texts(sign_in(), dark))}
    made |= {f"long-{at}": text for at, text in enumerate(texts(long(120)))}
    made |= {f"said-{at}": text for at, text in enumerate(texts(saying(LABELS), Look(label=300)))}
    made |= {f"wide-{at}": text for at, text in enumerate(texts(WIDE))}
    made |= {f"hole-{at}": text for at, text in enumerate(texts(HOLES))}
    picture, secret = place / "picture.png", place / "secret.txt"
    picture.write_bytes(png())
    secret.write_text("note over A : SECRET\n", encoding="utf-8")
    named = [one.format(what) for one in FETCHING
             for what in (picture, secret, f"{address}/x.png")]  # fmt: skip
    made |= {f"fetch-{at}": text for at, text in enumerate(texts(saying(named), Look(label=300)))}
    # Shows that the same texts do something where nobody escapes them.
    made["raw"] = (
        f"@startuml\nA -> B : <img:{picture}> [[{address} link]]\n!include {secret}\n"
        f"!includeurl {address}/raw\n@enduml\n"
    )
    return made


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    program = shutil.which("plantuml")
    if program is None:
        pytest.fail("plantuml is not installed (Debian package plantuml)")
    place = tmp_path_factory.mktemp("puml")
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        made = documents(place, f"http://127.0.0.1:{server.server_port}")
        files = []
        for name, text in made.items():
            files.append(place / f"{name}.puml")
            files[-1].write_text(text, encoding="utf-8")
        command = [program, "-headless", "-charset", "UTF-8", "-tsvg", *map(str, files)]
        # One short run: what the JVM would gain by compiling well it takes longer for.
        quick = {**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
        done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=quick)
        server.shutdown()
    drawn = {file.stem: _drawn(file.with_suffix(".svg")) for file in files}
    return Judged(done.returncode, drawn, asked)


def _drawn(file: Path) -> Drawn:
    root = etree.fromstring(file.read_bytes(), etree.XMLParser(huge_tree=True))
    shown = "".join(str(part) for one in root.iter("{*}text") for part in one.itertext())
    names = {etree.QName(one).localname for one in root.iter() if isinstance(one.tag, str)}
    width, height = (float(root.get(side, "0px")[:-2]) for side in ("width", "height"))
    return Drawn("".join(shown.split()), names, width, height)


def test_plantuml_reads_every_document(judged: Judged) -> None:
    wrong = [name for name, one in judged.drawn.items() if "SyntaxError" in one.text]
    assert wrong == []
    assert judged.code == 0


def test_text_of_a_capture_is_shown_as_it_is(judged: Judged) -> None:
    shown = "".join(one.text for name, one in judged.drawn.items() if name.startswith("said"))
    unshown = re.compile("[\U00100000-\U0010ffff]")
    spelt = [unshown.sub(lambda found: f"\\U{ord(found[0]):08x}", text) for text in LABELS]
    wanted = ["".join(safe(text, unicode=True).split()) for text in spelt]
    assert [one for one in wanted if one not in shown] == []


def test_no_text_reads_a_file_or_asks_the_network(judged: Judged) -> None:
    fetching = [one for name, one in judged.drawn.items() if name.startswith("fetch")]
    assert fetching
    for one in fetching:
        assert "SECRET" not in one.text
        assert not {"image", "a", "script"} & one.names


def test_the_same_texts_do_all_that_where_they_are_not_escaped(judged: Judged) -> None:
    raw = judged.drawn["raw"]
    assert {"image", "a"} <= raw.names
    assert "SECRET" in raw.text
    assert set(judged.asked) == {"/raw"}  # and by no other document


def test_no_document_is_larger_than_a_picture_may_be(judged: Judged) -> None:
    mine = [one for name, one in judged.drawn.items() if name != "raw"]
    assert max(one.height for one in mine) <= PICTURE_ENDS
    assert max(one.width for one in mine) <= PICTURE_ENDS


def test_a_long_ladder_loses_nothing_over_its_documents() -> None:
    ladder = long(300)
    written = texts(ladder)
    assert len(written) > 1
    frames = [int(one) for text in written for one in re.findall(r"frame (\d+), ", text)]
    assert frames == [one.frame for one in ladder.arrows]
    assert all(f"(page {at} of {len(written)})" in one for at, one in enumerate(written, 1))


def test_documents_are_not_much_smaller_than_they_may_be(judged: Judged) -> None:
    heights = [one.height for name, one in judged.drawn.items() if name.startswith("long-")]
    assert max(heights) > PICTURE_ENDS / 2


@pytest.mark.parametrize("name", EVERY)
def test_every_lane_and_arrow_is_written_in_order(name: str) -> None:
    ladder = EVERY[name]()
    (text,) = texts(ladder)
    lanes = re.findall(r'^(?:actor|participant) ".*" as p(\d+)$', text, re.MULTILINE)
    assert lanes == [str(at) for at in range(len(ladder.lanes))]
    arrows = re.findall(r"^p(\d+) (-\S*) p(\d+) : ", text, re.MULTILINE)
    ends = [(int(source), int(target)) for source, _, target in arrows]
    assert ends == [(one.source, one.target) for one in ladder.arrows]
    dotted = [re.sub(r"\[.*\]", "", sign) for _, sign, _ in arrows]
    kinds = {"request": "->", "response": "-->", "connection": "->>"}
    assert dotted == [kinds[one.kind] for one in ladder.arrows]
    assert text.count("\ngroup ") == text.count("\nend\n") == len(ladder.groups)


def test_a_hole_over_all_lanes_breaks_them(judged: Judged) -> None:
    (text,) = texts(HOLES)
    assert "\n...hole 0: 1460 bytes are missing....\n" in text
    assert "hole0:1460bytesaremissing.hole1:...hole2:..x..hole3" in judged.drawn["hole-0"].text


def test_a_ladder_without_lanes_is_a_title() -> None:
    (text,) = texts(replace(sign_in(), lanes=(), events=(), groups=(), brackets=()))
    assert "title Session 1" in text
    assert "note" not in text.partition("title ")[2]


def test_of_many_addresses_the_first_are_in_the_head() -> None:
    lane = replace(LANES[0], subtitle=", ".join(f"10.0.0.{at}" for at in range(9)))
    assert head_lines(lane, 8) == ["user1", "10.0.0.0", "10.0.0.1", "and 7 m…"]


def test_an_error_has_a_sign_beside_its_colour() -> None:
    (line,) = [one for one in texts(sign_in())[0].split("\n") if "503 Service" in one]
    assert "-[#" in line
    assert "✗ 503 Service Unavailable" in line


def test_a_lost_message_ends_in_a_cross() -> None:
    lost = (arrow(0, CLIENT, CHANNEL, "INFO grpchat", 0, marks=("lost",)),)
    (text,) = texts(replace(sign_in(), events=lost, groups=(), brackets=()))
    assert "\np0 ->x p3 : INFO grpchat" in text


def test_pages_are_no_longer_than_asked() -> None:
    assert [one.count("frame ") for one in texts(long(25), Look(page=10))] == [10, 10, 5]


def test_only_letters_digits_and_plain_marks_are_left_of_a_text() -> None:
    assert escaped("INFO rpl:join 200 ×2") == "INFO rpl:join 200 ×2"
    assert escaped("a--b") == "a<U+002D><U+002D>b"
    assert escaped("<img:x>") == "<U+003C>img:x<U+003E>"
    for text in LABELS:
        left = re.sub(r"<U\+[0-9A-F]{4,5}>", " ", escaped(text))
        assert not re.search(r"[<>\[\]{}!\"'$%&*#~|\\^`;\n\r]|([-_/.:=+])\1|@(?:start|end)", left)


def test_nothing_that_could_steer_a_terminal_is_written() -> None:
    for make in EVERY.values():
        for text in texts(make()):
            assert all(line == printable(line) for line in text.split("\n"))


def test_the_golden_document() -> None:
    assert texts(sign_in()) == [(GOLDEN / "sign_in.puml").read_text(encoding="utf-8")]
