"""The things that can be taken away, each with what makes it and the command that does the same.

The rule: what is made equals what the command line makes of the same capture and choice.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from analyzer import __version__
from analyzer.ladder.build import Options, ladder_of
from analyzer.ladder.renderers import FORMATS, renderer_of
from analyzer.report.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.dashboard.taking.share import Share
    from analyzer.dashboard.taking.wanted import Wanted


class Made(NamedTuple):
    """A file that was made."""

    name: str
    data: bytes


class Product(NamedTuple):
    """Something that can be taken away."""

    id: str
    group: str
    title: str
    suffix: str
    mime: str
    make: Callable[[Wanted], Iterator[bytes]]
    command: Callable[[Wanted], str]
    """The words behind ``xccos``, with FILE where the capture stands."""
    shares: tuple[Share, ...] = ("captured", "anonymised")
    needs: tuple[str, str] = ("", "")
    """A module that must be installed, and the extra that brings it."""
    filtered: bool = True
    """It heeds the filter; others take the session whole."""

    @property
    def missing(self) -> str:
        """Return how to get what it needs; empty where it is there."""
        module, extra = self.needs
        if not module or find_spec(module) is not None:
            return ""
        return f"{module} is not installed: pip install 'xccos-analyzer[{extra}]'"


def command_line(product: Product, wanted: Wanted) -> str:
    """Return the command that makes the same; empty where no single command does.

    The filter box knows more than the options of commands: a filter has none.
    """
    words = product.command(wanted)
    if not words or not wanted.words or wanted.share == "anonymised":
        return ""
    if wanted.filtered and product.filtered:
        return ""
    session = "" if wanted.session is None else f" --session {wanted.session + 1}"
    output = shlex.quote(wanted.file_name(product.suffix))
    return f"xccos {words.format(file=shlex.join(wanted.words), session=session, output=output)}"


def made(product: Product, wanted: Wanted) -> Made:
    """Make a product whole, in memory. Raises ValueError with a line for people."""
    return Made(wanted.file_name(product.suffix), b"".join(product.make(wanted)))


def _ladder(form: str) -> Callable[[Wanted], Iterator[bytes]]:
    def make(wanted: Wanted) -> Iterator[bytes]:
        ladder = ladder_of(wanted.trace, wanted.choice, Options())
        if form == "html":
            from analyzer.ladder.html import render_html

            sharing = Sharing(bodies=wanted.share != "wordless")
            yield from _pages(render_html(ladder, wanted.look, sharing.details(wanted.trace)), form)
        else:
            yield from _pages(renderer_of(form)(ladder, wanted.look), form)

    return make


def _pages(pages: Iterator[bytes], form: str) -> Iterator[bytes]:
    """Yield one document as it is; of text all; of several others the first says what follows."""
    found = [*pages]
    if len(found) == 1 or FORMATS[form].text:
        yield b"\n".join(found)
        return
    raise ValueError(
        f"it is {len(found):,} pages long: choose a session or a filter, or take the pages as ZIP"
    )


def _zipped(form: str) -> Callable[[Wanted], Iterator[bytes]]:
    def make(wanted: Wanted) -> Iterator[bytes]:
        ladder = ladder_of(wanted.trace, wanted.choice, Options())
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, page in enumerate(renderer_of(form)(ladder, wanted.look), 1):
                archive.writestr(f"ladder-{number:03}{FORMATS[form].suffixes[0]}", page)
        yield out.getvalue()

    return make


def _report(wanted: Wanted, *, bundle: bool) -> Iterator[bytes]:
    from analyzer.report.content import content_of
    from analyzer.report.document import report_html
    from analyzer.report.fingerprint import fingerprint
    from analyzer.report.head import Origin

    content = content_of(wanted.trace, wanted.choice, Options())
    sharing = Sharing(bodies=wanted.share != "wordless", redacted=wanted.share == "anonymised")
    plain = wanted.file if wanted.share != "anonymised" else ""
    size, digest = fingerprint(plain) if plain else (None, None)
    product = BUNDLE if bundle else REPORT
    name = PurePath(wanted.name).name if plain else wanted.trace.name
    origin = Origin(name, size, digest, command_line(product, wanted), __version__)
    page = report_html(content, origin, sharing, wanted.look, {})
    if not bundle:
        yield page
        return
    from analyzer.report.bundle import Bundle, write_bundle

    out = io.BytesIO()
    write_bundle(Bundle(content, origin, sharing, wanted.choice, wanted.look), page, out.write)
    yield out.getvalue()


def _slice(form: str, *, decrypted: bool = False) -> Callable[[Wanted], Iterator[bytes]]:
    def make(wanted: Wanted) -> Iterator[bytes]:
        from analyzer.dashboard.taking.captures import slice_blocks

        return slice_blocks(wanted, form, decrypted=decrypted)

    return make


def _table(name: str, form: str) -> Callable[[Wanted], Iterator[bytes]]:
    def make(wanted: Wanted) -> Iterator[bytes]:
        from analyzer.dashboard.taking.rows import table_blocks

        return table_blocks(wanted, name, form)

    return make


def _script(wanted: Wanted) -> Iterator[bytes]:
    from analyzer.dashboard.taking.share import anonymised_script, script_of
    from analyzer.replay.script_json import write_script

    derive = anonymised_script if wanted.share == "anonymised" else script_of
    yield write_script(derive(wanted.trace, wanted.session)).encode()


def _of(words: str) -> Callable[[Wanted], str]:
    return lambda _: words


def _wordless(words: str) -> Callable[[Wanted], str]:
    return lambda wanted: words + (" --no-bodies" if wanted.share == "wordless" else "")


_IMAGES = ("resvg_py", "images")
_PDF = ("reportlab", "images")
_LADDERS = (
    ("svg", "SVG", "image/svg+xml", ("", "")),
    ("png", "PNG", "image/png", _IMAGES),
    ("pdf", "PDF", "application/pdf", _PDF),
    ("html", "interactive HTML", "text/html", ("", "")),
    ("mmd", "Mermaid", "text/plain", ("", "")),
    ("puml", "PlantUML", "text/plain", ("", "")),
    ("txt", "text", "text/plain", ("", "")),
)
_ALL: tuple[Share, ...] = ("captured", "wordless", "anonymised")
REPORT = Product(
    "report", "Report", "HTML page for a ticket", ".html", "text/html",
    lambda wanted: _report(wanted, bundle=False),
    _wordless("report {file}{session} -o {output}"), _ALL,
)  # fmt: skip
BUNDLE = Product(
    "bundle", "Report", "ticket bundle: page, capture, JSON, ladders", ".zip", "application/zip",
    lambda wanted: _report(wanted, bundle=True),
    _wordless("report {file}{session} --bundle {output}"), _ALL,
)  # fmt: skip
_TABLES = ("messages", "commands", "dialogs", "sessions", "flows", "findings")
_FORMS = (
    ("csv", "text/csv", ("", "")),
    ("json", "application/json", ("", "")),
    ("parquet", "application/vnd.apache.parquet", ("pyarrow", "parquet")),
)
PRODUCTS: tuple[Product, ...] = (
    *(
        Product(
            f"ladder-{form}", "Ladder", title, FORMATS[form].suffixes[0], mime, _ladder(form),
            _of("ladder {file}{session} -o {output}"),
            _ALL if form == "html" else ("captured", "anonymised"), needs,
        )
        for form, title, mime, needs in _LADDERS
    ),
    Product(
        "ladder-zip", "Ladder", "SVG, all pages as ZIP", ".zip", "application/zip",
        _zipped("svg"), _of(""),
    ),
    REPORT,
    BUNDLE,
    Product(
        "pcapng", "Capture", "pcapng, with findings as comments", ".pcapng",
        "application/octet-stream", _slice("pcapng"), _of("export {file}{session} -o {output}"),
    ),
    Product(
        "pcap", "Capture", "pcap", ".pcap", "application/octet-stream", _slice("pcap"),
        _of("export {file}{session} -o {output}"),
    ),
    Product(
        "decrypted", "Capture", "pcapng, TLS decrypted", ".pcapng", "application/octet-stream",
        _slice("pcapng", decrypted=True), _of("export {file}{session} --decrypted -o {output}"),
    ),
    *(
        Product(
            f"{table}-{form}", f"Table of {table}", form.upper() if form == "csv" else form,
            f"-{table}.{form}", mime, _table(table, form),
            _of(f"export {{file}} --table {table}{{session}} -o {{output}}"), needs=needs,
            filtered=table in ("messages", "commands"),
        )
        for table in _TABLES
        for form, mime, needs in _FORMS
    ),
    Product(
        "script", "Script for replay", "JSON", ".json", "application/json", _script,
        _of("script {file}{session} -o {output}"), filtered=False,
    ),
)  # fmt: skip
