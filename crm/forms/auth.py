"""Forms of signing in and up. allauth's views use them (ACCOUNT_FORMS)."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.actions import organizations
from crm.models import User

PASSWORD_HELP = _("10 characters or more. A short sentence works well.")


class LoginForm(allauth_forms.LoginForm):
    """Address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Email")
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["remember"].label = _("Keep me signed in on this device")
        self.fields["remember"].initial = True


class SignUpForm(allauth_forms.SignupForm):
    """A person and the name of their organisation."""

    organization = forms.CharField(
        label=_("Organisation name"), max_length=120, widget=forms.TextInput({"autocomplete": "organization"})
    )
    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    field_order = ["organization", "name", "email", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Work email")
        self.fields["password1"].help_text = PASSWORD_HELP

    def try_save(self, request: HttpRequest) -> Any:
        """Makes the person, or, for a known address, does the same work for nothing: the answer tells neither apart."""
        if not self.account_already_exists:
            try:
                with transaction.atomic():
                    return self.save(request), None
            except IntegrityError as error:
                # Somebody signed up with this very address a moment ago.
                if "email" not in str(error):
                    raise
        organizations.rehearse_sign_up(self._given())
        self.account_already_exists = True
        return super().try_save(request)

    def save(self, request: HttpRequest) -> User:
        return organizations.sign_up(self._given())

    def _given(self) -> organizations.SignUp:
        data = self.cleaned_data
        return organizations.SignUp(data["name"], data["email"], data["password1"], data["organization"])


class ResetForm(allauth_forms.ResetPasswordForm):
    """The address that a reset link goes to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Email")


class NewPasswordForm(allauth_forms.ResetPasswordKeyForm):
    """A new password, behind a reset link. Typed once: what was mistyped can be reset again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]
        self.fields["password1"].help_text = PASSWORD_HELP


class JoinForm(forms.Form):
    """Somebody new, behind an invitation's link."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        help_text=PASSWORD_HELP,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        """Holds the password against the rules, the invited address and the name among them."""
        password: str = self.cleaned_data["password"]
        try:
            validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        except ValidationError as error:
            raise forms.ValidationError(error.messages) from error
        return password
