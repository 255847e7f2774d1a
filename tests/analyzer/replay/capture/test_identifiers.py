"""Fresh identifiers: of the same form, consistent, and of one seed always the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.capture.identifiers import RENEWED, Identifiers
from analyzer.replay.script import Slot

if TYPE_CHECKING:
    from analyzer.replay.script import SlotKind


def _new(kind: SlotKind, value: str, said_by: str = "client1", seed: int = 1) -> str:
    return Identifiers(seed, ()).said(Slot("x", kind, value, said_by))


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        ("call-id", "ad565fa4892d0f11b03204ba45b1ce80", r"[0-9a-f]{32}"),
        ("call-id", "E6E0g66D2a@10.0.0.1", r"[0-9A-Za-z]{10}@10\.0\.0\.1"),
        ("tag", "E1D0C3F90B0D43D6", r"[0-9A-F]{16}"),
        ("tag", "4236517474", r"[1-9]\d{9}"),
        ("branch", "z9hG4bKA307A301", r"z9hG4bK[0-9A-F]{8}"),
        ("instance", "urn:uuid:75CDB39C-5D38-5CD7-BDA6-535FFF319B7E",
         r"urn:uuid:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"),
        ("epid", "9d1899d8b7", r"[0-9a-f]{10}"),
        ("envid", "139132350", r"139\d{6}|140\d{6}"),
        ("envid", "18446744073709551615", r"184467440737\d{8}"),
        ("token", "0988239a-bb66-4616-90a4-b07771a2097c",
         r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)  # fmt: skip
def test_a_fresh_identifier_has_the_form_of_the_old_one(
    kind: SlotKind, value: str, form: str
) -> None:
    new = _new(kind, value)
    assert re.fullmatch(form, new)
    assert new != value
    assert new == _new(kind, value), "of one seed always the same"
    assert new != _new(kind, value, seed=2)


def test_a_client_goes_on_counting_its_envelopes() -> None:
    made = Identifiers(1, ())
    first, second = (int(made.said(Slot("x", "envid", text, "c"))) for text in ("98", "100"))
    assert second - first == 2


def test_what_two_clients_shared_by_chance_is_no_longer_shared() -> None:
    made = Identifiers(1, ())
    values = {made.said(Slot("x", "call-id", "abc123", who)) for who in ("client1", "client2")}
    assert len(values) == 2


@given(
    st.lists(st.text("0123456789abcdef", min_size=1, max_size=3), unique=True, max_size=200),
    st.sampled_from(sorted(RENEWED - {"envid"})),
)
def test_what_differed_differs_and_nothing_old_comes_again(
    values: list[str], kind: SlotKind
) -> None:
    slots = [Slot(f"s{n}", kind, value, "client1") for n, value in enumerate(values)]
    made = Identifiers(1, slots)
    new = [made.said(slot) for slot in slots]
    assert len(set(new)) == len(values)
    assert set(new).isdisjoint(values)
    assert [made.said(slot) for slot in slots] == new
