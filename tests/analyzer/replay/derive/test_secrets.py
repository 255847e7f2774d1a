"""Credentials and tokens of a capture are nowhere in its script."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.ladder.selection import Choice
from analyzer.replay.check import check_script
from analyzer.replay.derive.build import derive
from analyzer.replay.derive.grounded import derive_playable
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


RUN = 8
"""Characters of a secret that must not survive together."""
TOKEN68 = st.text("ABCXYZabcxyz019-._~+/", min_size=RUN, max_size=60)
HEADERS = st.builds(
    lambda form, token, end, gap: (token, form.replace(" ", gap, 1).replace("@", token + end)),
    st.sampled_from(
        [
            "Basic @",
            "Bearer @",
            "Negotiate @",
            "NTLM @",
            "Unheard-Of-Scheme @",
            " @",
            'Digest username="ann", realm="r", nonce="@", qop=auth',
            'Digest username="ann", response=@, nc=00000001',
            'Digest response = "@',
            'NTLM qop="auth", gssapi-data="@", version=4',
            "NTLM gssapi-data=@,opaque=@;other=@",
            'TLS-DSK unknown="@", realm="r"',
        ]
    ),
    TOKEN68,
    st.sampled_from(["", "=", "==", " ==", "= "]),
    st.sampled_from([" ", "  ", "\t", " \t  "]),
)


@given(line=HEADERS, name=st.sampled_from(["Authorization", "Proxy_Authorization"]))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_run_of_a_credential_survives_anywhere(
    line: tuple[str, str], name: str, tmp_path: Path
) -> None:
    token, text = line
    path = capture(tmp_path / "run.pcap", message(**{name: text}))
    with open_capture(path) as trace:
        script = derive(trace)
    header = script.turns[0].message.header(name.replace("_", "-")) or ""
    # Of a stand-in any run may be that of a token too: they are compared by themselves.
    secrets = {slot.value for slot in script.slots if slot.kind == "secret"}
    rest = write_script(script)
    for value in secrets:
        rest = rest.replace(f'"value": "{value}"', "")
    runs = {token[at : at + RUN] for at in range(len(token) - RUN + 1)}
    assert not [run for run in runs if run in header or run in rest]
    assert not secrets & {token, f"{token}=", f"{token}=="}


@pytest.mark.parametrize(
    ("captured", "left"),
    [
        ("Basic dXNlcjE6aHVudGVyMg==", "Basic ${t1.credentials}"),
        ("Basic  YTpi", "Basic  ${t1.credentials}"),
        ("Bearer b3RoZXItc2VjcmV0==", "Bearer ${t1.credentials}"),
        ("Negotiate YIIFmwYGKwYBBQUCoIIFjzCC=", "Negotiate ${t1.credentials}"),
        ("NTLM TlRMTVNTUAABAAAA=", "NTLM ${t1.credentials}"),
    ],
)
def test_a_token_is_a_slot_as_a_whole_of_a_script_without_problems(
    captured: str, left: str, tmp_path: Path
) -> None:
    path = capture(tmp_path / "token.pcap", message(Authorization=captured))
    with open_capture(path) as trace:
        script = derive(trace)
    assert script.turns[0].message.header("Authorization") == left
    assert script.slot("t1.credentials") is not None
    assert not [one for one in check_script(script) if "captured" in one.text]


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("X-Token", "hunter2hunter2", "${t1.secret}"),
        ("X-Session-Cookie", "id hunter2hunter2", "${t1.secret}"),
        ("Api-Key", "hunter2hunter2", "${t1.secret}"),
        ("X-Client-Secret", "hunter2hunter2", "${t1.secret}"),
        ("X-Foo", "a=1; password=hunter2hunter2; b=2", "a=1; password=${t1.secret}; b=2"),
        ("X-Foo", 'PassWord = "hunter2hunter2"', 'PassWord = "${t1.secret}"'),
        ("X-Foo", f"by {JWT} it is", "by ${t1.secret} it is"),
    ],
)
def test_secrets_in_other_headers_are_hidden(
    name: str, value: str, left: str, tmp_path: Path
) -> None:
    path = capture(tmp_path / "other.pcap", message(**{name.replace("-", "_"): value}))
    with open_capture(path) as trace:
        script = derive(trace)
    assert script.turns[0].message.header(name) == left
    text = write_script(script)
    assert "hunter2" not in text
    assert JWT[:20] not in text


def test_the_title_of_a_part_has_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "customer of ours"
    folder.mkdir()
    path = folder / "one.pcap"
    path.write_bytes((SAMPLES / "signin-tcp.pcap").read_bytes())
    with open_capture(path) as trace:
        script = derive_playable(trace, Choice(frames=((1, 40),)))
    assert script.title.startswith("one.pcap")
    assert "customer" not in write_script(script)
