"""Which client a session is of, and what it does without."""

from __future__ import annotations

import pytest

from analyzer.flows.variants import variant_of
from tests.analyzer.flows.sign_in_stories import LYNC_2010, LYNC_2013, R2, SIPE, SignIn

GC_2010 = "Microsoft Lync 2010 Group Chat"


def _signed_in(agent: str | None = R2) -> SignIn:
    talk = SignIn(agent)
    talk.registers()
    return talk


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (R2, "r2"),
        ("UCCP/2.0.6362.0 OC/2.0.6362.0 (Microsoft Office Communicator)", "r2"),
        (LYNC_2010, "lync2010"),
        (GC_2010, "lync2010"),
        (LYNC_2013, "lync2013"),
        ("UCCAPI/16.0.4266.1001 OC/16.0.4266.1001 (Skype for Business)", "lync2013"),
        (SIPE, "sipe"),
    ],
)
def test_a_client_says_what_it_is(agent: str, name: str) -> None:
    variant = variant_of(_signed_in(agent).view())
    assert variant.name == name
    assert agent in variant.evidence


def test_a_client_without_name_that_reads_preferences_is_an_old_one() -> None:
    talk = SignIn(None, syn_seen=False)
    talk.invites()
    talk.commands("getpref")
    variant = variant_of(talk.view())
    assert variant.name == "r2"
    assert "getpref" in variant.evidence


def test_a_client_without_name_that_goes_straight_to_a_pool_is_a_new_one() -> None:
    talk = SignIn(None, syn_seen=False)
    talk.invites("sip:GC-1-PersistentChatService-2@example.com")
    variant = variant_of(talk.view())
    assert variant.name == "lync2013"
    assert "PersistentChatService" in variant.evidence


def test_a_client_without_name_is_of_the_age_of_its_server() -> None:
    talk = _signed_in(None)
    talk.invites()
    variant = variant_of(talk.view())
    assert (variant.name, variant.evidence) == ("r2", "Server: RTC/3.5")


def test_without_any_evidence_the_variant_is_unknown() -> None:
    talk = SignIn(None, syn_seen=False)
    talk.invites()
    talk.commands("join")
    assert variant_of(talk.view()).name == "unknown"


def test_a_pool_client_needs_neither_lookup_nor_preferences() -> None:
    talk = _signed_in(LYNC_2013)
    talk.invites("sip:GC-1-PersistentChatService-2@example.com")
    talk.commands("getserverinfo", to="sip:GC-1-PersistentChatService-2@example.com")
    talk.joins()
    run = talk.run()
    statuses = [step.status for step in run.steps]
    assert statuses == [
        *["ok"] * 3, *["not-applicable"] * 2, "ok", "ok", "not-applicable", "ok", "not-applicable",
    ]  # fmt: skip
    assert run.outcome == "complete"
    assert run.steps[3].detail == "this client takes the pool URI from provisioning"


def test_a_pool_client_whose_rooms_were_not_answered_did_not_reach_its_invitations() -> None:
    talk = _signed_in(LYNC_2013)
    talk.invites()
    talk.commands("getserverinfo")
    talk.commands("bjoin", reply=False)
    run = talk.run()
    assert [step.status for step in run.steps[8:]] == ["missing", "missing"]
    assert run.outcome == "failed"


def test_pidgin_asks_for_neither_server_info_nor_preferences() -> None:
    talk = _signed_in(SIPE)
    talk.looks_up()
    talk.invites()
    talk.commands("join")
    run = talk.run()
    assert [step.status for step in run.steps[6:]] == ["not-applicable"] * 4
    assert run.outcome == "complete"


def test_what_a_variant_could_do_without_is_judged_where_it_does_it() -> None:
    talk = _signed_in(LYNC_2013)
    talk.looks_up()
    talk.enters()
    statuses = talk.statuses()
    assert statuses["4"] == statuses["5"] == "ok"
    assert statuses["8"] == "ok"


def test_a_user_without_rooms_joins_the_first_one_singly() -> None:
    talk = _signed_in()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", "getpref", "getinv", "join")
    run = talk.run()
    assert run.steps[8].status == "not-applicable"
    assert "one by one" in run.steps[8].detail


def test_an_old_client_that_does_not_read_preferences_misses_them() -> None:
    talk = _signed_in()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo")
    talk.joins()
    talk.commands("getinv")
    assert talk.statuses()["8"] == "missing"
