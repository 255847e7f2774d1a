"""The page that opens captures: dropped into it, named by a path, offered, or open already.

The rule: a file is opened because somebody wants it. An address names a case by what is in it, so
that a colleague's link finds the same capture wherever it lies, and opens nothing by itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st
from lxml import etree

from analyzer.dashboard.links import draw
from analyzer.dashboard.listed import linked_to, list_open
from analyzer.dashboard.offers import Offer, in_directory, is_below, samples
from analyzer.dashboard.opening import Job, Request, is_key
from analyzer.dashboard.server import MAX_UPLOAD
from analyzer.export.printable import printable
from analyzer.markup import Column, add, say, table
from analyzer.views.numbers import amount, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from analyzer.dashboard.selection import Selection
    from analyzer.dashboard.workspace import Workspace

QUICK = 0.7
"""Seconds in which a small capture is open: nobody sees a bar for it."""
LOOK_EVERY = 0.4
"""Seconds between two looks at a job."""
ONLY_KEYS = "These are keys alone: open them together with the capture that they decrypt."


def show(workspace: Workspace, selection: Selection) -> None:
    """Draw the page."""
    key = selection.more.get("job", "")
    job = workspace.job(key) if key else None
    if job is not None and (job.running or job.opened or job.failures):
        _job(workspace, selection, job, f"entered-{key}")
        if job.running:
            return
    _head(workspace, selection, () if job is None else job.opened)
    _at_once(workspace, selection)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _drop(workspace, selection)
        _path(workspace, selection)
    with right:
        _given(workspace, selection)
        _samples(selection)


def _head(workspace: Workspace, selection: Selection, opened: Sequence[str]) -> None:
    """Say what the address leads to, and list what is open; ``opened``: ids of the last job."""
    made = etree.Element("div")
    add(made, "h1", text="Open a capture")
    if selection.case and workspace.cases.get(selection.case) is None:
        lead = add(made, "p")
        say(lead, "This address leads to ")
        add(lead, "strong", text=selection.name or "a capture")
        say(lead, ", which is not open here. Open it, with the same keys, and you see what was ")
        say(lead, "selected in it.")
    list_open(made, selection, [*workspace.cases], opened)
    draw(made, "start")


def _job(workspace: Workspace, selection: Selection, job: Job, entered: str) -> None:
    """Show how far a job is; go to what it opened, once: "back" leads here again, to stay."""
    if job.running and not job.wait(QUICK):

        @st.fragment(run_every=LOOK_EVERY)
        def watch() -> None:
            if not job.running:
                st.rerun()
            st.progress(_share(job), text=_plain(_told(job)))

        watch()
        st.button("Cancel", on_click=job.cancel, key="cancel")
        return
    for line in job.failures:
        (st.info if job.cancelled else st.error)(_plain(line))
    if not job.failures and (len(job.opened) == 1 or selection.case in job.opened):
        if st.session_state.get(entered):
            return
        st.session_state[entered] = True
        _enter(workspace, selection, job.opened)
        st.rerun()


def _enter(workspace: Workspace, selection: Selection, opened: Sequence[str]) -> None:
    """Go to what was opened: where the address wanted to, if it is that."""
    wanted = selection.but(job=None, path=None)
    if selection.case not in opened:
        case = workspace.cases.get(opened[0])
        view = "overview" if selection.case or selection.view == "open" else selection.view
        wanted = wanted.but(case=opened[0], name="" if case is None else case.name, view=view)
    elif wanted.view == "open":
        wanted = wanted.but(view="overview")
    st.query_params.from_dict(wanted.params())


def _share(job: Job) -> float:
    return min(1.0, job.done / job.size) if job.size else 0.0


def _told(job: Job) -> str:
    if job.stage.startswith("reading") and job.size:
        return f"{job.stage}: {size_text(job.done)} of {size_text(job.size)}"
    return job.stage


def _plain(text: str) -> str:
    """Return a text of a file's as Streamlit's Markdown shows it unchanged."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~:$^=" else sign for sign in text)


def _begin(workspace: Workspace, selection: Selection, request: Request) -> None:
    """Open what was asked for; the address names the job until it is done."""
    said = "\0".join((*request.files, *request.keys, request.zone, str(request.together)))
    key = hashlib.sha256(f"{said}\0{request.password}".encode(errors="replace")).hexdigest()[:16]
    workspace.start(key, request)
    st.session_state[f"entered-{key}"] = False
    st.query_params.from_dict(selection.but(job=key, path=None).params())


def _drop(workspace: Workspace, selection: Selection) -> None:
    st.header("Drop it here", anchor=False)
    dropped = st.file_uploader(
        f"Captures, text traces, ZIP archives and key logs, up to {MAX_UPLOAD} MB each",
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD,
        key="dropped",
        help="They stay on this machine, in a directory that goes with this program. "
        "Open larger ones by their path: nothing is copied then.",
    )
    together, password, zone = _options("dropped", with_password=any(map(_looks_like_key, dropped)))
    if not dropped:
        return

    def clicked() -> None:
        try:
            kept = [(one.name, str(workspace.keep(one.name, one.getbuffer()))) for one in dropped]
        except (OSError, ValueError) as error:
            st.session_state["refused"] = str(error)
            return
        keys = [path for _, path in kept if is_key(path)]
        files = [(name, path) for name, path in kept if path not in keys]
        if not files:
            st.session_state["refused"] = ONLY_KEYS
            return
        request = Request(
            tuple(path for _, path in files),
            tuple(name for name, _ in files),
            tuple(keys),
            password(),
            zone(),
            together(),
        )
        _begin(workspace, selection, request)

    said = st.session_state.pop("refused", "")
    if said:
        st.error(_plain(said))
    st.button(
        f"Open {amount(len(dropped), 'file')}", type="primary", on_click=clicked, key="open-dropped"
    )


def _looks_like_key(file: UploadedFile) -> bool:
    return str(file.name).lower().endswith((".pem", ".key", ".p12", ".pfx"))


class _Options(NamedTuple):
    together: Callable[[], bool]
    password: Callable[[], str]
    zone: Callable[[], str]


def _options(where: str, *, with_password: bool) -> _Options:
    """Draw what few need, and return what gives the values when something is opened."""
    with st.expander("Options", expanded=with_password):
        st.checkbox(
            "Inputs that tell one story become one: messages matched, clocks corrected",
            value=True,
            key=f"together-{where}",
        )
        st.text_input(
            "Time zone of text traces that do not say theirs",
            key=f"zone-{where}",
            placeholder="UTC, +02:00, Europe/Berlin",
        )
        st.text_input(
            "Password of private keys (PEM, PKCS#12)", type="password", key=f"password-{where}"
        )
    state = st.session_state
    return _Options(
        lambda: bool(state.get(f"together-{where}", True)),
        lambda: str(state.get(f"password-{where}") or ""),
        lambda: str(state.get(f"zone-{where}") or ""),
    )


def _path(workspace: Workspace, selection: Selection) -> None:
    st.header("Or name it", anchor=False)
    st.text_area(
        "Paths on this machine, one a line: captures of any size, ZIP archives, directories; "
        "key logs and private keys too",
        value=selection.more.get("path", ""),
        key="paths",
        height=90,
        placeholder="/captures/client.pcapng",
        help="Nothing is copied. Where `xccos index` has saved an index beside a capture, it opens "
        "at once. Key logs named NAME.keylog beside a capture are found by themselves.",
    )
    together, password, zone = _options("named", with_password=False)

    def clicked() -> None:
        lines = map(_unquoted, str(st.session_state["paths"]).splitlines())
        paths = [str(Path(line).expanduser()) for line in lines if line]
        directories = [path for path in paths if Path(path).is_dir()]
        if directories and len(paths) == 1:
            st.query_params.from_dict(selection.but(directory=directories[0]).params())
            return
        keys = [path for path in paths if is_key(path)]
        files = [path for path in paths if path not in keys]
        if files:
            request = Request(
                tuple(files), (), tuple(keys), password(), zone(), together()
            )  # fmt: skip
            _begin(workspace, selection, request)
        elif keys:
            st.session_state["refused-named"] = ONLY_KEYS

    said = st.session_state.pop("refused-named", "")
    if said:
        st.error(_plain(said))
    st.button("Open", on_click=clicked, key="open-named")


def _unquoted(line: str) -> str:
    """Return a path without the quotes in which file managers and shells give it."""
    line = line.strip()
    return line[1:-1] if line[:1] in ("'", '"') and line[:1] == line[-1:] else line


def _given(workspace: Workspace, selection: Selection) -> None:
    """Offer what the command line named, and what is in directories."""
    directories = [path for path in workspace.given if Path(path).is_dir()]
    files = [path for path in workspace.given if path not in directories]
    if files:
        offers = [Offer(path, Path(path).name, "named on the command line") for path in files]
        _choose(workspace, selection, "Named on the command line", offers, "given")
    wanted = selection.more.get("directory", "")
    for number, directory in enumerate(dict.fromkeys((*directories, *([wanted] * bool(wanted))))):
        offers, said = in_directory(directory)
        _choose(workspace, selection, directory, offers, f"directory-{number}")
        if said:
            st.caption(_plain(said))


def _choose(
    workspace: Workspace, selection: Selection, title: str, offers: Sequence[Offer], key: str
) -> None:
    st.header(_plain(printable(title)), anchor=False)
    if not offers:
        st.text("There is no capture and no log in it.")
        return
    names = {one.path: f"{printable(one.name)} ({one.about})" for one in offers}

    def clicked() -> None:
        chosen = st.session_state[key]
        if chosen:
            keys = [path for path in chosen if is_key(path)]
            files = tuple(path for path in chosen if path not in keys)
            if not files:
                st.session_state[f"refused-{key}"] = ONLY_KEYS
                return
            _begin(workspace, selection, Request(files, (), tuple(keys)))

    st.multiselect(
        "Captures", [*names], format_func=lambda path: names[path], key=key,
        label_visibility="collapsed", placeholder="Choose one or several",
    )  # fmt: skip
    said = st.session_state.pop(f"refused-{key}", "")
    if said:
        st.error(_plain(said))
    st.button("Open", on_click=clicked, key=f"open-{key}")


def _samples(selection: Selection) -> None:
    offers = samples()
    if not offers:
        return
    st.header("Or try a sample", anchor=False)
    made = etree.Element("div")
    rows = (
        (linked_to(selection.href(sample=one.name), one.name), one.about) for one in offers
    )  # fmt: skip
    table(made, "Small captures; all names in them are invented", _SAMPLE_COLUMNS, rows)
    draw(made, "samples")


_SAMPLE_COLUMNS = (Column("sample", "mono"), Column("what it shows", "wide"))


def _at_once(workspace: Workspace, selection: Selection) -> None:
    """Open what the address may open: a sample, or what the command line named."""
    sample = selection.more.get("sample", "")
    for one in samples() if sample else ():
        if one.name == sample:
            _begin(workspace, selection.but(sample=None), Request((one.path,)))
            st.rerun()
    path = selection.more.get("path", "")
    if path and is_below(path, workspace.given):
        _begin(workspace, selection, Request((path,)))
        st.rerun()
    files = [path for path in workspace.given if not Path(path).is_dir()]
    if files and not workspace.greeted and not selection.case:
        workspace.greeted = True
        keys = [path for path in files if is_key(path)]
        wanted = tuple(path for path in files if path not in keys)
        _begin(workspace, selection, Request(wanted, (), tuple(keys)))
        st.rerun()
