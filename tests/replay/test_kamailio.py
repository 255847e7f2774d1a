"""Through a real SIP proxy that record-routes: Kamailio, on loopback."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.derive.build import derive
from analyzer.replay.script_json import write_script
from analyzer.replay.sipp.files import write_sipp
from analyzer.trace import open_capture
from tests.paths import SAMPLES
from tests.support.kamailio import Kamailio
from tests.support.replaying import Server, play_clients
from tests.support.sipp import run_uac, uas

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script


@cache
def script_of(name: str) -> Script:
    with open_capture(SAMPLES / f"{name}.pcap") as trace:
        return derive(trace)


@pytest.mark.parametrize("name", ["signin-tcp", "r2-signin-full", "twousers-post"])
def test_all_expectations_hold_through_a_proxy(name: str, tmp_path: Path) -> None:
    case = tmp_path / "case.json"
    case.write_text(write_script(script_of(name)))
    with Server(case, tmp_path) as served:
        with Kamailio(tmp_path, served.address) as proxy:
            found = play_clients(case, tmp_path, proxy.address)
            assert found["held"], found["said"] + proxy.said()
            assert found["code"] == 0
        # The clients' requests all came on the proxy's connection, which ends with the proxy.
        assert served.result()["held"], served.explain()


@pytest.mark.parametrize("token", [True, False], ids=["by flow token", "by contact"])
def test_sipp_s_parts_play_each_other_through_a_proxy(token: bool, tmp_path: Path) -> None:
    files = write_sipp(script_of("signin-tcp"), "channel1", register=token)
    with uas(tmp_path, files) as server, Kamailio(tmp_path, server.address, token=token) as proxy:
        client = run_uac(tmp_path, files, proxy.address)
        assert client.code == 0, f"{client}{proxy.said()}"
        served = server.result()
    assert served.code == 0, served
    assert f"Route: <sip:{proxy.address};transport=tcp;lr" in client.messages.replace(";r2=on", "")
