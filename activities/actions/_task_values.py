"""What people, imports and the API may say about a task, checked and turned into columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from activities import rules
from activities.enums import Priority, TaskStatus
from activities.models import Task
from contacts.models import Account, Contact
from crm import access
from crm.lib.errors import Forbidden, Invalid
from crm.models import Membership
from crm.tenancy.context import Actor
from deals.models import Deal

PLAIN = ("title", "description", "priority", "reminder_at", "tags")  # keys that are a column of the same name
EMPTY: dict[str, Any] = {"description": "", "priority": Priority.NORMAL, "tags": []}
ALL = frozenset({*PLAIN, "status", "due_at", "owner", "contact", "account", "deal", "custom"})
ABOUT: dict[str, type[Any]] = {"deal": Deal, "contact": Contact, "account": Account}
LONGEST = {"title": rules.SUBJECT_LENGTH, "description": rules.BODY_LENGTH}
END_OF_DAY = time(23, 59, 59)


def check(values: Mapping[str, Any], *, complete: bool) -> None:
    """Raises Invalid, with a message for each field that breaks a rule, and Forbidden for an unknown field.

    `complete` asks for what a new task needs.
    """
    unknown = set(values) - ALL
    if unknown:
        raise Forbidden(_("“%(field)s” can't be changed here.") % {"field": min(unknown)})
    wrong: dict[str, str] = {}
    if (complete or "title" in values) and not str(values.get("title") or "").strip():
        wrong["title"] = _("Say what is to be done.")
    for key, limit in LONGEST.items():
        if len(values.get(key) or "") > limit:
            wrong[key] = _("Too long: %(limit)s characters at most.") % {"limit": limit}
    if values.get("status") and values["status"] not in TaskStatus.values:
        wrong["status"] = _("Choose one of the list.")
    if values.get("priority") and values["priority"] not in Priority.values:
        wrong["priority"] = _("Choose one of the list.")
    if wrong:
        raise Invalid(fields=wrong)


def put_plain(task: Task, values: Mapping[str, Any], acting: Actor) -> None:
    """Sets the columns that `values` name, and when the task is due: at a moment, or on a day."""
    for key in PLAIN:
        if key in values:
            value = values[key]
            value = EMPTY.get(key) if value in (None, "") else value
            setattr(task, key, value.strip() if isinstance(value, str) else value)
    if "due_at" in values:
        task.due_at, task.is_timed = _moment(values["due_at"], acting)


def _moment(due: datetime | date | None, acting: Actor) -> tuple[datetime | None, bool]:
    """The moment that is kept, and whether a time was given. A day lasts until its end where the actor is."""
    if due is None or isinstance(due, datetime):
        return due, True
    return timezone.make_aware(datetime.combine(due, END_OF_DAY), ZoneInfo(acting.time_zone)), False


def put_owner(task: Task, values: Mapping[str, Any], acting: Actor) -> None:
    """Gives the task to a member; an empty owner changes nothing. Raises Invalid unless they are active."""
    owner_id = _key_of(values.get("owner"))
    if owner_id is None:
        if getattr(task, "owner_id", None) is None:
            raise Invalid(fields={"owner": _("Choose who is to do it.")})
        return
    known = owner_id in (task.owner_id, acting.member_id)
    if not known and not Membership.objects.filter(pk=owner_id, active=True).exists():
        raise Invalid(fields={"owner": _("Choose an active member of the organisation.")})
    task.owner_id = owner_id


def put_about(task: Task, values: Mapping[str, Any], acting: Actor) -> None:
    """What the task is about, with the account of its deal or contact.

    Raises NotFound for what the actor doesn't see, and Invalid for an account that is another one.
    """
    named = {key: _key_of(values[key]) for key in ABOUT if key in values}
    changed = {key for key, pk in named.items() if pk != getattr(task, f"{key}_id")}
    for key in changed:
        if named[key]:
            access.get_visible(ABOUT[key], named[key] or "", acting)
        setattr(task, f"{key}_id", named[key])
    if not changed:
        return
    own = _account_of(task)
    if own and "account" in changed and named["account"] and named["account"] != own:
        raise Invalid(fields={"account": _("This is not the account of that contact or deal.")})
    if task.deal_id or task.contact_id:
        task.account_id = own


def _account_of(task: Task) -> UUID | None:
    """The account of the deal, else of the contact."""
    for key in ("deal", "contact"):
        pk = getattr(task, f"{key}_id")
        if pk:
            rows = ABOUT[key]._base_manager.filter(pk=pk)
            found: UUID | None = rows.values_list("account_id", flat=True).first()
            if found:
                return found
    return None


def _key_of(value: Any) -> UUID | None:
    """The id in a value that may be a record, an id, or empty. Raises Invalid for what is none."""
    value = getattr(value, "pk", value)
    if not value:
        return None
    if not access.is_uuid(value):
        raise Invalid(_("This is not something that can be chosen. Reload the page and try again."))
    return access.as_uuid(value)
