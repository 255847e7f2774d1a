"""The grammar of RFC 3261 section 25: the ABNF in the comment, the pattern below it.

The rule: every pattern runs in linear time on any input. No character can be taken by two
neighbouring repetitions, and repetitions of single characters are possessive. Those of groups are
not: CPython before 3.11.5 matches them wrongly (python/cpython#106052).

Names that end in ``_RE`` are compiled; the others are pieces of patterns, or large ones whose
compilation takes a millisecond, which is left to whoever needs them. They are for text that was
decoded and unfolded (one space for each fold, RFC 3261 7.3.1), so LWS is spaces and tabs. The
patterns of whole header values are in ``field_grammar``.
"""
# ruff: noqa: ERA001  (ABNF looks like code)

from __future__ import annotations

import re

MAX_DIGITS = 1000
"""Digits of a number that is still read. RFC 4475 3.1.2.4 has 104; Python itself refuses to write
integers of more than 4300 digits, so that larger ones would fail where they are shown."""

# RFC 3261 7.3.3 and 20, and the registrations after it: RFC 3841 (a d j), RFC 3892 (b),
# RFC 4474 (n y), RFC 6665 (o u), RFC 3515 (r), RFC 4028 (x).
COMPACT_NAMES: dict[str, str] = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}


def field_name(name: str) -> str:
    """Return the name that compares: lower case, the long form of a compact one."""
    lower = name.lower()
    return COMPACT_NAMES.get(lower, lower)


# LWS    = [*WSP CRLF] 1*WSP          SWS    = [LWS]
# COMMA  = SWS "," SWS                SEMI   = SWS ";" SWS
# EQUAL  = SWS "=" SWS                SLASH  = SWS "/" SWS
LWS = r"[ \t]++"
SWS = r"[ \t]*+"
COMMA = rf"{SWS},{SWS}"
SEMI = rf"{SWS};{SWS}"
EQUAL = rf"{SWS}={SWS}"
SLASH = rf"{SWS}/{SWS}"

# token  = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" )
TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"  # noqa: S105  (not a password)
TOKEN_RE = re.compile(TOKEN)

# quoted-string  =  SWS DQUOTE *(qdtext / quoted-pair ) DQUOTE
# qdtext         =  LWS / %x21 / %x23-5B / %x5D-7E / UTF8-NONASCII
# quoted-pair    =  "\" (%x00-09 / %x0B-0C / %x0E-7F)
QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*"'

# TEXT-UTF8char  =  %x21-7E / UTF8-NONASCII       (with the LWS that header-value allows)
TEXT = r"[^\x00-\x08\x0a-\x1f\x7f]*+"

# unreserved  =  alphanum / mark
# mark        =  "-" / "_" / "." / "!" / "~" / "*" / "'" / "(" / ")"
# escaped     =  "%" HEXDIG HEXDIG
_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_ESCAPED = r"%[0-9A-Fa-f]{2}"

# hostname     =  *( domainlabel "." ) toplabel [ "." ]
# domainlabel  =  alphanum / alphanum *( alphanum / "-" ) alphanum
# toplabel     =  ALPHA / ALPHA *( alphanum / "-" ) alphanum
_LABEL = r"[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*"
HOSTNAME = rf"(?:{_LABEL}\.(?=[A-Za-z0-9]))*(?=[A-Za-z]){_LABEL}\.?"

# IPv4address  =  1*3DIGIT "." 1*3DIGIT "." 1*3DIGIT "." 1*3DIGIT
IPV4 = r"[0-9]{1,3}+(?:\.[0-9]{1,3}+){3}"

# IPv6address: RFC 3261 allowed ":::" before an IPv4 tail by mistake (RFC 5118 4.10). RFC 5954
# replaces the rule by the one of RFC 3986:
#   IPv6address =                            6( h16 ":" ) ls32
#               /                       "::" 5( h16 ":" ) ls32
#               / [               h16 ] "::" 4( h16 ":" ) ls32
#               / [ *1( h16 ":" ) h16 ] "::" 3( h16 ":" ) ls32
#               / [ *2( h16 ":" ) h16 ] "::" 2( h16 ":" ) ls32
#               / [ *3( h16 ":" ) h16 ] "::"    h16 ":"   ls32
#               / [ *4( h16 ":" ) h16 ] "::"              ls32
#               / [ *5( h16 ":" ) h16 ] "::"              h16
#               / [ *6( h16 ":" ) h16 ] "::"
_H16 = r"[0-9A-Fa-f]{1,4}"
_LS32 = rf"(?:{_H16}:{_H16}|{IPV4})"


def _ipv6_alternatives() -> str:
    """Return the nine alternatives of the rule above; the longest tail is tried first."""
    forms = [rf"(?:{_H16}:){{6}}{_LS32}", rf"::(?:{_H16}:){{5}}{_LS32}"]
    for before in range(5):
        start = rf"(?:(?:{_H16}:){{0,{before}}}{_H16})?"
        forms.append(rf"{start}::(?:{_H16}:){{{4 - before}}}{_LS32}")
    forms.append(rf"(?:(?:{_H16}:){{0,5}}{_H16})?::{_H16}")
    forms.append(rf"(?:(?:{_H16}:){{0,6}}{_H16})?::")
    return "(?:" + "|".join(forms) + ")"


IPV6 = _ipv6_alternatives()

# host      =  hostname / IPv4address / IPv6reference
# hostport  =  host [ ":" port ]
HOST = rf"(?:{HOSTNAME}|{IPV4}|\[{IPV6}\])"

# userinfo  =  ( user / telephone-subscriber ) [ ":" password ] "@"
# user      =  1*( unreserved / escaped / user-unreserved )
# user-unreserved  =  "&" / "=" / "+" / "$" / "," / ";" / "?" / "/"
# password  =  *( unreserved / escaped / "&" / "=" / "+" / "$" / "," )
_PASSWORD = rf"(?:[{_UNRESERVED}&=+$,]++|{_ESCAPED})*"
_USERINFO = rf"(?:(?:[{_UNRESERVED}&=+$,;?/]++|{_ESCAPED})+(?::{_PASSWORD})?@)?"

# uri-parameters    =  *( ";" uri-parameter)
# paramchar         =  param-unreserved / unreserved / escaped
# param-unreserved  =  "[" / "]" / "/" / ":" / "&" / "+" / "$"
_PARAMCHARS = rf"(?:[{_UNRESERVED}\[\]/:&+$]++|{_ESCAPED})+"
_URI_PARAMETERS = rf"(?:;{_PARAMCHARS}(?:={_PARAMCHARS})?)*"

# headers         =  "?" header *( "&" header )
# header          =  hname "=" hvalue
# hnv-unreserved  =  "[" / "]" / "/" / "?" / ":" / "+" / "$"
_HNV = rf"(?:[{_UNRESERVED}\[\]/?:+$]|{_ESCAPED})"
_URI_HEADER = rf"{_HNV}+={_HNV}*"
_URI_HEADERS = rf"(?:\?{_URI_HEADER}(?:&{_URI_HEADER})*)?"

# SIP-URI      =  "sip:" [ userinfo ] hostport uri-parameters [ headers ]
# absoluteURI  =  scheme ":" ( hier-part / opaque-part )
# scheme       =  ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
# A URI whose scheme is sip or sips must be a SIP-URI: absoluteURI would allow almost anything.
_HOSTPORT = rf"{HOST}(?::[0-9]++)?"
_SIP_URI = rf"(?i:sips?:){_USERINFO}{_HOSTPORT}{_URI_PARAMETERS}"
_SCHEME = r"(?!(?i:sips?):)[A-Za-z][A-Za-z0-9+.\-]*+:"
_ABSOLUTE_URI = rf"{_SCHEME}(?:[{_UNRESERVED};/?:@&=+$,]++|{_ESCAPED})+"

# addr-spec    =  SIP-URI / SIPS-URI / absoluteURI
ADDR_SPEC = rf"(?:{_SIP_URI}{_URI_HEADERS}|{_ABSOLUTE_URI})"

# RFC 3261 19.1.1: a Request-URI has no headers part.
REQUEST_URI = rf"(?:{_SIP_URI}|{_ABSOLUTE_URI})"

# RFC 3261 20: "If the URI contains a comma, question mark or semicolon, the URI MUST be enclosed in
# angle brackets"; what follows a semicolon outside brackets is a header parameter.
_BARE_USERINFO = (
    rf"(?:(?:[{_UNRESERVED}&=+$/]++|{_ESCAPED})+(?::(?:[{_UNRESERVED}&=+$]++|{_ESCAPED})*)?@)?"
)
BARE_ADDR_SPEC = (
    rf"(?:(?i:sips?:){_BARE_USERINFO}{_HOSTPORT}"
    rf"|{_SCHEME}(?:[{_UNRESERVED}/:@&=+$]++|{_ESCAPED})+)"
)

# Request-Line  =  Method SP Request-URI SP SIP-Version CRLF
# Status-Line   =  SIP-Version SP Status-Code SP Reason-Phrase CRLF
# SIP-Version   =  "SIP" "/" 1*DIGIT "." 1*DIGIT
# These are the shapes alone: one space between the parts, no blank, control character or angle
# bracket in the Request-URI (7.1). The grammar of the Request-URI is REQUEST_URI.
VERSION = r"(?i:SIP)/[0-9]++\.[0-9]++"
REQUEST_LINE_RE = re.compile(rf"{TOKEN} [^\x00-\x20\x7f<>]++ {VERSION}")
STATUS_LINE_RE = re.compile(rf"{VERSION} [0-9]{{3}} {TEXT}")

# What can still be read: any blanks, a method that is no token, any number of digits, no reason,
# "SIP/2" without a minor number.
ANY_METHOD_RE = re.compile(rb"(?!(?i:SIP)/)[!-~]++")
ANY_VERSION_RE = re.compile(rb"(?i:SIP)/[0-9]++(?:\.[0-9]++)?")
ANY_STATUS_LINE_RE = re.compile(
    rb"[ \t]*+((?i:SIP)/[0-9]++(?:\.[0-9]++)?)[ \t]++([0-9]++)(?:[ \t](.*+))?", re.DOTALL
)

# Reason-Phrase  =  *(reserved / unreserved / escaped / UTF8-NONASCII / UTF8-CONT / SP / HTAB)
# reserved       =  ";" / "/" / "?" / ":" / "@" / "&" / "=" / "+" / "$" / ","
REASON_PHRASE = rf"(?:[{_UNRESERVED};/?:@&=+$, \t\u0080-\U0010ffff]++|{_ESCAPED})*"

NUMBER_RE = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}+")


def number(text: str) -> int | None:
    """Return the value of 1*DIGIT, or None for anything else or more than ``MAX_DIGITS``."""
    return int(text) if NUMBER_RE.fullmatch(text) else None
