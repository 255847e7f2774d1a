"""How the dashboard is served: for this machine alone, and with the same settings either way."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from analyzer.cli.main import main
from analyzer.dashboard.server import ANYWHERE, SETTINGS, is_loopback, may_serve
from tests.paths import ROOT
from tests.support.replaying import XCCOS

if TYPE_CHECKING:
    from pathlib import Path


def test_both_ways_to_start_it_have_the_same_settings() -> None:
    told = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert _flat(told) == SETTINGS


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in told.items():
        inner = _flat(value) if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{key}".rstrip("."): one for key, one in inner.items()}
    return found


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_only_this_machine_is_served(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_nobody_else_is(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_loopback(address)
    assert not may_serve(address)
    monkeypatch.setenv(ANYWHERE, "1")
    assert may_serve(address)


def test_a_page_that_others_could_reach_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.dashboard.main.may_serve", lambda _: False)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert "others could reach this page" in page.error[0].value
    assert not page.button


def test_a_file_that_is_not_there_is_told_before_anything_is_served() -> None:
    found = CliRunner().invoke(main, ["dashboard", "/nowhere/x.pcap"])
    assert found.exit_code == 2
    assert "/nowhere/x.pcap: there is no such file" in found.output


def test_without_streamlit_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.dashboard.server.find_spec", lambda _: None)
    found = CliRunner().invoke(main, ["dashboard"])
    assert found.exit_code == 2
    assert "pip install 'xccos-analyzer[dashboard]'" in found.output


def test_a_browser_is_opened_at_the_address_that_is_told(tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\nkill -INT $PPID\n')
    browser.chmod(0o700)
    served = subprocess.run(
        [*XCCOS, "dashboard", "--port", "0"],
        env=os.environ | {"BROWSER": str(browser)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = served.stdout.splitlines()[0]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", opened.read_text())
    assert opened.read_text().strip() in told
    assert "Streamlit" not in served.stdout
