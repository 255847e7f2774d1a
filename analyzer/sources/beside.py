"""Which key log lies beside a capture. Asked of every capture, so it imports next to nothing."""

from __future__ import annotations

from pathlib import Path

from analyzer.sources.files import STANDARD_INPUT


def key_log_beside(path: str | Path) -> Path | None:
    """Return the key log beside a capture: ``x.pcap.keylog`` or ``x.keylog`` for ``x.pcap``."""
    if str(path) == STANDARD_INPUT:
        return None
    capture = Path(path)
    plain = capture.with_suffix("") if capture.suffix in (".gz", ".zst") else capture
    names = (capture.name, plain.name, plain.stem)
    found = [capture.with_name(f"{name}.keylog") for name in dict.fromkeys(names) if name]
    here = next((one for one in found if one.is_file()), None)
    if here is not None or ".zip" not in str(path).lower():
        return here
    from analyzer.sources.named import key_log_beside_member

    member = key_log_beside_member(path)
    return None if member is None else Path(member)
