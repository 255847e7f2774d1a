"""Why TLS stays dark: each reason by its own sentence, which names the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.sources import tls
from analyzer.sources.rsa_keys import read_rsa_key
from analyzer.sources.tls_keys import GivenKeys
from analyzer.trace import open_capture
from tests.support import tls_writer as w
from tests.support.packets import pcap
from tests.support.tls_captures import split, told
from tests.support.tls_certificates import der, pem, rsa_key

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.quality import Quality
    from tests.support.packets import Tcp
    from tests.support.tls_captures import Write

MESSAGE = (
    b"INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c;branch=z9hG4bK1\r\nFrom: <sip:b@b>;tag=1\r\n"
    b"To: <sip:a@b>;tag=2\r\nCall-ID: one\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n"
)
CANNOT = "1 TLS connection cannot be read: "


def session(suite: w.Suite = w.RSA_AES128_SHA, **settings: object) -> w.Session:
    key = rsa_key(0).public_key()
    return w.Session(suite=suite, key=key, certificate=der(), **settings)  # type: ignore[arg-type]


def talked(one: w.Session | w.Session13) -> list[Write]:
    """Return what goes over the wire when hands are shaken and something is said."""
    return one.shake().client(MESSAGE).end().writes


def quality(tmp_path: Path, *talks: list[Write], keys: GivenKeys | None = None) -> Quality:
    packets = [
        packet for at, writes in enumerate(talks, 1)
        for packet in told(split(writes, 1400), client=f"10.0.0.{at}:50000")
    ]  # fmt: skip
    (tmp_path / "call.pcap").write_bytes(pcap(packets))
    with open_capture(tmp_path / "call.pcap", keylog=keys) as trace:
        return trace.quality


def rsa(tmp_path: Path, number: int = 0) -> GivenKeys:
    (tmp_path / "key.pem").write_bytes(pem(number))
    return GivenKeys(rsa=(read_rsa_key(tmp_path / "key.pem"),))


def log(tmp_path: Path, *lines: str) -> Path:
    (tmp_path / "keys").write_text("".join(f"{line}\n" for line in lines))
    return tmp_path / "keys"


def test_an_ephemeral_suite_with_an_rsa_key_is_named(tmp_path: Path) -> None:
    found = quality(tmp_path, talked(session(w.ECDHE_AES256_GCM)), keys=rsa(tmp_path))
    assert found.notes == (
        CANNOT + "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: an RSA key cannot open it, a key log of "
        "client or server can.",
    )
    [one] = found.tls
    assert one == (
        1, "10.0.0.1:50000", "10.0.0.2:5061", "TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "ocs.contoso.com", "dark", found.notes[0].removeprefix(CANNOT).rstrip("."),
    )  # fmt: skip


def test_tls_1_3_with_an_rsa_key_and_the_wrong_log_is_named(tmp_path: Path) -> None:
    keys = rsa(tmp_path)
    other = log(tmp_path, *w.Session13(seed=9).shake().log)
    found = quality(tmp_path, talked(w.Session13()), keys=GivenKeys((other,), keys.rsa))
    assert found.notes == (
        CANNOT + "TLS 1.3 (TLS_AES_128_GCM_SHA256): an RSA key cannot open it, a key log of client "
        "or server can, and the key log has no secrets for it.",
    )


def test_the_key_of_another_certificate_is_told_by_the_name_that_was_shown(tmp_path: Path) -> None:
    found = quality(tmp_path, talked(session()), keys=rsa(tmp_path, 1))
    assert found.notes == (
        CANNOT + "none of the RSA keys belongs to the certificate that the server showed "
        "(CN=ocs.contoso.com).",
    )


def test_a_resumed_session_without_its_beginning_is_named(tmp_path: Path) -> None:
    again = session(seed=2).resume(session().shake()).client(MESSAGE)
    found = quality(tmp_path, again.writes, keys=rsa(tmp_path))
    assert found.notes == (
        CANNOT + "they resume sessions whose first handshake is not in the capture (an RSA key "
        "needs it; a key log does not).",
    )
    found = quality(tmp_path, again.writes, keys=GivenKeys((log(tmp_path, *again.log),)))
    assert [one.status for one in found.tls] == ["decrypted"]


@pytest.mark.parametrize("missing", ["ServerHello", "ClientKeyExchange"])
def test_half_a_handshake_is_named(tmp_path: Path, missing: str) -> None:
    writes = talked(session())
    writes = [writes[0], *writes[2:]] if missing == "ServerHello" else [*writes[:2], *writes[3:]]
    found = quality(tmp_path, writes, keys=rsa(tmp_path))
    assert found.services == {"TLS": 1}
    assert found.notes == (CANNOT + "their handshake was not captured, or not as a whole.",)


def test_a_capture_that_begins_in_the_middle_is_named(tmp_path: Path) -> None:
    one = session()
    writes = talked(one)[-3:]
    keys = GivenKeys((log(tmp_path, *one.log),), rsa(tmp_path).rsa)
    found = quality(tmp_path, writes, keys=keys)
    assert found.notes == (CANNOT + "their handshake was not captured, or not as a whole.",)
    assert found.tls[0][3:6] == (None, None, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "is empty"),
        (b"<html>", "is a web page, and no key log"),
        (b"nothing", "has no line with a TLS secret"),
    ],
)
def test_a_key_log_that_is_none_is_the_reason(tmp_path: Path, text: bytes, why: str) -> None:
    (tmp_path / "keys").write_bytes(text)
    found = quality(tmp_path, talked(session()), keys=GivenKeys((tmp_path / "keys",)))
    assert found.notes == (f"{CANNOT}the key log {tmp_path / 'keys'} {why}.",)


def test_a_key_log_in_utf_16_is_read(tmp_path: Path) -> None:
    """As PowerShell writes it: ``Get-Content keys > copy``."""
    one = session(w.ECDHE_AES256_GCM)
    writes = talked(one)
    (tmp_path / "keys").write_text("\r\n".join(one.log), encoding="utf-16")
    found = quality(tmp_path, writes, keys=GivenKeys((tmp_path / "keys",)))
    assert (found.notes, found.tls[0].status) == ((), "decrypted")


def test_each_reason_has_its_count(tmp_path: Path) -> None:
    talks = [talked(session(w.ECDHE_AES256_GCM, seed=at)) for at in range(3)]
    talks += [talked(w.Session13(seed=at)) for at in (4, 5)]
    talks += [talked(session(seed=6))]
    found = quality(tmp_path, *talks, keys=rsa(tmp_path))
    assert [note.partition(":")[0] for note in found.notes] == [
        "2 TLS connections cannot be read", "3 TLS connections cannot be read",
    ]  # fmt: skip
    assert [one.status for one in found.tls] == ["dark"] * 5 + ["decrypted"]
    assert found.services == {"TLS": 5}


def test_many_reasons_are_cut_to_a_few_sentences(tmp_path: Path) -> None:
    talks = []
    for at in range(12):
        public, shown = rsa_key(0).public_key(), der(0, f"server{at}")
        one = w.Session(suite=w.RSA_AES128_SHA, key=public, certificate=shown, seed=at)
        talks.append(talked(one))
    found = quality(tmp_path, *talks, keys=rsa(tmp_path, 1))
    assert len(found.notes) == 9
    assert found.notes[-1] == "4 TLS connections cannot be read: for other reasons."


def test_without_keys_the_suites_are_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "Tshark", None)  # nothing to decrypt: not even started
    talks = [talked(session(w.RSA_RC4_MD5, version=w.TLS10)), talked(w.Session13())]
    found = quality(tmp_path, *talks)
    assert [(one.version, one.suite, one.name, one.status) for one in found.tls] == [
        ("TLS 1.0", "TLS_RSA_WITH_RC4_128_MD5", "ocs.contoso.com", "dark"),
        ("TLS 1.3", "TLS_AES_128_GCM_SHA256", "chat.contoso.com", "dark"),
    ]
    assert len(found.notes) == 1


def test_a_key_log_that_lies_about_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = session(w.ECDHE_AES256_GCM)
    writes = talked(one)
    monkeypatch.setenv("SSLKEYLOGFILE", str(log(tmp_path, *one.log)))
    found = quality(tmp_path, writes)
    assert found.notes[-1] == (
        f"There is a key log that TLS was not tried with: {tmp_path / 'keys'} (--keylog)."
    )
    assert [one.status for one in found.tls] == ["dark"]


HOLED: dict[str, tuple[w.Session | w.Session13, bool]] = {
    "TLS 1.0, CBC": (session(version=w.TLS10, seed=61), True),
    "TLS 1.0, 3DES": (session(w.RSA_3DES_SHA, version=w.TLS10, seed=62), True),
    "TLS 1.2, CBC, MAC last": (session(w.RSA_AES128_SHA256, etm=True, seed=63), True),
    "TLS 1.2, GCM": (session(w.ECDHE_AES256_GCM, seed=64), True),
    "RC4": (session(w.RSA_RC4_MD5, seed=65), False),
    "ChaCha": (session(w.ECDHE_CHACHA, seed=66), False),
    "TLS 1.3": (w.Session13(seed=67), False),
}


def test_behind_a_hole_it_depends_on_the_suite_what_can_be_read(tmp_path: Path) -> None:
    packets: list[Tcp] = []
    frames, lines = [], []
    for number, (one, _) in enumerate(HOLED.values()):
        one.shake()
        for _ in range(9):
            one.client(MESSAGE).server(MESSAGE)
        talk = told(split(one.writes, 100), client=f"10.0.0.{number}:50000")
        lost, behind = [at for at in range(len(talk) // 2, len(talk))
                        if talk[at].src.endswith(":50000")][1:3]  # fmt: skip
        frames.append(len(packets) + behind)
        packets += [*talk[:lost], *talk[lost + 1 :]]
        lines += one.log
    (tmp_path / "call.pcap").write_bytes(pcap(packets))
    with open_capture(tmp_path / "call.pcap", keylog=log(tmp_path, *lines)) as trace:
        for number, (kind, (_, survives)) in enumerate(HOLED.items()):
            asked, answered = trace.connections[number].messages
            assert (answered, asked >= 7) == (9, survives), kind
            rows = [row for row in range(len(trace)) if trace.rows.stream[row] == 2 * number]
            whole = list(map(trace.raw, rows)).count(MESSAGE)
            assert whole >= (7 if survives else 3), kind
            assert trace.quality.tls[number].reason == (
                "bytes are missing from the capture" if survives
                else "behind missing bytes nothing can be decrypted"
            )  # fmt: skip
        assert {one.status for one in trace.quality.tls} == {"partly"}
        assert {hole.stream for hole in trace.quality.holes} == set(range(0, 2 * len(HOLED), 2))
        places = ", ".join(str(at) for at, survives in zip(
            frames, (survives for _, survives in HOLED.values()), strict=True) if not survives
        )  # fmt: skip
        assert trace.quality.notes == (
            f"3 directions of TLS connections cannot be read to the end (frame {places}): "
            "behind missing bytes nothing can be decrypted.",
        )


def test_secrets_are_on_no_command_line_and_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    started = tls._started

    def watch(command: list[str], files: list[int], errors: object) -> object:
        seen.append(command)
        return started(command, files, errors)  # type: ignore[arg-type]

    monkeypatch.setattr(tls, "_started", watch)
    one = session()
    writes = talked(one)
    before = sorted(tmp_path.iterdir())
    keys = GivenKeys((log(tmp_path, *one.log),), rsa(tmp_path).rsa)
    assert quality(tmp_path, writes, keys=keys).tls[0].status == "decrypted"
    [command] = seen
    assert not [word for word in command if "keys" in word and "/dev/fd/" not in word]
    assert str(tmp_path) not in " ".join(command)
    names = {path.name for path in tmp_path.iterdir()} - {path.name for path in before}
    assert names == {"call.pcap", "key.pem", "keys"}


@pytest.mark.parametrize("lost", ["client", "server"])
@pytest.mark.parametrize("suite", [w.ECDHE_AES256_GCM, w.RSA_AES128_SHA])
def test_a_hole_in_what_is_not_encrypted_costs_nothing_where_there_is_a_key_log(
    tmp_path: Path, suite: w.Suite, lost: str
) -> None:
    one = session(suite).shake(client_certificate=der())
    for _ in range(3):
        one.client(MESSAGE).server(b"SIP/2.0 200 OK\r\n" + MESSAGE.partition(b"\r\n")[2])
    packets = told(split(one.writes, 100))
    port = ":50000" if lost == "client" else ":5061"
    gone = next(
        at for at, packet in enumerate(packets)
        if packet.src.endswith(port) and packet.payload and packet.payload in der()
    )  # fmt: skip
    (tmp_path / "call.pcap").write_bytes(pcap([*packets[:gone], *packets[gone + 1 :]]))
    keys = GivenKeys((log(tmp_path, *one.log),))
    with open_capture(tmp_path / "call.pcap", keylog=keys) as trace:
        assert len(trace) == 6
        assert (trace.quality.notes, trace.quality.holes) == ((), ())
        assert list(trace.rows.frame) == sorted(trace.rows.frame)
