"""Invitations: sending them (admins), and the page behind their link (anybody who holds it)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import people
from crm.actions import invitations
from crm.forms.auth import JoinForm
from crm.forms.settings import InviteForm
from crm.lib import ratelimit
from crm.lib.clients import client_ip
from crm.lib.errors import CrmError
from crm.views.members import tabs
from crm.web.answers import done, refused
from crm.web.guards import admins_only
from crm.web.htmx import render_page
from crm.web.urls import home_path


@require_GET
@admins_only
def invitation_list(request: HttpRequest) -> HttpResponse:
    """The open invitations."""
    context = {"tabs": tabs("invitations"), "invitations": people.invitations()}
    return render_page(request, "settings/invitations.html", context)


@require_http_methods(["GET", "POST"])
@admins_only
def invitation_new(request: HttpRequest) -> HttpResponse:
    """Invites addresses."""
    r: Any = request
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = invitations.invite_members(given["emails"], given["role"], given["teams"], acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            text = ngettext("%(n)d invitation is on its way.", "%(n)d invitations are on their way.", len(made))
            return done(request, text % {"n": len(made)}, "settings_invitations")
    return render_page(
        request, "settings/invite.html", {"form": form}, block="form", status=422 if form.is_bound else 200
    )


@require_http_methods(["DELETE"])
@admins_only
def invitation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes an invitation back."""
    r: Any = request
    invitations.revoke_invitation(pk, acting=r.actor)
    return done(request, _("The invitation was taken back."), "settings_invitations")


@require_POST
@admins_only
def invitation_sending(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sends an invitation again."""
    r: Any = request
    sent = invitations.resend_invitation(pk, acting=r.actor)
    text = _("The invitation to %(email)s is on its way again.") % {"email": sent.email}
    return done(request, text, "settings_invitations")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation_accept(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind the link: join, sign in first, or say who one is."""
    r: Any = request
    ratelimit.count("join", ip=client_ip(request.META))
    try:
        opened = invitations.read_invitation(secret)
        if r.user.is_authenticated:
            return _join_signed_in(r, secret, opened)
        if opened.user is not None:
            return render_page(request, "account/invitation_sign_in.html", {"opened": opened, "here": request.path})
        return _join_new(r, secret, opened)
    except (invitations.InvitationGoneError, invitations.WrongPersonError) as error:
        context = {
            "message": str(error),
            "wrong_person": isinstance(error, invitations.WrongPersonError),
            "here": request.path,
        }
        return render_page(request, "account/invitation_gone.html", context, status=error.status)


def _join_signed_in(request: Any, secret: str, opened: invitations.OpenInvitation) -> HttpResponse:
    if opened.user is None or opened.user.id != request.user.id:
        raise invitations.WrongPersonError
    if request.method == "POST":
        organization = invitations.accept_invitation(secret, request.user)
        return done(request, "", home_path(organization))
    return render_page(request, "account/invitation_join.html", {"opened": opened})


def _join_new(request: Any, secret: str, opened: invitations.OpenInvitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None, email=opened.invitation.email)
    if request.method == "POST" and form.is_valid():
        user, organization = invitations.accept_as_new_person(
            secret, form.cleaned_data["name"], form.cleaned_data["password"]
        )
        get_adapter().login(request, user)
        return HttpResponseRedirect(home_path(organization))
    context = {"opened": opened, "form": form}
    return render_page(request, "account/invitation_new.html", context, status=422 if form.is_bound else 200)
