"""Parts of a capture as a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.table import diagnose
from analyzer.export.choice import Choice, Chosen, choose
from analyzer.export.comments import Comments
from analyzer.export.related import Related
from analyzer.export.slice_file import Extras, SliceFile
from analyzer.export.slices import Slice, SliceOptions
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dashboard.taking.wanted import Wanted


def slice_blocks(wanted: Wanted, form: str, *, decrypted: bool) -> Iterator[bytes]:
    """Yield a capture of what is wanted: ``pcapng`` or ``pcap``. Raises ValueError."""
    trace, chosen = wanted.trace, _chosen(wanted)
    cut = Slice(trace, chosen, SliceOptions(decrypted=decrypted), wanted.step)
    cut.plan()
    written = SliceFile(cut)
    if form == "pcap":
        yield from written.pcap()
        return
    if chosen is None:
        comments = Comments(trace, diagnose(trace), cut.number_of())
    else:
        sessions = sorted(Related(trace).sessions_of(chosen.rows).union(chosen.sessions))
        found = diagnose(trace, sessions=sessions)
        comments = Comments(trace, found, cut.number_of(), chosen.rows)
    about = f"{wanted.name}: {amount(len(chosen.rows if chosen else trace), 'message')}"
    yield from written.pcapng(Extras(about=about, comments=comments, secrets=b""))


def _chosen(wanted: Wanted) -> Chosen | None:
    if wanted.filtered and wanted.rows is not None:
        if not wanted.rows:
            raise ValueError("no message is left by the filter: no capture is made")
        return Chosen(tuple(wanted.rows), frozenset(), ())
    if wanted.session is None:
        return None
    return choose(wanted.trace, Choice(sessions=(wanted.session + 1,)), lambda: ())
