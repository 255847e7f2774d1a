"""The plug-in in tshark: it says what the reader says, and nothing that a body holds stops it."""

from __future__ import annotations

import gzip
import json
import re
from random import Random  # noqa: TID251  (seeded)
from typing import TYPE_CHECKING

import pytest

from analyzer.trace import open_capture
from analyzer.wireshark.plugin import NAME, plugin_source
from dissectors.model import Malformed
from dissectors.xccos.reader import read_document
from tests.analyzer.captures import capture, message
from tests.analyzer.wireshark.tshark import PLUGIN, fields, tshark
from tests.paths import ROOT, SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.trace import Trace

pytestmark = [pytest.mark.untraced, pytest.mark.xdist_group("plugin")]


# Where tshark finds every message, too: of holes it loses more (docs/wireshark.md).
CAPTURES = {
    "batches": SAMPLES / "batch-mixed.pcap",
    "two clients with the same ids": SAMPLES / "callid-collision.pcap",
    "all steps": SAMPLES / "r2-signin-full.pcap",
    "hop copies": SAMPLES / "fe-two-hops.pcapng",
    "several at once": SHARED / "captures/coalesce.pcap",
    "TLS": SHARED / "captures/tls.pcap",
}
NAMES = (
    *("xccos.envid", "xccos.element", "xccos.id", "xccos.seqid"),
    *("xccos.commandid.seqid", "xccos.commandid.envid", "xccos.code", "xccos.text"),
)
LINKS = ("xccos.request_in", "xccos.response_in", "xccos.response_time")
Values = dict[int, dict[str, list[str]]]


def _read(trace: Trace) -> Values:
    """Return the same fields, as the reader has them."""
    found: Values = {}
    for row in range(len(trace)):
        document = trace.document(row)
        if document is None or isinstance(document, Malformed):
            continue
        values = found.setdefault(trace.rows.frame[row], {name: [] for name in NAMES})
        values["xccos.envid"].append(document.envid or "")
        for item in document.items:
            command, resp = item.commandid, item.resp
            for name, value in zip(
                NAMES[1:],
                (
                    *(item.element, item.id, item.seqid),
                    None if command is None else command.seqid,
                    None if command is None else command.envid,
                    None if resp is None else resp.code,
                    item.text,
                ),
                strict=True,
            ):
                if value is not None:
                    values[name].append(value.replace("\r", "\\r").replace("\n", "\\n"))
    return found


@pytest.fixture(scope="module", params=CAPTURES)
def seen(request: pytest.FixtureRequest) -> Iterator[tuple[Values, Trace]]:
    require_shared()
    path = CAPTURES[request.param]
    with open_capture(path) as trace:
        yield fields(path, (*NAMES, *LINKS)), trace


def test_fields_are_what_the_reader_says(seen: tuple[Values, Trace]) -> None:
    found, trace = seen
    plain = {
        frame: {name: values[name] for name in NAMES}
        for frame, values in found.items()
        if values["xccos.element"]
    }
    assert plain == _read(trace)
    assert len(plain) > 5


def test_commands_and_replies_are_linked_both_ways(seen: tuple[Values, Trace]) -> None:
    found, trace = seen
    frame, copies = trace.rows.frame, trace.analysis().copy_of
    at: dict[int, set[int]] = {}
    for row in range(len(trace)):
        at.setdefault(copies.get(row, row), set()).add(frame[row])
    linked = 0
    for pair in trace.analysis().pairs:
        if pair.row is None or pair.kind != "cmd":
            continue
        for reply in pair.replies:
            for one in at[reply.row]:
                (command,) = {
                    int(number)
                    for number in found[one]["xccos.request_in"]
                    if int(number) in at[pair.row]
                }
                assert str(one) in found[command]["xccos.response_in"]
                linked += 1
    assert linked > 4


@pytest.fixture(scope="module")
def signin() -> Values:
    names = ("xccos.room", "xccos.room.name", "xccos.author", "xccos.user", "xccos.chat")
    return fields(SAMPLES / "signin-tcp.pcap", (*names, *LINKS))


def test_the_time_of_a_reply_is_that_of_the_pair(signin: Values) -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        pairs = [pair for pair in trace.analysis().pairs if pair.replies]
        for pair in pairs:
            reply = pair.replies[0]
            (time,) = signin[trace.rows.frame[reply.row]]["xccos.response_time"]
            assert float(time) * 1000 == pytest.approx(reply.latency_ms, abs=0.001)
    assert len(pairs) == 6


def test_a_single_pass_links_replies_without_a_tree_before() -> None:
    out = tshark(SAMPLES / "signin-tcp.pcap", "-Y", "xccos.request_in == 46")
    assert out.split()[0] == "49"


def test_the_info_column_says_what_a_message_carries() -> None:
    out = tshark(SAMPLES / "r2-signin-full.pcap", "-Y", "xccos")
    lines = [line for line in out.splitlines() if "SIP/XCCOS" in line]
    assert lines[0].endswith("XCCOS cmd:requri")
    assert any(line.endswith("XCCOS cmd:getpref x11") for line in lines)
    assert len(lines) == 12


def test_rooms_authors_and_users_are_fields(signin: Values) -> None:
    room = "ma-chan://contoso.com/be1f1c53-1f5c-4a9c-9c0e-5c8b1f3d2a11"
    assert signin[46]["xccos.room"] == [room]
    assert signin[49]["xccos.room.name"] == ["Sales EMEA"]
    assert signin[49]["xccos.user"] == ["sip:alice@contoso.com", "sip:user1@contoso.com"]
    assert signin[57]["xccos.author"] == ["sip:user1@contoso.com"]
    assert signin[57]["xccos.chat"] == ["Hello from a real client"]


def test_a_room_that_could_not_be_joined_is_told() -> None:
    path = require_shared() / "flows/partial-join.pcap"
    (values,) = fields(path, ("xccos.room.failed", "xccos.not_joined")).values()
    (room,) = values["xccos.room.failed"]
    assert room.startswith("ma-chan://emea.adatum.example/")
    assert values["xccos.not_joined"]


# Bodies made for a test


def _info(body: bytes, content_type: str | None = "text/plain") -> bytes:
    headers = {"CSeq": "2 INFO"} | ({"Content_Type": content_type} if content_type else {})
    head = message("INFO sip:ann@example.com SIP/2.0", **headers)
    return head.replace(b"Content-Length: 0", b"Content-Length: %d" % len(body)) + body


def _envelope(inside: str, root: str = '<xccos ver="1" envid="7">') -> bytes:
    return f"{root}{inside}</xccos>".encode()


JOIN = _envelope('<cmd id="cmd:join" seqid="1"><data/></cmd>')


def _verdicts(path: Path, bodies: list[bytes]) -> list[str]:
    """Return ``no``, ``ok`` or ``malformed`` for each body, as the plug-in says."""
    capture(path, *map(_info, bodies))
    found = fields(path, ("xccos", "xccos.malformed"))
    words = []
    for frame in range(1, len(bodies) + 1):
        values = found.get(frame, {"xccos": [], "xccos.malformed": []})
        word = "malformed" if values["xccos.malformed"] else "ok"
        words.append(word if values["xccos"] else "no")
    return words


def _expected(body: bytes) -> str:
    document = read_document(body, "text/plain")
    if document is None:
        return "no"
    return "malformed" if isinstance(document, Malformed) else "ok"


TYPES = ("text/plain; charset=utf-8", "TEXT/PLAIN", "application/xml", "application/foo", None)


def test_the_root_element_decides_and_not_the_content_type(tmp_path: Path) -> None:
    path = capture(tmp_path / "types.pcap", *(_info(JOIN, one) for one in TYPES))
    found = fields(path, ("xccos.id",))
    assert [found[frame]["xccos.id"] for frame in range(1, 6)] == [["cmd:join"]] * 5


def test_other_bodies_go_to_the_dissector_that_was_there(tmp_path: Path) -> None:
    bodies = [
        _info(b"Hello\r\nthere"),
        _info(b"<a><xccos/></a>", "application/xml"),
        _info(b"", "text/plain"),
    ]
    path = capture(tmp_path / "others.pcap", *bodies)
    with_it, without = tshark(path, "-V"), tshark(path, "-V", plugin=False)
    # Wireshark counts who was asked, and not only who said yes.
    assert with_it.replace("sip:xccos:", "sip:") == without


def test_damaged_and_hostile_bodies_are_judged_as_the_reader_does(tmp_path: Path) -> None:
    attacks = require_shared() / "corpus/xml_attacks"
    files = [path for path in sorted(attacks.iterdir()) if path.name != "expected.json"]
    assert len(files) == len(json.loads((attacks / "expected.json").read_text()))
    bodies = [
        (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())[:60_000]
        for path in files
    ]
    bodies += [
        _envelope("<a>" * 65 + "</a>" * 65),
        _envelope("<a>" * 63 + "</a>" * 63),
        _envelope("<a " + " ".join(f'b{k}="1"' for k in range(201)) + "/>"),
        _envelope("<a/>" * 10_001),
        _envelope("<a/>" * 10_000),
        _envelope('<cmd id="a" seqid="1"><![CDATA[<&]]><!-- -- --></cmd>'),
        _envelope("&unknown;"),
        _envelope("<p:cmd/>"),
        b"<!DOCTYPE xccos [" + b"<!ENTITY a 'b'>" * 100 + b"]>" + JOIN,
        b"<xccos",
        b"<?xml version='1.0' encoding='utf-16'?>\r\n" + JOIN,
        JOIN.decode().encode("utf-16"),
        JOIN.decode().encode("utf-16-be")[:-1],
    ]
    assert _verdicts(tmp_path / "hostile.pcap", bodies) == list(map(_expected, bodies))


TOKENS = (
    *(b"<", b">", b"&", b"&#0;", b"&#xD800;", b"<!-- -- -->", b"<![CDATA[", b"]]>", b"<?x", b"\0"),
    *(b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b'"', b"'", b"/", b"</", b"a:b", b"xmlns:p='' "),
    *(b' a="1" a="2"', b"\xef\xbb\xbf", b"</xccos>", b"\xe2\x80\xae", b"=", b"\x1b[2J", b"%n"),
)


def _mutant(chance: Random, body: bytes) -> bytes:
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(body) + 1)
        kind = chance.randrange(3)
        if kind == 0:
            body = body[:at] + chance.choice(TOKENS) + body[at:]
        elif kind == 1:
            body = body[:at] + body[at + chance.randint(1, 20) :]
        else:
            body = body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    return body


def test_hundreds_of_mutants_are_judged_as_the_reader_does(tmp_path: Path) -> None:
    with open_capture(SAMPLES / "batch-mixed.pcap") as trace:
        raws = [trace.raw(row) for row in range(len(trace)) if trace.rows.items[row]]
    bodies = [raw.partition(b"\r\n\r\n")[2] for raw in raws]
    chance = Random(7)
    mutants = [_mutant(chance, chance.choice(bodies)) for _ in range(400)]
    expected = list(map(_expected, mutants))
    assert {"no", "ok", "malformed"} == set(expected)
    assert _verdicts(tmp_path / "mutants.pcap", mutants) == expected


def test_what_stands_before_a_fault_is_shown(tmp_path: Path) -> None:
    body = JOIN.replace(b"</xccos>", b'<rpl id="rpl:x">')
    path = capture(tmp_path / "cut.pcap", _info(body))
    (values,) = fields(path, ("xccos.id", "xccos.malformed")).values()
    assert values["xccos.id"] == ["cmd:join"]
    assert values["xccos.malformed"]


def test_entities_sections_prefixes_and_comments_are_read(tmp_path: Path) -> None:
    inside = (
        "<!-- <cmd id='no'/> --><?pi <cmd/> ?>"
        "<p:grpchat p:id='x' id='grpchat' seqid='&#49;'><chat>a &lt;b&gt; <![CDATA[<c>]]>"
        "&#x1F600;</chat></p:grpchat><err id=\"err:x\"><resp code='503'>Busy &amp; sad</resp></err>"
        "<cmd/>"
    )
    path = capture(
        tmp_path / "plain.pcap",
        _info(_envelope(inside, "<p:xccos envid='7' xmlns:p='u'>")[:-8] + b"</p:xccos>"),
    )
    (values,) = fields(path, (*NAMES, "xccos.failed")).values()
    assert values["xccos.element"] == ["grpchat", "err", "cmd"]
    assert values["xccos.id"] == ["grpchat", "err:x"]
    assert values["xccos.seqid"] == ["1"]
    assert values["xccos.text"] == ["a <b> <c>😀", "Busy & sad"]
    assert values["xccos.code"] == ["503"]
    assert values["xccos.failed"]


def test_nothing_in_a_body_steers_the_terminal(tmp_path: Path) -> None:
    # U+009B begins control sequences; XML allows it, and DEL.
    inside = '<cmd id="cmd:\u009b2J\u007f" seqid="\u202e"><data a\u00e4="\u009b\u2028x"/></cmd>'
    path = capture(tmp_path / "steering.pcap", _info(_envelope(inside)))
    tree = tshark(path, "-V")
    column = tshark(path)
    assert "XCCOS cmd:" in column
    headings = [line for line in tree.splitlines() if "Command: " in line or "aä: " in line]
    assert len(headings) == 2
    assert not re.search("[\u0080-\u009f\u007f\u2028\u202e]", "".join([column, *headings]))


def test_results_from_400_on_are_expert_information(tmp_path: Path) -> None:
    codes = ("200", "399", "400", "499", "500", "odd", "")
    bodies = [
        _envelope(f'<rpl id="rpl:join" seqid="1"><resp code="{code}">T</resp></rpl>')
        for code in codes
    ]
    path = capture(tmp_path / "codes.pcap", *map(_info, bodies))
    names = ("xccos.code", "xccos.code.text", "xccos.refused", "xccos.failed")
    found = fields(path, names)
    told = [tuple(bool(found[frame][name]) for name in names) for frame in range(1, 7)]
    assert told == [
        (True, False, False, False),
        (True, False, False, False),
        (True, False, True, False),
        (True, False, True, False),
        (True, False, False, True),
        (False, True, False, True),
    ]


def test_the_filters_of_the_page_are_filters() -> None:
    page = (ROOT / "docs/wireshark.md").read_text(encoding="utf-8")
    text = page.partition("Some filters:")[2].partition("```\n")[2].partition("```")[0]
    filters = [line for line in text.splitlines() if line]
    assert len(filters) == 5
    joined = " || ".join(f"({one})" for one in filters)
    assert "XCCOS cmd:join" in tshark(SAMPLES / "signin-tcp.pcap", "-Y", joined)


def test_the_fields_of_the_page_are_those_of_the_plugin() -> None:
    page = (ROOT / "docs/wireshark.md").read_text(encoding="utf-8")
    source = plugin_source().decode()
    told = set(re.findall(r"`(xccos\.[\w.]+)`", page))
    known = set(re.findall(r'(?:ProtoField\.\w+|ProtoExpert\.new)\("([\w.]+)"', source))
    assert known - told == {"xccos.cut"}
    assert told - known == {"xccos.lua"} & told


def test_the_package_has_the_script() -> None:
    assert PLUGIN.name == NAME
    assert plugin_source() == PLUGIN.read_bytes()
    assert plugin_source().isascii()
