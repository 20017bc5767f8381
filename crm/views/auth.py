"""Signing in and up, passwords, addresses: allauth's flows behind our limits."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from django.http import HttpRequest, HttpResponse

from crm.lib import ratelimit
from crm.lib.clients import client_ip


class _Refused:
    """A form that was refused answers 422, as everywhere."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)  # type: ignore[attr-defined]


class LoginView(_Refused, views.LoginView):
    """Signs in. Failures are counted for the address and for the client; a success is not."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.ip = client_ip(request.META)
        ratelimit.count("login", ip=self.ip, address=request.POST.get("login", ""))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        ratelimit.forgive("login", ip=self.ip)
        ratelimit.forget("login", address=form.cleaned_data["login"])
        return super().form_valid(form)


class SignUpView(_Refused, views.SignupView):
    """Makes a person and their organisation, and asks for the address to be verified."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ratelimit.count("signup", ip=client_ip(request.META), address=request.POST.get("email", ""))
        return super().post(request, *args, **kwargs)


class PasswordResetView(_Refused, views.PasswordResetView):
    """Sends a link to choose a new password, or a mail that there is no account; the page is the same."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ratelimit.count("reset", ip=client_ip(request.META), address=request.POST.get("email", ""))
        return super().post(request, *args, **kwargs)


class NewPasswordView(_Refused, views.PasswordResetFromKeyView):
    """Chooses a new password behind the link of a mail."""


login = LoginView.as_view()
signup = SignUpView.as_view()
password_reset = PasswordResetView.as_view()
password_reset_from_key = NewPasswordView.as_view()
logout = views.logout
inactive = views.account_inactive
verification_sent = views.EmailVerificationSentView.as_view()
confirm_email = views.confirm_email
password_reset_done = views.password_reset_done
password_reset_from_key_done = views.password_reset_from_key_done
