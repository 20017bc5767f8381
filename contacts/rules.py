"""Who may do what with a contact or an account they reach. The matrix stands in docs/permissions.md."""

from __future__ import annotations

from typing import Any

from crm.tenancy.context import Actor


def owns(actor: Actor, record: Any) -> bool:
    """Whether a record belongs to the actor, to somebody of the teams they manage, or they write everything."""
    return actor.write == "all" or (actor.write == "own" and record.owner_id in actor.members)


def may_assign(actor: Actor, record: Any) -> bool:
    """Who may give a record another owner: its owner, their managers, admins; not those it was merely shared with."""
    return owns(actor, record)


def may_share(actor: Actor, record: Any) -> bool:
    """Who may open a record to others: the same as may give it away."""
    return owns(actor, record)


def may_delete(actor: Actor, record: Any) -> bool:
    """Who may move a record to the recycle bin and back: the same again."""
    return owns(actor, record)
