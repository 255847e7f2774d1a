"""What the command line writes as JSON is what docs/schema promises, over all sample captures."""

from __future__ import annotations

import json
import shutil
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from analyzer.views.commands import FIELDS as COMMAND_FIELDS
from analyzer.views.dialogs import FIELDS as DIALOG_FIELDS
from analyzer.views.findings import FIELDS as FINDING_FIELDS
from analyzer.views.messages import FIELDS as MESSAGE_FIELDS
from analyzer.views.messages import FULL_FIELDS
from analyzer.views.sessions import FIELDS as SESSION_FIELDS
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES, require_shared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.untraced  # most of it is the validator's work

CAPTURES = sorted(SAMPLES.glob("*.pcap*"))
LISTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "messages": ("message", MESSAGE_FIELDS),
    "commands": ("command", COMMAND_FIELDS),
    "dialogs": ("dialog", DIALOG_FIELDS),
    "sessions": ("session", SESSION_FIELDS),
}
# The contract of the first release: keys may be added, none of these may go or change places.
FIRST_MESSAGE_KEYS = [
    "index", "frame", "frames", "time", "src", "dst", "transport", "kind", "method", "status",
    "reason", "uri", "call_id", "cseq", "from_uri", "from_tag", "to_uri", "to_tag",
    "content_type", "content_length", "length", "sha1", "xccos", "notes",
]  # fmt: skip
FIRST_COMMAND_KEYS = [
    "command", "kind", "envid", "seqid", "call_id", "user", "room", "frame", "time",
    "sip_status", "sip_latency_ms", "reply", "reply_frames", "reply_code", "reply_latency_ms",
    "outcome", "paired_by",
]  # fmt: skip


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _checked(name: str, values: list[Any]) -> int:
    validator = _validator(name)
    for value in values:
        validator.validate(value)
    return len(values)


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_every_line_keeps_to_its_schema(command: str, path: Path) -> None:
    name, fields = LISTS[command]
    result = xccos(command, path, "--format", "jsonl")
    values = [json.loads(line) for line in result.lines]
    assert result.code == 0
    assert _checked(name, values) > 0
    assert {tuple(value) for value in values} == {tuple(fields)}


@pytest.mark.parametrize("path", CAPTURES[:4], ids=lambda path: path.name)
def test_every_full_line_keeps_to_its_schema(path: Path) -> None:
    lines = xccos("messages", path, "--format", "jsonl", "--full").lines
    values = [json.loads(line) for line in lines]
    assert _checked("message", values) > 0
    assert {tuple(value) for value in values} == {(*MESSAGE_FIELDS, *FULL_FIELDS)}


def test_findings_keep_to_their_schema() -> None:
    lines = xccos("findings", *CAPTURES, "--format", "jsonl").lines
    values = [json.loads(line) for line in lines]
    assert {value["rule"] for value in values} >= {"GC203", "GC301", "GC409"}
    assert _checked("finding", values) == len(values)
    assert {tuple(value) for value in values} == {("file", *FINDING_FIELDS)}
    schema = _validator("finding").schema
    assert isinstance(schema, dict)
    assert schema["required"] == list(FINDING_FIELDS)


@pytest.mark.parametrize("command", LISTS)
def test_the_schema_names_every_field_in_order(command: str) -> None:
    name, fields = LISTS[command]
    schema = _validator(name).schema
    assert isinstance(schema, dict)
    assert schema["required"] == list(fields)
    further = FULL_FIELDS if name == "message" else ()
    assert list(schema["properties"]) == ["file", *fields, *further]


def test_keys_of_the_first_release_stay_where_they_are() -> None:
    assert list(MESSAGE_FIELDS)[: len(FIRST_MESSAGE_KEYS)] == FIRST_MESSAGE_KEYS
    assert list(COMMAND_FIELDS)[: len(FIRST_COMMAND_KEYS)] == FIRST_COMMAND_KEYS


def test_the_triage_of_all_samples_keeps_to_its_schema() -> None:
    result = xccos("triage", *CAPTURES, "--format", "json")
    document = json.loads(result.out)
    assert result.code == 0
    assert _checked("triage", [document]) == 1
    assert [one["file"] for one in document["captures"]] == [str(path) for path in CAPTURES]


def test_the_triage_of_a_capture_without_sip_keeps_to_its_schema(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pcap"
    shutil.copy(require_shared() / "captures/tls.pcap", locked)  # its keys stay behind
    document = json.loads(xccos("triage", locked, "--format", "json").out)
    assert _checked("triage", [document]) == 1
    assert document["captures"][0]["sessions"] == []
    assert document["captures"][0]["contents"]


@pytest.mark.parametrize("path", CAPTURES[:4], ids=lambda path: path.name)
def test_every_message_shown_keeps_to_its_schema(path: Path) -> None:
    last = len(xccos("messages", path, "--format", "jsonl", "--fields", "index").lines) - 1
    shown = 0
    for number in range(0, last, 5):
        result = xccos("show", path, str(number), "--format", "json")
        shown += _checked("show", json.loads(result.out))
    assert shown > 5


@pytest.mark.parametrize("group", ["sip_malformed", "ip_fragments", "pcapng_suite"])
def test_strange_captures_keep_to_the_schemas(group: str) -> None:
    paths = sorted((require_shared() / "corpus/captures" / group).glob("*cap*"))[:15]
    for command, (name, _) in LISTS.items():
        result = xccos(command, *paths, "--format", "json")
        assert result.code in (0, 3)
        _checked(name, json.loads(result.out))
    _checked("triage", [json.loads(xccos("triage", *paths, "--format", "json").out)])
