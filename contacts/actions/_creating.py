"""Creating contacts and accounts, one or a thousand: the same checks and the same writes.

Every function here takes rows and answers per row, in order: what was made, or the error it was refused with. The
single actions are the case of one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from contacts import duplicates, queries
from contacts.duplicates import Known
from contacts.enums import ContactRole
from contacts.values import EmailValue, PhoneValue
from crm import rules
from crm.actions.tags import tags_of_rows
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.lib.phones import region_of
from crm.models import Organization
from crm.records import custom, limits
from crm.tenancy.context import Actor, elevated

BATCH = 1000  # rows written by one statement
# The field that a group of child rows, or an id, stands for.
KEYS = {
    "emails": "email", "phones": "phone", "domains": "domain", "owner_id": "owner", "account_id": "account",
    "parent_id": "parent",
}  # fmt: skip


@dataclass(slots=True)
class Row:
    """One record on its way: its checked columns and children, or the error that refuses it."""

    values: Any
    columns: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    owner_name: str = ""
    keys: tuple[str, ...] = ()  # what makes it a duplicate: addresses or domains
    emails: tuple[EmailValue, ...] = ()
    phones: tuple[PhoneValue, ...] = ()
    domains: tuple[str, ...] = ()
    tags: tuple[str | UUID, ...] = ()
    account_id: UUID | None = None
    account_role: str = ContactRole.UNKNOWN
    error: CrmError | None = None
    made: Any = None

    @property
    def open(self) -> bool:
        """Whether nothing has refused the row."""
        return self.error is None


def refuse_readers(acting: Actor) -> None:
    """Raises Forbidden for members who may only read."""
    if not rules.may_edit_anything(acting):
        raise Forbidden(_("You can view this organisation's records, but not add or change any."))


def check_role(key: str, rows: Sequence[Any], acting: Actor) -> None:
    """Raises Forbidden where a row fills a field that the actor's role doesn't see or may not change."""
    if limits.unwritable(key, acting):
        for row in rows:
            limits.check_writable(key, limits.given(row, KEYS), acting)


def check_rows(rows: Sequence[Any], check: Callable[[Any], Row]) -> list[Row]:
    """Checks every row by itself; what breaks a rule carries its error."""
    checked = []
    for values in rows:
        try:
            checked.append(check(values))
        except CrmError as error:
            checked.append(Row(values, error=error))
    return checked


def settle_owners(rows: Sequence[Row], acting: Actor) -> None:
    """Gives every row its owner: the one named, who must be an active member, or the actor."""
    named = {row.values.owner_id for row in rows if row.open and row.values.owner_id} - {acting.member_id}
    names: dict[Any, str] = {acting.member_id: acting.name}
    names.update(queries.active_members(named))
    for row in rows:
        if not row.open:
            continue
        owner = row.values.owner_id or acting.member_id
        if owner is None or owner not in names:
            row.error = Invalid(fields={"owner": _("Choose an active member as the owner.")})
        elif not rules.may_own_for(acting, owner):
            row.error = Forbidden(_("You can't create records for others."))
        else:
            row.columns["owner_id"], row.owner_name = owner, names[owner]


def refuse_duplicates(
    rows: Sequence[Row],
    known: dict[str, list[Known]],
    error: type[duplicates.DuplicateRecord],
    visible: set[UUID],
    acting: Actor,
) -> None:
    """Refuses rows whose key somebody has; a row that passes is known to those after it."""
    for row in rows:
        if not row.open:
            continue
        match = duplicates.exact_match(row.keys, known)
        if match is not None:
            who, seen = duplicates.told(match[1], visible)
            row.error = error(who, match[0], visible=seen)
            continue
        owner = row.columns["owner_id"]
        if acting.read == "all" or owner in acting.members:
            visible.add(row.columns["id"])
        for key in row.keys:
            known.setdefault(key, []).append(Known(row.columns["id"], row.name, owner, row.owner_name))


def settle_tags(rows: Sequence[Row], acting: Actor) -> None:
    """Turns the names and ids of tags into the ids that the rows' columns hold."""
    if not any(row.tags for row in rows if row.open):
        return
    for row, ids in zip(rows, tags_of_rows([row.tags if row.open else () for row in rows], acting), strict=True):
        row.columns["tags"] = ids


def settle_custom(rows: Sequence[Row], record_type: str, acting: Actor) -> None:
    """Puts the checked values of the organisation's own fields into the rows' columns; refuses rows with wrong ones."""
    left = [row for row in rows if row.open]
    merged = custom.merge_rows(record_type, [(row.columns["custom"], None) for row in left], acting=acting)
    good = []
    for row, found in zip(left, merged, strict=True):
        if isinstance(found, CrmError):
            row.error = found
        else:
            row.columns["custom"] = found.values
            good.append((row.columns["id"], found))
    refused = custom.settle_rows(good)
    for row in left:
        row.error = row.error or refused.get(row.columns["id"])


@contextmanager
def writing_for(owners: set[UUID], acting: Actor, reason: str) -> Iterator[None]:
    """Lets rows be written whose owner the actor does not see: row-level security would refuse what the rule allows."""
    others = acting.read != "all" and not all(owner in acting.members for owner in owners)
    with elevated(reason) if others else nullcontext():
        yield


def region_for(rows: Sequence[Any], acting: Actor) -> str:
    """The country that the rows' phone numbers without a country code belong to; "" where every number has one."""
    numbers = [phone.number.strip() for row in rows for phone in row.phones]
    if all(number.startswith("+") or not number for number in numbers):
        return ""
    return region_of_actor(acting)


def region_of_actor(acting: Actor) -> str:
    """The country the actor's organisation most likely is in, such as "NL"; "" when nothing says so."""
    if found := region_of("", acting.time_zone):
        return found
    organization = Organization.objects.only("locale", "time_zone").get(pk=acting.org_id)
    return region_of(organization.locale, organization.time_zone)
