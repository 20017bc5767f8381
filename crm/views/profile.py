"""A person's own settings: who they are, how they sign in, where they are signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from crm import people
from crm.actions import profile
from crm.forms.settings import AddressForm, PasswordForm, ProfileForm
from crm.lib.clients import client_ip, describe_agent
from crm.lib.errors import CrmError
from crm.web.answers import done, refused
from crm.web.context import THEME_COOKIE
from crm.web.htmx import render_page

PAGE = "settings/profile.html"


@require_http_methods(["GET", "POST"])
def profile_page(request: HttpRequest) -> HttpResponse:
    """Name, language, time zone, theme, shortcuts; and the other cards of the page."""
    r: Any = request
    initial = ProfileForm.values_of(r.user)
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial, organization=r.organization)
    if request.method == "POST" and form.is_valid():
        try:
            user = profile.update_profile(r.user, profile.Profile(**form.cleaned_data))
        except CrmError as error:
            refused(form, error)
        else:
            translation.activate(user.locale)
            response = done(request, _("Your profile is saved."), "settings_profile")
            # The cookie of the theme menu would outvote what was just chosen here.
            response.delete_cookie(THEME_COOKIE)
            return response
    return _page(r, profile_form=form)


@sensitive_post_parameters("current", "new")
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Changes the password; this browser stays signed in, all others do not."""
    r: Any = request
    form = PasswordForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        key = r.session.session_key or ""
        try:
            profile.change_password(
                r.user, given["current"], given["new"], keep_session=key, ip=client_ip(request.META)
            )
        except CrmError as error:
            refused(form, error)
        else:
            update_session_auth_hash(request, r.user)
            return done(request, _("Your password is changed. Other browsers were signed out."), "settings_profile")
    return _page(r, password_form=form)


@sensitive_post_parameters("password")
@require_http_methods(["POST", "DELETE"])
def address(request: HttpRequest) -> HttpResponse:
    """Asks for another address, or takes that back."""
    r: Any = request
    if request.method == "DELETE":
        profile.cancel_address_change(r.user)
        return done(request, _("Your address stays as it is."), "settings_profile")
    form = AddressForm(request.POST)
    if form.is_valid():
        try:
            profile.request_address_change(r.user, form.cleaned_data["email"], form.cleaned_data["password"])
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Open the link that we sent to the new address."), "settings_profile")
    return _page(r, address_form=form)


@require_http_methods(["DELETE"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Signs out everywhere else."""
    r: Any = request
    profile.end_sessions(r.user, keep=r.session.session_key or "")
    return done(request, _("All other browsers are signed out."), "settings_profile")


@require_http_methods(["DELETE"])
def session(request: HttpRequest, public_id: str) -> HttpResponse:
    """Signs one browser out."""
    r: Any = request
    profile.end_session(r.user, public_id)
    return done(request, _("That browser is signed out."), "settings_profile")


def _page(request: Any, **shown: Any) -> HttpResponse:
    refused_one = any(form.errors for form in shown.values())
    forms = {
        "profile_form": lambda: ProfileForm(
            initial=ProfileForm.values_of(request.user), organization=request.organization
        ),
        "password_form": PasswordForm,
        "address_form": AddressForm,
    }
    here = request.session.session_key
    context = {
        **{name: shown.get(name) or make() for name, make in forms.items()},
        "pending": people.pending_address(request.user),
        "sessions": [
            (one, describe_agent(one.user_agent) or _("Unknown browser"), one.key == here)
            for one in people.sessions_of(request.user.id)
        ],
    }
    return render_page(request, PAGE, context, status=422 if refused_one else 200)
