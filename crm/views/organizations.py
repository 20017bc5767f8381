"""Choosing an organisation, and making another one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_http_methods

from crm import queries
from crm.actions.organizations import create_organization
from crm.forms.settings import NewOrganizationForm
from crm.lib import ratelimit
from crm.lib.errors import Invalid
from crm.web.answers import refused
from crm.web.guards import signed_in
from crm.web.htmx import render_page
from crm.web.urls import global_path, home_path


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """The server's first page leads to one's organisations, or to signing in."""
    return HttpResponseRedirect(global_path("organizations" if request.user.is_authenticated else "account_login"))


@require_GET
@signed_in
def organization_list(request: HttpRequest) -> HttpResponse:
    """The organisations somebody belongs to; the only one is opened at once, and who has none makes one."""
    r: Any = request
    found = queries.organizations_of(r.user.id)
    if not found:
        return HttpResponseRedirect(global_path("organization_new"))
    if len(found) == 1:
        return HttpResponseRedirect(home_path(found[0]))
    return render_page(request, "orgs/list.html", {"organizations": [(o, home_path(o)) for o in found]})


@require_GET
@signed_in
def organization_menu(request: HttpRequest) -> HttpResponse:
    """The same as entries of the sidebar's menu."""
    r: Any = request
    shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
    entries = [(o, home_path(o), shown.startswith(home_path(o))) for o in queries.organizations_of(r.user.id)]
    return render_page(request, "orgs/menu.html", {"entries": entries})


@require_http_methods(["GET", "POST"])
@signed_in
def organization_new(request: HttpRequest) -> HttpResponse:
    """Makes an organisation whose admin one is."""
    r: Any = request
    form = NewOrganizationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        ratelimit.count("new_organization", user=str(r.user.id))
        try:
            made = create_organization(form.cleaned_data["organization"], user=r.user)
            return HttpResponseRedirect(home_path(made))
        except Invalid as error:
            refused(form, error)
    return render_page(request, "orgs/new.html", {"form": form}, status=422 if form.is_bound else 200)
