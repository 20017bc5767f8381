"""Runs: changing many records under one change set, a part of 1,000 to a transaction, with their progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import access, rules
from crm.actions.base import action
from crm.actions.bin import may_manage, put
from crm.actions.notifications import notify
from crm.actions.tags import clean_tags, tags_of_rows
from crm.audit import change_set as new_change_set
from crm.enums import BulkKind, BulkStatus, ChangeSetKind
from crm.events import enqueue_on_commit
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import BulkPart, BulkRun, ChangeSet
from crm.records import bulk, schema, selections, undoing
from crm.records.bin import bin_type
from crm.records.bulk import Edit
from crm.records.registry import ALL_ROLES, FieldType, RecordType
from crm.records.selections import Selection
from crm.tenancy import context
from crm.tenancy.context import Actor
from crm.tenancy.fields import new_id

TASK = "crm.bulk.run"
PART = 1000  # records of one transaction
AT_ONCE = 200  # records that are changed within the request
LONGEST_REASON = 300


@dataclass(slots=True)
class Result:
    """What became of the records of a part."""

    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[UUID, str]] = field(default_factory=list)


def get_run(run_id: UUID | str, acting: Actor, *, lock: bool = False) -> BulkRun:
    """A run of the actor's own; admins reach everybody's. Raises NotFound."""
    found = access.own_row(BulkRun, run_id, acting, lock=lock)
    if found is None:
        raise NotFound(_("This bulk action was not found."))
    return found


# ---------------------------------------------------------------- starting


@action
def start_bulk(
    record_type: str,
    kind: str,
    values: Mapping[str, Any],
    selection: Selection,
    *,
    acting: Actor,
    came_from: str = "",
) -> BulkRun:
    """Changes the chosen records that the actor may change: a few at once, many by a job; the run says how far it is.

    `kind` is assign (`owner`), set (fields by key), tag or untag (`tags`: names or ids), stage (the type's stage field,
    and why), or delete. What was chosen is settled here: records that match later are none of it. `came_from` is the
    query string of the list that it is begun from. Raises Forbidden, and Invalid for nothing, too much, or values that
    are not allowed.
    """
    if not rules.may_edit_anything(acting) or acting.member_id is None:
        raise Forbidden(_("You can view this organisation's records, but not change any."))
    type_ = schema.record_type(record_type, acting)
    wanted = _wanted(type_, BulkKind(kind), dict(values), acting)
    ids = selections.selected_ids(type_, selection, acting)
    if not ids:
        raise Invalid(_("None of the chosen records is there any more. Reload the list."))
    label = label_of(type_, BulkKind(kind), wanted)
    with new_change_set(ChangeSetKind.BULK_EDIT, label, acting=acting) as made:
        run = BulkRun(
            record_type=type_.key, kind=kind, values=wanted, label=label[:200], change_set=made, total=len(ids),
            came_from=came_from,
        )  # fmt: skip
        return begin(run, [(type_.key, ids)], acting)


def _wanted(kind: RecordType, what: BulkKind, values: dict[str, Any], acting: Actor) -> dict[str, Any]:
    """What the records get, as the run keeps it. Raises Forbidden and Invalid."""
    if what == BulkKind.DELETE:
        return {}
    if what in (BulkKind.TAG, BulkKind.UNTAG):
        field_ = tags_field(kind, acting)
        if field_ is None:
            raise Forbidden(_("Your role may not change the tags of these records."))
        named = [access.as_uuid(tag) if access.is_uuid(tag) else tag for tag in values.get("tags") or ()]
        tags = tags_of_rows([clean_tags(named)], acting)[0]
        if not tags:
            raise Invalid(fields={"tags": _("Choose a tag.")})
        return {"tags": [str(tag) for tag in tags]}
    if what == BulkKind.STAGE and not values.get(kind.bulk.stage):
        raise Invalid(fields={kind.bulk.stage: _("Choose a stage.")})
    if not values or what == BulkKind.UNDO:
        raise Invalid(_("Choose what to change."))
    kept = bulk.checked_values(kind, values, acting)
    try:
        bulk.read_values(kind, kept)
    except ValidationError as wrong:  # what no job could work with is no job
        raise Invalid(" ".join(wrong.messages)) from wrong
    return kept


def tags_field(kind: RecordType, acting: Actor) -> Any:
    """The field of a type that holds tags, if the actor may write it."""
    return next((f for f in bulk.fields_for_many(kind, acting) if f.type == FieldType.TAGS), None)


def label_of(kind: RecordType, what: BulkKind, values: Mapping[str, Any]) -> str:
    """What a run is called in histories, such as "Owner" or "Add tags": not by a field that some roles don't see."""
    if what in (BulkKind.SET, BulkKind.ASSIGN, BulkKind.STAGE):
        named = [str(f.label) for f in kind.fields if f.key in values and f.visible_to >= ALL_ROLES]
        return ", ".join(named) or str(what.label)
    return str(what.label)


def begin(run: BulkRun, chosen: Sequence[tuple[str, Sequence[UUID]]], acting: Actor) -> BulkRun:
    """Keeps a run with its records, by type, and does it: within the request, or by a job where they are many."""
    assert acting.member_id is not None
    run.id, run.owner_id = new_id(), acting.member_id
    run.save(force_insert=True)
    parts = [(key, ids) for key, all_ids in chosen for ids in selections.parts_of(all_ids, PART)]
    BulkPart.objects.bulk_create(
        [BulkPart(run=run, number=n, record_type=key, ids=ids) for n, (key, ids) in enumerate(parts)], batch_size=20
    )
    if run.total > AT_ONCE:
        enqueue_on_commit(TASK, run_id=run.id, member_id=acting.member_id)
        return run
    while run_part(run.id, acting=acting):
        pass
    return finish_run(run.id, acting=acting)


# ---------------------------------------------------------------- doing it


@action
def run_part(run_id: UUID | str, *, acting: Actor) -> bool:
    """Does the next part of a run and counts it, in one transaction. False when there is none, or it was cancelled.

    A job that is delivered twice, or again after its worker died, goes on with the first part that is not done.
    """
    run = get_run(run_id, acting, lock=True)
    part = BulkPart.objects.filter(run=run, is_done=False).order_by("number").first()
    if part is None or run.is_cancelled or not run.is_running:
        return False
    assert run.change_set_id is not None
    with context.recorded_under(run.change_set_id):
        result = _safely(part.ids, _doer(run, part.record_type, acting))
    part.is_done, part.refused = True, [[str(pk), text[:LONGEST_REASON]] for pk, text in result.refused]
    part.save(update_fields=["is_done", "refused"])
    run.status, run.started_at = BulkStatus.RUNNING, run.started_at or timezone.now()
    run.done += len(part.ids)
    run.changed += result.changed
    run.refused += len(result.refused)
    run.unchanged = run.done - run.changed - run.refused
    run.save(update_fields=["status", "started_at", "done", "changed", "unchanged", "refused", "updated_at"])
    return True


def _safely(ids: Sequence[UUID], do: Callable[[Sequence[UUID]], Result]) -> Result:
    """All records at once; where the database refuses them, one by one, so that only the bad ones stay."""
    try:
        with transaction.atomic():
            return do(ids)
    except DatabaseError:
        whole = Result()
    for pk in ids:
        try:
            with transaction.atomic():
                one = do([pk])
        except DatabaseError:
            one = Result(refused=[(pk, _("It could not be saved"))])
        whole.changed += one.changed
        whole.unchanged += one.unchanged
        whole.refused += one.refused
    return whole


def _doer(run: BulkRun, record_type: str, acting: Actor) -> Callable[[Sequence[UUID]], Result]:
    kind = schema.record_type(record_type, acting)
    if run.kind == BulkKind.UNDO:
        return lambda ids: _undo(kind, run, ids, acting)
    return lambda ids: _change(kind, run, ids, acting)


def _undo(kind: RecordType, run: BulkRun, ids: Sequence[UUID], acting: Actor) -> Result:
    assert run.undoes_id is not None
    done = undoing.undo_rows(kind, run.undoes_id, ids, acting)
    return Result(done.changed, done.unchanged, done.refused)


def _change(kind: RecordType, run: BulkRun, ids: Sequence[UUID], acting: Actor) -> Result:
    records = bulk.locked(kind, ids, acting)
    result = Result(refused=_left_out(kind, ids, {record.pk for record in records}, acting))
    if run.kind == BulkKind.DELETE:
        place = bin_type(kind.key)
        text = _("Only its owner, their manager or an administrator can delete this.")
        stay = {record.pk: text for record in records if not may_manage(place, record, acting)}
        stay |= place.rules.must_stay([record for record in records if record.pk not in stay], acting)
        gone = [record for record in records if record.pk not in stay]
        if gone:
            put(place, gone, acting)
        result.changed = len(gone)
        result.refused += stay.items()
        return result
    edits = [Edit(record, values) for record, values in _values(kind, run, records)]
    bulk.change(kind, edits, acting)
    result.changed = sum(bool(edit.open and edit.changed) for edit in edits)
    result.refused += [(edit.record.pk, undoing.text_of(edit.error)) for edit in edits if edit.error]
    result.unchanged = len(ids) - result.changed - len(result.refused)
    return result


def _left_out(kind: RecordType, ids: Sequence[UUID], found: set[UUID], acting: Actor) -> list[tuple[UUID, str]]:
    """Why some of the chosen records are not changed: the actor may only look at them, or they are gone."""
    missing = [pk for pk in ids if pk not in found]
    if not missing:
        return []
    seen = set(access.visible(kind.model, acting).filter(pk__in=missing).values_list("pk", flat=True))
    yours, gone = _("Not yours to change"), _("Deleted meanwhile, or out of your sight")
    return [(pk, yours if pk in seen else gone) for pk in missing]


def _values(kind: RecordType, run: BulkRun, records: Sequence[Any]) -> list[tuple[Any, dict[str, Any]]]:
    """What each record gets; tags are added to those it has, or taken from them."""
    given = bulk.read_values(kind, run.values)
    if run.kind not in (BulkKind.TAG, BulkKind.UNTAG):
        return [(record, given) for record in records]
    field_ = next(f for f in kind.fields if f.type == FieldType.TAGS)
    tags = [UUID(tag) for tag in run.values["tags"]]
    found = []
    for record in records:
        has = list(getattr(record, field_.column))
        rest = [tag for tag in has if tag not in tags]
        wanted = rest if run.kind == BulkKind.UNTAG else [*has, *(tag for tag in tags if tag not in has)]
        found.append((record, {field_.key: wanted}))
    return found


# ---------------------------------------------------------------- ending


@action
def finish_run(run_id: UUID | str, *, acting: Actor, error: str = "") -> BulkRun:
    """Marks a run as done, cancelled, or stopped by an error, and tells the member who got the records; the one who
    began it, too, where it went on in the background."""
    run = BulkRun.objects.select_for_update().get(pk=run_id)
    if not run.is_running:
        return run
    run.status = BulkStatus.FAILED if error else BulkStatus.CANCELLED if run.is_cancelled else BulkStatus.DONE
    run.error, run.finished_at = error, timezone.now()
    run.save(update_fields=["status", "error", "finished_at", "updated_at"])
    _tell_owner(run, acting)
    if run.total > AT_ONCE:
        _tell_maker(run, acting)
    return run


def _tell_maker(run: BulkRun, acting: Actor) -> None:
    """How a run ended, to who has left its page long ago."""
    ended = "partly" if run.status == BulkStatus.DONE and run.refused else str(run.status)
    told: dict[str, Any] = {"changed": run.changed, "left": run.refused, "done": run.done, "total": run.total}
    told |= {"what": run.kind, "label": run.label, "things": things_of(run, acting, run.total)}
    notify(run.owner_id, f"bulk.{ended}", record=run.pk, **told)


def things_of(run: BulkRun, acting: Actor, count: int) -> str:
    """What so many records of a run are called in a sentence."""
    if not run.record_type:
        return ngettext("record", "records", count)
    kind = schema.record_type(run.record_type, acting)
    return str(kind.label if count == 1 else kind.label_plural).lower()


def _tell_owner(run: BulkRun, acting: Actor) -> None:
    """One notification for all records that a run gave to somebody else than who began it."""
    owner = run.values.get("owner")
    if not owner or not run.changed or str(owner) == str(run.owner_id) or run.kind == BulkKind.UNDO:
        return
    things = things_of(run, acting, run.changed)
    notify(
        UUID(owner), "records.assigned", record_type=run.record_type, count=run.changed, things=things, by=acting.name
    )


@action
def cancel_run(run_id: UUID | str, *, acting: Actor) -> BulkRun:
    """Begins no further part of a run; what was done stays, and can be undone. Raises NotFound, and Conflict when it
    has ended."""
    run = get_run(run_id, acting, lock=True)
    if not run.is_running:
        raise Conflict(_("It has ended already. What it changed can be undone."))
    run.is_cancelled = True
    run.save(update_fields=["is_cancelled", "updated_at"])
    return run


def result_text(run: BulkRun) -> str:
    """What a run that is done has done, in a sentence."""
    text = ngettext("%(n)s record changed.", "%(n)s records changed.", run.changed) % {"n": f"{run.changed:,}"}
    if not run.refused:
        return text
    left = ngettext("%(n)s was left as it is.", "%(n)s were left as they are.", run.refused)
    return f"{text} {left % {'n': f'{run.refused:,}'}}"


def run_of(change_set: ChangeSet, acting: Actor) -> BulkRun | None:
    """The run that wrote a change set, if the actor may know of it."""
    runs = BulkRun.objects.filter(change_set=change_set)
    return (runs if acting.write == "all" else runs.filter(owner_id=acting.member_id)).first()
