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

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.takeaway_order import Order
    from analyzer.dashboard.takeaway_scope import Scope
    from analyzer.dashboard.takeaway_work import Work

_KEYS = (
    "No keys were found beside the capture or in it, so none are in the file. Those that were "
    "given when it was opened are not kept: take the command, with --keylog."
)


def write_capture(
    case: Case, order: Order, scope: Scope, work: Work, write: Callable[[bytes], object]
) -> list[str]:
    """Write it, and return what there is to say of it.

    Raises:
        ValueError: nothing is chosen, or the form cannot hold it; one line for people.
    """
    chosen = _chosen(case, scope)
    if chosen is not None and not (chosen.rows or chosen.frames):
        raise ValueError("nothing is selected: there is no frame to write")
    size = max(1, sum(map(size_of, case.files)))
    how = SliceOptions(order.whole, order.secrets == "decrypted")
    cut = Slice(case.trace, chosen, how, lambda done: work.step(done / size))
    work.say("finding the frames")
    cut.plan()
    work.say("writing them")
    written = SliceFile(cut)
    if order.form == "pcapng":
        secrets = _secrets(case, cut) if order.secrets == "keys" else b""
        about = f"{PurePath(case.name).name}: {scope.told}"
        _write(written.pcapng(Extras(about, _comments(case, order, chosen, cut), secrets)), write)
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


def _as_pcap(written: SliceFile, write: Callable[[bytes], object]) -> None:
    try:
        _write(written.pcap(), write)
    except ValueError as error:
        raise ValueError(f"{error}: pcap cannot hold it; take pcapng") from None


def _write(blocks: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for block in blocks:
        write(block)


def _chosen(case: Case, scope: Scope) -> Chosen | None:
    if scope.whole:
        return None
    if scope.rows is not None:
        return Chosen(tuple(sorted(scope.rows)), frozenset(), ())
    return choose(case.trace, scope.slice, lambda: case.diagnosed)


def _comments(case: Case, order: Order, chosen: Chosen | None, cut: Slice) -> Comments | None:
    if not order.comments:
        return None
    if chosen is None:
        return Comments(case.trace, case.diagnosed, cut.number_of())
    sessions = Related(case.trace).sessions_of(chosen.rows).union(chosen.sessions)
    found = diagnose(case.trace, sessions=sorted(sessions))
    return Comments(case.trace, found, cut.number_of(), chosen.rows)


def _secrets(case: Case, cut: Slice) -> bytes:
    if not cut.tls:
        return b""
    return secrets_of(cut.randoms, capture=case.files[0], given=None, embedded=cut.secrets)
