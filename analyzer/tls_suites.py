"""Names of cipher suites, and what kind of key opens each of them.

Names are those of IANA's registry of TLS cipher suites. Only with the exchange ``RSA`` is the
secret encrypted to the certificate's key (RFC 5246 section 7.4.7.1); with all others the key signs
at most, and what opens the connection is gone when it ends.
"""

from __future__ import annotations

from functools import cache

_BY_EXCHANGE = {
    "RSA": """
        0001 NULL_MD5  0002 NULL_SHA  003B NULL_SHA256  0004 RC4_128_MD5  0005 RC4_128_SHA
        0009 DES_CBC_SHA  000A 3DES_EDE_CBC_SHA
        002F AES_128_CBC_SHA  0035 AES_256_CBC_SHA  003C AES_128_CBC_SHA256  003D AES_256_CBC_SHA256
        009C AES_128_GCM_SHA256  009D AES_256_GCM_SHA384  C09C AES_128_CCM  C09D AES_256_CCM
        C0A0 AES_128_CCM_8  C0A1 AES_256_CCM_8
        0041 CAMELLIA_128_CBC_SHA  0084 CAMELLIA_256_CBC_SHA""",
    "DHE_RSA": """
        0016 3DES_EDE_CBC_SHA  0033 AES_128_CBC_SHA  0039 AES_256_CBC_SHA
        0067 AES_128_CBC_SHA256  006B AES_256_CBC_SHA256
        009E AES_128_GCM_SHA256  009F AES_256_GCM_SHA384  C09E AES_128_CCM  C09F AES_256_CCM
        CCAA CHACHA20_POLY1305_SHA256""",
    "DHE_DSS": """
        0013 3DES_EDE_CBC_SHA  0032 AES_128_CBC_SHA  0038 AES_256_CBC_SHA
        0040 AES_128_CBC_SHA256  006A AES_256_CBC_SHA256
        00A2 AES_128_GCM_SHA256  00A3 AES_256_GCM_SHA384""",
    "DH_anon": """
        0018 RC4_128_MD5  001B 3DES_EDE_CBC_SHA  0034 AES_128_CBC_SHA  003A AES_256_CBC_SHA""",
    "ECDHE_ECDSA": """
        C007 RC4_128_SHA  C008 3DES_EDE_CBC_SHA  C009 AES_128_CBC_SHA  C00A AES_256_CBC_SHA
        C023 AES_128_CBC_SHA256  C024 AES_256_CBC_SHA384
        C02B AES_128_GCM_SHA256  C02C AES_256_GCM_SHA384  C0AC AES_128_CCM  C0AD AES_256_CCM
        CCA9 CHACHA20_POLY1305_SHA256""",
    "ECDHE_RSA": """
        C011 RC4_128_SHA  C012 3DES_EDE_CBC_SHA  C013 AES_128_CBC_SHA  C014 AES_256_CBC_SHA
        C027 AES_128_CBC_SHA256  C028 AES_256_CBC_SHA384
        C02F AES_128_GCM_SHA256  C030 AES_256_GCM_SHA384  CCA8 CHACHA20_POLY1305_SHA256""",
    "ECDH_anon": "C016 RC4_128_SHA  C018 AES_128_CBC_SHA  C019 AES_256_CBC_SHA",
    "": """
        1301 AES_128_GCM_SHA256  1302 AES_256_GCM_SHA384  1303 CHACHA20_POLY1305_SHA256
        1304 AES_128_CCM_SHA256  1305 AES_128_CCM_8_SHA256""",
}
_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"}
_TLS10 = 0x0301
TLS13 = 0x0304


@cache
def _names() -> dict[int, str]:
    found = {}
    for exchange, text in _BY_EXCHANGE.items():
        words = text.split()
        for number, cipher in zip(words[::2], words[1::2], strict=True):
            name = f"TLS_{exchange}_WITH_{cipher}" if exchange else f"TLS_{cipher}"
            found[int(number, 16)] = name
    return found


def suite_name(number: int) -> str:
    """Return the name of a suite; its number where it is none of those known here."""
    return _names().get(number, f"cipher suite 0x{number:04X}")


def version_name(version: int) -> str:
    """Return ``TLS 1.2`` for 0x0303."""
    return "TLS 1.3" if version >= TLS13 else _VERSIONS.get(version, f"version 0x{version:04X}")


def survives_holes(suite: int, version: int) -> bool:
    """Tell whether records can be decrypted when some before them are missing.

    Blocks are chained within a record, or to the one before it (TLS 1.0, RFC 2246 section 6.2.3.2),
    and AES-GCM and -CCM of TLS 1.2 say the nonce in each record (RFC 5288 section 3). All others
    count records or bytes from the beginning.
    """
    name = suite_name(suite)
    return version < TLS13 and any(mode in name for mode in ("_CBC_", "_GCM_", "_CCM"))


def garbled(suite: int, version: int) -> int:
    """Return how many bytes behind a hole are lost with it: a block, in TLS 1.0."""
    name = suite_name(suite)
    if version > _TLS10 or "_CBC_" not in name:
        return 0
    return 8 if "DES_" in name else 16


def is_ephemeral(suite: int) -> bool:
    """Tell whether no key of the server opens what a suite protects; not of unknown suites."""
    return suite in _names() and not suite_name(suite).startswith("TLS_RSA_")
