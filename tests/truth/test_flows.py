"""The modelled flows: every message by the frame that completes it and its SHA-1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.paths import require_shared
from tests.truth.listing import Record, cut_short, items_of, listed, tally

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = sorted((require_shared() / "flows").glob("*.json"))
_PLAIN = (
    *("frame", "src", "dst", "transport", "kind", "method", "status", "call_id", "length"),
    "sha1",
)
_ITEM = ("element", "id", "seqid", "envid")


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_every_message_of_a_flow_is_listed_in_order_and_nothing_else(
    path: Path, record_property: Record
) -> None:
    truth = json.loads(path.read_text(encoding="utf-8"))
    expected = [
        (
            *(one[name] for name in _PLAIN),
            one["cseq"],
            one["first_frame"],
            [
                (
                    *(item[name] for name in _ITEM),
                    *((item["commandid"] or {}).get(name) for name in ("seqid", "envid")),
                    item["code"],
                )
                for item in one["xccos"]
            ],
        )
        for one in truth["messages"]
    ]
    found = [
        (
            *(one[name] for name in _PLAIN),
            f"{one['cseq']['number']} {one['cseq']['method']}",
            one["frames"][0],
            items_of(one),
        )
        for one in listed(path.parent / truth["capture"])
        if not cut_short(one)
    ]
    tally(
        record_property, "modelled messages", sum(map(expected.__contains__, found)), len(expected)
    )
    assert found == expected
