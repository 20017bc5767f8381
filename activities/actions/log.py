"""Logging what happened: notes, calls and meetings on a contact, an account or a deal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from activities import rules
from activities.access import get_correctable
from activities.actions import _touch
from activities.enums import Source
from activities.events import (
    ActivityEvent,
    ActivityLogged,
    ActivityUpdated,
)
from activities.models import Activity
from contacts.models import Account, Contact
from crm import access
from crm.actions.base import action
from crm.actions.bin import put, restore_record
from crm.events import emit, emit_batch
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.records.bin import bin_type
from crm.tenancy.context import Actor
from deals.models import Deal

BATCH = 1000  # rows written by one statement
KEY = "activity"  # what the recycle bin calls them


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity:
    """What is logged. It belongs to a deal, else to a contact, else to an account.

    A deal may name the contact it was with. Without `occurred_at` it happened now; in the future it is planned.
    `owner_id` is who did it, by default the actor.
    """

    type: str
    subject: str = ""
    body: str = ""
    direction: str = ""
    occurred_at: datetime | None = None
    duration_seconds: int | None = None
    outcome: str = ""
    contact_id: UUID | None = None
    account_id: UUID | None = None
    deal_id: UUID | None = None
    source: str = Source.MANUAL
    owner_id: UUID | None = None


@action
def log_activity(new: NewActivity, *, acting: Actor) -> Activity:
    """Puts an activity on the timeline of a record that the actor may write.

    Raises NotFound for a record that is absent or not for this actor, Forbidden for who may only read, Invalid.
    """
    made = _write([new], acting)[0]
    emit(event_of(ActivityLogged, made))
    return made


@action
def log_activities(rows: Sequence[NewActivity], *, acting: Actor) -> list[Activity]:
    """Logs many by the rules of `log_activity`; one wrong row refuses them all.

    The keys of Invalid.fields are then "<row index>.<field>".
    """
    made = _write(rows, acting)
    for start in range(0, len(made), BATCH):
        part = made[start : start + BATCH]
        emit_batch(
            ActivityLogged.name,
            [a.pk for a in part],
            contacts=list({a.contact_id for a in part if a.contact_id}),
            deals=list({a.deal_id for a in part if a.deal_id}),
        )
    return made


@action
def update_activity(
    activity_id: UUID | str, values: Mapping[str, Any], *, acting: Actor, version: int | None = None
) -> Activity:
    """Corrects what was logged: subject, body, direction, occurred_at, duration_seconds, outcome.

    One's own, a manager those of the teams below, an admin all. Raises NotFound, Forbidden for entries of the
    system, Invalid, and Conflict when `version` is not the activity's any more.
    """
    activity = _correctable(activity_id, acting, version)
    unknown = set(values) - set(rules.EDITABLE)
    if unknown:
        raise Invalid(fields=dict.fromkeys(unknown, _("This can't be changed.")))
    now, former = timezone.now(), activity.occurred_at
    merged = {name: getattr(activity, name) for name in (*rules.EDITABLE, "type")} | dict(values)
    found = rules.problems(merged, now)
    if found:
        raise Invalid(fields=found)
    changed = [name for name in values if getattr(activity, name) != _tidy(values[name])]
    if not changed:
        return activity
    for name in changed:
        setattr(activity, name, _tidy(values[name]))
    activity.version += 1
    activity.save(update_fields=[*changed, "version", "updated_at"])
    if activity.occurred_at != former:
        _touch.moved(activity, former, now)
    emit(event_of(ActivityUpdated, activity))
    return activity


@action
def delete_activity(activity_id: UUID | str, *, acting: Actor, version: int | None = None) -> Activity:
    """Puts an activity into the recycle bin; who may, as in `update_activity`. Raises NotFound, Forbidden, Conflict."""
    activity = _correctable(activity_id, acting, version)
    put(bin_type(KEY), [activity], acting)
    return activity


@action
def restore_activity(activity_id: UUID | str, *, acting: Actor) -> Activity:
    """Takes an activity out of the recycle bin. Raises NotFound."""
    restored: Activity = restore_record(KEY, activity_id, acting=acting)
    return restored


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _correctable(activity_id: UUID | str, acting: Actor, version: int | None) -> Activity:
    activity = get_correctable(activity_id, acting)
    if version is not None and activity.version != version:
        raise Conflict(_("Not saved. Somebody else changed this entry in the meantime. Reload to see their changes."))
    return activity


def event_of(kind: type[ActivityEvent], activity: Activity) -> ActivityEvent:
    """An event about an activity."""
    return kind(
        record=activity.pk, type=activity.type, occurred_at=activity.occurred_at.isoformat(),
        contact=activity.contact_id, account=activity.account_id, deal=activity.deal_id,
    )  # fmt: skip


def _write(rows: Sequence[NewActivity], acting: Actor) -> list[Activity]:
    """Checks and writes rows: one statement per table."""
    now = timezone.now()
    _check(rows, now)
    accounts = _accounts_of(rows, acting)
    made = []
    for row, account_id in zip(rows, accounts, strict=True):
        values = {name: _tidy(value) for name, value in asdict(row).items()}
        values |= {"occurred_at": row.occurred_at or now, "account_id": account_id}
        values["owner_id"] = row.owner_id or acting.member_id
        made.append(Activity(**values))
    Activity.objects.bulk_create(made, batch_size=BATCH)
    _touch.touched(made, now, derived=any(row.deal_id and row.contact_id for row in rows))
    return made


def _check(rows: Sequence[NewActivity], now: datetime) -> None:
    found: dict[str, str] = {}
    for index, row in enumerate(rows):
        values = asdict(row) | {"occurred_at": row.occurred_at or now}
        wrong = rules.problems(values, now)
        if not (row.contact_id or row.account_id or row.deal_id):
            wrong["contact"] = _("Choose what this is about.")
        prefix = f"{index}." if len(rows) > 1 else ""
        found |= {prefix + name: message for name, message in wrong.items()}
    if found:
        raise Invalid(fields=found)


def _accounts_of(rows: Sequence[NewActivity], acting: Actor) -> list[UUID | None]:
    """The account of each row, after everything it is about was found and may be written.

    Raises NotFound, Forbidden, and Invalid for an account that is not the contact's or deal's.
    """
    if acting.write == "none":
        raise Forbidden(_("You can view this organisation's records, but not add anything to them."))
    deals = _writable(Deal, (row.deal_id for row in rows), acting)
    contacts = _writable(Contact, (row.contact_id for row in rows if not row.deal_id), acting)
    contacts |= _visible(Contact, {row.contact_id for row in rows if row.deal_id} - set(contacts), acting)
    alone = (row.account_id for row in rows if not (row.deal_id or row.contact_id))
    _writable(Account, alone, acting)
    result: list[UUID | None] = []
    for row in rows:
        own = (deals[row.deal_id] if row.deal_id else None) or (contacts[row.contact_id] if row.contact_id else None)
        if row.account_id and (row.deal_id or row.contact_id) and row.account_id != own:
            raise Invalid(fields={"account": _("This is not the account of that contact or deal.")})
        result.append(own or row.account_id)
    return result


def _writable(model: type[Any], wanted: Iterable[UUID | None], acting: Actor) -> dict[UUID, UUID | None]:
    """The records of those ids, locked in the order of their ids, with their accounts. Raises NotFound."""
    ids = {pk for pk in wanted if pk}
    if not ids:
        return {}
    rows = model._default_manager.filter(access.writable_q(model, acting), pk__in=ids, deleted_at__isnull=True)
    locked = rows.order_by("pk").select_for_update(of=("self",), no_key=True)
    return _complete(model, ids, locked)


def _visible(model: type[Any], wanted: Iterable[UUID | None], acting: Actor) -> dict[UUID, UUID | None]:
    ids = {pk for pk in wanted if pk}
    return _complete(model, ids, access.visible(model, acting).filter(pk__in=ids)) if ids else {}


def _complete(model: type[Any], ids: set[UUID], rows: Any) -> dict[UUID, UUID | None]:
    column = "pk" if model is Account else "account_id"
    found = dict(rows.values_list("pk", column))
    if len(found) < len(ids):
        raise access.absent(model)
    return found
