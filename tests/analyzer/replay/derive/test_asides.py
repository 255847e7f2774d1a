"""What a case rests on besides SIP is kept, as little as gives the same steps again."""

from __future__ import annotations

from analyzer.replay.derive.build import derive
from analyzer.trace import open_capture
from tests.analyzer.replay.derive.recordings import FLOWS, sample, script_of
from tests.paths import SAMPLES, require_shared


def test_questions_to_dns_are_kept_with_their_answers() -> None:
    require_shared()
    asides = script_of(FLOWS / "lync2013-signin.pcap").asides
    assert [one.protocol for one in asides] == ["dns", "dns"]
    first, second = asides
    assert [(opener, text) for _, opener, text in first.exchanges] == [
        (True, "SRV _sipinternaltls._tcp.${domain1}"),
        (False, "NXDOMAIN"),
    ]
    assert [text for _, _, text in second.exchanges] == [
        "SRV _sipinternal._tcp.${domain1}",
        "ocsfe03.${domain1}:5060",
    ]
    assert first.responder_address == "10.20.1.27:53"
    assert first.at_ms < 0


def test_an_upload_inside_tls_is_kept_as_the_name_of_its_server() -> None:
    (upload,) = sample("r2-post-full.pcap").asides
    assert (upload.protocol, upload.opener_address) == ("tls", "10.20.2.23:49177")
    assert [(opener, text) for _, opener, text in upload.exchanges] == [
        (True, "gchat02.emea.adatum.example"),
        (False, ""),
    ]


def test_without_dns_and_uploads_there_are_no_asides() -> None:
    assert sample("signin-tcp.pcap").asides == ()


def test_the_end_of_the_recording_is_noted() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        script = derive(trace)
    assert (
        script.started == "2026-11-22T06:08:21.641059Z" or script.started < script.origin["ended"]
    )
    assert script.origin["capture"].endswith("signin-tcp.pcap")
