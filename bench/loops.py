"""What somebody would write with a Python library instead; each prints how many messages it found.

``python -P loops.py dpkt|pyshark FILE``. The dpkt loop is no reader: it looks at the first line of
each segment, without reassembly, and is here as the least that such a script can cost.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FIRST_LINE = re.compile(rb"(?:SIP/2\.0 [0-9]{3} |[A-Z]+ [^ \r\n]+ SIP/2\.0\r)")


def dpkt_loop(path: Path) -> int:
    """Return how many TCP segments begin with the first line of a SIP message."""
    import dpkt

    found = 0
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            segment = getattr(getattr(dpkt.ethernet.Ethernet(frame), "data", None), "data", None)
            if isinstance(segment, dpkt.tcp.TCP) and FIRST_LINE.match(segment.data):
                found += 1
    return found


def pyshark_loop(path: Path) -> int:
    """Return how many SIP layers pyshark shows."""
    import pyshark

    found = 0
    capture = pyshark.FileCapture(
        str(path),
        display_filter="sip",
        keep_packets=False,
        override_prefs={"tcp.reassemble_out_of_order": "TRUE"},
    )
    try:
        for packet in capture:
            found += sum(layer.layer_name == "sip" for layer in packet.layers)
    finally:
        capture.close()
    return found


LOOPS = {"dpkt": dpkt_loop, "pyshark": pyshark_loop}

if __name__ == "__main__":
    print(LOOPS[sys.argv[1]](Path(sys.argv[2])))
