"""Importing a file, in four steps: upload, match columns, check, import."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts import queries
from contacts.actions import imports
from contacts.imports import planning, reading, sealing, sources, targets
from contacts.imports.own import target_of
from contacts.imports.presenting import columns_to_match, preview_rows
from contacts.models.importing import ImportJob, ImportStatus
from crm import rules
from crm.lib.csvsafe import safe_cell
from crm.lib.errors import Forbidden, Invalid
from crm.web.htmx import render_page
from crm.web.urls import path_to


@require_http_methods(["GET", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """Uploading a file, and the imports of before."""
    r: Any = request
    if not rules.may_edit_anything(r.actor):
        raise Forbidden(_("You can view this organisation's records, but not import any."))
    error = ""
    if request.method == "POST":
        try:
            job = _upload(request)
            return HttpResponseRedirect(path_to("import_columns", job.pk))
        except Invalid as refused:
            error = refused.message
    context = {
        "error": error,
        "past": queries.past_imports(r.actor),
        "targets": targets.all_targets(),
        "max_megabytes": settings.IMPORT_MAX_BYTES // (1024 * 1024),
    }
    return render_page(request, "imports/upload.html", context, status=422 if error else 200)


def _upload(request: Any) -> ImportJob:
    file = request.FILES.get("file")
    if file is None:
        raise Invalid(_("Choose a file first."))
    if file.size > settings.IMPORT_MAX_BYTES:
        limit = settings.IMPORT_MAX_BYTES // (1024 * 1024)
        raise Invalid(
            _("The file is larger than %(max)d MB. Split it, and import the parts one after another.") % {"max": limit}
        )
    kind, encoding = request.POST.get("record_type", ""), request.POST.get("encoding", "")
    return imports.upload_import(file, file.name, acting=request.actor, record_type=kind, encoding=encoding)


@require_GET
def import_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Where an import stands: its columns to match, its progress, or its report."""
    r: Any = request
    job = imports.get_import(pk, r.actor)
    if job.status == ImportStatus.UPLOADED:
        return HttpResponseRedirect(path_to("import_columns", pk))
    running = job.status in (ImportStatus.QUEUED, ImportStatus.RUNNING)
    rows = [] if running else queries.rows_of_import(job)
    context = {
        **_common(job),
        "running": running,
        "rows": rows,
        "noted": 0 if running else queries.noted_in_import(job),
        "percent": 100 * job.processed // max(job.total, 1),
    }
    return render_page(request, "imports/progress.html", context, block="progress")


@require_http_methods(["GET", "POST"])
def import_columns(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Which field each column fills, and how dates and amounts are written."""
    r: Any = request
    job = imports.get_import(pk, r.actor)
    if job.status != ImportStatus.UPLOADED:
        return HttpResponseRedirect(path_to("import_detail", pk))
    error = ""
    if request.method == "POST":
        mapping = {
            name.removeprefix("column-"): value for name, value in request.POST.items() if name.startswith("column-")
        }
        options = {name: request.POST.get(name) == "yes" for name in ("day_first", "decimal_comma")}
        try:
            imports.configure_import(pk, mapping, options, job.answers, acting=r.actor)
            return HttpResponseRedirect(path_to("import_check", pk))
        except Invalid as refused:
            error, job.mapping = refused.message, {number: key for number, key in mapping.items() if key}
    target = target_of(job.record_type, r.actor)
    context = {**_common(job), "error": error, "columns": columns_to_match(job, target), "fields": target.fields}
    return render_page(request, "imports/columns.html", context, status=422 if error else 200)


@require_http_methods(["GET", "POST"])
def import_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What unknown values mean, asked once, and what becomes of the first 20 rows."""
    r: Any = request
    job = imports.get_import(pk, r.actor)
    if job.status != ImportStatus.UPLOADED:
        return HttpResponseRedirect(path_to("import_detail", pk))
    target = target_of(job.record_type, r.actor)
    questions = planning.questions_of(job, target, r.actor)
    if request.method == "POST":
        answers = {q.key: {v: request.POST.get(f"{q.key}-{n}", "") for n, v in enumerate(q.values)} for q in questions}
        imports.configure_import(pk, job.mapping, {}, answers, acting=r.actor)
        return HttpResponseRedirect(path_to("import_check", pk))
    suggested = {q.key: {**q.suggested, **job.answers.get(q.key, {})} for q in questions}
    if suggested != job.answers and questions:
        job = imports.configure_import(pk, job.mapping, {}, suggested, acting=r.actor)
    context = {
        **_common(job),
        "questions": questions,
        "preview": preview_rows(job, target, imports.preview_import(pk, acting=r.actor)),
        "headings": [field.label for field in planning.columns_of(job, target).values()],
    }
    return render_page(request, "imports/check.html", context)


@require_POST
def import_start(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Starts the import."""
    r: Any = request
    imports.start_import(pk, acting=r.actor)
    return HttpResponseRedirect(path_to("import_detail", pk))


@require_GET
def import_rows(request: HttpRequest, pk: UUID, outcome: str) -> StreamingHttpResponse:
    """The rows that were skipped or failed, or are in with a note, as CSV with line and reason: mend them there and
    import the file again."""
    r: Any = request
    job = imports.get_import(pk, r.actor)
    kept = queries.all_rows_of_import(job, outcome)
    cells = sealing.opened(job, [row[2] for row in kept], r.actor)
    rows = [(line, reason, texts) for (line, reason, _kept), texts in zip(kept, cells, strict=True)]
    response = StreamingHttpResponse(_csv(job, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{outcome}.csv"'
    return response


class _Echo:
    """What csv.writer writes to: it hands the line back."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line


def _csv(job: ImportJob, rows: list[tuple[int, str, list[str]]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow([*job.header, _("Line"), _("Reason")])
    for line, reason, cells in rows:
        padded = [*cells, *[""] * (len(job.header) - len(cells))]
        yield writer.writerow([*(safe_cell(cell) for cell in padded), line, reason])


def _common(job: ImportJob) -> dict[str, Any]:
    return {
        "job": job,
        "target": targets.get(job.record_type),
        "source": sources.SOURCES[job.source],
        "encodings": reading.ENCODINGS,
    }
