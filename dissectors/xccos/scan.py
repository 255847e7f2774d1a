"""The items of a body as plain rows, without building elements: what every message is put through.

The rule that matters: ``scan_items`` gives exactly what ``read_document`` gives, only sooner. It
reads the plain shape that all known clients and servers write, and hands everything else (comments,
declarations, prefixes, single quotes, unusual order or nesting, great depth) to the reader.

Why patterns are safe here: the same expat as in ``dissectors.xccos.xml`` says that the body is
well-formed, and it has no ``<!`` and no ``<?``. Then every ``<`` begins a tag, attribute names of a
tag are unique, and ``</rpl>`` closes the ``<rpl`` that stands last before it.

Measured with CPython 3.11 and expat 2.5, in microseconds with the parse: a reply of 281 bytes 5.7,
single items of 346 bytes on average 6.1, a reply of 835 bytes 8.6, three items in 834 bytes 13,
12 KiB 120; the reader takes 17, 18, 34, 35 and 400. Of 5.7 the parse takes 2.6. For that, libxml2
took 1.5 times as long; expat with a handler, and a pattern that finds all tags, twice as long.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from dissectors.model import Malformed
from dissectors.xccos.encoding import charset_of
from dissectors.xccos.reader import MAX_ITEMS, read_document
from dissectors.xccos.xml import MAX_ATTRIBUTES, MAX_BODY, MAX_DEPTH, MAX_ELEMENTS, new_parser

if TYPE_CHECKING:
    from dissectors.xccos.messages import XccosDocument

Row = tuple[
    str,
    str | None,
    str | None,
    str | None,
    tuple[str | None, str | None] | None,
    str | None,
    str | None,
]
"""``(element, id, seqid, envid of the envelope, (seqid, envid) of commandid, code, text)``, where
text is that of ``chat`` for a ``grpchat`` and that of ``resp`` for anything else."""

# A value in double quotes that reads as it stands: no reference to replace, and no line end or tab,
# which XML 1.0 section 3.3.3 turns into spaces.
_PLAIN = r'"([^"&\t\r\n]*+)"'
_S = r"[ \t\r\n]"


def _attributes(*names: str) -> str:
    """Return a pattern for the attributes of a tag in any order, with a group for each name.

    A named attribute whose value is not plain makes the pattern fail, as does a prefix.
    """
    wanted = "".join(f"{name}={_PLAIN}|" for name in names)
    others = "|".join(f"{name}=" for name in names)
    return rf'(?:{_S}++(?:{wanted}(?!{others})[A-Za-z_][\w.-]*+="[^"]*+"))*{_S}*+'


# Repetitions of groups are not possessive: CPython 3.11 may leave the groups of a failed possessive
# repetition set (python/cpython#101955). For the same reason an empty group at the end
# of each optional part says whether it matched as a whole.
_ROOT = (
    rf"<xccos(?:{_S}++(?:envid={_PLAIN}"
    rf'|(?!envid=)(?:xmlns:)?[A-Za-z_][\w.-]*+="[^"]*+"))*{_S}*+>'
)
_ITEM = (
    rf"{_S}*+<(cmd|rpl|ntc|grpchat){_attributes('id', 'seqid')}(?:(/)>|>"
    rf"(?:{_S}*+<commandid{_attributes('seqid', 'envid')}/>())?"
    rf"(?:{_S}*+<resp{_attributes('code')}>([^<]*+)</resp>())?"
    rf"(?:{_S}*+<chat>([^<]*+)</chat>())?)"
)
_FIRST = re.compile(_ROOT + _ITEM)
_NEXT = re.compile("()" + _ITEM)
_TAGS = {name: (f"<{name}", f"</{name}>") for name in ("cmd", "rpl", "ntc", "grpchat")}
_END = re.compile(rf"{_S}*+</xccos>{_S}*+\Z")
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));")
_PREDEFINED = {"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": '"'}

# The least that a document needs to reach a limit: <a> and </a> for each level, and ` a=""` for
# each attribute.
_TAGS_OF_A_DEEP_ONE = 2 * MAX_DEPTH
_BYTES_OF_A_DEEP_ONE = 7 * MAX_DEPTH
_BYTES_OF_A_WIDE_TAG = 5 * MAX_ATTRIBUTES


def scan_items(body: bytes, content_type: str | None = None) -> tuple[list[Row], bool] | None:
    """Return the rows of a body and whether it is malformed (without rows); None: not XCCOS."""
    rows = None
    if body.startswith(b"<xccos") and (content_type is None or _is_utf8(content_type)):
        rows = _plain_rows(body)
    if rows is None:
        return _read(body, content_type)
    try:
        new_parser().Parse(body, True)  # noqa: FBT003  (isfinal; it takes no keywords)
    except expat.ExpatError:
        return [], True
    return rows, False


def rows_of(document: XccosDocument) -> list[Row]:
    """Return the rows of a document that was read."""
    return [
        (
            item.element,
            item.id,
            item.seqid,
            document.envid,
            None if item.commandid is None else (item.commandid.seqid, item.commandid.envid),
            None if item.resp is None else item.resp.code,
            item.text,
        )
        for item in document.items
    ]


def _read(body: bytes, content_type: str | None) -> tuple[list[Row], bool] | None:
    document = read_document(body, content_type)
    if document is None:
        return None
    if isinstance(document, Malformed):
        return [], True
    return rows_of(document), False


def _is_utf8(content_type: str) -> bool:
    charset = charset_of(content_type)
    return charset is None or charset in {"utf-8", "utf8", "us-ascii", "ascii"}


def _plain_rows(body: bytes) -> list[Row] | None:  # noqa: C901  (calls made it a quarter slower)
    """Return the rows of a body, provided that it is well-formed; None: ask the reader."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    found = _FIRST.match(text)
    if found is None or not _is_plain(body):
        return None
    envid = found[1]
    find, position = text.find, 0
    rows: list[Row] = []
    while found is not None:
        # fmt: off
        (_, element, id_, seqid, empty, of_seqid, of_envid, answers, code, resp, results, chat,
         chats) = found.groups()
        # fmt: on
        position = found.end()
        if empty is None:
            begin, finish = _TAGS[element]
            # The item ends before the next of its name begins, else it holds that one.
            following = find(begin, position)
            end = text.rfind(finish, position, following if following >= 0 else len(text))
            # What the pattern did not find in its place must not stand in another.
            if (
                end < 0
                or (answers is None and find("<commandid", position, end) >= 0)
                or (results is None and find("<resp", position, end) >= 0)
                or (chats is None and element == "grpchat" and find("<chat", position, end) >= 0)
            ):
                return None
            position = end + len(finish)
        if element == "grpchat":
            content = None if chats is None else chat
        else:
            content = None if results is None else resp
        if content is not None and ("&" in content or "\r" in content):
            content = _unescaped(content)
        answered = None if answers is None else (of_seqid, of_envid)
        code = None if results is None else code
        rows.append((element, id_, seqid, envid, answered, code, content))
        if text.startswith("</xccos>", position):
            break
        found = _NEXT.match(text, position)
    return rows if _END.match(text, position) is not None and len(rows) <= MAX_ITEMS else None


def _unescaped(text: str) -> str:
    """Return character data as XML gives it: line ends first (section 2.11), then references."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "&#" in text:
        return _REFERENCE.sub(_character, text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    return text.replace("&apos;", "'").replace("&amp;", "&")


def _character(reference: re.Match[str]) -> str:
    hexadecimal, decimal, name = reference.groups()
    if name is not None:
        return _PREDEFINED.get(name, "")
    try:
        return chr(int(hexadecimal, 16) if hexadecimal is not None else int(decimal))
    except (ValueError, OverflowError):  # not well-formed, as the parser is about to say
        return ""


def _is_plain(body: bytes) -> bool:
    """Tell whether every ``<`` begins a tag and no limit of the reader can be exceeded."""
    # One character is looked for much sooner than two of which the first is frequent.
    if (b"!" in body and b"<!" in body) or (b"?" in body and b"<?" in body):
        return False
    size = len(body)
    if size < _BYTES_OF_A_DEEP_ONE:
        return True
    tags = body.count(b"<")
    if tags > MAX_ELEMENTS or size > MAX_BODY:
        return False
    if tags >= _TAGS_OF_A_DEEP_ONE and _may_be_deep(body, tags):
        return False
    return size < _BYTES_OF_A_WIDE_TAG or not _may_be_wide(body)


def _may_be_deep(body: bytes, tags: int) -> bool:
    """Tell whether elements may be nested too deep, by what is open at each end tag."""
    if body.count(b">") != tags:
        return True  # a `>` outside tags: `/>` need not be the end of an empty element
    depth = 0
    for part in body.split(b"</"):
        depth += part.count(b"<") - part.count(b"/>")
        if depth >= MAX_DEPTH:  # an empty element here would be one level deeper
            return True
        depth -= 1
    return False


def _may_be_wide(body: bytes) -> bool:
    """Tell whether an element may have too many attributes."""
    return body.count(b"=") > MAX_ATTRIBUTES and any(
        len(part) >= _BYTES_OF_A_WIDE_TAG and part.count(b"=") > MAX_ATTRIBUTES
        for part in body.split(b"<")
    )
