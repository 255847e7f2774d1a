"""What leaves with a report: secrets never do, bodies only where they may."""

from __future__ import annotations

import json

import pytest

from analyzer.report.sharing import MASKED, Sharing, header_value, masked_text
from analyzer.trace import open_capture
from tests.analyzer.report.reports import SAMPLE
from tests.paths import SAMPLES


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", 'NTLM qop="auth", gssapi-data="TlRM"', f"NTLM {MASKED}"),
        ("proxy-authorization", 'Kerberos response="11"', f"Kerberos {MASKED}"),
        (" Authentication-Info ", 'NTLM rspauth="6F"', f"NTLM {MASKED}"),
        ("Proxy-Authentication-Info", "rspauth", MASKED),
        ("Authorization", "", MASKED),
        ("WWW-Authenticate", 'NTLM gssapi-data="Tl", r="a"', f'NTLM gssapi-data="{MASKED}", r="a"'),
        ("WWW-Authenticate", 'NTLM targetname="fe1"', 'NTLM targetname="fe1"'),
        ("Subject", 'gssapi-data="x"', 'gssapi-data="x"'),
        ("From", "<sip:ann@example.com>;tag=1", "<sip:ann@example.com>;tag=1"),
    ],
)  # fmt: skip
def test_credentials_keep_their_scheme_alone(name: str, value: str, expected: str) -> None:
    assert header_value(name, value) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<token token="1-2" serveruri="https://a/"/>', f'<token token="{MASKED}" serveruri="https://a/"/>'),
        ("<token token = '1-2'/>", f'<token token = "{MASKED}"/>'),
        ('<token token="cut', f'<token token="{MASKED}"'),
        ("<a:uploadToken>1-2</a:uploadToken>", f"<a:uploadToken>{MASKED}</a:uploadToken>"),
        ("<chat>no token here</chat>", "<chat>no token here</chat>"),
    ],
)  # fmt: skip
def test_tokens_of_files_are_masked_in_bodies(body: str, expected: str) -> None:
    assert masked_text(body) == expected


def test_masking_takes_linear_time() -> None:
    assert len(masked_text('token="' * 200_000)) > 0
    assert len(masked_text("<token>" * 200_000)) > 0


def _record(document: object, body: str | None = None) -> dict[str, object]:
    return {"headers": [], "xccos": [], "note_meanings": {}, "body": body, "document": document}


def _element(name: str, text: str | None = None, **attributes: str) -> dict[str, object]:
    return {"name": name, "attributes": attributes, "text": text, "children": []}


def test_tokens_are_masked_in_the_tree() -> None:
    tree = _element("data") | {
        "children": [
            _element("token", token="1-2", serveruri="https://a/"),
            _element("token", "3-4"),
        ]
    }
    shown = json.dumps(Sharing().message(_record({"root": tree})))
    assert "1-2" not in shown
    assert "3-4" not in shown
    assert "https://a/" in shown


def test_without_bodies_the_tree_keeps_what_the_message_is() -> None:
    tree = _element("xccos", envid="7") | {
        "children": [
            _element("grpchat", id="grpchat", author="sip:ann@example.com")
            | {"children": [_element("chat", "our secret")]},
            _element("resp", "SUCCESS_OK", code="200"),
        ]
    }
    made = Sharing(bodies=False).message(_record({"root": tree}, "<xccos>our secret</xccos>"))
    shown = json.dumps(made)
    assert "secret" not in shown
    assert "author" not in shown
    assert all(word in shown for word in ('"7"', '"200"', "SUCCESS_OK", "grpchat"))
    assert made["body"] is None
    assert "--no-bodies" in made["note_meanings"]["body"]


def test_without_bodies_a_subject_is_left_out_as_well() -> None:
    headers = [{"name": "s", "value": "your salary"}, {"name": "Event", "value": "presence"}]
    record = _record(None) | {"headers": headers}
    assert Sharing().message(record)["headers"] == headers
    subject, event = Sharing(bodies=False).message(record)["headers"]
    assert "salary" not in subject["value"]
    assert event == headers[1]


def test_without_bodies_items_keep_the_texts_of_answers() -> None:
    items = [{"element": "grpchat", "text": "secret"}, {"element": "rpl", "text": "SUCCESS_OK"}]
    assert [one["text"] for one in Sharing(bodies=False).items(items)] == [None, "SUCCESS_OK"]
    assert Sharing().items(items) == items


def test_a_report_says_that_it_was_not_redacted_and_what_is_in_it() -> None:
    assert Sharing().word == "not redacted"
    assert Sharing(redacted=True).word == "redacted"
    assert "wrote" in Sharing().remark
    assert "wrote" not in Sharing(bodies=False).remark


def test_no_message_of_a_sign_in_shows_its_credentials() -> None:
    with open_capture(SAMPLES / "r2-signin-full.pcap", index=False) as trace:
        detail = Sharing().details(trace)
        values = [
            one["value"]
            for row in range(len(trace))
            for one in detail(row)["headers"]
            if one["name"].lower().endswith(("authorization", "authentication-info"))
        ]
    assert values
    assert all(value.endswith(MASKED) for value in values)
    assert not any("response" in value or "rspauth" in value for value in values)


def test_other_headers_and_bodies_stay_as_they_are() -> None:
    with open_capture(SAMPLE, index=False) as trace:
        message = trace.message(4)
        shown = Sharing().details(trace)(4)
        assert [one["name"] for one in shown["headers"]] == [one.name for one in message.headers]  # type: ignore[union-attr]
