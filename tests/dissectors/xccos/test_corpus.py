"""The stage against recorded bodies with their truth, and against hostile documents."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

from dissectors.model import Malformed
from dissectors.xccos.messages import XccosDocument
from dissectors.xccos.reader import read_document
from dissectors.xccos.rooms import rooms_of
from tests.dissectors.xccos.scanning import Scan, as_told_by, each_scan
from tests.paths import require_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.xccos.scan import Row


def recorded() -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Every XCCOS body of the recorded sessions, with its truth."""
    for path in sorted((require_shared() / "captures").glob("*.json")):
        for message in json.loads(path.read_text(encoding="utf-8"))["messages"]:
            if message.get("xccos"):
                yield message["body"].encode(), message["xccos"]


def expected_row(envelope: dict[str, Any], item: dict[str, Any]) -> Row:
    answered, resp = item.get("commandid"), item.get("resp")
    return (
        item["element"],
        item["id"],
        item["seqid"],
        envelope["envid"],
        (answered["seqid"], answered["envid"]) if answered else None,
        resp["code"] if resp else None,
        item["chat"] if item["element"] == "grpchat" else resp["text"] if resp else None,
    )


@each_scan
def test_recorded_bodies_give_the_items_of_their_truth(scan: Scan) -> None:
    seen = 0
    for body, truth in recorded():
        rows = [expected_row(truth, item) for item in truth["elements"]]
        document = read_document(body, "text/plain")
        assert isinstance(document, XccosDocument)
        assert scan(body, "text/plain") == as_told_by(scan, (rows, False))
        assert [
            (item.element, item.id, item.seqid, item.resp and item.resp.code, item.text)
            for item in document.items
        ] == [(row[0], row[1], row[2], row[5], row[6]) for row in rows]
        assert (document.ver, document.envid) == (truth["ver"], truth["envid"])
        assert document.notes == ()
        seen += len(rows)
    assert seen > 250


def test_recorded_items_name_their_rooms() -> None:
    seen = 0
    for body, truth in recorded():
        document = read_document(body)
        assert isinstance(document, XccosDocument)
        for item, told in zip(document.items, truth["elements"], strict=True):
            rooms = rooms_of(item)
            assert rooms[: len(told.get("rooms", ()))] == tuple(told.get("rooms", ()))
            if "chanUri" in told:
                assert rooms == (told["chanUri"],)
            seen += len(rooms)
    assert seen > 100


def attacks() -> Iterator[tuple[str, bytes, str]]:
    """Every hostile document: its name, its bytes and the verdict that is expected."""
    folder = require_shared() / "corpus" / "xml_attacks"
    verdicts = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for name, verdict in verdicts.items():
        path = folder / name
        packed = folder / f"{name}.gz"
        body = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
        assert len(body) == verdict["bytes"]
        yield name, body, verdict["expected"]


@each_scan
def test_hostile_documents_are_answered_as_expected(scan: Scan) -> None:
    found, wanted = {}, {}
    for name, body, expected in attacks():
        document = read_document(body)
        found[name] = "ok" if isinstance(document, XccosDocument) else "reject"
        wanted[name] = found[name] if expected == "either" else expected
        scanned = scan(body)
        assert (scanned is not None and not scanned[1]) == (found[name] == "ok")
    assert found == wanted
    assert len(found) >= 14


def test_hostile_documents_with_the_right_root_are_malformed_not_foreign() -> None:
    refused = {name for name, body, _ in attacks() if isinstance(read_document(body), Malformed)}
    others = {"38_empty.xml", "12_deep_unclosed_200k.xml"}  # nothing, and a root named otherwise
    assert refused == {name for name, _, expected in attacks() if expected == "reject"} - others


@each_scan
def test_hostile_documents_cost_little_time_and_memory(scan: Scan) -> None:
    for name, body, _ in attacks():
        tracemalloc.start()
        started = time.process_time()
        read_document(body)
        scan(body)
        elapsed = time.process_time() - started
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert elapsed < 5, name
        assert peak < 8 * len(body) + 100_000, name
