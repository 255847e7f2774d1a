"""NTLM against the figures of MS-NLMP 4.2.4, and against Communicator 2007 R2 with its server."""

from __future__ import annotations

import hmac
import struct
from contextlib import suppress
from random import Random  # noqa: TID251  (the base of one that says what it is told to)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.auth.association import Agreed, text_to_sign
from analyzer.replay.auth.ntlm import (
    MAX_TOKEN,
    Account,
    NtlmAnswer,
    NtlmError,
    NtlmSession,
    answer_challenge,
    filetime,
    make_challenge,
    nt_hash,
)
from dissectors.sip.messages import SipMessage
from dissectors.sip.parse import parse_message

DATAGRAM = 0x40
# MS-NLMP 4.2.4: user "User" of "Domain", password "Password".
CHALLENGE = bytes.fromhex(
    "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef000000000000000024002400440000"
    "00060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c00530065007200"
    "76006500720000000000"
)
ACCOUNT = Account("User", "Domain", nt_hash("Password"))

# A front end of Office Communications Server 2007 R2 and its client: user "User" of "COSMO".
OCS_CHALLENGE = bytes.fromhex(
    "4E544C4D53535000020000000000000038000000F38298E2DD1BAAF4E7E218D1000000000000000096009600380000"
    "000502CE0E0000000F02000A0043004F0053004D004F000100180043004F0053004D004F002D004F00430053002D00"
    "520032000400160063006F0073006D006F002E006C006F00630061006C000300300063006F0073006D006F002D006F"
    "00630073002D00720032002E0063006F0073006D006F002E006C006F00630061006C000500160063006F0073006D00"
    "6F002E006C006F00630061006C0000000000"
)
OCS_ANSWER = bytes.fromhex(
    "4E544C4D53535000030000001800180072000000C600C6008A0000000A000A00480000000800080052000000180018"
    "005A0000001000100050010000558298620502CE0E0000000F43004F0053004D004F00550073006500720043004F00"
    "53004D004F002D004F00430053002D0052003200A1E92EFE4E078BF7C5C0049ACC6166C2D6AE875CB0FDAA418DC0C8"
    "00AE76ECA606D2B9FBEBD04731010100000000000059519A1727B9CA01D6AE875CB0FDAA410000000002000A004300"
    "4F0053004D004F000100180043004F0053004D004F002D004F00430053002D00520032000400160063006F0073006D"
    "006F002E006C006F00630061006C000300300063006F0073006D006F002D006F00630073002D00720032002E006300"
    "6F0073006D006F002E006C006F00630061006C000500160063006F0073006D006F002E006C006F00630061006C0000"
    "0000000000000031CB739E1CA80A498591E8AE797115E4"
)
OCS_AGREED = Agreed("NTLM", "SIP Communications Service", "cosmo-ocs-r2.cosmo.local", "2BDBAC9D", 4)
OCS_REQUEST = (
    b"REGISTER sip:cosmo.local SIP/2.0\r\nVia: SIP/2.0/TLS 192.168.172.6:12723\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:user@cosmo.local>;tag=3e49177a52;epid=c8ca638a15\r\n"
    b"To: <sip:user@cosmo.local>\r\nCall-ID: 4037df9284354df39065195bd57a4b14\r\n"
    b"CSeq: 3 REGISTER\r\nContent-Length: 0\r\n\r\n"
)
OCS_RESPONSE = (
    b'SIP/2.0 200 OK\r\nFrom: "User"<sip:user@cosmo.local>;tag=3e49177a52;epid=c8ca638a15\r\n'
    b"To: <sip:user@cosmo.local>;tag=5E61CCD925D17E043D9A74835A88F664\r\n"
    b"Call-ID: 4037df9284354df39065195bd57a4b14\r\nCSeq: 3 REGISTER\r\n"
    b"Via: SIP/2.0/TLS 192.168.172.6:12723;ms-received-port=12723;ms-received-cid=2600\r\n"
    b"Expires: 7200\r\nContent-Length: 0\r\n\r\n"
)


class Told(Random):
    """Chance that gives the bytes of the specification's example."""

    def randbytes(self, n: int) -> bytes:
        return {8: b"\xaa" * 8, 16: b"\x55" * 16}[n]


def _for_datagrams(challenge: bytes) -> bytes:
    flags = struct.unpack_from("<I", challenge, 20)[0] | DATAGRAM
    return challenge[:20] + struct.pack("<I", flags) + challenge[24:]


def _sip(raw: bytes) -> SipMessage:
    message = parse_message(raw)
    assert isinstance(message, SipMessage)
    return message


def test_a_client_answers_as_in_the_example_of_the_specification() -> None:
    token, _ = answer_challenge(_for_datagrams(CHALLENGE), ACCOUNT, Told(), -11644473600)
    assert bytes.fromhex("86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa") in token
    assert bytes.fromhex("68cd0ab851e51c96aabc927bebef6a1c0101000000000000") in token
    assert token.endswith(bytes.fromhex("c5dad2544fc9799094ce1ce90bc9d03e"))


def test_the_hash_of_a_password_is_that_of_the_specification() -> None:
    assert nt_hash("Password").hex() == "a4f49c406510bdcab6824ee7c30fd852"


def test_a_password_that_looks_like_a_hash_is_still_a_password() -> None:
    text = f"{'a' * 32}:{'b' * 32}"
    assert nt_hash(text).hex() != "b" * 32


def test_time_is_counted_from_1601_in_tenths_of_microseconds() -> None:
    assert filetime(0) == struct.pack("<Q", 116444736000000000)
    assert filetime(-1e30) == bytes(8)
    assert filetime(1e30) == b"\xff" * 8


def test_the_answer_of_communicator_is_accepted_and_its_signature_holds() -> None:
    answer = NtlmAnswer(OCS_ANSWER)
    assert (answer.name, answer.domain) == ("User", "COSMO")
    session = answer.accept(OCS_CHALLENGE, nt_hash("Pa$$word"))
    assert session is not None
    text = text_to_sign(_sip(OCS_REQUEST), OCS_AGREED, "13317733", "1")
    assert text == (
        b"<NTLM><13317733><1><SIP Communications Service><cosmo-ocs-r2.cosmo.local>"
        b"<4037df9284354df39065195bd57a4b14><3><REGISTER><sip:user@cosmo.local><3e49177a52>"
        b"<sip:user@cosmo.local><><><><>"
    )
    assert session.verify(text, bytes.fromhex("0100000029618e9651b65a7764000000"))


def test_what_the_real_server_signed_is_what_we_sign_in_its_place() -> None:
    session = NtlmAnswer(OCS_ANSWER).accept(OCS_CHALLENGE, nt_hash("Pa$$word"))
    assert session is not None
    text = text_to_sign(_sip(OCS_RESPONSE), OCS_AGREED, "9616454F", "1")
    assert session.sign(text).hex() == "01000000e615438a917661be64000000"


def test_a_wrong_password_for_communicator_is_refused() -> None:
    assert NtlmAnswer(OCS_ANSWER).accept(OCS_CHALLENGE, nt_hash("pa$$word")) is None


def test_version_two_signs_neither_the_to_uri_nor_identities() -> None:
    text = text_to_sign(_sip(OCS_RESPONSE), OCS_AGREED._replace(version=2), "0a", "7")
    assert text == (
        b"<NTLM><0a><7><SIP Communications Service><cosmo-ocs-r2.cosmo.local>"
        b"<4037df9284354df39065195bd57a4b14><3><REGISTER><sip:user@cosmo.local><3e49177a52>"
        b"<5E61CCD925D17E043D9A74835A88F664><7200><200>"
    )


def test_asserted_identities_are_signed_by_kind_and_in_this_order() -> None:
    told = b'P-Asserted-Identity: <tel:+14085264000>, "A" <sip:a@contoso.com>\r\nExpires'
    message = _sip(OCS_RESPONSE.replace(b"Expires", told))
    text = text_to_sign(message, OCS_AGREED, "0a", "7")
    assert text.endswith(b"<sip:a@contoso.com><tel:+14085264000><7200><200>")


def _pair(now: float | None = None, password: str = "secret") -> tuple[bytes, bytes, NtlmSession]:
    challenge = make_challenge(Random(1), ("fe1.contoso.com", "contoso.com"), now)
    account = Account("anna", "CONTOSO", nt_hash(password))
    token, session = answer_challenge(challenge, account, Random(2), 0.0)
    return challenge, token, session


@pytest.mark.parametrize("now", [None, 1_700_000_000.0])
def test_each_side_verifies_what_the_other_signs_and_not_its_own(now: float | None) -> None:
    challenge, token, client = _pair(now)
    server = NtlmAnswer(token).accept(challenge, nt_hash("secret"))
    assert server is not None
    assert server.verify(b"text", client.sign(b"text"))
    assert client.verify(b"text", server.sign(b"text"))
    assert not client.verify(b"text", client.sign(b"text"))
    assert not client.verify(b"texT", server.sign(b"text"))


def test_a_client_uses_the_time_that_the_server_tells() -> None:
    _, token, _ = _pair(1_700_000_000.0)
    assert b"\x01\x01" + bytes(6) + filetime(1_700_000_000.0) in token


def test_an_answer_to_another_challenge_is_refused() -> None:
    _, token, _ = _pair()
    other = make_challenge(Random(9), ("fe1.contoso.com", "contoso.com"), None)
    assert NtlmAnswer(token).accept(other, nt_hash("secret")) is None


def test_a_server_without_signatures_for_datagrams_is_not_answered() -> None:
    with pytest.raises(NtlmError, match="lacks the flags"):
        answer_challenge(CHALLENGE, ACCOUNT, Random(1), 0.0)


def test_the_first_version_of_ntlm_is_not_accepted() -> None:
    _, token, _ = _pair()
    short = token[:20] + struct.pack("<HH", 24, 24) + token[24:]
    with pytest.raises(NtlmError, match="version 1"):
        NtlmAnswer(short)


def test_a_mic_is_checked_where_the_client_says_that_there_is_one() -> None:
    challenge = make_challenge(Random(1), ("fe1.contoso.com", "contoso.com"), None)
    at = struct.unpack_from("<I", challenge, 44)[0]
    length = struct.unpack_from("<H", challenge, 40)[0]
    # The client repeats the server's words: MsvAvFlags (6) = 2 among them says that it has a MIC.
    flagged = struct.pack("<HHI", 6, 4, 2) + challenge[at:]
    size = struct.pack("<HH", length + 8, length + 8)
    asked = challenge[:40] + size + challenge[44:at] + flagged
    account = Account("anna", "CONTOSO", nt_hash("secret"))
    token, _ = answer_challenge(asked, account, Random(2), 0.0)
    assert NtlmAnswer(token).accept(asked, nt_hash("secret")) is None
    drawn = Random(2)
    drawn.randbytes(8)
    mic = hmac.digest(drawn.randbytes(16), asked + token, "md5")
    assert NtlmAnswer(token[:72] + mic + token[88:]).accept(asked, nt_hash("secret")) is not None


@given(data=st.data())
def test_a_damaged_answer_never_admits_and_never_breaks(data: st.DataObject) -> None:
    challenge, token, _ = _pair()
    damaged = bytearray(token)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(token) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(token)))])
    with suppress(NtlmError):
        assert NtlmAnswer(cut).accept(challenge, nt_hash("other")) is None


@given(data=st.data())
def test_a_damaged_challenge_is_answered_or_refused_in_words(data: st.DataObject) -> None:
    challenge, _, _ = _pair(0.0)
    damaged = bytearray(challenge)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(challenge) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(challenge)))])
    with suppress(NtlmError):
        assert answer_challenge(cut, ACCOUNT, Random(1), 0.0)[0].startswith(b"NTLMSSP\0\x03")


def test_a_message_of_unlikely_size_is_not_looked_at() -> None:
    with pytest.raises(NtlmError, match="16385 bytes"):
        NtlmAnswer(bytes(MAX_TOKEN + 1))
    with pytest.raises(NtlmError, match="16385 bytes"):
        answer_challenge(bytes(MAX_TOKEN + 1), ACCOUNT, Random(1), 0.0)
