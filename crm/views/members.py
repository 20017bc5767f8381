"""The people of an organisation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from crm import people
from crm.actions import members
from crm.enums import Role
from crm.forms.settings import DeactivateForm, MemberTeamsForm
from crm.lib.errors import CrmError
from crm.records.registry import registry
from crm.web.answers import done, refused, sent_data
from crm.web.guards import admins_only
from crm.web.htmx import render_page, toast
from crm.web.urls import path_to

# What a role means, in the words that fit beside it.
ROLE_NOTES = {
    Role.ADMIN: gettext_lazy("everything, settings too"),
    Role.MANAGER: gettext_lazy("their teams' records"),
    Role.REP: gettext_lazy("own and shared records"),
    Role.READONLY: gettext_lazy("sees all, edits nothing"),
}


def tabs(here: str) -> list[tuple[str, str, bool, str, int]]:
    """The tabs of the pages about people, as ui.tabs takes them."""
    counts = people.people_counts()
    everybody = path_to("settings_members")
    return [
        (_("People"), everybody, here == "people", "", counts["active"]),
        (_("Teams"), path_to("settings_teams"), here == "teams", "", counts["teams"]),
        (_("Invitations"), path_to("settings_invitations"), here == "invitations", "", counts["invitations"]),
        (_("Deactivated"), everybody + "?show=deactivated", here == "inactive", "", counts["inactive"]),
    ]


@require_GET
@admins_only
def member_list(request: HttpRequest) -> HttpResponse:
    """The members, searched by name or address and filtered by role."""
    return render_page(request, "settings/members.html", _list_context(request), block="people")


@require_http_methods(["PUT"])
@admins_only
def member_role(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Gives a member another role."""
    r: Any = request
    member = members.change_role(pk, sent_data(request).get("role", ""), acting=r.actor)
    text = _("%(name)s is now: %(role)s") % {"name": member.name, "role": Role(member.role).label}
    if member.id == r.member.id:
        # One's own rights have changed, perhaps to see this page no more.
        return done(request, text, path_to("settings_profile"))
    return toast(render_page(request, "settings/members.html", _list_context(request), block="people"), text)


@require_http_methods(["GET", "POST"])
@admins_only
def member_teams(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The teams of a member."""
    r: Any = request
    member = people.person(pk)
    teams = people.teams_of(pk)
    initial = {"teams": list(teams), "managed": [team for team, manages in teams.items() if manages]}
    form = MemberTeamsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        managed = set(form.cleaned_data["managed"])
        # Who manages a team is in it.
        members.set_member_teams(pk, set(form.cleaned_data["teams"]) | managed, managed, acting=r.actor)
        return done(request, _("The teams of %(name)s are saved.") % {"name": member.name}, "settings_members")
    context = {"form": form, "person": member}
    return render_page(
        request, "settings/member_teams.html", context, block="form", status=422 if form.is_bound else 200
    )


@require_http_methods(["GET", "POST", "DELETE"])
@admins_only
def member_deactivation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ends a member's access, with somebody to take the records over; DELETE takes it back."""
    r: Any = request
    if request.method == "DELETE":
        back = members.reactivate_member(pk, acting=r.actor)
        return done(request, _("%(name)s can sign in here again.") % {"name": back.name}, "settings_members")
    member = people.person(pk)
    types = ((registry.get(key), n) for key, n in people.owned_counts(pk).items())
    owned = [(record_type.label if n == 1 else record_type.label_plural, n) for record_type, n in types]
    form = DeactivateForm(request.POST if request.method == "POST" else None, member_id=pk, needed=bool(owned))
    if request.method == "POST" and form.is_valid():
        try:
            moved = members.deactivate_member(pk, reassign_to=form.cleaned_data.get("reassign_to"), acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _gone(member.name, moved), "settings_members")
    context = {"form": form, "person": member, "owned": owned}
    return render_page(
        request, "settings/deactivate.html", context, block="form", status=422 if request.method == "POST" else 200
    )


def _gone(name: str, moved: int) -> str:
    text = ngettext(
        "%(name)s was deactivated. %(n)d record was handed over.",
        "%(name)s was deactivated. %(n)d records were handed over.",
        moved,
    )
    return text % {"name": name, "n": moved}


def _list_context(request: HttpRequest) -> dict[str, Any]:
    search, role = request.GET.get("q", ""), request.GET.get("role", "")
    inactive = request.GET.get("show") == "deactivated"
    return {
        "tabs": tabs("inactive" if inactive else "people"),
        "people": people.people(search=search, role=role, active=not inactive),
        "search": search,
        "role": role,
        "inactive": inactive,
        "role_options": [("", _("All roles")), *Role.choices],
        "roles": [(value, label, ROLE_NOTES[Role(value)]) for value, label in Role.choices],
    }
