"""Signing in and up, passwords, addresses: allauth's flows behind our limits."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from crm.lib import ratelimit
from crm.lib.clients import client_ip


class _Form:
    """A form that was refused answers 422, as everywhere."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)  # type: ignore[attr-defined]


class LoginView(_Form, views.LoginView):
    """Signs in. Failures are counted for the address and for the client; a success is not."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.ip = client_ip(request.META)
        ratelimit.count("login", ip=self.ip, address=request.POST.get("login", ""))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        ratelimit.forgive("login", ip=self.ip)
        ratelimit.forget("login", address=form.cleaned_data["login"])
        return super().form_valid(form)


class SignUpView(_Form, views.SignupView):
    """Makes a person and their organisation, and asks for the address to be verified."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ratelimit.count("signup", ip=client_ip(request.META), address=request.POST.get("email", ""))
        return super().post(request, *args, **kwargs)


class PasswordResetView(_Form, views.PasswordResetView):
    """Sends a link to choose a new password, or a mail that there is no account; the page is the same."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ratelimit.count("reset", ip=client_ip(request.META), address=request.POST.get("email", ""))
        return super().post(request, *args, **kwargs)


class NewPasswordView(_Form, views.PasswordResetFromKeyView):
    """Chooses a new password behind the link of a mail."""


# Django's form views take a PUT for a POST, and some of allauth's answer before they look at the method.
_page = require_http_methods(["GET", "HEAD"])
_form = require_http_methods(["GET", "HEAD", "POST"])

login = _form(LoginView.as_view())
signup = _form(SignUpView.as_view())
logout = _form(views.logout)
inactive = _page(views.account_inactive)
verification_sent = _page(views.EmailVerificationSentView.as_view())
confirm_email = _form(views.confirm_email)
password_reset = _form(PasswordResetView.as_view())
password_reset_done = _page(views.password_reset_done)
password_reset_from_key = _form(NewPasswordView.as_view())
password_reset_from_key_done = _page(views.password_reset_from_key_done)
