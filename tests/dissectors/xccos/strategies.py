"""Hypothesis strategies: XCCOS values, their many spellings on the wire, and damage to them.

``elements`` and ``documents`` are values that the writer can write. ``bodies`` are bytes written in
another hand than the writer's: any quotes, whitespace, prefixes, comments, CDATA, entities, order
and encoding. ``damaged`` are such bytes with pieces cut out, doubled, swapped or put in.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from dissectors.xccos.messages import NAMESPACE, Element, XccosDocument, document_of

# Characters that XML 1.0 allows, those with a meaning in markup more often.
CHARACTERS = st.one_of(
    st.sampled_from("<>&\"'=/ \t\r\n-]?!:;#éß€日😀"),
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"
    ),
)
TEXTS = st.text(CHARACTERS, max_size=12)
NAMES = st.sampled_from(
    [
        *("cmd", "rpl", "ntc", "grpchat", "err", "sys", "commandid", "resp", "chat", "data"),
        *("uib", "chanib", "chanid", "aib", "fib", "msg", "cmdx", "respx", "élan", "a.b-c"),
        "_1",
    ]
)
ATTRIBUTE_NAMES = st.sampled_from(
    ["id", "seqid", "envid", "code", "ver", "uri", "id2", "x-y", "{urn:o}id", "{urn:p}seqid", "ü"]
)
NAMESPACES = st.sampled_from([NAMESPACE, NAMESPACE, NAMESPACE, None, "urn:other", "a & <b>"])
IDS = st.sampled_from(
    ["cmd:join", "RPL:Join", "ntc:part", "grpchat", "cmd:bjoin", "join", "", "x:y"]
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    """Any element that can be written; a tail only below another element."""
    pairs = draw(
        st.lists(
            st.tuples(ATTRIBUTE_NAMES, st.one_of(IDS, TEXTS)), max_size=4, unique_by=lambda p: p[0]
        )
    )
    children = draw(st.lists(elements(depth - 1), max_size=3)) if depth else []
    tail = draw(st.one_of(st.just(""), TEXTS))
    return Element(draw(NAMES), draw(NAMESPACES), tuple(pairs), draw(TEXTS), tail, tuple(children))


@st.composite
def documents(draw: st.DrawFn) -> XccosDocument:
    """Any document that can be written and has nothing to note."""
    envid = draw(st.integers(0, 2**64 - 1).map(str))
    children = tuple(draw(st.lists(elements(), max_size=4)))
    attributes = (("ver", "1"), ("envid", envid))
    return document_of(Element("xccos", NAMESPACE, attributes, draw(TEXTS), "", children))


# What bodies are made of. ``Hand`` says how unusual the sender writes: a body that is odd in every
# place is mostly broken and always far from the usual shapes, so most hands are odd here and there.
_SPACES = st.sampled_from([" ", "\r\n", "\t", "\n  "])
_MISC = st.sampled_from(["<!-- </rpl> -->", "<?pi <rpl>?>", "\n", " stray ", ">", "&amp;", "/>"])
_PIECES = st.sampled_from(
    [
        *(
            "a",
            "SUCCESS_OK",
            "é",
            "€",
            "😀",
            "&amp;",
            "&lt;",
            "&gt;",
            "&quot;",
            "&apos;",
            "&#13;&#10;",
        ),
        *(
            "&#x26;",
            "&#38;lt;",
            "\r\n",
            "\r",
            "\n",
            "\t",
            ">",
            "/>",
            "]]",
            "=",
            "'",
            '"',
            "?",
            "!",
            "lt;",
        ),
        *("\u2028", "\x85", "\xa0", "&#x1F600;", "&amp;lt;", "&"),
    ]
)
_ODD_PIECES = st.sampled_from(
    ["<![CDATA[<cmd/>]]>", "&nope;", "<b/>", "<b>t</b>", "<!--x-->", "]]>", "</", "&#0;", "\x01"]
)
_VALUE_PIECES = st.sampled_from(
    [
        *("1", "7962449779256945056", "cmd:join", "ma-chan://a/b", "é", ">", "/>", "=", " id="),
        *("SUCCESS_OK", "😀", "'", '"', "\x85", "!", "?"),
    ]
)
_ODD_VALUE_PIECES = st.sampled_from(["&amp;", "&#9;", "\n", "\t", "\r\n", "<", "&"])
_TAGS = st.sampled_from(["cmd", "rpl", "rpl", "ntc", "grpchat", "grpchat"])
_ODD_TAGS = st.sampled_from(["err", "x:rpl", "cmdx", "Rpl", "Grpchat", "chat", "xccos"])
_INNER = st.sampled_from(["uib", "chanib", "info", "rtf", "chats", "x-y"])
_ODD_INNER = st.sampled_from(
    ["commandid", "resp", "chat", "data", "rpl", "cmd", "grpchat", "msg", "x:uib", "x:resp", "ntc"]
)
_KEYS = st.sampled_from(["uri", "msgid", "ts", "id2", "author"])
_ODD_KEYS = st.sampled_from(["id", "seqid", "envid", "code", "x:id", "ver", "xmlns:z", "uri"])
_USUAL = {
    "commandid": ("seqid", "envid"),
    "resp": ("code",),
    "chat": (),
    "data": (),
    "xccos": ("ver", "envid"),
}


@dataclass(frozen=True)
class Hand:
    """One sender's way of writing."""

    draw: st.DrawFn
    oddness: int
    """In hundredths."""

    def odd(self, times: int = 1) -> bool:
        return self.draw(st.sampled_from(range(100))) < self.oddness * times

    def either(self, usual: st.SearchStrategy[str], odd: st.SearchStrategy[str]) -> str:
        return self.draw(odd if self.odd() else usual)

    def space(self) -> str:
        return self.draw(_SPACES) if self.odd() else ""

    def attributes(self, name: str) -> str:
        keys = [key for key in _USUAL.get(name, ("id", "seqid")) if not self.odd()]
        if name not in {"commandid", "resp", "chat", "data"}:
            keys += self.draw(st.lists(_KEYS, max_size=2, unique=True))
        if self.odd():
            keys.append(self.draw(_ODD_KEYS))
        if self.odd(5):
            keys = self.draw(st.permutations(keys))
        return "".join(map(self.attribute, keys)) + self.space()

    def attribute(self, key: str) -> str:
        pieces = (self.either(_VALUE_PIECES, _ODD_VALUE_PIECES) for _ in range(2))
        value = "".join(pieces) if self.draw(st.booleans()) else self.draw(_VALUE_PIECES)
        if key.startswith("xmlns:"):
            value = "urn:z"  # not every parser takes a namespace that is no URI
        quote = "'" if self.odd() else '"'
        equals = " = " if self.odd() else "="
        return f"{self.space() or ' '}{key}{equals}{quote}{value.replace(quote, '')}{quote}"

    def text(self) -> str:
        count = self.draw(st.sampled_from([1, 1, 2, 3, 0]))
        pieces = [self.either(_PIECES, _ODD_PIECES) for _ in range(count)]
        return "".join(piece for piece in pieces if piece != "&" or self.odd())

    def element(self, name: str, depth: int) -> str:
        tag = f"<{name}{self.attributes(name)}"
        usually_empty = name == "commandid" or depth == 0
        empty = usually_empty != (self.odd() if depth else False)
        if empty or (name not in {"resp", "chat"} and self.draw(st.sampled_from(range(6))) == 0):
            return tag + "/>"
        inner = self.text() if name in {"resp", "chat"} else self.children(name, depth)
        return f"{tag}>{inner}</{name}{self.space()}>"

    def children(self, name: str, depth: int) -> str:
        usual = {"rpl": ["commandid", "resp", "data"], "grpchat": ["chat"]}.get(name, [])
        if depth == 3 and not usual:
            usual = ["data"]
        chosen = [child for child in usual if not self.odd(3)]
        if not chosen:
            chosen = [self.either(_INNER, _ODD_INNER) for _ in range(self.draw(st.integers(0, 2)))]
        if self.odd(2):
            chosen.append(self.draw(_ODD_INNER))
        if self.odd(2):
            chosen = self.draw(st.permutations(chosen))
        return (
            "".join(self.misc() + self.element(child, depth - 1) for child in chosen) + self.misc()
        )

    def misc(self) -> str:
        return self.draw(_MISC) if self.odd() else ""


_PROLOGS = st.sampled_from(
    [
        *('<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-16"?>\r\n', "\r\n ", "<!--"),
        *(
            "<!-- - -- a -->",
            "<!--a--><?b c?>",
            "<!DOCTYPE xccos>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        ),
    ]
)
_ROOTS = st.sampled_from(["XCCOS", "x:xccos", "xccosy", "html"])
_DECLARATIONS = st.sampled_from(
    [
        *("", ' xmlns="urn:x"', ' xmlns:x="urn:y"', ' xmlns:x="u" xmlns:u="v" xmlns="w"'),
        ' xmlns:xsd="a" xmlns:xsi="b"',
    ]
)
_ENDINGS = st.sampled_from(["\r\n", "<!--end-->", "x", "\0", "<a/>"])


@st.composite
def markup(draw: st.DrawFn) -> str:
    """The text of a body; mostly well-formed, in any style."""
    hand = Hand(draw, draw(st.sampled_from([0, 1, 1, 2, 4, 10])))
    prolog = draw(_PROLOGS) if hand.odd(3) else ""
    root = draw(_ROOTS) if hand.odd(2) else "xccos"
    declarations = draw(_DECLARATIONS) if hand.odd(5) else ' xmlns="urn:parlano:xml:ns:xccos"'
    items = "".join(
        hand.space() + hand.element(hand.either(_TAGS, _ODD_TAGS), 3) + hand.misc()
        for _ in range(draw(st.sampled_from([1, 1, 2, 3, 0])))
    )
    ending = draw(_ENDINGS) if hand.odd() else ""
    return f"{prolog}<{root}{declarations}{hand.attributes('xccos')}>{items}</{root}>{ending}"


ENCODINGS = st.sampled_from(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A body as some sender may write it."""
    return draw(markup()).encode(draw(ENCODINGS), "replace")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A body with one to three damages."""
    body = bytearray(draw(bodies()))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 12)))
        how = draw(st.sampled_from(["cut", "double", "insert", "end"]))
        if how == "cut":
            del body[start:end]
        elif how == "double":
            body[end:end] = body[start:end]
        elif how == "insert":
            body[start:start] = draw(
                st.one_of(
                    st.binary(max_size=4),
                    st.sampled_from([b"<", b">", b"&", b'"', b"</rpl>", b"<rpl>", b"<!--", b"<?"]),
                )
            )
        else:
            del body[start:]
    return bytes(body)
