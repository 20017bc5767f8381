"""Changing many deals at once, by the rules of update_deal (crm.records.bulk): fields, owners, accounts and stages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Account
from crm import access
from crm.events import emit_batch
from crm.lib.errors import Conflict, CrmError, Invalid
from crm.models import Membership
from crm.records import timeline
from crm.records.bulk import Edit, columns_changed, put_custom
from crm.tenancy.context import Actor, elevated
from deals import positions, queries, rules
from deals.actions import _steps, _values
from deals.actions.deals import STAGE_COLUMNS, check_manage, check_pipeline, put_forecast
from deals.enums import DealStatus
from deals.events import DealStageChanged, DealUpdated
from deals.models import Deal, Stage, StageChange


@dataclass(frozen=True, slots=True)
class _Known:
    """What the edits name, read once: active members, accounts that the actor sees, locked stages."""

    owners: frozenset[str]
    accounts: frozenset[str]
    stages: dict[str, Stage]


def apply_deals(edits: Sequence[Edit], acting: Actor) -> None:
    """Puts what deals are to get into them, unsaved; a step to another stage goes into `extra`."""
    _load_stages([edit.record for edit in edits])
    known, now = _known(edits, acting), timezone.now()
    for edit in edits:
        try:
            _apply(edit, known, acting, now)
        except CrmError as error:
            edit.error = error
    put_custom("deal", edits, acting)
    entering = [e.record for e in edits if e.open and e.extra is not None and e.record.status == DealStatus.OPEN]
    _place_on_top(entering)


def _load_stages(deals: Sequence[Deal]) -> None:
    """Gives deals the objects of the stages they are in: one statement."""
    stages = Stage.everything.in_bulk({deal.stage_id for deal in deals})
    for deal in deals:
        deal.stage = stages[deal.stage_id]


def _known(edits: Sequence[Edit], acting: Actor) -> _Known:
    named: dict[str, set[Any]] = {key: _named(edits, key) for key in ("owner", "account", "stage")}
    owners = Membership.objects.filter(pk__in=named["owner"], active=True) if named["owner"] else ()
    accounts = access.visible(Account, acting).filter(pk__in=named["account"]) if named["account"] else ()
    stages = _steps.lock_stages(named["stage"]) if named["stage"] else {}
    return _Known(
        frozenset([str(acting.member_id), *(str(member.pk) for member in owners)]),
        frozenset(str(account.pk) for account in accounts),
        {str(pk): stage for pk, stage in stages.items()},
    )


def _named(edits: Sequence[Edit], key: str) -> set[Any]:
    found = {_values.key_of(edit.values.get(key)) for edit in edits}
    return {value for value in found if value and access.is_uuid(value)}


def _apply(edit: Edit, known: _Known, acting: Actor, now: Any) -> None:
    """update_deal's steps for one deal, with everything that it would look up at hand. Raises what it raises."""
    deal, values = edit.record, edit.values
    _values.check(values, complete=False)
    wanted = _values.key_of(values.get("stage"))
    stage = None
    if wanted and str(wanted) != str(deal.stage_id):
        stage = known.stages.get(str(wanted))
        if stage is None:
            raise access.absent(Stage)
    _put_links(deal, values, known, acting)
    _values.put_plain(deal, values)
    if stage is not None:
        reason, note = values.get("close_reason") or "", values.get("close_note") or ""
        edit.extra = _steps.step(deal, stage, now=now, reason=reason, note=note, acting=acting)
    put_forecast(deal, values)


def _put_links(deal: Deal, values: dict[str, Any], known: _Known, acting: Actor) -> None:
    owner_id = _values.key_of(values["owner"]) if "owner" in values else deal.owner_id
    if str(owner_id) != str(deal.owner_id):
        check_manage(deal, acting)
        if str(owner_id) not in known.owners:
            raise Invalid(fields={"owner": _values.NO_MEMBER})
        deal.owner_id = owner_id
    account_id = _values.key_of(values["account"]) if "account" in values else deal.account_id
    if str(account_id) != str(deal.account_id):
        if account_id and str(account_id) not in known.accounts:
            raise access.absent(Account)
        deal.account_id = account_id
    check_pipeline(deal, values)


def _place_on_top(deals: Sequence[Deal]) -> None:
    """Puts open deals on top of the columns that they have come to, each above the one before it."""
    columns = defaultdict(list)
    for deal in deals:
        columns[deal.stage_id].append(deal)
    with elevated("keys of the cards of columns that deals come to"):
        tops = queries.first_positions(columns) if columns else {}
        for stage_id, column in columns.items():
            for deal, key in zip(column, _keys(column[0].stage, tops.get(stage_id), len(column)), strict=True):
                deal.position = key


def _keys(stage: Stage, top: str | None, count: int) -> list[str]:
    try:
        return positions.above(top, count)
    except positions.NoRoomError:
        _steps.renumber(stage)
        return positions.above(queries.first_positions([stage.pk]).get(stage.pk), count)


# ---------------------------------------------------------------- when they are written


def tell_deals(edits: Sequence[Edit], acting: Actor) -> None:
    """Keeps the steps of written deals in their history and on the timeline, and tells the others, by pipeline."""
    stepped = [edit for edit in edits if edit.extra is not None]
    for edit in stepped:
        deal, change = edit.record, edit.extra
        change.amount, change.currency, change.probability = deal.amount, deal.currency, deal.probability
        change.deal_version = deal.version
    StageChange.objects.bulk_create([edit.extra for edit in stepped], batch_size=1000)
    timeline.write([_steps.entry_of(edit.extra) for edit in stepped], acting=acting)
    _tell_steps(stepped)
    _tell_fields([edit for edit in edits if edit.extra is None or set(edit.changed) - set(STAGE_COLUMNS)])


def _tell_steps(edits: Sequence[Edit]) -> None:
    groups = defaultdict(list)
    for edit in edits:
        groups[edit.before["pipeline_id"], edit.record.pipeline_id].append(edit)
    for (previous, pipeline), group in groups.items():
        emit_batch(
            DealStageChanged.name,
            [edit.record.pk for edit in group],
            pipeline=pipeline,
            previous_pipeline=previous,
            stages=list({stage for edit in group for stage in (edit.record.stage_id, edit.before["stage_id"])}),
            **_owners(group),
        )


def _tell_fields(edits: Sequence[Edit]) -> None:
    groups = defaultdict(list)
    for edit in edits:
        groups[edit.record.pipeline_id].append(edit)
    for pipeline, group in groups.items():
        fields = [name for name in columns_changed(group) if name not in STAGE_COLUMNS]
        stages = list({edit.record.stage_id for edit in group})
        records = [edit.record.pk for edit in group]
        emit_batch(DealUpdated.name, records, pipeline=pipeline, stages=stages, fields=fields, **_owners(group))


def _owners(edits: Sequence[Edit]) -> dict[str, list[UUID]]:
    return {
        "owners": list({edit.record.owner_id for edit in edits}),
        "previous_owners": list({edit.before["owner_id"] for edit in edits}),
    }


# ---------------------------------------------------------------- taken back


def undo_deals(edits: Sequence[Edit], acting: Actor) -> None:
    """Gives deals whose step is taken back what the log does not hold: the clocks, the closing, the place in the
    column. Refuses those whose former stage is gone."""
    back = [edit for edit in edits if edit.open and edit.moved("stage_id")]
    if not back:
        return
    there = _steps.lock_stages({edit.record.stage_id for edit in back})
    came_from = Stage.everything.in_bulk({edit.before["stage_id"] for edit in back})
    steps = StageChange.objects.filter(deal_id__in=[e.record.pk for e in back], to_stage_id__in=came_from)
    last = {(step.deal_id, step.deal_version): step for step in steps.order_by("id")}
    now = timezone.now()
    for edit in back:
        stage = there.get(edit.record.stage_id)
        if stage is None:
            edit.error = Conflict(_("The stage that it was in is gone."))
            continue
        step = last.get((edit.record.pk, edit.before["version"]))
        _step_back(edit, stage, came_from[edit.before["stage_id"]], step, now, acting)
    _place_back([edit.record for edit in back if edit.open and edit.record.status == DealStatus.OPEN])


def _step_back(edit: Edit, stage: Stage, came_from: Stage, step: StageChange | None, now: Any, acting: Actor) -> None:
    deal = edit.record
    for column, value in (step.before if step is not None else {}).items():
        if not edit.moved(column):  # else the log has said it
            field: Any = Deal._meta.get_field(column)
            setattr(deal, column, field.to_python(value))
    deal.stage, deal.pipeline_id = stage, stage.pipeline_id
    before = _steps.as_json({column: edit.before[column] for column in rules.RESTORED})
    seconds = max(0, int((now - edit.before["stage_entered_at"]).total_seconds()))
    edit.extra = _steps.change_of(deal, came_from, now=now, seconds=seconds, before=before, acting=acting)
    edit.extra.undoes = step


def _place_back(deals: Sequence[Deal]) -> None:
    """Leaves deals the keys that they had in their columns; those whose key another card has go on top."""
    with elevated("keys of the cards of columns that deals go back to"):
        others = Deal.objects.filter(stage_id__in={d.stage_id for d in deals}, status=DealStatus.OPEN)
        others = others.filter(position__in={d.position for d in deals}).exclude(pk__in=[d.pk for d in deals])
        taken = set(others.values_list("stage_id", "position")) if deals else set()
    _place_on_top([deal for deal in deals if (deal.stage_id, deal.position) in taken])
