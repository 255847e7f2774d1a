"""Client against server through a real proxy that records its route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.trace import open_capture
from dissectors.model import Malformed
from tests.paths import require_shared
from tests.support.kamailio import Kamailio
from tests.support.realclient import run_client
from tests.support.replaying import Server, play_clients, script_file

if TYPE_CHECKING:
    from pathlib import Path

require_shared()


@pytest.mark.parametrize("capture", ["signin-tcp", "twousers-post"])
def test_all_expectations_hold_at_both_ends_of_a_proxy(capture: str, tmp_path: Path) -> None:
    case = script_file(capture, tmp_path)
    wire = tmp_path / "wire.pcapng"
    with (
        Server(case, tmp_path, "-o", str(wire)) as served,
        Kamailio(served.address) as proxy,
    ):
        found = play_clients(case, tmp_path, proxy.address)
        assert found["held"], found["said"] + proxy.said()
        assert found["code"] == 0
        served.process.terminate()
        assert served.result()["held"], served.explain()
    _went_through(wire, proxy.address)


def _went_through(wire: Path, proxy: str) -> None:
    """Requests of the client have the proxy's Via on top; those in dialogs came by its route."""
    methods = set()
    with open_capture(wire) as trace:
        for row in range(len(trace)):
            message = trace.message(row)
            assert not isinstance(message, Malformed)
            if message.method in ("INVITE", "INFO", "ACK") and len(message.vias) == 2:
                assert f"{message.vias[0].host}:{message.vias[0].port}" == proxy
                methods.add(message.method)
            if message.method == "INFO" and len(message.vias) == 1:
                assert proxy in (message.headers.first("route") or "")
                methods.add("INFO of the server")
    assert methods == {"INVITE", "INFO", "ACK", "INFO of the server"}


def test_the_real_client_gets_on_through_the_proxy_too(tmp_path: Path) -> None:
    case = script_file("seeded", tmp_path)
    with Server(case, tmp_path) as served, Kamailio(served.address, flows=True) as proxy:
        run = run_client(proxy.address, seed="5")
        assert run.code == 0, run.explain() + proxy.said()
        served.process.terminate()
        assert served.result()["held"], served.explain()
