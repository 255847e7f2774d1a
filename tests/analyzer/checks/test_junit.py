"""JUnit XML: what CI services read, well-formed whatever a capture holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from analyzer.checks.junit import READING, junit_xml
from analyzer.checks.spec import Check, CommandSubject, FlowSubject
from analyzer.checks.values import Counts, Held, Judged, Result, Status


def _result(name: str, status: Status, text: str = "") -> Result:
    held: Held = "failed" if status == "failed" else "skipped"
    evidence = () if status == "passed" else (Judged(held, text, (4, 7)),) * 2
    counts = Counts(3, len(evidence), 0)
    return Result(Check(name, FlowSubject("sign-in")), status, f"{name} sum", counts, 5.5, evidence)


def _cases(document: JUnitXml) -> dict[str, list[object]]:
    return {case.name: list(case.result) for suite in document for case in suite}


def test_each_capture_is_a_suite_and_each_check_a_case() -> None:
    results = [_result("a", "passed"), _result("b", "failed", "late")]
    document = JUnitXml.fromstring(junit_xml([("one.pcap", results), ("two.pcap", results[:1])]))
    suites = list(document)
    assert [(suite.name, suite.tests, suite.failures) for suite in suites] == [
        ("one.pcap", 2, 1),
        ("two.pcap", 1, 0),
    ]
    assert (document.tests, document.failures, document.errors) == (3, 1, 0)
    case = next(iter(suites[0]))
    assert (case.name, case.classname) == ("a", "one.pcap")


def test_a_failure_has_its_evidence_once_with_frames() -> None:
    document = JUnitXml.fromstring(junit_xml([("x", [_result("b", "failed", "late")])]))
    (failure,) = _cases(document)["b"]
    assert isinstance(failure, Failure)
    assert failure.message == "b sum"
    assert failure.text == "failed: late (frames 4, 7) ×2"


def test_what_cannot_be_told_and_what_does_not_apply_are_skipped_with_the_reason() -> None:
    results = [_result("s", "skipped", "a hole"), _result("n", "not-applicable")]
    cases = _cases(JUnitXml.fromstring(junit_xml([("x", results)])))
    messages = [
        one.message for several in cases.values() for one in several if isinstance(one, Skipped)
    ]
    assert messages == ["cannot be told: s sum", "not applicable: n sum"]


def test_properties_have_counts_and_frames() -> None:
    root = etree.fromstring(junit_xml([("x", [_result("b", "failed", "late")])]))
    told = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert told == {
        "about": "flow",
        "summary": "b sum",
        "held": "3",
        "failed": "2",
        "unknown": "0",
        "slowest_ms": "5.5",
        "frames": "4 7",
    }


def test_a_capture_that_cannot_be_read_is_an_error() -> None:
    document = JUnitXml.fromstring(
        junit_xml([("a.pcap", [_result("a", "passed")])], [("a.pcap", "cut"), ("b.pcap", "gone")])
    )
    assert [(suite.name, suite.tests, suite.errors) for suite in document] == [
        ("a.pcap", 2, 1),
        ("b.pcap", 1, 1),
    ]
    (error,) = _cases(document)[READING]
    assert isinstance(error, Error)
    assert error.message == "gone"


TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=60)
def test_any_text_gives_a_well_formed_document(name: str, file: str, text: str) -> None:
    check = Check(name, CommandSubject(("*",)))
    judged = Judged("failed", text + "\x00\ud800\uffff]]>&<\x1b", (1,))
    result = Result(check, "failed", text, Counts(0, 1, 0), None, (judged,))
    root = etree.fromstring(junit_xml([(file, [result])], [(file + "2", text)]))
    assert len(list(root.iter("testcase"))) == 2
    (failure,) = root.iter("failure")
    assert r"\u0000\ud800\uffff]]>&<\u001b" in (failure.text or "")
