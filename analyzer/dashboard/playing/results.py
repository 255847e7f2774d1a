"""What can be taken away of a play: its result, its script, its capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.dashboard.playing.plays import Playing


def draw_results(playing: Playing) -> None:
    """Offer what can be taken away of a play; it is made when somebody clicks."""
    account = playing.account
    with st.container(horizontal=True):
        if account is not None:
            from analyzer.replay.told.junit import junit_xml

            _offer("Result (JSON)", "result.json", "application/json", lambda: _json(playing))
            _offer("Result (JUnit)", "result.xml", "application/xml", lambda: junit_xml(account))
        _offer("Script (JSON)", "case.json", "application/json", lambda: _script(playing))
        if playing.path.is_file():
            _offer(
                "Capture (pcapng)", "play.pcapng", "application/vnd.tcpdump.pcap",
                playing.path.read_bytes,
            )  # fmt: skip
    st.caption(
        "They hold the names and words of the script; credentials are in none of them but the "
        "capture, which has what went over the wire."
    )


def _offer(label: str, name: str, mime: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        label, make, file_name=name, mime=mime, on_click="ignore", key=f"replay-{name}"
    )  # fmt: skip


def _json(playing: Playing) -> bytes:
    from analyzer.export.records import to_json
    from analyzer.replay.told.records import account_record

    assert playing.account is not None
    return f"{to_json(account_record(playing.account))}\n".encode()


def _script(playing: Playing) -> bytes:
    from analyzer.replay.script_json import write_script

    return write_script(playing.script).encode()
