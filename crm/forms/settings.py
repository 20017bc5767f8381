"""Forms of the settings pages."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm import people, queries
from crm.enums import Role, Visibility
from crm.forms import choices
from crm.models import Organization, User

THEMES = [("", _("Like the device")), ("light", _("Light")), ("dark", _("Dark"))]


class ProfileForm(forms.Form):
    """What a person says about themselves."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    locale = forms.ChoiceField(label=_("Language"), choices=choices.languages)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    theme = forms.ChoiceField(label=_("Theme"), choices=THEMES, required=False)
    shortcuts = forms.BooleanField(
        label=_("Single-key shortcuts"),
        help_text=_("Letters such as C or G then D. Off while you type."),
        required=False,
        widget=forms.CheckboxInput({"class": "switch"}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_organization = _("Like the organisation (%(zone)s)") % {"zone": organization.time_zone}
        self.fields["time_zone"].choices = [("", as_organization), *choices.zones()]

    @staticmethod
    def values_of(user: User) -> dict[str, Any]:
        """What the form begins with."""
        return {key: getattr(user, key) for key in ("name", "locale", "time_zone", "theme", "shortcuts")}


class PasswordForm(forms.Form):
    """A new password, given the current one."""

    current = forms.CharField(
        label=_("Current password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    new = forms.CharField(
        label=_("New password"),
        help_text=_("10 characters or more. Your other browsers will be signed out."),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


class AddressForm(forms.Form):
    """A new e-mail address, given the password."""

    email = forms.EmailField(label=_("New email address"), widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Current password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )


class GeneralForm(forms.Form):
    """What an organisation is called and how it counts."""

    name = forms.CharField(label=_("Organisation name"), max_length=120)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=choices.zones)
    base_currency = forms.ChoiceField(
        label=_("Base currency"),
        choices=choices.currencies,
        help_text=_("Sums over several currencies are shown in it."),
    )
    fiscal_year_start = forms.TypedChoiceField(label=_("Fiscal year begins in"), choices=choices.months, coerce=int)
    visibility = forms.ChoiceField(label=_("Who sees records"), choices=Visibility.choices, widget=forms.RadioSelect)
    readonly_may_export = forms.BooleanField(
        label=_("Read-only members may export"), required=False, widget=forms.CheckboxInput({"class": "switch"})
    )

    @staticmethod
    def values_of(organization: Organization) -> dict[str, Any]:
        """What the form begins with."""
        return {key: getattr(organization, key) for key in GeneralForm.base_fields}


class RateForm(forms.Form):
    """What a currency is worth from a day on."""

    currency = forms.ChoiceField(label=_("Currency"), choices=choices.currencies)
    rate = forms.DecimalField(label=_("Rate"), max_digits=18, decimal_places=8)
    valid_from = forms.DateField(label=_("Valid from"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, base_currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [row for row in choices.currencies() if row[0] != base_currency]
        self.fields["currency"].choices = [("", _("Choose a currency")), *others]
        self.fields["rate"].help_text = _("%(currency)s for one unit") % {"currency": base_currency}
        self.initial.setdefault("valid_from", timezone.localdate())


class InviteForm(forms.Form):
    """Addresses to invite, with one role and teams for all of them."""

    emails = forms.CharField(
        label=_("Email addresses"),
        help_text=_("Separate with commas or new lines."),
        widget=forms.Textarea({"rows": 3, "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.REP)
    teams = forms.TypedMultipleChoiceField(
        label=_("Teams"), required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teams"].choices = [(str(pk), name) for pk, name in queries.team_names().items()]

    def clean_emails(self) -> list[str]:
        """The addresses, however they were separated; "Ana Sá <ana@fjord.example>" counts as its address."""
        text: str = self.cleaned_data["emails"]
        parts = (part.strip() for part in re.split(r"[,;\n]", text))
        return [match[1] if (match := re.fullmatch(r".*<([^<>]+)>", part)) else part for part in parts if part]


class DeactivateForm(forms.Form):
    """Who takes over the records of somebody who leaves."""

    reassign_to = forms.TypedChoiceField(label=_("Hand the records to"), coerce=UUID)

    def __init__(self, *args: Any, member_id: UUID, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not needed:
            del self.fields["reassign_to"]
            return
        heirs = [(str(pk), name) for pk, name in people.heirs(member_id)]
        self.fields["reassign_to"].choices = [("", _("Choose a person")), *heirs]


class MemberTeamsForm(forms.Form):
    """The teams of one member, and those they manage."""

    teams = forms.TypedMultipleChoiceField(
        label=_("Member of"), required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )
    managed = forms.TypedMultipleChoiceField(
        label=_("Manager of"),
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With the role Manager, somebody sees and edits the records of these teams and all below them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = [(str(pk), name) for pk, name in queries.team_names().items()]
        self.fields["teams"].choices = teams
        self.fields["managed"].choices = teams


class TeamForm(forms.Form):
    """A team: its name, the team above it, its people."""

    name = forms.CharField(label=_("Name"), max_length=80)
    parent = forms.TypedChoiceField(label=_("Part of"), required=False, coerce=UUID, empty_value=None)
    members = forms.TypedMultipleChoiceField(
        label=_("Members"), required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )
    managers = forms.TypedMultipleChoiceField(
        label=_("Managers"),
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With the role Manager, they see and edit the records of this team and all below it."),
    )

    def __init__(self, *args: Any, team_id: UUID | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = [(str(pk), name) for pk, name in queries.team_names().items() if pk != team_id]
        members = [(str(pk), name) for pk, name in queries.members()]
        self.fields["parent"].choices = [("", _("No other team")), *teams]
        self.fields["members"].choices = members
        self.fields["managers"].choices = members


class NewOrganizationForm(forms.Form):
    """The name of another organisation."""

    organization = forms.CharField(label=_("Organisation name"), max_length=120)
