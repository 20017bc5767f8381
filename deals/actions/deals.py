"""Deals: adding, changing, handing over, deleting and restoring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Account
from crm import access
from crm.actions.base import action
from crm.actions.bin import delete_record, restore_record
from crm.actions.notifications import notify
from crm.events import emit, emit_batch
from crm.lib.errors import Forbidden, Invalid
from crm.models import Membership
from crm.records import custom
from crm.records.limits import check_writable
from crm.tenancy.backend.kept import save_columns
from crm.tenancy.context import Actor, elevated
from deals import rules
from deals.actions import _new, _steps, _values
from deals.enums import DealStatus, StageKind
from deals.events import DealCreated, DealUpdated
from deals.models import Deal, Stage, StageChange


@action
def create_deal(values: Mapping[str, Any], *, acting: Actor) -> Deal:
    """Adds a deal on top of its column. The creator owns it unless `values` name an owner.

    Keys of `values` are those of the record type: name, amount (minor units), currency, stage, pipeline, owner,
    account, close_date, probability, next_step, next_step_at, source, tags, forecast_category, and `contacts`, a list
    of contact ids or (id, role) pairs, the first one primary. Without a stage it starts in the first one of the
    pipeline, by default the default pipeline. A closed stage takes `close_reason`, `close_note` and `closed_on`.
    Raises Invalid and Forbidden.
    """
    deal = _new.make([values], acting)[0]
    emit(DealCreated(record=deal.pk, pipeline=deal.pipeline_id, stage=deal.stage_id, owner=deal.owner_id))
    return deal


@action
def create_deals(rows: Sequence[Mapping[str, Any]], *, acting: Actor) -> list[Deal]:
    """Adds many deals by the rules of `create_deal`, each on top of the ones before it.

    One wrong row refuses them all; the keys of Invalid.fields are then "<row index>.<field>".
    """
    deals = _new.make(rows, acting)
    for pipeline, group in groupby(sorted(deals, key=lambda d: str(d.pipeline_id)), key=lambda d: d.pipeline_id):
        made = list(group)
        emit_batch(
            DealCreated.name,
            [d.pk for d in made],
            pipeline=pipeline,
            stages=list({d.stage_id for d in made}),
            owners=list({d.owner_id for d in made}),
        )
    return deals


@action
def update_deal(deal_id: UUID | str, values: Mapping[str, Any], *, acting: Actor, version: int | None = None) -> Deal:
    """Changes the fields named in `values` (keys as in `create_deal`), the stage and the owner among them.

    An empty `probability` or `forecast_category` follows the stage again. Raises NotFound, Forbidden, Invalid, and
    Conflict when `version` is not the deal's any more.
    """
    deal = access.get_writable(Deal, deal_id, acting, "stage", "owner__user", "account")
    _steps.check_version(deal, version)
    _values.check(values, complete=False)
    check_writable("deal", values, acting)
    wanted = _values.key_of(values.get("stage"))
    stage = _steps.lock_stage(wanted) if wanted and str(wanted) != str(deal.stage_id) else None
    former = {column: getattr(deal, column) for column in _COLUMNS}
    _put_links(deal, values, acting)
    _values.put_plain(deal, values)
    own_changed = "custom" in values and _put_custom(deal, values["custom"] or {}, acting)
    change = None
    if stage is not None:
        reason, note = values.get("close_reason") or "", values.get("close_note") or ""
        change = _steps.step(deal, stage, now=timezone.now(), reason=reason, note=note, acting=acting)
        if stage.kind == StageKind.OPEN:
            deal.position = _steps.place(deal, stage, None, None)
    put_forecast(deal, values)
    changed = [column for column in _COLUMNS if getattr(deal, column) != former[column]]
    if own_changed and "custom" not in changed:
        changed.append("custom")  # an encrypted value, which stands in no column
    if not changed:
        return deal
    if change is None:
        deal.version += 1
    # The new owner's row may be one that the actor does not see; handing over was allowed above.
    with elevated("handing a deal over"):
        save_columns(deal, [*changed, "version", "updated_at"])
        if change is not None:
            change.amount, change.currency, change.probability = deal.amount, deal.currency, deal.probability
            StageChange.objects.bulk_create([change])
            _steps.tell(change, acting=acting)
    _tell(deal, former["owner_id"], [c for c in changed if change is None or c not in STAGE_COLUMNS], acting)
    return deal


_COLUMNS = (*_values.PLAIN, "custom", "owner_id", "account_id", "stage_id", "pipeline_id", *rules.RESTORED)
STAGE_COLUMNS = ("stage_id", "pipeline_id", *rules.RESTORED)


def _put_custom(deal: Deal, given: Mapping[str, Any], acting: Actor) -> bool:
    """Sets values of the organisation's own fields; whether one was changed. Raises Invalid and Forbidden."""
    merged = custom.merge("deal", given, acting=acting, present=deal.custom)
    custom.settle(deal.pk, merged)
    deal.custom = merged.values
    return bool(merged.changed)


def _put_links(deal: Deal, values: Mapping[str, Any], acting: Actor) -> None:
    """Owner and account. Raises Invalid, and Forbidden when the actor may not give the deal away."""
    owner_id = _values.key_of(values["owner"]) if "owner" in values else deal.owner_id
    if str(owner_id) != str(deal.owner_id):
        check_manage(deal, acting)
        _values.check_owners({owner_id}, acting)
        deal.owner = Membership.objects.select_related("user").get(pk=owner_id)
    account_id = _values.key_of(values["account"]) if "account" in values else deal.account_id
    if str(account_id) != str(deal.account_id):
        deal.account = access.get_visible(Account, account_id, acting) if account_id else None
    check_pipeline(deal, values)


def check_manage(deal: Deal, acting: Actor) -> None:
    """Raises Forbidden when the deal is not the actor's to give away."""
    if not rules.may_manage(deal, acting):
        raise Forbidden(_("Only the owner, their manager or an admin can hand this deal over."))


def check_pipeline(deal: Deal, values: Mapping[str, Any]) -> None:
    """Raises Invalid for another pipeline without a stage of it."""
    pipeline_id = _values.key_of(values.get("pipeline"))
    if pipeline_id and str(pipeline_id) != str(deal.pipeline_id) and not values.get("stage"):
        raise Invalid(fields={"stage": _("Choose a stage of that pipeline.")})


def put_forecast(deal: Deal, values: Mapping[str, Any]) -> None:
    """Probability and category by hand; closed deals have theirs from the outcome."""
    if deal.status != DealStatus.OPEN:
        return
    if "probability" in values:
        given = values["probability"]
        # The stage's own figure is no decision of its own: the deal goes on following its stage.
        deal.probability_by_hand = given is not None and (given != deal.stage.probability or deal.probability_by_hand)
        deal.probability = deal.stage.probability if given is None else given
    if "forecast_category" in values:
        given = values["forecast_category"]
        natural = rules.forecast_category(deal.probability, deal.status)
        deal.forecast_by_hand = bool(given) and (given != natural or deal.forecast_by_hand)
        deal.forecast_category = given or natural
    elif not deal.forecast_by_hand:
        deal.forecast_category = rules.forecast_category(deal.probability, deal.status)


def _tell(deal: Deal, former_owner: UUID, fields: list[str], acting: Actor) -> None:
    """The event of a change, and the new owner's notification."""
    if fields:
        emit(
            DealUpdated(
                record=deal.pk,
                pipeline=deal.pipeline_id,
                stage=deal.stage_id,
                owner=deal.owner_id,
                previous_owner=former_owner,
                fields=tuple(fields),
            )
        )
    if deal.owner_id not in (former_owner, acting.member_id):
        notify(deal.owner_id, "deal.assigned", record_type="deal", record=deal.pk, name=deal.name, by=acting.name)


@action
def assign_deal(deal_id: UUID | str, owner_id: UUID | str, *, acting: Actor, version: int | None = None) -> Deal:
    """Hands a deal to another member, who is told. The former owner may not see it afterwards.

    Raises NotFound, Forbidden, Invalid (no active member) and Conflict.
    """
    return update_deal(deal_id, {"owner": owner_id}, acting=acting, version=version)


@action
def delete_deal(deal_id: UUID | str, *, acting: Actor) -> Deal:
    """Puts a deal into the recycle bin. Raises NotFound, and Forbidden for whom it is only shared with."""
    deleted: Deal = delete_record("deal", deal_id, acting=acting)
    return deleted


@action
def restore_deal(deal_id: UUID | str, *, acting: Actor) -> Deal:
    """Takes a deal out of the recycle bin, to its former place. Raises NotFound, Forbidden, Conflict."""
    restored: Deal = restore_record("deal", deal_id, acting=acting)
    return restored


def mend_restored(deals: Sequence[Deal], acting: Actor) -> dict[UUID, str]:
    """Takes deals whose stage is gone to the first one of its kind in their pipeline, before they are restored.

    Says of which deals the whole pipeline is gone: they can't come back.
    """
    refused: dict[UUID, str] = {}
    there = _steps.lock_stages({deal.stage_id for deal in deals})
    for deal in deals:
        if deal.stage_id in there:
            continue
        stages = Stage.objects.filter(pipeline_id=deal.pipeline_id, kind=deal.stage.kind).order_by("position", "pk")
        stage = stages.select_related("pipeline").first()
        if stage is None:
            refused[deal.pk] = _("The pipeline of this deal was deleted, so the deal can't come back.")
            continue
        change = _steps.step(deal, stage, now=timezone.now(), acting=acting)
        if stage.kind == StageKind.OPEN:
            deal.position = _steps.place(deal, stage, None, None)
        _steps.save(deal, change, acting=acting)
    return refused
