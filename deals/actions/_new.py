"""Making deals, one or many: the rules of `create_deal` and `create_deals` are these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.enums import ContactRole
from contacts.models import Account, Contact
from crm import rules as kernel_rules
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.records import custom, timeline
from crm.records.limits import check_writable
from crm.tenancy.context import Actor, elevated
from crm.tenancy.models import create_together
from deals import positions, queries, rules
from deals.actions import _steps, _values
from deals.enums import DealStatus, StageKind
from deals.models import Deal, DealContact, Stage

Rows = Sequence[Mapping[str, Any]]


def make(rows: Rows, acting: Actor) -> list[Deal]:
    """Checks and writes new deals with their history and timeline entries. Raises Invalid and Forbidden."""
    if not kernel_rules.may_edit_anything(acting):
        raise Forbidden(_("You can view this organisation's deals, but not add any."))
    for index, values in enumerate(rows):
        with _Row(index, len(rows)):
            _values.check(values, complete=True)
            check_writable("deal", (key for key, value in values.items() if value not in (None, "", [])), acting)
    stages = _stages_of(rows)
    _check_links(rows, acting)
    currency = _values.base_currency(acting) if any(not r.get("currency") for r in rows) else ""
    now = timezone.now()
    deals = []
    for index, values in enumerate(rows):
        with _Row(index, len(rows)):
            deals.append(_build(values, stages[index], currency, now, acting))
    _put_custom(deals, rows, acting)
    _place(deals)
    _write(deals, rows, now, acting)
    return deals


class _Row:
    """Says which of several rows an Invalid is about."""

    def __init__(self, index: int, of: int) -> None:
        self.index, self.of = index, of

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self.of > 1 and isinstance(error, Invalid):
            fields = {f"{self.index}.{name}": text for name, text in error.fields.items()}
            raise Invalid(error.message, fields=fields) from error


def _stages_of(rows: Rows) -> list[Stage]:
    """The stage that each row starts in, locked. Raises Invalid."""
    wanted = [_values.key_of(row.get("stage")) for row in rows]
    if not all(wanted):
        first = _first_stages()
        wanted = [
            stage or first.get(str(_values.key_of(row.get("pipeline")) or ""))
            for stage, row in zip(wanted, rows, strict=True)
        ]
    locked = {str(pk): stage for pk, stage in _steps.lock_stages({w for w in wanted if w}).items()}
    found = []
    for index, (row, stage_id) in enumerate(zip(rows, wanted, strict=True)):
        stage, pipeline_id = locked.get(str(stage_id)), _values.key_of(row.get("pipeline"))
        with _Row(index, len(rows)):
            if stage is None or (pipeline_id and str(stage.pipeline_id) != str(pipeline_id)):
                raise Invalid(fields={"stage": _("Choose a stage of the pipeline.")})
        found.append(stage)
    return found


def _first_stages() -> dict[str, UUID]:
    """The first open stage of each pipeline, by the pipeline's id; '' stands for the default pipeline."""
    rows = Stage.objects.filter(kind=StageKind.OPEN, pipeline__deleted_at__isnull=True).order_by("position", "pk")
    first: dict[str, UUID] = {}
    for pk, pipeline_id, is_default in rows.values_list("pk", "pipeline_id", "pipeline__is_default"):
        first.setdefault(str(pipeline_id), pk)
        if is_default:
            first.setdefault("", pk)
    return first


def _check_links(rows: Rows, acting: Actor) -> None:
    """Owners are active members; accounts and contacts are ones that the actor sees."""
    _values.check_owners({_values.key_of(r.get("owner")) or acting.member_id for r in rows} - {None}, acting)
    _values.check_visible(Account, {_values.key_of(r.get("account")) for r in rows} - {None}, "account", acting)
    contacts = {contact for row in rows for contact, _role in _contacts_of(row)}
    _values.check_visible(Contact, contacts, "contacts", acting)


def _contacts_of(values: Mapping[str, Any]) -> list[tuple[Any, str]]:
    pairs = [c if isinstance(c, tuple | list) else (c, ContactRole.UNKNOWN) for c in values.get("contacts") or ()]
    return list({str(_values.key_of(contact)): (_values.key_of(contact), role) for contact, role in pairs}.values())


def _build(values: Mapping[str, Any], stage: Stage, currency: str, now: datetime, acting: Actor) -> Deal:
    owner_id = _values.key_of(values.get("owner")) or acting.member_id
    if owner_id is None:
        raise Invalid(fields={"owner": _("Choose an owner.")})
    reason = values.get("close_reason") or ""
    _steps.check_reason(stage, reason)
    deal = Deal(owner_id=owner_id, account_id=_values.key_of(values.get("account")), currency=currency)
    deal.status = DealStatus.OPEN
    _values.put_plain(deal, {k: v for k, v in values.items() if k not in ("close_reason", "close_note")})
    given = values.get("probability")
    if given is not None and given != stage.probability:
        deal.probability, deal.probability_by_hand = given, True
    deal.forecast_category = values.get("forecast_category") or ""
    deal.forecast_by_hand = bool(deal.forecast_category)
    entered = _values.moment(values.get("stage_entered_at"), now)
    closed_on = values.get("closed_on") or _values.today_of(acting)
    rules.enter_stage(deal, stage, now=entered, today=closed_on, reason=reason, note=values.get("close_note") or "")
    deal.touched_at = _values.moment(values.get("touched_at"), entered)
    return deal


def _put_custom(deals: list[Deal], rows: Rows, acting: Actor) -> None:
    """Values of the organisation's own fields. Raises Invalid and Forbidden."""
    found = custom.merge_rows("deal", [(row.get("custom") or {}, None) for row in rows], acting=acting)
    good = []
    for index, (deal, merged) in enumerate(zip(deals, found, strict=True)):
        with _Row(index, len(rows)):
            if isinstance(merged, CrmError):
                raise merged
        deal.custom = merged.values
        good.append((deal.pk, merged))
    refused = custom.settle_rows(good)
    for index, deal in enumerate(deals):
        with _Row(index, len(rows)):
            if deal.pk in refused:
                raise refused[deal.pk]


def _place(deals: list[Deal]) -> None:
    """On top of the columns, the last one topmost, as if they were added one after the other."""
    columns: dict[UUID, list[Deal]] = defaultdict(list)
    for deal in deals:
        deal.position = positions.fresh(1)[0]
        if deal.status == DealStatus.OPEN:
            columns[deal.stage_id].append(deal)
    with elevated("keys of the cards of a column"):
        tops = queries.first_positions(list(columns))
        for stage_id, column in columns.items():
            try:
                keys = positions.above(tops.get(stage_id), len(column))
            except positions.NoRoomError:
                _steps.renumber(column[0].stage)
                keys = positions.above(queries.first_positions([stage_id]).get(stage_id), len(column))
            for deal, key in zip(column, keys, strict=True):
                deal.position = key


def _write(deals: list[Deal], rows: Rows, now: datetime, acting: Actor) -> None:
    changes = [_steps.change_of(d, None, now=d.stage_entered_at, seconds=0, before={}, acting=acting) for d in deals]
    contacts = [
        DealContact(deal=deal, contact_id=contact, role=role, is_primary=index == 0)
        for deal, values in zip(deals, rows, strict=True)
        for index, (contact, role) in enumerate(_contacts_of(values))
    ]
    entries = [
        timeline.Entry(kind="system", data={"event": "created"}, occurred_at=now, deal_id=d.pk, account_id=d.account_id)
        for d in deals
    ]
    # Somebody else may be the owner, one whose deals the actor does not see.
    with elevated("adding deals for others"):
        create_together(deals, changes, contacts, timeline.rows(entries, acting=acting), batch_size=500)
