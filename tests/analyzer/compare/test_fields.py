"""Header fields and XCCOS bodies: what compares, and what is the same under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.compare import bodies, fields
from analyzer.compare.values import DEFAULTS
from dissectors.model import Malformed
from dissectors.sip.parse import parse_message
from dissectors.xccos.messages import Element, Item, item_of
from tests.analyzer.captures import message

if TYPE_CHECKING:
    from dissectors.sip.messages import SipMessage


def sip(**headers: str) -> SipMessage:
    found = parse_message(message(**headers))
    assert not isinstance(found, Malformed)
    return found


def differing(a: SipMessage, b: SipMessage) -> list[tuple[str, str, str, str]]:
    return [tuple(one) for one in fields.differing(a, b, DEFAULTS)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("Supported", "timer, gruu-10", "GRUU-10,timer"),
        ("Event", "presence", "presence;id=7"),
        ("Expires", "30804", "28011"),
        ("Content_Type", "text/plain", "Text/Plain"),
        ("Authorization", 'NTLM response="1"', 'NTLM response="2", cnum="7"'),
        ("Session_Expires", "1800;refresher=uac", "1800"),
    ],
)
def test_fields_that_say_the_same_do_not_differ(name: str, a: str, b: str) -> None:
    assert differing(sip(**{name: a}), sip(**{name: b})) == []


@pytest.mark.parametrize(
    ("name", "a", "b", "told"),
    [
        ("Expires", "7200", "600", ("Expires", "minor", "7200 s", "600 s")),
        ("Expires", "7200", "0", ("Expires", "minor", "7200 s", "0 s")),
        ("Server", "RTC/3.5", "RTC/5.0", ("Server", "minor", "RTC/3.5", "RTC/5.0")),
        ("Event", "presence", "presence.wpending",
         ("Event", "minor", "presence", "presence.wpending")),
        ("Allow_Events", "a,b,c", "a", ("Allow-Events", "minor", "also b, c", "not that")),
        ("WWW_Authenticate", "NTLM realm=x", "Kerberos realm=x",
         ("authentication offered", "minor", "NTLM", "KERBEROS")),
        ("Content_Type", "text/plain;charset=UTF-8", "text/plain",
         ("charset of Content-Type", "trivial", "utf-8", "none")),
    ],
)  # fmt: skip
def test_fields_that_differ_are_told(
    name: str, a: str, b: str, told: tuple[str, str, str, str]
) -> None:
    assert differing(sip(**{name: a}), sip(**{name: b})) == [told]


def test_a_field_that_one_side_lacks_is_none() -> None:
    assert differing(sip(User_Agent="UCCAPI/3.5"), sip()) == [
        ("User-Agent", "minor", "UCCAPI/3.5", "none")
    ]


@pytest.mark.parametrize(
    ("attribute", "value", "same"),
    [
        ("uri", "sip:ann@contoso.com", "sip:bob@fabrikam.com;gruu"),
        ("chanUri", "ma-chan://contoso.com/1", "ma-chan://fabrikam.com/2"),
        ("domain", "contoso.com", "emea.adatum.example"),
        ("serverTime", "2010-03-27T13:51:45.2Z", "2026-11-22T06:08:27.0969640Z"),
        ("guid", "2E51C06E-1A5B-546B-B26F-3710357F54E8", "2e51c06e-1a5b-546b-b26f-3710357f54e9"),
        ("name", "Sales", "Trading Floor"),
        ("token", "abc", "def"),
        ("lastEnvelope", "5616243030880655257", "4027902045354505645"),
    ],
)
def test_names_of_one_run_are_the_same_as_those_of_another(
    attribute: str, value: str, same: str
) -> None:
    assert bodies.normal(attribute, value) == bodies.normal(attribute, same)


@pytest.mark.parametrize("value", ["512", "false", "1", "SUCCESS_OK", "kedzie.Options"])
def test_flags_numbers_and_words_stay_as_they_are(value: str) -> None:
    found = bodies.normal("flag", value)
    assert found in {value, "<domain>"}
    assert found == value or value == "kedzie.Options"


def item(*children: Element, **attributes: str) -> Item:
    data = Element("data", attributes=tuple(attributes.items()), children=children)
    return item_of(Element("rpl", attributes=(("id", "rpl:join"),), children=(data,)))


def room(**attributes: str) -> Element:
    return Element("chanib", attributes=tuple(attributes.items()))


def body(a: Item, b: Item, *, sent: bool = False) -> list[tuple[str, str, str, str]]:
    return [tuple(one) for one in bodies.differing(a, b, sent=sent)]  # type: ignore[misc]


def test_how_many_rooms_there_are_is_no_field() -> None:
    one = room(uri="ma-chan://a.example/1", disabled="false")
    two = room(uri="ma-chan://a.example/2", disabled="false")
    assert body(item(one), item(one, two)) == []


def test_one_value_against_another_is_minor_and_lists_of_values_are_trivial() -> None:
    open_, closed = room(disabled="false"), room(disabled="true")
    assert body(item(open_), item(closed)) == [("data/chanib@disabled", "minor", "false", "true")]
    assert body(item(open_), item(open_, closed)) == [
        ("data/chanib@disabled", "trivial", "false", "false, true")
    ]


def test_what_a_command_leaves_out_matters() -> None:
    assert body(item(forced="1"), item(), sent=True) == [("data@forced", "minor", "1", "none")]
    assert body(item(forced="1"), item()) == [("data@forced", "trivial", "1", "none")]


def test_an_endless_body_is_read_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_NODES", 10)
    many = item(*(room(disabled=str(k)) for k in range(50)))
    (found,) = body(many, item(room(disabled="0")))
    assert found[0] == "data/chanib@disabled"
    assert len(found[2].split(", ")) < 10
