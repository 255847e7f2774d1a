"""Other people in the clients' places.

The rule: a list of users may have passwords, because the same list is used to play; a script never
gets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.edit.values import set_slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.options import User
    from analyzer.replay.script import Script


def with_users(script: Script, users: Sequence[User]) -> Script:
    """Return a script with users in the places of its clients, the first for the first.

    Raises:
        ValueError: there are fewer users than clients, or one has a slot that is not there.
    """
    slots = list(dict.fromkeys(one.user for one in script.clients if one.user is not None))
    if len(users) < len(slots):
        raise ValueError(f"{len(users)} users for {len(slots)} clients of the script")
    changes: dict[str, str] = {}
    for slot, user in zip(slots, users, strict=False):
        changes[slot] = user.user
        changes.update(user.slots)
    return set_slots(script, changes)
