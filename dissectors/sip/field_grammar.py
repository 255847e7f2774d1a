"""The grammar of whole header values (RFC 3261 25.1), for the strict view of a message.

The rule: a value is valid when its pattern matches all of it. Headers without an entry in
``FIELDS`` are extension headers, whose value may be any text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dissectors.sip.grammar import (
    ADDR_SPEC,
    BARE_ADDR_SPEC,
    COMMA,
    EQUAL,
    HOST,
    IPV6,
    LWS,
    QUOTED,
    SEMI,
    SLASH,
    SWS,
    TOKEN,
)


class FieldGrammar(NamedTuple):
    """What the value of a header must look like."""

    pattern: re.Pattern[str]
    rule: str
    """What it is, in the words of the grammar."""
    clause: str
    """Where it is written."""


def _list_of(item: str) -> str:
    return rf"{item}(?:{COMMA}{item})*"


# generic-param  =  token [ EQUAL gen-value ]
# gen-value      =  token / host / quoted-string
# A token is tried last: it takes the start of a host, but a host in brackets is no token.
_GENERIC_PARAM = rf"{TOKEN}(?:{EQUAL}(?:{QUOTED}|\[{IPV6}\]|{TOKEN}))?"
_PARAMS = rf"(?:{SEMI}{_GENERIC_PARAM})*"

# name-addr     =  [ display-name ] LAQUOT addr-spec RAQUOT
# display-name  =  *(token LWS) / quoted-string
# The LWS after the last token may be absent: RFC 4475 3.1.1.6.
_DISPLAY_NAME = rf"(?:{QUOTED}|(?:{TOKEN}{SWS})*)"
_NAME_ADDR = rf"{_DISPLAY_NAME}{SWS}<{ADDR_SPEC}>"

# From           =  ( "From" / "f" ) HCOLON from-spec
# from-spec      =  ( name-addr / addr-spec ) *( SEMI from-param )
# contact-param  =  (name-addr / addr-spec) *(SEMI contact-params)
_ADDRESS = rf"(?:{_NAME_ADDR}|{BARE_ADDR_SPEC}){_PARAMS}"
_ROUTE = rf"{_NAME_ADDR}{_PARAMS}"

# via-parm           =  sent-protocol LWS sent-by *( SEMI via-params )
# sent-protocol      =  protocol-name SLASH protocol-version SLASH transport
# sent-by            =  host [ COLON port ]
# via-received       =  "received" EQUAL (IPv4address / IPv6address)
# Both ``received=2001:db8::1`` (as written here) and the form in brackets: RFC 5118 4.5.
_VIA_PARAM = rf"(?:(?i:received){EQUAL}{IPV6}(?=[ \t;,]|\Z)|{_GENERIC_PARAM})"
_VIA = (
    rf"{TOKEN}{SLASH}{TOKEN}{SLASH}{TOKEN}{LWS}{HOST}(?:{SWS}:{SWS}[0-9]++)?"
    rf"(?:{SEMI}{_VIA_PARAM})*"
)

# callid  =  word [ "@" word ]
# word    =  1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" /
#            "(" / ")" / "<" / ">" / ":" / "\" / DQUOTE / "/" / "[" / "]" / "?" / "{" / "}" )
_WORD = r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]++"

# media-type   =  m-type SLASH m-subtype *(SEMI m-parameter)
# m-parameter  =  m-attribute EQUAL m-value
# m-value      =  token / quoted-string
_MEDIA_TYPE = rf"{TOKEN}{SLASH}{TOKEN}(?:{SEMI}{TOKEN}{EQUAL}(?:{QUOTED}|{TOKEN}))*"
# accept-range =  media-range *(SEMI accept-param); "*" is in token
_ACCEPT_RANGE = rf"{TOKEN}{SLASH}{TOKEN}{_PARAMS}"

# SIP-date  =  rfc1123-date  =  wkday "," SP date1 SP time SP "GMT"
# date1     =  2DIGIT SP month SP 4DIGIT
_DATE = (
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)

# warning-value  =  warn-code SP warn-agent SP warn-text
# warn-code      =  3DIGIT
# warn-agent     =  hostport / pseudonym
_WARNING = rf"[0-9]{{3}}{LWS}(?:{HOST}(?::[0-9]++)?(?=[ \t])|{TOKEN}){LWS}{QUOTED}"

# Retry-After   =  delta-seconds [ comment ] *( SEMI retry-param )
# comment       =  LPAREN *(ctext / quoted-pair / comment) RPAREN; nested ones are not told apart
_COMMENT = r"\([^\x00-\x08\x0a-\x1f\x7f]*\)"
_RETRY_AFTER = rf"[0-9]++(?:{SWS}{_COMMENT})?{_PARAMS}"

# credentials  =  ("Digest" LWS digest-response) / other-response
# challenge    =  ("Digest" LWS digest-cln *(COMMA digest-cln)) / other-challenge
# Both have the shape of the "other" form: auth-scheme LWS auth-param *(COMMA auth-param)
_AUTH_PARAM = rf"{TOKEN}{EQUAL}(?:{QUOTED}|{TOKEN})"
_AUTH = rf"{TOKEN}{LWS}{_list_of(_AUTH_PARAM)}"

_DIGITS = "[0-9]++"
_TOKENS = _list_of(TOKEN)


def _field(pattern: str, rule: str, section: str, flags: int = 0) -> FieldGrammar:
    return FieldGrammar(re.compile(pattern, flags), rule, f"RFC 3261 {section}")


_ADDRESS_RULE = "name-addr or addr-spec with parameters"

FIELDS: dict[str, FieldGrammar] = {
    "accept": _field(rf"(?:{_list_of(_ACCEPT_RANGE)})?", "a list of media ranges", "20.1"),
    "allow": _field(rf"(?:{_TOKENS})?", "a list of methods", "20.5"),
    "allow-events": FieldGrammar(
        re.compile(_TOKENS), "a list of event types", "RFC 6665 section 8.2.2"
    ),
    "authorization": _field(_AUTH, "a scheme with parameters", "20.7"),
    "call-id": _field(rf"{_WORD}(?:@{_WORD})?", 'word ["@" word]', "20.8"),
    "contact": _field(rf"(?:\*|{_list_of(_ADDRESS)})", f'"*" or {_ADDRESS_RULE}', "20.10"),
    "content-encoding": _field(_TOKENS, "a list of tokens", "20.12"),
    "content-length": _field(_DIGITS, "digits", "20.14"),
    "content-type": _field(_MEDIA_TYPE, "a media type", "20.15"),
    "cseq": _field(rf"{_DIGITS}{LWS}{TOKEN}", "digits and a method", "20.16"),
    "date": _field(_DATE, "a date of RFC 1123 in GMT", "20.17", re.IGNORECASE),
    "event": FieldGrammar(
        re.compile(rf"{TOKEN}{_PARAMS}"), "an event type with parameters", "RFC 6665 section 8.2.1"
    ),
    "expires": _field(_DIGITS, "digits", "20.19"),
    "from": _field(_ADDRESS, _ADDRESS_RULE, "20.20"),
    "max-forwards": _field(_DIGITS, "digits", "20.22"),
    "mime-version": _field(rf"{_DIGITS}\.{_DIGITS}", 'digits "." digits', "20.24"),
    "min-expires": _field(_DIGITS, "digits", "20.23"),
    "proxy-authenticate": _field(_AUTH, "a scheme with parameters", "20.27"),
    "proxy-authorization": _field(_AUTH, "a scheme with parameters", "20.28"),
    "proxy-require": _field(_TOKENS, "a list of option tags", "20.29"),
    "record-route": _field(_list_of(_ROUTE), "name-addr with parameters", "20.30"),
    "reply-to": _field(_ADDRESS, _ADDRESS_RULE, "20.31"),
    "require": _field(_TOKENS, "a list of option tags", "20.32"),
    "retry-after": _field(_RETRY_AFTER, "digits, a comment and parameters", "20.33"),
    "route": _field(_list_of(_ROUTE), "name-addr with parameters", "20.34"),
    "supported": _field(rf"(?:{_TOKENS})?", "a list of option tags", "20.37"),
    "to": _field(_ADDRESS, _ADDRESS_RULE, "20.39"),
    "unsupported": _field(_TOKENS, "a list of option tags", "20.40"),
    "via": _field(_list_of(_VIA), "protocol, sent-by and parameters", "20.42"),
    "warning": _field(_list_of(_WARNING), "three digits, an agent and a quoted text", "20.43"),
    "www-authenticate": _field(_AUTH, "a scheme with parameters", "20.44"),
}
