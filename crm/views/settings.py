"""Settings of the organisation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crm import people
from crm.actions import organizations
from crm.enums import Visibility
from crm.forms.settings import GeneralForm, RateForm
from crm.lib.errors import CrmError
from crm.web.answers import done, refused
from crm.web.formats import locale_of
from crm.web.guards import admins_only
from crm.web.htmx import render_page
from crm.web.urls import path_to


@require_GET
def settings_front(request: HttpRequest) -> HttpResponse:
    """Settings begin with one's own."""
    return HttpResponseRedirect(path_to("settings_profile"))


@require_http_methods(["GET", "POST"])
@admins_only
def general(request: HttpRequest) -> HttpResponse:
    """Name, time zone, base currency, fiscal year, who sees what."""
    r: Any = request
    form = GeneralForm(
        request.POST if request.method == "POST" else None, initial=GeneralForm.values_of(r.organization)
    )
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        given["visibility"] = Visibility(given["visibility"])
        try:
            organizations.change_settings(organizations.OrganizationSettings(**given), acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("The settings are saved."), "settings_general")
    return render_page(request, "settings/general.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@admins_only
def currencies(request: HttpRequest) -> HttpResponse:
    """Exchange rates by day."""
    r: Any = request
    form = RateForm(request.POST if request.method == "POST" else None, base_currency=r.organization.base_currency)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            organizations.set_exchange_rate(given["currency"], given["rate"], given["valid_from"], acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("The rate is saved."), "settings_currencies")
    context = {"form": form, "rates": [(rate, _exact(rate.rate)) for rate in people.exchange_rates()]}
    return render_page(request, "settings/currencies.html", context, status=422 if form.is_bound else 200)


def _exact(rate: Decimal) -> str:
    """All the digits of a rate that mean something, as the reader's language writes them."""
    return format_decimal(rate, "#,##0.########", locale=locale_of(get_language() or "en"))


@require_http_methods(["DELETE"])
@admins_only
def currency_rate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Removes a rate."""
    r: Any = request
    organizations.delete_exchange_rate(pk, acting=r.actor)
    return done(request, _("The rate was removed."), "settings_currencies")
