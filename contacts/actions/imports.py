"""Importing a file: upload, check, start, and the chunks that a job writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import IO, Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.imports import planning, reading, sealing, sources
from contacts.imports.own import target_of
from contacts.imports.reading import RawRow
from contacts.imports.targets import Parsed, Result, Settings, Target
from contacts.models.importing import ImportJob, ImportRow, ImportStatus
from crm import access, rules
from crm.actions.base import action
from crm.enums import ChangeSetKind
from crm.events import enqueue_on_commit
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.lib.rollback import on_rollback
from crm.models import ChangeSet
from crm.tenancy import context
from crm.tenancy.context import Actor
from crm.tenancy.fields import new_id

CHUNK = 1000  # rows of one transaction
TASK = "contacts.bulk.run_import"
MAX_REASON = 300


def _job(job_id: UUID | str, acting: Actor, *, lock: bool = False) -> ImportJob:
    """An import of the actor's own; admins reach everybody's. Raises NotFound."""
    found = access.own_row(ImportJob, job_id, acting, lock=lock)
    if found is None:
        raise NotFound(_("This import was not found."))
    return found


def get_import(job_id: UUID | str, acting: Actor) -> ImportJob:
    """An import to look at. Raises NotFound for somebody else's."""
    return _job(job_id, acting)


@action
def upload_import(file: IO[bytes], name: str, *, acting: Actor, record_type: str = "", encoding: str = "") -> ImportJob:
    """Keeps an uploaded file, recognises where it comes from, and maps its columns.

    `record_type` and `encoding` overrule what is recognised. Raises Forbidden, or Invalid for what can't be read.
    """
    if not rules.may_edit_anything(acting) or acting.member_id is None:
        raise Forbidden(_("You can view this organisation's records, but not import any."))
    dialect = reading.detect(file)
    if encoding:
        if encoding not in reading.ENCODINGS:
            raise Invalid(_("This encoding is not known."))
        dialect = reading.Dialect(encoding, dialect.delimiter)
    header = reading.read_header(file, dialect)
    kind = record_type or sources.record_type_of(header)
    try:
        target = target_of(kind, acting)
    except KeyError:
        raise Invalid(_("Choose what the file holds.")) from None
    source = sources.recognise(header)
    job = ImportJob(
        id=new_id(),
        record_type=target.key,
        source=source,
        owner_id=acting.member_id,
        file_name=name[-200:],
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
        header=header,
        mapping={str(number): key for number, key in sources.map_columns(header, target).items()},
    )
    file.seek(0)
    job.stored_as = _store(file, f"imports/{acting.org_id}/{job.id}.csv")
    found = planning.survey(job, target)
    if not found.total:
        raise Invalid(_("The file has column names, but no rows. Export it again with its records."))
    job.total = found.total
    job.options = {**planning.habits(found, target, dialect.delimiter), "currency": ""}
    job.save(force_insert=True)
    return job


def _store(file: IO[bytes], name: str) -> str:
    """Puts a file into the storage, unless the import itself is not kept. Says what it is called there."""
    on_rollback(partial(default_storage.delete, name))  # before saving: a full disk leaves half a file
    return default_storage.save(name, file)


@action
def configure_import(
    job_id: UUID | str,
    mapping: Mapping[str, str],
    options: Mapping[str, Any],
    answers: Mapping[str, Mapping[str, str]],
    *,
    acting: Actor,
) -> ImportJob:
    """Keeps what was chosen for the columns, how dates and amounts are written, and what unknown values mean.

    Raises NotFound, Conflict once the import has begun, Invalid for a field that does not exist or is chosen twice.
    """
    job = _job(job_id, acting, lock=True)
    if job.status != ImportStatus.UPLOADED:
        raise Conflict(_("This import has begun already; its columns can't be changed any more."))
    target = target_of(job.record_type, acting)
    chosen = {number: key for number, key in mapping.items() if key}
    _check_mapping(chosen, len(job.header), target)
    job.mapping = chosen
    job.options = {**job.options, **options}
    job.answers = {question: dict(values) for question, values in answers.items()}
    job.save(update_fields=["mapping", "options", "answers", "updated_at"])
    return job


def _check_mapping(chosen: Mapping[str, str], width: int, target: Target) -> None:
    known = {field.key: field for field in target.fields}
    used = Counter(chosen.values())
    for number, key in chosen.items():
        if not number.isdigit() or int(number) >= width or key not in known:
            raise Invalid(_("A column or a field of the form is not known. Reload the page."))
        if used[key] > 1 and known[key].kind != "many":
            raise Invalid(_("“%(field)s” is chosen for two columns. Choose one of them.") % {"field": known[key].label})


@action
def start_import(job_id: UUID | str, *, acting: Actor) -> ImportJob:
    """Hands an import to a background job. Raises NotFound; Conflict when it has been started before."""
    job = _job(job_id, acting, lock=True)
    if job.status != ImportStatus.UPLOADED:
        raise Conflict(_("This import has been started already."))
    if not job.mapping:
        raise Invalid(_("No column is matched to a field yet. Choose at least one."))
    label = _("Import of %(file)s") % {"file": job.file_name}
    job.change_set = ChangeSet.objects.create(kind=ChangeSetKind.IMPORT, label=label[:200], made_by_id=acting.member_id)
    job.status, job.started_at = ImportStatus.QUEUED, timezone.now()
    job.save(update_fields=["change_set", "status", "started_at", "updated_at"])
    enqueue_on_commit(TASK, job_id=job.id, member_id=acting.member_id)
    return job


@action
def preview_import(job_id: UUID | str, *, acting: Actor) -> list[tuple[RawRow, Parsed, Result]]:
    """What would become of the first 20 rows: they are written like all others will be, and taken back."""
    job = _job(job_id, acting)
    target = target_of(job.record_type, acting)
    settings = prepared(job, target, acting)
    raw = planning.first_rows(job)
    parsed = planning.parse_rows(job, raw, target, settings, acting)
    with transaction.atomic():
        results = _write(parsed, target, settings, acting)
        transaction.set_rollback(True)
    return list(zip(raw, parsed, results, strict=True))


def prepared(job: ImportJob, target: Target, acting: Actor) -> Settings:
    """How an import's cells are read, with what its rows need looked up."""
    settings = planning.settings_for(job, acting)
    target.prepare(settings, acting)
    return settings


@action
def import_chunk(
    job_id: UUID | str, rows: Sequence[RawRow], settings: Settings, *, acting: Actor, done_before: int
) -> bool:
    """Writes the next rows of an import and counts them, in one transaction.

    `done_before` is how many rows came before these. False when somebody else has written them already: a job that
    is delivered twice then stops.
    """
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    if job.processed != done_before or job.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
        return False
    target = target_of(job.record_type, acting)
    parsed = planning.parse_rows(job, rows, target, settings, acting)
    with context.recorded_under(job.change_set_id):
        results = _write_safely(parsed, target, settings, acting)
    _note(job, rows, results)
    counts = Counter(result.outcome for result in results)
    job.status = ImportStatus.RUNNING
    job.processed += len(rows)
    for outcome in ("created", "updated", "skipped", "failed"):
        setattr(job, outcome, getattr(job, outcome) + counts[outcome])
    job.save(update_fields=["status", "processed", "created", "updated", "skipped", "failed", "updated_at"])
    return True


def _write(parsed: Sequence[Parsed], target: Target, settings: Settings, acting: Actor) -> list[Result]:
    return planning.results(parsed, lambda good: target.write(good, settings, acting=acting))


def _write_safely(parsed: Sequence[Parsed], target: Target, settings: Settings, acting: Actor) -> list[Result]:
    """All rows at once; where the database refuses them, one by one, so that only the bad ones fail."""
    try:
        with transaction.atomic():
            return _write(parsed, target, settings, acting)
    except DatabaseError:
        settings.extra.clear()
        target.prepare(settings, acting)
    return [_write_one(row, target, settings, acting) for row in parsed]


def _write_one(row: Parsed, target: Target, settings: Settings, acting: Actor) -> Result:
    try:
        with transaction.atomic():
            return _write([row], target, settings, acting)[0]
    except DatabaseError:
        settings.extra.clear()
        target.prepare(settings, acting)
        return Result("failed", _("The row could not be saved. Check its values for unusual characters or sizes."))


def _note(job: ImportJob, rows: Sequence[RawRow], results: Iterable[Result]) -> None:
    """Keeps the rows that are not in, and those that are in without something they said."""
    pairs = zip(rows, results, strict=True)
    kept = [(row, result) for row, result in pairs if result.outcome in ("skipped", "failed") or result.reason]
    cells = sealing.seal(job, [row.cells for row, _result in kept], sealing.sealed_columns(job))
    ImportRow.objects.bulk_create(
        ImportRow(job=job, line=row.line, outcome=result.outcome, reason=result.reason[:MAX_REASON], cells=texts)
        for (row, result), texts in zip(kept, cells, strict=True)
    )


@action
def finish_import(job_id: UUID | str, *, acting: Actor, error: str = "") -> None:
    """Marks an import as done, or as stopped by an error. A file with values of encrypted fields is not kept."""
    status = ImportStatus.FAILED if error else ImportStatus.DONE
    job = ImportJob.objects.get(pk=job_id)
    if sealing.sealed_columns(job):
        transaction.on_commit(partial(default_storage.delete, job.stored_as), robust=True)
    running = ImportJob.objects.filter(pk=job_id, status__in=(ImportStatus.QUEUED, ImportStatus.RUNNING))
    running.update(status=status, error=error, finished_at=timezone.now(), updated_at=timezone.now())
