"""Sentences about the way in: registration, services, lookup, and the dialog with the Channel."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

from analyzer.header_text import header_text
from analyzer.legs import is_success
from analyzer.roles import plain_uri
from analyzer.states import status_text
from analyzer.times import latency_text
from analyzer.transaction_table import CHALLENGES, FAILURE
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dialogs import DialogDraft
    from analyzer.narrative.tale import Sentence, Tale
    from analyzer.sessions.registrations import Registration


def sentences(tale: Tale) -> Iterator[Sentence]:
    """Yield the sentences about how a client came in."""
    view = tale.view
    for registration in view.registrations:
        yield from _registered(tale, registration)
    for first, then in pairwise(view.registrations):
        if first.redirected and first.transactions:
            answer = view.found.final[first.transactions[-1]]
            yield tale.sentence(
                [answer, then.dialog.rows[0]],
                f"{status_text(view.trace, answer)} in {tale.frame(answer)} sent the client to "
                f"another server, where it registers in {tale.frame(then.dialog.rows[0])}.",
            )
    yield from _subscribed(tale)
    yield from _published(tale)
    for dialog in view.of_role("lookup"):
        yield from _invited(tale, dialog, "the Lookup service")
    for dialog in view.of_role("channel"):
        yield from _invited(tale, dialog, "the Channel service")


def _registered(tale: Tale, registration: Registration) -> Iterator[Sentence]:
    found, status = tale.view.found, tale.view.found.status
    asked = [one for one in registration.transactions if found.request[one] >= 0]
    done = next((one for one in asked if is_success(status(one))), None)
    tried = asked if done is None else asked[: asked.index(done) + 1]
    if tried:
        yield _first_registration(tale, tried, done)
    renewed = [one for one in asked if one not in tried and is_success(status(one))]
    renewed = [one for one in renewed if found.final[one] != registration.signed_off]
    if renewed:
        rows = [found.request[one] for one in renewed]
        times = amount(len(rows), "time")
        yield tale.sentence(rows, f"{tale.who} renewed the registration {times}.")
    for one in asked:
        code = status(one)
        if one not in tried and code is not None and code >= FAILURE and code not in CHALLENGES:
            text, tone = tale.answer(one)
            row = found.request[one]
            yield tale.sentence([row], f"A later REGISTER ({tale.frame(row)}): {text}.", tone)


def _first_registration(tale: Tale, tried: Sequence[int], done: int | None) -> Sentence:
    view, found = tale.view, tale.view.found
    rounds = [one for one in tried if found.status(one) in CHALLENGES]
    rows = [row for one in tried for row in (found.request[one], found.final[one])]
    scheme = _scheme(tale, tried)
    met = f" after {amount(len(rounds), 'challenge')}{scheme}" if rounds else scheme
    first = tale.frame(rows[0])
    if done is not None:
        final = found.final[done]
        taken = latency_text((view.time(final) - view.time(rows[0])) / 1e6)
        before = view.late and view.started < view.time(rows[0])
        what = "renewed the registration of before" if before else "signed in"
        text = f"{tale.who} {what} (REGISTER, {first}){met}: "
        text += f"{status_text(view.trace, final)} after {taken} ({tale.frame(final)})."
        return tale.sentence(rows, text)
    text, tone = tale.answer(tried[-1])
    if found.status(tried[-1]) in range(300, 400):
        tone = "plain"
    return tale.sentence(
        rows, f"{tale.who} asked to sign in (REGISTER, {first}){met}: {text}.", tone
    )


def _scheme(tale: Tale, tried: Sequence[int]) -> str:
    """Return the scheme that the client answered a challenge with, in words; else nothing."""
    for one in reversed(tried):
        text = header_text(tale.view.trace, tale.view.found.request[one], "Authorization")
        if text:
            return f" with {text.split(None, 1)[0]}"
    return ""


def _subscribed(tale: Tale) -> Iterator[Sentence]:
    found = tale.view.found
    dialogs = tale.view.of_role("subscription")
    indexes = [one for dialog in dialogs for one in dialog.group.transactions]
    asked = sorted(
        one for one in indexes if found.method(one) == "SUBSCRIBE" and found.request[one] >= 0
    )
    good = [one for one in asked if is_success(found.status(one))]
    if good:
        rows = [found.request[one] for one in good]
        times = "" if len(rows) == 1 else f" {len(rows)} times"
        yield tale.sentence(
            rows, f"{tale.who} subscribed{times} (contact list and the like), with success."
        )
    for one in asked:
        if one not in good and found.status(one) not in CHALLENGES:
            text, tone = tale.answer(one)
            row = found.request[one]
            yield tale.sentence([row], f"SUBSCRIBE in {tale.frame(row)}: {text}.", tone)


def _published(tale: Tale) -> Iterator[Sentence]:
    found = tale.view.found
    for one in tale.view.outside:
        if found.method(one) == "SERVICE" and found.request[one] >= 0:
            text, tone = tale.answer(one)
            row = found.request[one]
            what = f"{tale.who} told its capabilities (SERVICE, {tale.frame(row)})"
            yield tale.sentence([row, found.final[one]], f"{what}: {text}.", tone)


def _invited(tale: Tale, dialog: DialogDraft, service: str) -> Iterator[Sentence]:
    found = tale.view.found
    uri = dialog.service or "an unknown URI"
    creating = {index for leg in dialog.group.legs for index in leg.creating}
    asked = [one for one in dialog.group.transactions if one in creating]
    asked = [one for one in asked if found.request[one] >= 0 and found.method(one) == "INVITE"]
    if not asked:
        text = f"The dialog with {service} ({uri}) was open before; its INVITE is not captured."
        yield tale.sentence(dialog.rows[:1], text, "doubtful")
        return
    for one in asked:
        row = found.request[one]
        text, tone = tale.answer(one)
        learned = _learned(tale, dialog, row)
        rows = [row, found.final[one]]
        what = f"{tale.who} invited {service} {uri} (INVITE, {tale.frame(row)}){learned}"
        yield tale.sentence(rows, f"{what}: {text}.{_forked(tale, dialog)}", tone)
    for one in dialog.group.notable:
        if found.method(one) == "BYE" and dialog.role == "lookup" and found.request[one] >= 0:
            row = found.request[one]
            side = tale.who if dialog.end.ended_by == "BYE from client" else "The service"
            text = f"{side} closed the dialog with the Lookup service (BYE, {tale.frame(row)})."
            yield tale.sentence([row], text)


def _learned(tale: Tale, dialog: DialogDraft, invite: int) -> str:
    """Return where the URI of a service came from, in words."""
    told = tale.sources.get(plain_uri(dialog.service or ""))
    if not told or told[0] >= invite:
        return ""
    row = told[bisect_left(told, invite) - 1]
    return f", the URI that the Lookup service gave in {tale.frame(row)}"


def _forked(tale: Tale, dialog: DialogDraft) -> str:
    count = tale.branches[dialog.index]
    return f" It was forked to {count + 1} instances; this one answered." if count else ""
