"""The dialog that opens a record to members and teams, for every type that can be shared."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import access, queries, rules
from crm.actions.sharing import share_record, unshare_record
from crm.enums import ShareLevel
from crm.lib.errors import Forbidden, Invalid
from crm.records.limits import called
from crm.records.registry import RecordType, registry
from crm.records.shares import shares_of
from crm.views.records import url_for
from crm.web.fields import DateField
from crm.web.forms import add_error
from crm.web.htmx import hx_redirect, is_partial, render_page
from crm.web.urls import path_to


class ShareForm(forms.Form):
    """With whom, how far, and until when."""

    grantee = forms.ChoiceField(label=gettext_lazy("Person or team"))
    level = forms.ChoiceField(label=gettext_lazy("Access"), choices=ShareLevel.choices)
    until = DateField(
        label=gettext_lazy("Until"), required=False, help_text=gettext_lazy("The last day. Empty: for good.")
    )

    def __init__(self, *args: Any, owner_id: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = [(f"member:{pk}", name) for pk, name in queries.members() if pk != owner_id]
        teams = [(f"team:{pk}", name) for pk, name in queries.team_names().items()]
        groups = [(_("People"), members), (_("Teams"), teams)]
        self.fields["grantee"].choices = [("", _("Choose …")), *(group for group in groups if group[1])]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What share_record takes."""
        kind, _colon, pk = self.cleaned_data["grantee"].partition(":")
        day = self.cleaned_data["until"]
        # The last day counts in full, in the reader's time zone.
        until = timezone.make_aware(datetime.combine(day + timedelta(days=1), time())) if day else None
        return {kind: UUID(pk), "level": self.cleaned_data["level"], "until": until}


def _record(request: Any, type_key: str, pk: str) -> tuple[RecordType, Any]:
    """The record, where the actor may share it. Raises NotFound, and Forbidden where it was only shared with them."""
    try:
        record_type = registry.get(type_key)
    except KeyError:
        raise Http404 from None
    if not access.is_shareable(record_type.model):
        raise Http404
    record = access.get_visible(record_type.model, pk, request.actor, "owner__user")
    if not rules.may_share(request.actor, record.owner_id):
        raise Forbidden(_("Only its owner, their manager or an admin can share this."))
    return record_type, record


@require_http_methods(["GET", "POST"])
def record_shares(request: HttpRequest, type_key: str, pk: str) -> HttpResponse:
    """Who sees a record, and a form that adds somebody."""
    r: Any = request
    record_type, record = _record(r, type_key, pk)
    form = ShareForm(request.POST or None, owner_id=record.owner_id)
    if request.method == "POST" and form.is_valid():
        try:
            share_record(record_type.key, record.pk, acting=r.actor, **form.values())
        except Invalid as error:
            if "with" in error.fields:
                error.fields["grantee"] = error.fields.pop("with")
            add_error(form, error)
        else:
            return _answer(request, record_type, record)
    return _page(request, record_type, record, form, status=422 if form.errors else 200)


@require_http_methods(["POST", "DELETE"])
def record_share(request: HttpRequest, type_key: str, pk: str, share_id: UUID) -> HttpResponse:
    """Takes a share back."""
    r: Any = request
    record_type, record = _record(r, type_key, pk)
    unshare_record(record_type.key, record.pk, share_id, acting=r.actor)
    return _answer(request, record_type, record)


def _answer(request: HttpRequest, record_type: RecordType, record: Any) -> HttpResponse:
    """The dialog with a fresh form; without script, the same as a page."""
    if not is_partial(request):
        return hx_redirect(request, path_to("record_shares", record_type.key, record.pk))
    response = _page(request, record_type, record, ShareForm(owner_id=record.owner_id))
    response["HX-Trigger"] = "sharesChanged"
    return response


def _page(
    request: HttpRequest, record_type: RecordType, record: Any, form: ShareForm, status: int = 200
) -> HttpResponse:
    r: Any = request
    context = {
        "type": record_type,
        "record": record,
        "name": called(record, record_type.key, r.actor),
        "form": form,
        "shares": shares_of(record),
        "back": url_for(record_type, "detail", record.pk),
    }
    return render_page(request, "records/shares.html", context, block="form", status=status)
