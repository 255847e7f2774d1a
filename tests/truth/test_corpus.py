"""Other projects' captures: the messages of the reference, no more and no fewer."""

from __future__ import annotations

import importlib.util
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.paths import require_shared
from tests.truth.listing import Listed, Record, listed, tally

if TYPE_CHECKING:
    from pathlib import Path

CORPUS = require_shared() / "corpus"
TRUTHS = sorted([*CORPUS.glob("truth/*.json"), *CORPUS.glob("truth_c/*.json")])

# Where the list and the reference differ on purpose, with the reason.
ADDRESSES_DIFFER = {
    # INVITEs quoted in ICMP errors: the reference gives no ports, we list them from the sender of
    # the error, with the note `icmp-quoted`.
    "ipfixprobe_sip.pcap": 5,
}


def _check() -> Any:  # noqa: ANN401  (the corpus' own comparison, which is no package)
    spec = importlib.util.spec_from_file_location("check_truth", CORPUS / "check_sip_truth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check


def _result(message: Listed) -> Listed:
    """Return a listed message in the shape of the comparison."""
    cseq = message["cseq"]
    return {
        **{name: message[name] for name in ("frame", "src", "dst", "status", "call_id")},
        "time": _seconds(message["time"]),
        "method": message["method"] if message["kind"] == "request" else None,
        "cseq": cseq["number"] if cseq else None,
    }


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text.rstrip('Z')[:26]}+00:00").timestamp()


@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.stem)
def test_no_message_of_the_reference_is_missed_and_none_invented(
    path: Path, record_property: Record
) -> None:
    truth = json.loads(path.read_text(encoding="utf-8"))
    capture = CORPUS / truth["capture"]
    messages = listed(capture)
    found = _check()(truth, [_result(message) for message in messages], 0, verbose=True)
    tally(record_property, "corpus messages", found["found_required"], found["required"])
    assert (found["missed_list"], found["fp_list"]) == ([], [])
    assert (found["frame_wrong"], found["field_wrong"], found["time_off"]) == (0, 0, 0)
    assert found["addr_wrong"] == ADDRESSES_DIFFER.get(capture.name, 0)


def test_messages_quoted_in_icmp_errors_are_marked_as_such() -> None:
    messages = listed(CORPUS / "captures" / "sip_udp" / "ipfixprobe_sip.pcap")
    quoted = [message for message in messages if "icmp-quoted" in message["notes"]]
    assert [message["frame"] for message in quoted] == [7, 10, 12, 14, 15]
    assert {message["src"].rpartition(":")[0] for message in quoted} == {
        "195.113.172.39",
        "195.113.172.40",
    }
