"""What allauth asks of us: mails, links, limits, words. The one place where its flows meet ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from crm.actions import profile
from crm.lib import mail, ratelimit
from crm.lib.clients import client_ip
from crm.models import User
from crm.web.urls import global_path, global_url

# Mails by allauth's names; several of its names are one mail of ours. Those that are missing are not sent.
_MAILS = {
    "email_confirmation": "email_confirmation",
    "email_confirmation_signup": "email_confirmation_signup",
    "account_already_exists": "account_already_exists",
    "unknown_account": "unknown_account",
    "password_reset_key": "password_reset_key",
    "password_reset": "password_changed",
    "password_changed": "password_changed",
    "email_changed": "email_changed",
}
# What is said on the next page; allauth says more than a calm product does.
_WORDS = {
    "email_confirmed": _("%(email)s is confirmed."),
    "email_confirmation_failed": _("%(email)s belongs to another account. Nothing was changed."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Our mails with links from BASE_URL, our limits, our session handling."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This address and password do not match. Check both, or choose a new password."),
        "account_inactive": _("This account is switched off."),
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sends one of our mails where allauth would send its own: after the transaction, never failing the request."""
        name = _MAILS.get(template_prefix.rpartition("/")[2])
        if name is None:
            return
        values = {key: context[key] for key in ("timestamp", "ip", "to_email") if key in context}
        reader = context.get("user")
        language = reader.locale if isinstance(reader, User) else translation.get_language() or "en"
        mail.send_on_commit(email, name, {**values, "link": _link(name, context)}, language=language)

    def render_mail(self, *args: Any, **kwargs: Any) -> EmailMultiAlternatives:
        raise NotImplementedError("Mails are composed by crm.lib.mail.")

    def send_account_already_exists_mail(self, email: str) -> None:
        """The answer to a sign-up with a known address goes to its mailbox, not to the page."""
        self.send_mail("account_already_exists", email, {})

    def get_email_confirmation_url(self, request: HttpRequest | None, emailconfirmation: Any) -> str:
        return global_url("account_confirm_email", emailconfirmation.key)

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = global_url("account_reset_password_from_key", uidb36="UID", key="KEY")
        return path.replace("UID-KEY", quote(key))

    def should_send_confirmation_mail(self, request: HttpRequest, email_address: Any, signup: bool) -> bool:
        """Silently none after a few: the links that were sent still work, and the page is the same."""
        return ratelimit.allows("verify", address=email_address.email)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Makes an address a person's, even where somebody else had signed up with it and never verified it."""
        if email_address.can_set_verified():
            profile.release_address(email_address.email, to=email_address.user)
        return super().confirm_email(request, email_address)

    def set_password(self, user: Any, password: str) -> None:
        """Stores the password that a reset link allows, and signs every browser out."""
        profile.set_password(user, password)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request.META)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return global_path("account_login")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        name = (message_template or "").rpartition("/")[2].removesuffix(".txt")
        text = message or _WORDS.get(name, "")
        if text:
            messages.add_message(request, level, str(text) % (message_context or {}), extra_tags=extra_tags)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        super().send_notification_mail(template_prefix, user, {"user": user, **(context or {})}, email)


def _link(name: str, context: dict[str, Any]) -> str:
    """The mail's link; never from allauth's context where that comes from the Host header."""
    if name in ("email_confirmation", "email_confirmation_signup"):
        return str(context["activate_url"])
    if name == "password_reset_key":
        return str(context["password_reset_url"])
    if name == "unknown_account":
        return global_url("account_signup")
    if name in ("account_already_exists", "password_changed"):
        return global_url("account_reset_password")
    return ""
