"""Who may do what with a contact or an account they reach. The matrix stands in docs/permissions.md."""

from __future__ import annotations

from typing import Any

from crm import rules
from crm.tenancy.context import Actor


def may_assign(actor: Actor, record: Any) -> bool:
    """Who may give a record another owner: its owner, their managers, admins; not those it was only shared with."""
    return rules.may_share(actor, record.owner_id)


def may_delete(actor: Actor, record: Any) -> bool:
    """Who may move a record to the recycle bin and back: the same."""
    return rules.may_share(actor, record.owner_id)
