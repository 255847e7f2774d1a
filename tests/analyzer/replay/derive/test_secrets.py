"""Credentials and tokens of a capture are nowhere in its script."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.check import check_script
from analyzer.replay.derive.build import derive
from analyzer.replay.derive.secrets import stand_in
from analyzer.replay.script_json import write_script
from analyzer.trace import open_capture
from tests.analyzer.captures import capture, message
from tests.analyzer.replay.derive.recordings import ALL, find, raws_of, sample, script_of
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

CAPTURED = re.compile(
    rb'\b(?:gssapi-data|response|rspauth|crand|srand|opaque|token)="([^"]{8,})"', re.IGNORECASE
)


@pytest.mark.parametrize(
    "path",
    [path for path in ALL if path.parent.name != "captures"],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_no_captured_credential_or_token_is_anywhere_in_the_script(path: Path) -> None:
    require_shared()
    text = write_script(script_of(path))
    raws = [raw for group in raws_of(path).values() for raw in group]
    for value in {found for raw in raws for found in CAPTURED.findall(raw)}:
        assert value.decode() not in text


def test_a_signed_capture_does_have_credentials_to_hide() -> None:
    raws = [raw for group in raws_of(SAMPLES / "r2-post-full.pcap").values() for raw in group]
    assert len({found for raw in raws for found in CAPTURED.findall(raw)}) > 100


def test_an_ntlm_message_keeps_its_type_and_nothing_else() -> None:
    for kind, length in ((1, 32), (2, 48), (3, 64)):
        captured = b"NTLMSSP\0" + bytes([kind, 0, 0, 0]) + b"user and domain and answers" * 4
        made = base64.b64decode(stand_in(base64.b64encode(captured).decode(), 7))
        assert made[:12] == captured[:12]
        assert len(made) == length
        assert b"user" not in made


@pytest.mark.parametrize(
    ("captured", "form"),
    [
        ("6F0FECF28FC374E8193A222847168560", r"[0-9A-F]{32}"),
        ("f4a1a640", r"[0-9a-f]{8}"),
        ("YIIFmwYGKwYBBQUCoIIFjzCC", r"A{24}"),
        ("not base64 at all!", r"secret9"),
    ],
)
def test_a_stand_in_has_the_form_of_the_secret(captured: str, form: str) -> None:
    made = stand_in(captured, 9)
    assert re.fullmatch(form, made)
    assert made != captured


def test_one_security_association_has_one_slot_for_its_opaque() -> None:
    script = sample("r2-signin-full.pcap")
    used = {
        name for turn in script.turns for name in turn.message.slots() if name.endswith(".opaque")
    }
    assert len(used) == 1


def test_counters_and_names_of_authentication_stay_readable() -> None:
    header = find(sample("r2-post-full.pcap"), "SUBSCRIBE").message.header("Proxy-Authorization")
    assert header is not None
    assert header.startswith('NTLM qop="auth", realm="SIP Communications Service", opaque="${')
    assert 'targetname="ocsfe03.${domain1}"' in header
    assert 'cnum="1"' in header


@pytest.mark.parametrize(
    "line",
    [
        "Basic YW5uOm15IHBhc3N3b3Jk",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl",
        'Digest username="ann", realm="r", nonce="0123456789abcdef", response="feedfacefeedface',
        'NTLM gssapi-data=TlRMTVNTUAADAAAAGAAYAEgAAAAYABgAYAAAAA==, qop="auth"',
        'NTLM qop="auth" gssapi-data="TlRMTVNTUAADAAAAGAAYAEgAAAAY=AGAYABgAYAAAAA==',
    ],
)
@pytest.mark.parametrize("name", ["Authorization", "X-Unknown"])
def test_secrets_in_whatever_form_and_header_are_hidden(
    line: str, name: str, tmp_path: Path
) -> None:
    if name == "X-Unknown" and line.startswith("B"):
        name = "Proxy-Authorization"
    path = capture(tmp_path / "one.pcap", message(**{name.replace("-", "_"): line}))
    with open_capture(path) as trace:
        script = derive(trace)
    text = write_script(script)
    for word in re.findall(r"[\w+/.=-]{12,}", line):
        secret = word.partition("=")[2].strip('"') if word.startswith("gssapi") else word
        assert secret not in text or not secret
    header = script.turns[0].message.header(name)
    assert header is not None
    assert "${t1." in header
    if not line.startswith("B"):
        assert not [one for one in check_script(script) if "captured" in one.text]


def test_passwords_and_keys_in_bodies_are_hidden(tmp_path: Path) -> None:
    body = "<relay><username>ann</username><password>hunter22</password></relay>"
    sdp = "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7\r\n"
    path = capture(
        tmp_path / "two.pcap",
        message(body=body, Content_Type="application/xml"),
        message(body=sdp, Content_Type="application/sdp", Call_ID="two"),
    )
    with open_capture(path) as trace:
        text = write_script(derive(trace))
    assert "hunter22" not in text
    assert "WVNfX19zZW1jdGwgKCkgewkyMjA7" not in text
    assert "ann" in text
