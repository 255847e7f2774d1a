"""Anonymised: nobody's name is left anywhere, and the case is as good as before."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.flows.runs import flows_of
from analyzer.replay.capture.options import CaptureOptions
from analyzer.replay.capture.write import write_script_capture
from analyzer.replay.check import check_script, errors_of
from analyzer.replay.derive.build import derive
from analyzer.replay.edit.anonymise import anonymise, without_names
from analyzer.replay.edit.leaks import leaks
from analyzer.replay.edit.originals import Original, Originals
from analyzer.replay.edit.places import private_places
from analyzer.replay.edit.words import Words
from analyzer.replay.script import Aside, Expectation, Script, Slot
from analyzer.replay.script_json import read_script, write_script
from analyzer.trace import open_capture
from tests.analyzer.replay.by_hand import ROOM, case, with_message, with_slot, with_turn
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.template import Template


def derived(name: str) -> Script:
    with open_capture(SAMPLES / name) as trace:
        return derive(trace)


def in_body(text: str) -> Script:
    """Return the case with more in the room list."""
    return with_message(
        case(),
        "t5",
        lambda message: replace(message, body=message.body.replace("</data>", text + "</data>")),
    )


def body_of(script: Script) -> str:
    return script.turns[4].message.body


def anonymised_body(text: str) -> str:
    done = anonymise(in_body(text), 1)
    assert leaks(done.script, done.originals) == []
    return body_of(done.script)


# Real cases

NAMES = {
    "signin-tcp.pcap": ["contoso", "user1", "alice", "Bob", "Sales EMEA", "Hello from", "vm<"],
    "r2-post-full.pcap": ["adatum", "hiro", "keller", "192.168.", "Trading Floor", "H4sIAAAA"],
    "callid-collision.pcap": ["contoso", "user2", "Facilities"],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_derived_case_has_no_old_value_and_no_problem(name: str) -> None:
    script = derived(name)
    done = anonymise(script, 7)
    assert leaks(done.script, done.originals) == []
    assert len(leaks(script, done.originals)) > 100
    assert check_script(done.script) == check_script(script) == []
    assert read_script(write_script(done.script)) == done.script
    text = re.sub(r"\$\{[^}]+\}|\"(?:user\d|client\d)[^\"]*\"", "", write_script(done.script))
    assert [one for one in NAMES[name] if one.lower() in text.lower()] == []


def test_the_shape_of_a_case_stays() -> None:
    script = derived("signin-tcp.pcap")
    changed = anonymise(script).script
    assert [turn.id for turn in changed.turns] == [turn.id for turn in script.turns]
    assert [turn.after for turn in changed.turns] == [turn.after for turn in script.turns]
    assert [slot.name for slot in changed.slots] == [slot.name for slot in script.slots]
    for old, new in zip(script.turns, changed.turns, strict=True):
        assert new.message.slots() == old.message.slots()
        assert [name for name, _ in new.message.headers] == [
            name for name, _ in old.message.headers
        ]
    agent = script.turns[0].message.header("User-Agent")
    assert agent is not None
    assert changed.turns[0].message.header("User-Agent") == agent


def told(path: Path) -> tuple[object, ...]:
    """Return what the analysis says of a capture, names aside."""
    with open_capture(path) as trace:
        runs = flows_of(trace)
        analysis = trace.analysis()
        return (
            [
                (run.flow, run.outcome, [(step.id, step.status) for step in run.steps])
                for run in runs
            ],
            [
                (one.command, one.outcome, one.sip_status, [each.code for each in one.replies])
                for one in analysis.pairs
            ],
            [(one.role, one.state) for one in analysis.dialogs],
        )


@pytest.mark.parametrize("name", ["fault-503.pcap", "r2-signin-full.pcap"])
def test_the_analysis_of_a_regenerated_capture_says_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with path.open("wb") as out:
        write_script_capture(anonymise(derived(name)).script, CaptureOptions(), out)
    assert told(path) == told(SAMPLES / name)


def test_the_same_seed_gives_the_same_names() -> None:
    script = derived("signin-tcp.pcap")
    assert anonymise(script, 3).script == anonymise(script, 3).script
    assert anonymise(script, 3).script != anonymise(script, 4).script


# Values


def test_a_value_has_one_pseudonym_wherever_it_stands() -> None:
    script = with_turn(case(), "t7", expect=(Expectation("header/From", "Ann Archer"),))
    done = anonymise(script, 1).script
    user = done.slots[0].value
    first, last = re.fullmatch(r"(\w+)\.(\w+)@example\.com", user).groups()  # type: ignore[union-attr]
    display = f"{first} {last}".title()
    assert done.title.startswith(f"{user} joins ")
    assert (done.turns[0].message.header("From") or "").startswith(f'"{display}" <sip:${{client1.')
    assert done.turns[6].expect[0].equals == display


def test_addresses_are_those_of_documents() -> None:
    script = derived("r2-signin-full.pcap")
    done = anonymise(script).script
    networks = [ipaddress.ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24")]
    for connection in done.connections:
        for end in (connection.opener_address, connection.responder_address):
            address = ipaddress.ip_address(end.rpartition(":")[0])
            assert any(address in network for network in networks)
    before = [one.opener_address for one in script.connections]
    after = [one.opener_address for one in done.connections]
    assert len(set(after)) == len(set(before))


def test_an_address_of_ipv6_is_one_of_ipv6() -> None:
    script = with_slot(case(), "client1.address", value="[fd12::7]:5061")
    done = anonymise(script).script
    assert done.slots[1].value == "[2001:db8::1]:5061"
    assert anonymise(with_slot(case(), "client1.address", value="127.0.0.1:9")).script.slots[
        1
    ].value == ("127.0.0.1:9")


def test_a_host_keeps_its_domain() -> None:
    body = anonymised_body(
        '<sib serveruri="https://gchat02.contoso.com/x.asmx" host="gchat02.${domain1}"/>'
    )
    assert 'serveruri="https://host1.example.com/x.asmx" host="host1.${domain1}"' in body


def test_a_subdomain_is_one_of_the_same_domain() -> None:
    body = anonymised_body('<uib uri="sip:x.y@emea.contoso.com"/>')
    assert re.search(r'uri="sip:[\w.]+@dept1\.example\.com"', body)


def test_a_room_called_as_the_protocol_is_replaced_where_it_is_a_name() -> None:
    body = anonymised_body('<chanib uri="x" name="data"/><info id="data">data</info>')
    assert '<info id="data">data</info>' in body
    assert 'name="data"' not in body
    assert body.count("<data>") == 1


def test_words_of_people_are_replaced_as_they_are_written() -> None:
    body = anonymised_body(
        "<msg><chat>ok</chat></msg><msg><chat><![CDATA[a <secret> plan]]></chat></msg>"
        "<msg><chat>Gr&#252;&#xdf;e &amp; K&#xfc;sse aus K&#246;ln</chat></msg>"
    )
    chats = re.findall(r"<chat>([^<]*)</chat>", body)
    assert len(chats) == 3
    assert "ok" not in chats
    assert "secret" not in body
    assert "K&#" not in body


def test_a_text_keeps_its_lines_and_nearly_its_length() -> None:
    text = "Please restart the server in London\r\n\r\nbefore nine o'clock, thank you"
    done = anonymise(with_slot(case(), "text1", value=text), 1).script.slots[-1].value
    assert len(done.split("\r\n")) == 3
    assert abs(len(done) - len(text)) <= len(text.split())


def test_who_searches_for_a_room_finds_it() -> None:
    body = anonymised_body('<qib qtype="BYNAME" criteria="Sales EMEA"/>')
    name = re.search(r' name="([^"]+)"', body)
    assert name is not None
    assert f'criteria="{name[1]}"' in body


def test_preferences_are_emptied_and_credentials_say_no_names() -> None:
    assert '<pref label="kedzie.x" content=""/>' in anonymised_body(
        '<pref label="kedzie.x" content="H4sIAAAAAAAC"/>'
    )
    data = b"NTLMSSP\0" + (3).to_bytes(4, "little") + bytes(52) + "CONTOSO".encode("utf-16-le")
    empty = base64.b64decode(without_names(base64.b64encode(data).decode()))
    assert empty == data[:64] + bytes(14)
    assert without_names("0000002a") == "0000002a"


def test_values_of_slots_are_what_their_places_are() -> None:
    slots = (*case().slots, Slot("name1", "opaque", "Ops"), Slot("pref1", "opaque", "H4sIAAAA"))
    script = replace(
        in_body('<chanib uri="x" name="${name1}"/><pref label="a" content="${pref1}"/>'),
        slots=slots,
    )
    done = anonymise(script, 1)
    values = {slot.name: slot.value for slot in done.script.slots}
    assert values["name1"] not in ("Ops", "")
    assert values["pref1"] == ""
    assert '${name1}"/>' in body_of(done.script)


def test_what_is_outside_of_messages_is_replaced_too() -> None:
    script = replace(
        case(),
        origin={"capture": "/home/ann/complaint of ann.pcap"},
        asides=(
            Aside("dns", 0.0, "10.1.2.3:5353", "10.1.2.1:53",
                  ((0.0, True, "SRV _sipinternaltls._tcp.contoso.com"),)),
            Aside("http", 1.0, "10.1.2.3:50000", "10.1.2.8:443",
                  ((0.0, True, "POST /up/x HTTP/1.1\r\nHost: files01.contoso.com\r\n"),)),
        ),
    )  # fmt: skip
    done = anonymise(script, 1)
    written = write_script(done.script)
    assert leaks(done.script, done.originals) == []
    assert "SRV _sipinternaltls._tcp.example.com" in written
    assert re.search(r"Host: host\d\.example\.com", written)
    assert '"capture": "file1.pcap"' in written
    assert "10.1.2." not in written


def test_headers_with_words_are_replaced() -> None:
    more = (
        ("Subject", "your salary"),
        ("Ms-Text-Format", "text/plain; charset=UTF-8;ms-body=SGVsbG8="),
        ("X-Caller", "Ann Archer from sales"),
        ("X-Retries", "3"),
        ("P-Asserted-Identity", '"Ann Archer" <sip:${client1.user}>, <tel:+4989123456>'),
    )
    script = with_message(
        case(), "t1", lambda message: replace(message, headers=(*message.headers, *more))
    )
    done = anonymise(script, 1)
    headers = dict(done.script.turns[0].message.headers)
    assert "salary" not in headers["Subject"]
    assert "Archer" not in headers["X-Caller"]
    assert "sales" not in headers["X-Caller"]
    assert headers["X-Retries"] == "3"
    assert headers["Ms-Text-Format"] == "text/plain; charset=UTF-8;ms-body="
    assert "<tel:+12025550100>" in headers["P-Asserted-Identity"]


def test_a_message_that_is_no_xml_is_a_text_and_bytes_are_zeros() -> None:
    def as_message(message: Template) -> Template:
        return replace(message, body="See you at the dentist at nine")

    script = with_message(case(), "t7", as_message)
    script = with_message(script, "t1", lambda message: replace(message, binary=b"\xff\xfeAnn"))
    done = anonymise(script, 1)
    assert "dentist" not in done.script.turns[6].message.body
    assert done.script.turns[0].message.binary == bytes(5)
    assert done.places["binary"] == 1


def test_a_slot_without_a_value_stays_where_it_is() -> None:
    slots = (*case().slots, Slot("empty1", "opaque", ""))
    value = "${empty1}Ann Archer${empty1} of ${empty1}pool01.${domain1}${empty1}"
    script = with_message(
        replace(case(), slots=slots),
        "t1",
        lambda message: replace(message, headers=(*message.headers, ("X-Who", value))),
    )
    changed = anonymise(script, 1).script.turns[0].message.header("X-Who")
    assert changed is not None
    assert re.fullmatch(
        r"\$\{empty1\}\w+ \w+\$\{empty1\} of \$\{empty1\}host1\.\$\{domain1\}\$\{empty1\}", changed
    )


def test_namespaces_stay_whoever_is_the_user() -> None:
    script = with_slot(case(), "client1.user", value="ann@microsoft.com")
    script = with_message(
        script,
        "t5",
        lambda message: replace(
            message,
            body=message.body.replace(
                "<xccos ", '<xccos xmlns:p="http://schemas.microsoft.com/x" '
            ),
        ),
    )
    assert 'xmlns:p="http://schemas.microsoft.com/x"' in body_of(anonymise(script).script)


def test_services_are_still_known_by_their_names() -> None:
    body = anonymised_body(
        '<uib uri="sip:ocschat@contoso.com"/><uib uri="sip:ocschat@${domain1}"/>'
    )
    assert '"sip:ocschat@example.com"' in body
    assert '"sip:ocschat@${domain1}"' in body


# The proof


@pytest.mark.parametrize(
    "plant",
    [
        lambda script: replace(script, title="For ANN.ARCHER@contoso.com"),
        lambda script: with_message(
            script, "t1", lambda m: replace(m, headers=(*m.headers, ("X", "see Ann Archer")))
        ),
        lambda script: with_slot(script, "text1", value="ask ann.archer"),
        lambda script: with_slot(
            script, "tag1", value=base64.b64encode(b"room " + ROOM.encode()).decode()
        ),
        lambda script: with_slot(
            script, "tag1", value=base64.b64encode("\0\0Ann Archer".encode("utf-16-le")).decode()
        ),
        lambda script: with_message(
            script,
            "t5",
            lambda m: replace(m, body=m.body.replace("<data>", "<data x='A&#110;n Archer'>")),
        ),
        lambda script: with_turn(script, "t1", expect=(Expectation("body", "Sales EMEA"),)),
        lambda script: replace(script, origin={"chosen": "user ann.archer"}),
    ],
)
def test_a_value_that_is_left_is_found_wherever_it_hides(plant: object) -> None:
    assert callable(plant)
    done = anonymise(case(), 1)
    assert leaks(done.script, done.originals) == []
    assert len(leaks(plant(done.script), done.originals)) >= 1


def test_a_short_value_that_is_left_at_its_place_is_found() -> None:
    done = anonymise(in_body("<msg><chat>ok</chat></msg>"), 1)
    planted = in_body("<msg><chat>ok</chat></msg>")
    found = leaks(replace(done.script, turns=planted.turns), [Original("text", "ok")])
    assert [(one.kind, one.value) for one in found] == [("text", "ok")]


# Words and places


def test_a_word_is_found_where_it_is_one() -> None:
    words = Words({"ann": "x", "ann@contoso.com": "y", "a<b": "z"})
    text = "Ann annex joann ANN@Contoso.com, ann%40contoso.com a&lt;b _ann_"
    found = [(text[one.start : one.end], one.old) for one in words.find(text)]
    assert found == [
        ("Ann", "ann"),
        ("ANN@Contoso.com", "ann@contoso.com"),
        ("ann%40contoso.com", "ann@contoso.com"),
        ("a&lt;b", "a<b"),
        ("ann", "ann"),
    ]


@given(
    st.lists(st.text("aAbé<&@. \"'", min_size=1, max_size=4), max_size=5), st.text("aAbé<&@. \"'")
)
def test_what_is_found_is_what_is_there(values: list[str], text: str) -> None:
    last = 0
    for one in Words(values).find(text):
        assert last <= one.start < one.end <= len(text)
        assert one.old in values
        last = one.end


@given(st.text("<>abchtn ='\"/![]CDATA-&;ame", max_size=60))
def test_places_of_any_text_lie_in_it(text: str) -> None:
    body = f"<chat>{text}"
    last = 0
    for one in private_places(body):
        assert last <= one.start <= one.end <= len(body)
        last = one.end


@given(st.integers(0, 1 << 30), st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_text_is_replaced_or_was_no_word(seed: int, text: str) -> None:
    script = with_slot(case(), "text1", value=text)
    done = anonymise(script, seed)
    assert leaks(done.script, done.originals) == []
    if errors_of(script) == []:
        assert errors_of(done.script) == []


def test_values_are_gathered_in_order_and_once() -> None:
    found = list(Originals(case()))
    assert found[:3] == [
        Original("file", "by-hand.pcap"),
        Original("domain", "contoso.com"),
        Original("user", "ann.archer@contoso.com"),
    ]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("name", "value", "old"),
    [
        ("From", "pel <sip:35104723@10.0.0.5:5060>;tag=1", "pel"),
        ("Contact", '"6001"<sip:6001@10.0.0.5>', '"6001"'),
        ("To", '"Ann Archer" <sip:a@b.test>, "ok"  <sip:b@b.test>', '"ok"'),
        ("P-Preferred-Identity", "<tel:122>", "122"),
    ],
)
def test_short_names_and_numbers_in_headers_are_replaced_at_their_place(
    name: str, value: str, old: str
) -> None:
    script = with_message(
        case(), "t1", lambda m: replace(m, headers=(*m.headers, ("X-Pel", "pel"), (name, value)))
    )
    done = anonymise(script, 1)
    assert leaks(done.script, done.originals) == []
    headers = done.script.turns[0].message.headers
    assert old not in headers[-1][1]
    assert headers[-2] == ("X-Pel", "pel")


def test_a_short_name_that_is_left_is_told_with_its_turn_and_place() -> None:
    def called(message: Template) -> Template:
        return replace(message, headers=(*message.headers, ("From", "pel <sip:p@b.test>")))

    script = with_message(case(), "t2", called)
    number = len(script.turns[1].message.headers) - 1
    found = leaks(script, [Original("name", "pel")])
    assert [one.place for one in found] == [f"turn t2, message.headers[{number}]"]


@pytest.mark.parametrize(
    "title",
    [
        "/home/ann.b/cases of contoso/one.pcap, session 1",
        "C:\\Users\\ann.b\\one.pcap, session 1",
        "cases of contoso/one.pcapng, session 1",
        "from ~ann/one.pcap",
    ],
)
def test_folders_in_a_title_are_found_and_left_out(title: str) -> None:
    assert [one.place for one in leaks(replace(case(), title=title), ())] == ["title"]
    done = anonymise(replace(case(), title=title), 1)
    assert leaks(done.script, done.originals) == []
    assert not re.search(r"ann|contoso", done.script.title)
    assert done.script.title.endswith(title.rpartition(", ")[1] and "session 1")


@pytest.mark.parametrize("title", ["calls and/or chats", "a / b / c", "SIP/2.0 over TLS"])
def test_a_stroke_in_a_title_is_no_folder(title: str) -> None:
    assert leaks(replace(case(), title=title), ()) == []


def test_nobodys_domain_is_not_looked_for_in_the_pseudonyms_of_others() -> None:
    script = with_message(
        case(),
        "t1",
        lambda m: replace(
            m, headers=(*m.headers, ("P-Preferred-Identity", "<sip:bo@example.com>"))
        ),
    )
    done = anonymise(script, 1)
    assert leaks(done.script, done.originals) == []
    assert "bo@example.com" not in write_script(done.script)


def test_a_user_at_an_address_is_replaced_with_it() -> None:
    header = ("P-Preferred-Identity", "<sip:35104723@10.0.0.77:5060>")
    script = with_message(case(), "t1", lambda m: replace(m, headers=(*m.headers, header)))
    done = anonymise(script, 1)
    assert leaks(done.script, done.originals) == []
    assert "35104723" not in write_script(done.script)
    assert "10.0.0.77" not in write_script(done.script)
