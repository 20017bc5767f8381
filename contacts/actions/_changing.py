"""What changing a contact and changing an account have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from contacts import queries, rules
from contacts.actions._creating import KEYS, writing_for
from crm import rules as kernel_rules
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.records import custom
from crm.records.limits import check_writable
from crm.tenancy.backend.kept import save_columns
from crm.tenancy.context import Actor


def check_version(record: Any, version: int | None) -> None:
    """Raises Conflict when the caller looked at an older version; None means that it did not look."""
    if version is not None and record.version != version:
        raise Conflict(_("Not saved: somebody else changed this meanwhile. Reload to see their changes."))


def check_keys(changes: Mapping[str, Any], allowed: Collection[str]) -> None:
    """Raises Forbidden for something that is no field or can't be changed by hand."""
    for key in changes:
        if key not in allowed:
            raise Forbidden(_("“%(field)s” can't be changed here.") % {"field": key})


def check_role(key: str, changes: Mapping[str, Any], acting: Actor) -> None:
    """Raises Forbidden for a field that the actor's role doesn't see or may not change."""
    check_writable(key, (KEYS.get(name, name) for name in changes), acting)


def assign(record: Any, owner_id: UUID | None, acting: Actor, *, active: Collection[UUID] | None = None) -> UUID | None:
    """Gives the record to another member, without saving; the former owner's id, None when nothing changes.

    `active` are members known to be active, where they were asked for already. Raises Forbidden for a record that was
    only shared with the actor, Invalid for somebody who is not active.
    """
    if owner_id == record.owner_id:
        return None
    if not rules.may_assign(acting, record) or (owner_id and not kernel_rules.may_own_for(acting, owner_id)):
        raise Forbidden(_("Only its owner, their manager or an administrator can hand this over."))
    if owner_id is None or owner_id not in (queries.active_members([owner_id]) if active is None else active):
        raise Invalid(fields={"owner": _("Choose an active member as the owner.")})
    former, record.owner_id = record.owner_id, owner_id
    return former


def put(record: Any, columns: Mapping[str, Any]) -> list[str]:
    """Sets columns that differ; the names of those that did."""
    changed = [name for name, value in columns.items() if getattr(record, name) != value]
    for name in changed:
        setattr(record, name, columns[name])
    return changed


def put_custom(record: Any, record_type: str, changes: Mapping[str, Any], acting: Actor) -> list[str]:
    """Changes values of the organisation's own fields, by key; ["custom"] where one differs.

    Raises Invalid and Forbidden.
    """
    if "custom" not in changes:
        return []
    merged = custom.merge(record_type, changes["custom"], acting=acting, present=record.custom)
    custom.settle(record.pk, merged)
    record.custom = merged.values
    return ["custom"] if merged.changed else []


def save(record: Any, columns: Collection[str], acting: Actor, reason: str) -> None:
    """Writes columns of a record and its next version, also when the actor gives it out of their sight with that."""
    record.version += 1
    with writing_for({record.owner_id}, acting, reason):
        save_columns(record, [*columns, "version", "updated_at"])
