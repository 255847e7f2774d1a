"""The frames of what is taken, as a capture: what `xccos export -o slice.pcapng` writes."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from analyzer.dashboard.opening import size_of
from analyzer.diagnostics.table import diagnose
from analyzer.export.choice import Chosen, choose
from analyzer.export.comments import Comments
from analyzer.export.keys import secrets_of
from analyzer.export.related import Related
from analyzer.export.slice_file import Extras, SliceFile
from analyzer.export.slices import Slice, SliceOptions
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.dashboard.takeaway.make import Source
    from analyzer.dashboard.takeaway.order import Order
    from analyzer.dashboard.takeaway.work import Work
    from analyzer.trace import Trace

_KEYS = (
    "No keys were found beside the capture or in it, so none are in the file. Those that were "
    "given when it was opened are not kept: take the command, with --keylog."
)


def write_capture(
    source: Source, order: Order, work: Work, write: Callable[[bytes], object]
) -> list[str]:
    """Write it, and return what there is to say of it.

    Raises:
        ValueError: nothing is chosen, or the form cannot hold it; one line for people.
    """
    trace = source.trace
    chosen = _chosen(source)
    if chosen is not None and not (chosen.rows or chosen.frames):
        raise ValueError("nothing is selected: there is no frame to write")
    size = max(1, size_of(source.file))
    how = SliceOptions(order.whole, order.secrets == "decrypted")
    cut = Slice(trace, chosen, how, lambda done: work.step(done / size))
    work.say("finding the frames")
    cut.plan()
    work.say("writing them")
    written = SliceFile(cut)
    if order.form == "pcapng":
        secrets = _secrets(source, cut) if order.secrets == "keys" else b""
        about = f"{PurePath(source.file).name}: {_amounts(len(trace.rows), chosen)}"
        _write(written.pcapng(Extras(about, _comments(trace, order, chosen, cut), secrets)), write)
    else:
        secrets = b""
        _as_pcap(written, write)
    said = [f"{amount(written.frames, 'frame')}"]
    if cut.anew:
        were = "was" if cut.anew == 1 else "were"
        said.append(
            f"{amount(cut.anew, 'connection')} {were} written anew with the chosen messages alone."
        )
    if cut.tls and not secrets:
        said.append(f"{amount(cut.tls, 'TLS connection')} as captured, without keys.")
    if order.secrets == "keys" and not secrets:
        said.append(_KEYS if cut.tls else "There is no TLS in it: it needs no keys.")
    return said


def _amounts(total: int, chosen: Chosen | None) -> str:
    if chosen is None or len(chosen.rows) == total:
        return f"all {amount(total, 'message')}"
    return f"{len(chosen.rows):,} of {amount(total, 'message')}"


def _as_pcap(written: SliceFile, write: Callable[[bytes], object]) -> None:
    try:
        _write(written.pcap(), write)
    except ValueError as error:
        raise ValueError(f"{error}: pcap cannot hold it; take pcapng") from None


def _write(blocks: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for block in blocks:
        write(block)


def _chosen(source: Source) -> Chosen | None:
    trace, scope = source.trace, source.scope
    if scope.whole:
        return None
    if scope.rows is not None:
        return Chosen(tuple(sorted(scope.rows)), frozenset(), ())
    return choose(trace, scope.slice, lambda: diagnose(trace))


def _comments(trace: Trace, order: Order, chosen: Chosen | None, cut: Slice) -> Comments | None:
    if not order.comments:
        return None
    if chosen is None:
        return Comments(trace, diagnose(trace), cut.number_of())
    sessions = Related(trace).sessions_of(chosen.rows).union(chosen.sessions)
    found = diagnose(trace, sessions=sorted(sessions))
    return Comments(trace, found, cut.number_of(), chosen.rows)


def _secrets(source: Source, cut: Slice) -> bytes:
    if not cut.tls:
        return b""
    return secrets_of(cut.randoms, capture=source.file, given=None, embedded=cut.secrets)
