"""Why TLS stays closed, and the way out: one sentence for each reason, with a count.

The one rule: a reason names what was looked at (the suite, the certificate, the key log), so that
whoever reads it knows which key to ask for, and from whom.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from analyzer.tls_suites import is_ephemeral, suite_name, version_name
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.reading import Reading
    from analyzer.sources.tls_keys import Keys, Secrets
    from analyzer.tls_sessions import Session

# Frames in a sentence, and sentences.
SHOWN = 8

NO_KEYS = "no key log (give one with --keylog, or put NAME.keylog beside the capture)"
NO_HANDSHAKE = "their handshake was not captured, or not as a whole"
NO_SECRETS = "the key log has no secrets for these connections"
NO_FIT = "none of the keys fits"
RESUMED = (
    "they resume sessions whose first handshake is not in the capture (an RSA key needs it; "
    "a key log does not)"
)


class TlsConnectionTold(NamedTuple):
    """What is known of a TLS connection from the outside, and whether it could be read."""

    frame: int
    """Its first one."""
    client: str
    """``ip:port``"""
    server: str
    version: str | None
    suite: str | None
    name: str | None
    """The server that the client asked for (SNI)."""
    status: str
    """``decrypted``, ``dark`` or ``partly``."""
    reason: str | None
    """Why it is dark, or partly; without a full stop."""


@dataclass(slots=True)
class Judge:
    """Says of connections why they could not be read."""

    keys: Keys | None
    secrets: Secrets | None = None
    problem: str | None = None
    """Why none could be."""
    _moduli: dict[bytes, tuple[int | None, str]] = field(default_factory=dict)

    def reason(self, session: Session) -> str:
        """Return why nothing of a connection was read."""
        if self.problem is not None:
            return self.problem
        handshake, secrets = session.handshake, self.secrets
        if secrets is None or self.keys is None:
            return NO_KEYS
        random = session.random or handshake.random
        if not session.begins or random is None:
            return NO_HANDSHAKE
        if random in secrets.known:
            return self._misfit(session)
        if not self.keys.rsa:
            return NO_SECRETS if secrets.lines else "; ".join(secrets.useless) or NO_SECRETS
        return self._no_use(session)

    def _no_use(self, session: Session) -> str:
        """Return why the RSA keys are of no use."""
        handshake = session.handshake
        if not handshake.answered or handshake.suite is None:
            return NO_HANDSHAKE
        if handshake.is_tls13 or is_ephemeral(handshake.suite):
            what = suite_name(handshake.suite)
            what = f"TLS 1.3 ({what})" if handshake.is_tls13 else what
            lacking = self.secrets is not None and self.secrets.lines
            but = ", and the key log has no secrets for it" if lacking else ""
            return f"{what}: an RSA key cannot open it, a key log of client or server can{but}"
        if handshake.resumed:
            return RESUMED
        if handshake.certificate is None or not handshake.client_key:
            return NO_HANDSHAKE
        modulus, name = self._certificate(handshake.certificate)
        if self.keys is not None and all(key.modulus != modulus for key in self.keys.rsa):
            return (
                f"none of the RSA keys belongs to the certificate that the server showed ({name})"
            )
        return self._misfit(session)

    def _certificate(self, der: bytes) -> tuple[int | None, str]:
        known = self._moduli.get(der)
        if known is None:
            from analyzer.sources.rsa_keys import read_certificate

            found = read_certificate(der)
            known = (None, "unreadable") if found is None else (found.modulus, f"CN={found.name}")
            self._moduli[der] = known
        return known

    @staticmethod
    def _misfit(session: Session) -> str:
        unread = any(side.unread for side in session.sides)
        return NO_FIT if unread or not session.records else NO_HANDSHAKE


def closed(count: int, why: str) -> str:
    """Return the sentence about connections that cannot be read."""
    return f"{amount(count, 'TLS connection')} cannot be read: {why}."


def amount(count: int, noun: str) -> str:
    """Return ``1 frame`` or ``1,234 frames``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def tell(reading: Reading, sessions: Sequence[Session], judge: Judge) -> None:
    """Count what was read and what was not, and say why not."""
    reasons: Counter[str] = Counter()
    services = reading.services
    for session in sessions:
        if not session.started and not session.empty:
            why = judge.reason(session)
            reasons[why] += 1
            reading.tls_told.append(_told(session, "dark", why))
            continue
        services["TLS"] -= 1
        lacking = _lacking(session)
        reading.tls_told.append(_told(session, "partly" if lacking else "decrypted", lacking))
        if session.started:
            reading.counters["decrypted tls connections"] += 1
        if session.flow.number < 0:
            carried = session.service or "unknown"
            services[f"{carried} in TLS" if session.started else "TLS without data"] += 1
    beyond = services["TLS"] - reasons.total()
    if beyond > 0:
        limit = f"only the first {len(sessions):,} are looked at"
        reasons[limit if judge.secrets is not None else judge.problem or NO_KEYS] += beyond
    reading.services = +services
    reading.tls_told.sort(key=lambda one: (one.frame, one.client, one.server))
    reading.notes += _sentences(reasons)
    if judge.problem is not None and not reasons:
        reading.notes.append(f"TLS may not have been read to its end: {judge.problem}.")


def _sentences(reasons: Counter[str]) -> list[str]:
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [closed(count, why) for why, count in sorted(ranked[:SHOWN])]
    rest = sum(count for _, count in ranked[SHOWN:])
    return [*shown, *([closed(rest, "for other reasons")] if rest else [])]


_BREAKS = "behind missing bytes nothing can be decrypted"
_HOLES = "bytes are missing from the capture"


def _lacking(session: Session) -> str | None:
    """Return what a connection lacks that was read."""
    if session.service is not None:
        return None
    if any(side.breaks_off for side in session.sides):
        return _BREAKS
    return _HOLES if any(side.behind is not None for side in session.sides) else None


def breaks(frames: Sequence[int]) -> str:
    """Name the places where directions break off."""
    where = ", ".join(map(str, sorted(frames)[:SHOWN]))
    more = ", ..." if len(frames) > SHOWN else ""
    return (
        f"{amount(len(frames), 'direction')} of TLS connections cannot be read to the end "
        f"(frame {where}{more}): {_BREAKS}."
    )


def _told(session: Session, status: str, why: str | None) -> TlsConnectionTold:
    handshake = session.handshake
    client, server = address_text(session.flow.key)
    if handshake.client == 1:
        client, server = server, client
    return TlsConnectionTold(
        session.flow.first,
        client,
        server,
        version_name(handshake.version) if handshake.answered else None,
        None if handshake.suite is None else suite_name(handshake.suite),
        handshake.name,
        status,
        why,
    )
