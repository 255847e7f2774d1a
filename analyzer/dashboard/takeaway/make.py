"""What is taken away, made: one function for each group of products.

The rule: each writes what the command line writes of the same order, byte for byte where the
command has no times of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from analyzer.dashboard.takeaway import pseudonyms
from analyzer.dashboard.takeaway.apart import looking_into
from analyzer.dashboard.takeaway.command import command_of
from analyzer.dashboard.takeaway.scope import Scope, with_others
from analyzer.dashboard.takeaway.tables import write_table
from analyzer.dashboard.takeaway.work import Made
from analyzer.views.numbers import amount
from analyzer.zones import parse_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.takeaway.order import Order
    from analyzer.dashboard.takeaway.work import Work
    from analyzer.ladder.build import Options
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Ladder
    from analyzer.trace import Trace

NAME = 60
"""Characters of a capture's name in that of the file."""
_OPTIONS, _CHOICE = "--session or --user shows fewer", "choose a session to have fewer"


@dataclass(frozen=True)
class Source:
    """The capture that something is made of: that of the case, or one with pseudonyms."""

    trace: Trace
    scope: Scope
    file: str
    """Where it lies; its name is said in reports."""


def maker(case: Case, order: Order, scope: Scope) -> Callable[[Work, Path], Made]:
    """Return what makes an order, in a directory of its own."""

    def make(work: Work, folder: Path) -> Made:
        return _Making(case, order, scope, work, folder).made()

    return make


class _Making:
    def __init__(self, case: Case, order: Order, scope: Scope, work: Work, folder: Path) -> None:
        self.case, self.order, self.scope, self.work = case, order, scope, work
        self.folder = folder
        self.path = folder / "made"
        self.notes: list[str] = []
        self.name, self.mime = _named(case, order), order.product.mime

    def made(self) -> Made:
        """Make it."""
        order = self.order
        if order.group == "script":
            self._script()
        elif order.redaction != "names":
            with looking_into(self.case, self.work) as trace:
                self._of(Source(trace, self.scope, self.case.files[0]))
        else:
            self._with_pseudonyms()
        return Made(self.path, self.name, self.mime, tuple(self.notes))

    def _with_pseudonyms(self) -> None:
        script = pseudonyms.script_of(self.case, self.scope, self.work, playable=False)
        done = pseudonyms.pseudonymised(script, self.work)
        self.notes += done.notes
        if self.order.group == "capture":
            from analyzer.replay.capture import CaptureOptions, format_of, write_script_capture

            options = CaptureOptions(format=format_of(self.order.name))
            with self.path.open("wb") as out:
                summary = write_script_capture(done.script, options, out)
            self.notes += [amount(summary.frames, "frame"), *summary.notes]
            return
        with pseudonyms.opened(done.script, self.folder, self.work) as trace:
            count = len(trace.rows)
            everything = Scope(count, count=count)
            file = str(self.folder / pseudonyms.CAPTURE)
            self._of(Source(trace, everything, file))

    def _of(self, source: Source) -> None:
        make = {
            "ladder": self._ladder,
            "report": self._report,
            "capture": self._capture,
            "table": self._table,
        }[self.order.group]
        self.work.say("working it out")
        make(source)

    # what there is to make

    def _script(self) -> None:
        from analyzer.replay.derive.losses import losses

        script = pseudonyms.script_of(self.case, self.scope, self.work, playable=True)
        if self.order.redaction == "names":
            done = pseudonyms.pseudonymised(script, self.work)
            script = done.script
            self.notes += done.notes
        else:
            self.notes += losses(script.origin)
        self.notes.append(
            f"{amount(len(script.turns), 'turn')}, {amount(len(script.slots), 'slot')}"
        )
        if self.order.form == "json":
            from analyzer.replay.script_json import write_script

            self.path.write_bytes(write_script(script).encode())
            return
        from analyzer.replay.sipp.files import write_sipp

        files = write_sipp(script)
        texts = {"uac.xml": files.uac, "uas.xml": files.uas, "users.csv": files.csv}
        _zipped(self.path, ((name, text.encode()) for name, text in texts.items()))
        self.notes += files.notes

    def _ladder(self, source: Source) -> None:
        from analyzer.ladder.build import ladder_of
        from analyzer.ladder.renderers import FORMATS

        ladder = ladder_of(source.trace, source.scope.choice, _shown(self.order))
        self.work.say("drawing it")
        self.notes += [one.replace(_OPTIONS, _CHOICE) for one in ladder.left_out]
        with self.path.open("wb") as out:
            pages = _pages(source.trace, ladder, self.order)
            out.write(next(pages, b""))
            rest = self._each(pages)
            if FORMATS[self.order.form].text:
                out.writelines(rest)
                return
            second = next(rest, None)
        if second is not None:
            self._as_zip(second, rest)

    def _as_zip(self, second: bytes, rest: Iterator[bytes]) -> None:
        """Put the pages of a ladder into one file: a browser downloads one at a time."""
        first, form = self.folder / "first", self.order.form
        self.path.rename(first)
        name = PurePath(self.order.name).stem

        def pages() -> Iterator[tuple[str, bytes]]:
            yield f"{name}.{form}", first.read_bytes()
            yield f"{name}-2.{form}", second
            for number, page in enumerate(rest, 3):
                yield f"{name}-{number}.{form}", page

        count = _zipped(self.path, pages())
        first.unlink()
        self.name = f"{PurePath(self.name).stem}-{form}.zip"
        self.mime = "application/zip"
        self.notes.append(f"{amount(count, 'page')}, each a file in the ZIP archive")

    def _report(self, source: Source) -> None:
        from analyzer import __version__
        from analyzer.report.bundle import Bundle, write_bundle
        from analyzer.report.content import content_of
        from analyzer.report.document import report_html
        from analyzer.report.fingerprint import fingerprint
        from analyzer.report.head import Origin
        from analyzer.report.sharing import Sharing

        order, shown, look = self.order, _shown(self.order), _look(self.order)
        choice = source.scope.choice
        sharing = Sharing(order.redaction != "bodies", redacted=order.redaction == "names")
        content = content_of(source.trace, choice, shown)
        self.work.say("writing it")
        size, digest = fingerprint(source.file)
        origin = Origin(PurePath(source.file).name, size, digest, self._command(), __version__)
        page = report_html(content, origin, sharing, look, shown.aliases)
        with self.path.open("wb") as out:
            if order.form == "html":
                out.write(page)
                return
            self.work.step()
            bundle = Bundle(content, origin, sharing, choice, look)
            write_bundle(bundle, page, out.write)

    def _command(self) -> str:
        """Return how somebody else makes the same, files without their directories."""
        names = ("capture",) if self.order.redaction == "names" else map(_base, self.case.words)
        files = with_others([*names])
        return command_of(self.order, self.scope, files) or "xccos dashboard: Take away"

    def _capture(self, source: Source) -> None:
        from analyzer.dashboard.takeaway.capture import write_capture

        with self.path.open("wb") as out:
            self.notes += write_capture(source, self.order, self.work, out.write)

    def _table(self, source: Source) -> None:
        with self.path.open("wb") as out:
            count = write_table(source.trace, self.order, source.scope, self.work, out.write)
        noun = {"messages": "message", "sessions": "session"}.get(self.order.table, "record")
        self.notes.append(amount(count, noun))

    def _each(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.work.step()
            yield block


def _pages(trace: Trace, ladder: Ladder, order: Order) -> Iterator[bytes]:
    from analyzer.ladder.html import render_html
    from analyzer.ladder.renderers import renderer_of
    from analyzer.views.detail import detail_record

    look = _look(order)
    if order.form == "html":
        return render_html(ladder, look, lambda row: detail_record(trace, row))
    return renderer_of(order.form)(ladder, look)


def _shown(order: Order) -> Options:
    from analyzer.ladder.build import Options

    return Options(
        hops=order.hops,
        fold=order.fold,
        fold_answers=order.answers,
        aliases=dict(order.aliases),
    )


def _look(order: Order) -> Look:
    from analyzer.ladder.look import Look

    zone = parse_zone(order.zone or "UTC")
    return Look(times=order.times, zone=zone, theme=order.theme)


def _named(case: Case, order: Order) -> str:
    """Return a name for the file; that of the capture is not in it where names matter."""
    if order.redaction == "names":
        return order.name
    of = PurePath(case.name.partition(",")[0]).stem[:NAME]
    plain = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in of)
    return f"{plain}-{order.name}" if plain else order.name


def _base(file: str) -> str:
    return PurePath(file).name


def _zipped(path: Path, files: Iterable[tuple[str, bytes]]) -> int:
    count = 0
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for count, (name, data) in enumerate(files, 1):  # noqa: B007
            archive.writestr(name, data)
    return count
