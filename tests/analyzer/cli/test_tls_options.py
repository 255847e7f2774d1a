"""Keys on the command line: where passwords come from, and what is said of keys of no use."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    pkcs12,
)

from analyzer.cli import tls_options
from analyzer.cli.main import run
from analyzer.sources import rsa_keys
from tests.paths import ROOT
from tests.support import tls_writer as w
from tests.support.packets import pcap
from tests.support.tls_captures import told
from tests.support.tls_certificates import NAME, certificate, der, pem, rsa_key

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse"
MESSAGE = (
    b"INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c;branch=z9hG4bK1\r\nFrom: <sip:b@b>;tag=1\r\n"
    b"To: <sip:a@b>;tag=2\r\nCall-ID: one\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n"
)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture of one message, for the RSA key; a .pfx of the key is beside it."""
    key = rsa_key(0)
    one = w.Session(key=key.public_key(), certificate=der()).shake().client(MESSAGE).end()
    (tmp_path / "call.pcap").write_bytes(pcap(told(one.writes)))
    lock = BestAvailableEncryption(PASSWORD.encode())
    (tmp_path / "ocs.pfx").write_bytes(
        pkcs12.serialize_key_and_certificates(b"ocs", key, certificate(0, NAME), None, lock)
    )
    return tmp_path / "call.pcap"


def messages(capture: Path, *arguments: str | Path) -> int:
    return run(["messages", str(capture), *map(str, arguments)])


def test_a_key_without_a_password_is_used(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key.pem").write_bytes(pem())
    assert messages(capture, "--rsa-key", tmp_path / "key.pem") == 0
    said = capsys.readouterr()
    assert "INFO" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    "text",
    [PASSWORD.encode(), PASSWORD.encode() + b"\r\nmore\n", PASSWORD.encode("utf-16")],
    ids=["bare", "with lines", "UTF-16"],
)
def test_the_password_may_be_in_a_file(
    capture: Path, tmp_path: Path, text: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "password").write_bytes(text)
    # In this order, too: the file is known before the key is opened.
    keys = ("--rsa-key", tmp_path / "ocs.pfx", "--password-file", tmp_path / "password")
    assert messages(capture, *keys) == 0
    assert "INFO" in capsys.readouterr().out


def test_the_password_may_be_in_the_environment(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("XCCOS_KEY_PASSWORD", PASSWORD)
    assert messages(capture, "--rsa-key", tmp_path / "ocs.pfx") == 0
    assert "INFO" in capsys.readouterr().out


def test_somebody_at_a_terminal_is_asked(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    asked = []

    def prompt(text: str, **settings: object) -> str:
        asked.append((text, settings["hide_input"], settings["err"]))
        return PASSWORD

    monkeypatch.setattr(tls_options, "_is_terminal", lambda: True)
    monkeypatch.setattr(click, "prompt", prompt)
    assert messages(capture, "--rsa-key", tmp_path / "ocs.pfx") == 0
    assert asked == [(f"Password of {tmp_path / 'ocs.pfx'}", True, True)]
    assert "INFO" in capsys.readouterr().out


def test_what_is_typed_at_a_terminal_is_not_shown(capture: Path, tmp_path: Path) -> None:
    """With a terminal of its own, on which getpass asks."""
    here, there = pty.openpty()
    code = (
        "import os, sys\nos.setsid()\nos.close(os.open(os.ttyname(2), os.O_RDWR))\n"
        "from analyzer.cli.main import run\nsys.exit(run(sys.argv[1:]))"
    )
    words = ["messages", str(capture), "--rsa-key", str(tmp_path / "ocs.pfx")]
    child = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT, stdin=there, stderr=there, stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(there)
    shown = b""
    while b"ocs.pfx: " not in shown:
        shown += os.read(here, 1000)
    os.write(here, f"{PASSWORD}\n".encode())
    out, _ = child.communicate(timeout=60)
    with open(here, "rb", 0) as terminal:  # noqa: PTH123
        os.set_blocking(here, False)
        try:
            shown += terminal.read(4000) or b""
        except OSError:  # Linux: nobody else has it any more
            shown += b""
    assert child.returncode == 0
    assert b"INFO" in out
    assert PASSWORD.encode() not in shown


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (None, "it needs a password (--password-file FILE, or XCCOS_KEY_PASSWORD), and there is no "
         "terminal to ask on"),
        ("wrong", "the password is wrong, or the file is damaged"),
    ],
)  # fmt: skip
def test_without_the_right_password_nothing_is_read(
    capture: Path, tmp_path: Path, password: str | None, words: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("XCCOS_KEY_PASSWORD", raising=False)
    if password is not None:
        monkeypatch.setenv("XCCOS_KEY_PASSWORD", password)
    assert messages(capture, "--rsa-key", tmp_path / "ocs.pfx") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"the key file {tmp_path / 'ocs.pfx'} cannot be used: {words}\n" in said.err
    assert "wrong\n" not in said.err
    assert "call.pcap" not in said.err


def test_a_certificate_instead_of_a_key_is_an_error_of_usage(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ocs.cer").write_bytes(der())
    assert messages(capture, "--rsa-key", tmp_path / "ocs.cer") == 2
    assert "it is a certificate, and the private key" in capsys.readouterr().err


def test_without_its_library_the_extra_is_named(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert messages(capture, "--rsa-key", tmp_path / "ocs.pfx") == 2
    assert "pip install 'xccos-analyzer[tls]'" in capsys.readouterr().err


def test_keys_are_overwritten_when_the_command_is_through(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.pem").write_bytes(pem())
    closed = []
    close = rsa_keys.RsaKey.close

    def watch(key: rsa_keys.RsaKey) -> None:
        close(key)
        closed.append(bytes(key.pem()))

    monkeypatch.setattr(rsa_keys.RsaKey, "close", watch)
    assert messages(capture, "--rsa-key", tmp_path / "key.pem") == 0
    assert closed == [b""]


def test_several_key_logs_and_keys_are_taken_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions: list[w.Session | w.Session13] = [
        w.Session(key=rsa_key(0).public_key(), certificate=der()).shake(),
        w.Session13(seed=2).shake(), w.Session13(seed=3).shake(),
    ]  # fmt: skip
    packets = []
    for at, one in enumerate(sessions, 1):
        one.client(MESSAGE)
        packets += told(one.writes, client=f"10.0.0.{at}:50000")
        (tmp_path / f"keys{at}").write_text("\n".join(one.log))
    (tmp_path / "call.pcap").write_bytes(pcap(packets))
    (tmp_path / "key.pem").write_bytes(pem())
    keys = ("--keylog", tmp_path / "keys2", "--keylog", tmp_path / "keys3")
    assert messages(tmp_path / "call.pcap", *keys, "--rsa-key", tmp_path / "key.pem") == 0
    out = capsys.readouterr().out
    assert [f"10.0.0.{at}:50000" in out for at in (1, 2, 3)] == [True] * 3
