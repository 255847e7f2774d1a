"""The catalogue explains ids and permission masks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.xccos.catalogue import (
    COMMANDS,
    KNOWN,
    NOTICES,
    REPLIES,
    known,
    meaning,
    permissions,
    reply_aliases,
)


def test_ids_are_unique_and_in_lower_case() -> None:
    assert len(KNOWN) == len(COMMANDS) + len(REPLIES) + len(NOTICES) + 1
    assert all(identifier == identifier.lower() == entry.id for identifier, entry in KNOWN.items())


def test_every_reply_of_a_command_is_known_and_leads_back_to_it() -> None:
    for entry in COMMANDS:
        assert entry.replies
        for identifier in entry.replies:
            found = known(identifier)
            assert found is not None
            assert entry.id in found.replies


def test_every_reply_answers_a_known_command() -> None:
    for entry in REPLIES:
        assert entry.replies
        for identifier in entry.replies:
            found = known(identifier)
            assert found is not None
            assert entry.id in found.replies


@pytest.mark.parametrize("identifier", ["cmd:bjoin", "CMD:BJOIN", "Cmd:bJoin"])
def test_ids_are_looked_up_in_any_case(identifier: str) -> None:
    found = known(identifier)
    assert found is not None
    assert found.id == "cmd:bjoin"


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("cmd:requri", "ask the lookup service for a channel server"),
        ("cmd:new", "unknown command"),
        ("RPL:new", "unknown reply"),
        ("ntc:quit", "unknown notice"),
        ("new", "unknown item"),
        ("x:y", "unknown item"),
        ("grpchat", "chat message"),
    ],
)
def test_every_id_has_a_meaning(identifier: str, words: str) -> None:
    assert meaning(identifier) == words


@pytest.mark.parametrize("identifier", ["cmd:chancreate", "cmd:chanmodify", "ntc:permmodify"])
def test_ids_without_evidence_are_not_known(identifier: str) -> None:
    assert known(identifier) is None


@pytest.mark.parametrize(
    ("command", "replies"),
    [
        ("getfutok", ("getftok",)),
        ("getfdtok", ("getftok",)),
        ("getserverinfo", ("getserverinfo", "getservinfo")),
        ("cmd:GetServerInfo", ("getserverinfo", "getservinfo")),
        ("join", ("join",)),
        ("New", ("new",)),
    ],
)
def test_a_reply_may_be_named_otherwise_than_its_command(
    command: str, replies: tuple[str, ...]
) -> None:
    assert reply_aliases(command) == replies


def test_permission_masks_are_decoded_bit_by_bit() -> None:
    member = ("create children", "join", "chat", "bit 9", "read history when not joined")
    assert permissions(3984) == (*member, "see the room")
    assert "manage" in permissions(12276)
    assert "bit 5" in permissions(12276)
    assert permissions(0) == permissions(-1) == ()


@given(st.integers(0, 2**64 - 1))
def test_every_bit_of_a_mask_has_a_name(key: int) -> None:
    names = permissions(key)
    assert len(set(names)) == len(names) == key.bit_count()


def test_a_mask_wider_than_any_mask_is_cut() -> None:
    assert len(permissions((1 << 5000) - 1)) == 64
