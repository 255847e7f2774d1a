"""What each slot of a script stands for in the capture that is written.

The rule, first that fits: what the options set; addresses and times as the capture has them; fresh
identifiers where they are wanted; else the recorded value. A slot has one value in the whole file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.capture.identifiers import RENEWED, Identifiers
from analyzer.replay.capture.options import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.capture.addresses import Addresses
    from analyzer.replay.capture.options import CaptureOptions
    from analyzer.replay.capture.schedule import Schedule
    from analyzer.replay.script import Script, Slot

PLACED = frozenset({"address", "host", "port", "contact", "uri"})
TIMED = frozenset({"time", "date"})


def values_of(
    script: Script, options: CaptureOptions, addresses: Addresses, schedule: Schedule
) -> Callable[[str], str]:
    """Return what gives the value of a slot by its name.

    Raises:
        CaptureError: (the function too) A slot is set or used that the script does not have.
    """
    identifiers = Identifiers(options.seed, script.slots)

    def value(slot: Slot) -> str:
        if slot.kind in PLACED:
            return addresses.said(slot)
        if slot.kind in TIMED:
            return schedule.said(slot)
        renewed = options.fresh and slot.kind in RENEWED
        return identifiers.said(slot) if renewed else slot.value

    values = {slot.name: value(slot) for slot in script.slots}
    unknown = next((name for name in options.values if name not in values), None)
    if unknown is not None:
        raise CaptureError(f"the script has no slot {unknown[:80]!r} to set")
    values.update(options.values)

    def lookup(name: str) -> str:
        known = values.get(name)
        if known is None:
            raise CaptureError(f"there is no slot {name!r} in the script")
        return known

    return lookup
