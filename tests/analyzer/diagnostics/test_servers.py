"""Rules about servers: what several users, or several servers, tell together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.table import RULES, diagnose
from tests.analyzer.diagnostics.rewritten import Script, about
from tests.analyzer.stories import Story
from tests.analyzer.truths import CAPTURES, FLOWS, named

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding

MINUTE_MS = 60_000
LOOKUP = "sip:ocschat@example.com"


def registrations(*calls: tuple[str, str, bool, int]) -> list[Finding]:
    """Return what is said of REGISTERs of the lookup account: host, Call-ID, leaving, minutes."""
    story = Story()
    wires = {host: story.connect(f"{host}:5061") for host, *_ in calls}
    for number, (host, call, leaving, minutes) in enumerate(calls, 1):
        story.wait(minutes * MINUTE_MS)
        expires = "0" if leaving else "7200"
        headers = {"Expires": expires, "User-Agent": "RTCC/3.5.0.0"}
        said = wires[host].asks("REGISTER", LOOKUP, LOOKUP, call=call, cseq=number, headers=headers)
        wires[host].answered(said, 200, to_tag="s", Expires=expires)
    return diagnose(story.trace(), rules=[RULES["GC106"]])


def test_servers_that_push_one_another_out_are_flapping() -> None:
    (found,) = registrations(
        ("10.0.0.1", "a1", False, 0),
        ("10.0.0.2", "b1", False, 1),
        ("10.0.0.1", "a1", True, 1),
        ("10.0.0.1", "a2", False, 1),
        ("10.0.0.2", "b1", True, 1),
        ("10.0.0.2", "b2", False, 1),
    )
    assert found.rule == "GC106"
    assert "2 servers" in found.detail
    assert "2 times" in found.detail
    assert found.user == LOOKUP


def test_a_lookup_account_that_is_only_refreshed_is_nothing() -> None:
    found = registrations(
        ("10.0.0.1", "a1", False, 0),
        ("10.0.0.2", "b1", False, 1),
        ("10.0.0.1", "a1", False, 60),
        ("10.0.0.2", "b1", False, 1),
    )
    assert found == []


def test_a_server_that_restarts_once_is_nothing() -> None:
    found = registrations(
        ("10.0.0.1", "a1", False, 0),
        ("10.0.0.1", "a1", True, 5),
        ("10.0.0.1", "a2", False, 5),
    )
    assert found == []


def test_refusals_of_several_users_at_once_are_trouble_of_the_service(tmp_path: Path) -> None:
    script = Script(named(CAPTURES, "twousers-post"))
    asked = [
        k
        for k, one in enumerate(script.messages)
        if one.text.startswith("INFO") and one.header("User-Agent").startswith("Purple")
    ]
    for at in asked[2:]:
        script.refuse(at, "503 Service Unavailable", stop=False)
    findings = script.found(tmp_path)
    (found,) = about(findings, "GC701")
    assert "2 users" in found.detail
    assert "user1@contoso.com" in found.detail
    assert "user2@contoso.com" in found.detail
    assert found.severity == "warning"


def test_refusals_of_one_user_are_not_told_of_the_service(tmp_path: Path) -> None:
    script = Script(named(FLOWS, "overload-503-burst"))
    assert about(script.found(tmp_path), "GC701") == []
