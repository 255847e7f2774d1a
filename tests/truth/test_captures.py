"""The real client's captures: every message of the truth, in order, and nothing else."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.paths import require_shared
from tests.truth.listing import Listed, Record, cut_short, items_of, listed, tally

if TYPE_CHECKING:
    from pathlib import Path

CAPTURES = sorted((require_shared() / "captures").glob("*.pcap"))

# Messages that are listed though the truth has them not on the wire as a whole, with the reason.
CUT_SHORT = {
    "straddle": 2,  # the stand-in server had written the first part of an answer into the same
    # segment as the message before it when the client closed: the rest never left. They are listed
    # with the note `truncated`.
}


def _direction(message: Listed, server_port: str = "5060") -> tuple[str, str]:
    if message["dst"].endswith((f":{server_port}", ":5061")):
        return message["src"], "c2s"
    return message["dst"], "s2c"


def _items(truth: dict[str, Any]) -> list[tuple[str | None, ...]]:
    envelope = truth.get("xccos") or {}
    return [
        (
            item["element"],
            item["id"],
            item.get("seqid"),
            envelope["envid"],
            *((item.get("commandid") or {}).get(name) for name in ("seqid", "envid")),
            (item.get("resp") or {}).get("code"),
        )
        for item in envelope.get("elements", [])
    ]


def _cseq(message: Listed) -> str | None:
    cseq = message["cseq"]
    return f"{cseq['number']} {cseq['method']}" if cseq else None


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_every_message_on_the_wire_is_listed_in_order_and_nothing_else(
    path: Path, record_property: Record
) -> None:
    truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["messages"]
    expected: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for one in truth:
        if one["on_wire"]:
            expected[one["conn"], one["dir"]].append(
                (
                    one["sha1"],
                    one["length"],
                    one["kind"],
                    one["method"],
                    one.get("status"),
                    one["call_id"],
                    one["cseq"],
                    one["from_uri"],
                    one["from_tag"],
                    one["to_uri"],
                    one["to_tag"],
                    _items(one),
                )
            )
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    cut = 0
    for message in listed(path):
        if cut_short(message):
            cut += 1
            continue
        found[_direction(message)].append(
            (
                *(message[name] for name in ("sha1", "length", "kind", "method", "status")),
                message["call_id"],
                _cseq(message),
                *(message[name] for name in ("from_uri", "from_tag", "to_uri", "to_tag")),
                items_of(message),
            )
        )
    matching = [
        one == other
        for way, messages in expected.items()
        for one, other in zip(messages, found[way], strict=False)
    ]
    total = sum(map(len, expected.values()))
    tally(record_property, "real client's messages", sum(matching), total)
    assert found == expected
    assert cut == CUT_SHORT.get(path.stem, 0)
