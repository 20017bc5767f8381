"""Teams and their tree."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crm import people
from crm.actions import teams
from crm.forms.settings import TeamForm
from crm.lib.errors import CrmError
from crm.models import Team
from crm.views.members import tabs
from crm.web.answers import done, refused
from crm.web.guards import admins_only
from crm.web.htmx import render_page


@require_GET
@admins_only
def team_list(request: HttpRequest) -> HttpResponse:
    """The teams as a tree, with their people."""
    return render_page(request, "settings/teams.html", {"tabs": tabs("teams"), "teams": people.team_tree()})


@require_http_methods(["GET", "POST"])
@admins_only
def team_new(request: HttpRequest) -> HttpResponse:
    """Makes a team."""
    r: Any = request
    form = TeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = teams.create_team(**_given(form), acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Team %(name)s is there.") % {"name": made.name}, "settings_teams")
    return _form_page(request, form, None)


@require_http_methods(["GET", "POST", "DELETE"])
@admins_only
def team_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Changes a team, or removes it."""
    r: Any = request
    if request.method == "DELETE":
        teams.delete_team(pk, acting=r.actor)
        return done(request, _("The team was removed."), "settings_teams")
    team = people.team(pk)
    form = TeamForm(request.POST if request.method == "POST" else None, initial=_initial(team), team_id=pk)
    if request.method == "POST" and form.is_valid():
        try:
            teams.update_team(pk, **_given(form), acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("The team is saved."), "settings_teams")
    return _form_page(request, form, team)


def _given(form: forms.Form) -> dict[str, Any]:
    given = form.cleaned_data
    return {key: given[key] for key in ("name", "parent", "members", "managers")}


def _initial(team: Team) -> dict[str, Any]:
    inside = people.team_people(team.id)
    return {
        "name": team.name,
        "parent": team.parent_id,
        "members": [pk for pk, manages in inside.items() if not manages],
        "managers": [pk for pk, manages in inside.items() if manages],
    }


def _form_page(request: HttpRequest, form: forms.Form, team: Team | None) -> HttpResponse:
    context = {"form": form, "team": team}
    return render_page(request, "settings/team.html", context, block="form", status=422 if form.is_bound else 200)
