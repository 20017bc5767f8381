"""Forms of contacts and accounts. They parse; what is allowed is decided by the actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.enums import AddressKind, ContactRole, LeadStatus, Lifecycle
from contacts.models import Account, Contact
from contacts.values import (
    ACCOUNT_NUMBERS,
    ACCOUNT_TEXT,
    CONTACT_FLAGS,
    CONTACT_TEXT,
    EmailValue,
    NewAccount,
    NewContact,
    PhoneValue,
)
from crm import queries
from crm.records.forms import add_custom, custom_values
from crm.records.limits import unwritable
from crm.records.lookup import LookupField
from crm.records.tagnames import TagNamesField
from crm.tenancy.context import Actor
from crm.web.fields import DateField, MoneyField, Row, RowsField
from crm.web.forms import QuickForm


def _members() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in queries.members()]


class OwnerField(forms.UUIDField):
    """A member. The choices are read when the form is shown; the action checks who was chosen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Owner"), widget=forms.Select(choices=_members), **kwargs)


def _text(label: Any, longest: int) -> forms.CharField:
    return forms.CharField(label=label, max_length=longest, required=False)


# The fields of the record type that a part of a form stands for.
KEYS = {"emails": "email", "phones": "phone", "domains": "domain"}


class AddressForm(QuickForm):
    """What the forms of contacts and accounts have in common: few fields at first, the rest behind "More fields"."""

    MAIN: tuple[str, ...] = ()
    MORE: tuple[str, ...] = ()
    RECORD_TYPE = ""
    own: tuple[str, ...] = ()  # names of the organisation's own fields

    street = _text(_("Street"), CONTACT_TEXT["street"])
    postal_code = _text(_("Postal code"), CONTACT_TEXT["postal_code"])
    city = _text(_("City"), CONTACT_TEXT["city"])
    region = _text(_("State or region"), CONTACT_TEXT["region"])
    country = _text(_("Country"), CONTACT_TEXT["country"])

    def add_own(self, actor: Actor, record: Any, currency: str) -> None:
        """Adds the organisation's own fields: what is required among the first, the rest behind "More fields"."""
        self.own = add_custom(self, self.RECORD_TYPE, actor, currency=currency, record=record)

    def keep_writable(self, actor: Actor) -> None:
        """Leaves out what the actor's role may not write."""
        closed = unwritable(self.RECORD_TYPE, actor)
        for name in [name for name in self.fields if KEYS.get(name, name) in closed]:
            del self.fields[name]

    def first(self) -> list[str]:
        """The fields that are seen at first."""
        main = [name for name in self.MAIN if name in self.fields]
        return [*main, *(name for name in self.own if self.fields[name].required)]

    def more(self) -> list[str]:
        """The fields behind "More fields"."""
        more = [name for name in self.MORE if name in self.fields]
        return [*more, *(name for name in self.own if not self.fields[name].required)]

    def opens_more(self) -> bool:
        """Whether one of the fields that are hidden at first is wrong."""
        return any(name in self.errors for name in self.more())


class ContactForm(AddressForm):
    """A contact, new or existing."""

    first_name = _text(_("First name"), CONTACT_TEXT["first_name"])
    last_name = _text(_("Last name"), CONTACT_TEXT["last_name"])
    emails = RowsField(
        forms.EmailField(max_length=254), label=_("Email addresses"), kinds=AddressKind.choices, input_type="email"
    )
    phones = RowsField(
        forms.CharField(max_length=40), label=_("Phone numbers"), kinds=AddressKind.choices, input_type="tel"
    )
    title = _text(_("Job title"), CONTACT_TEXT["title"])
    department = _text(_("Department"), CONTACT_TEXT["department"])
    lifecycle = forms.ChoiceField(label=_("Lifecycle"), choices=Lifecycle.choices, initial=Lifecycle.LEAD)
    lead_status = forms.ChoiceField(label=_("Lead status"), choices=LeadStatus.choices, initial=LeadStatus.NEW)
    lead_source = _text(_("Lead source"), CONTACT_TEXT["lead_source"])
    owner = OwnerField()
    tags = TagNamesField(required=False)
    do_not_email = forms.BooleanField(label=_("Do not email"), required=False)
    do_not_call = forms.BooleanField(label=_("Do not call"), required=False)

    MAIN = (
        "first_name", "last_name", "emails", "phones", "account", "title", "lifecycle", "lead_source", "owner", "tags",
    )  # fmt: skip
    MORE = (
        "department", "lead_status", "street", "postal_code", "city", "region", "country",
        "do_not_email", "do_not_call",
    )  # fmt: skip
    WIDE = ("emails", "phones", "account", "tags", "street")

    RECORD_TYPE = "contact"

    def __init__(self, *args: Any, actor: Actor, currency: str, record: Contact | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"] = LookupField("account", actor, label=_("Account"), required=False)
        self.order_fields([*self.MAIN, *self.MORE])
        self.keep_writable(actor)
        self.add_own(actor, record, currency)

    def _emails(self) -> tuple[EmailValue, ...]:
        rows = self.cleaned_data.get("emails", ())
        return tuple(EmailValue(row.value, row.kind or AddressKind.WORK, row.primary) for row in rows)

    def _phones(self) -> tuple[PhoneValue, ...]:
        rows = self.cleaned_data.get("phones", ())
        return tuple(PhoneValue(row.value, row.kind or AddressKind.WORK, row.primary) for row in rows)

    def new(self) -> NewContact:
        """What create_contact takes."""
        data = self.cleaned_data
        names = (*CONTACT_TEXT, *CONTACT_FLAGS, "lifecycle", "lead_status")
        plain = {name: data[name] for name in names if name in data}
        return NewContact(
            **plain,
            emails=self._emails(),
            phones=self._phones(),
            owner_id=data["owner"],
            account_id=data["account"],
            tags=tuple(data.get("tags", ())),
            custom=custom_values(self, self.own),
        )

    def changes(self) -> dict[str, Any]:
        """What update_contact takes."""
        plain = {name: value for name, value in self.cleaned_data.items() if name not in self.own}
        own = {"custom": custom_values(self, self.own)} if self.own else {}
        lines = {"emails": self._emails, "phones": self._phones}
        return {**plain, **own, **{name: read() for name, read in lines.items() if name in self.fields}}


def contact_initial(
    contact: Contact, emails: Iterable[EmailValue], phones: Iterable[PhoneValue], tags: list[str]
) -> dict[str, Any]:
    """A contact's present values, for its form."""
    plain = {name: getattr(contact, name) for name in (*CONTACT_TEXT, *CONTACT_FLAGS, "lifecycle", "lead_status")}
    return {
        **plain,
        "emails": [Row(value.address, value.kind, value.is_primary) for value in emails],
        "phones": [Row(value.number, value.kind, value.is_primary) for value in phones],
        "owner": contact.owner_id,
        "account": contact.account_id,
        "tags": tags,
    }


class AccountForm(AddressForm):
    """An account, new or existing."""

    name = forms.CharField(label=_("Name"), max_length=ACCOUNT_TEXT["name"])
    website = _text(_("Website"), ACCOUNT_TEXT["website"])
    domains = forms.CharField(
        label=_("Email domains"), required=False,
        help_text=_("Contacts with an address there are linked to this account. Separate domains by commas."),
    )  # fmt: skip
    industry = _text(_("Industry"), ACCOUNT_TEXT["industry"])
    phone = _text(_("Phone"), ACCOUNT_TEXT["phone"])
    employee_count = forms.IntegerField(
        label=_("Employees"), min_value=0, max_value=ACCOUNT_NUMBERS["employee_count"], required=False
    )
    annual_revenue = MoneyField(label=_("Annual revenue"), required=False)
    customer_since = DateField(label=_("Customer since"), required=False)
    owner = OwnerField()
    tags = TagNamesField(required=False)
    is_key = forms.BooleanField(label=_("Key account"), required=False)
    description = forms.CharField(
        label=_("Description"), max_length=ACCOUNT_TEXT["description"], required=False, widget=forms.Textarea
    )

    MAIN = ("name", "website", "domains", "industry", "owner", "tags")
    MORE = (
        "phone", "employee_count", "annual_revenue", "customer_since", "parent", "street", "postal_code", "city",
        "region", "country", "description", "is_key",
    )  # fmt: skip
    WIDE = ("domains", "tags", "parent", "street", "description")
    PLAIN = ("industry", "phone", "employee_count", "annual_revenue", "customer_since", "is_key", "description")

    RECORD_TYPE = "account"

    def __init__(self, *args: Any, actor: Actor, currency: str, record: Account | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"] = LookupField("account", actor, label=_("Parent account"), required=False)
        self.own_field("annual_revenue").set_currency(currency)
        self.order_fields([*self.MAIN, *self.MORE])
        self.keep_writable(actor)
        self.add_own(actor, record, currency)

    def _domains(self) -> tuple[str, ...]:
        return tuple(part for part in self.cleaned_data.get("domains", "").replace(",", " ").split() if part)

    def new(self) -> NewAccount:
        """What create_account takes."""
        data = self.cleaned_data
        names = ("name", "website", *AddressForm.base_fields, *self.PLAIN)
        plain = {name: data[name] for name in names if name in data}
        ids = {"owner_id": data["owner"], "parent_id": data["parent"]}
        own = custom_values(self, self.own)
        return NewAccount(**plain, **ids, domains=self._domains(), tags=tuple(data.get("tags", ())), custom=own)

    def changes(self) -> dict[str, Any]:
        """What update_account takes."""
        plain = {name: value for name, value in self.cleaned_data.items() if name not in self.own}
        own = {"custom": custom_values(self, self.own)} if self.own else {}
        return {**plain, **own, **({"domains": self._domains()} if "domains" in self.fields else {})}


def account_initial(account: Account, domains: list[str], tags: list[str]) -> dict[str, Any]:
    """An account's present values, for its form."""
    plain = ("name", "website", *AddressForm.base_fields, *AccountForm.PLAIN)
    return {
        **{name: getattr(account, name) for name in plain},
        "domains": ", ".join(domains),
        "owner": account.owner_id,
        "parent": account.parent_id,
        "tags": tags,
    }


class LinkForm(forms.Form):
    """What a contact is at an account."""

    role = forms.ChoiceField(label=_("Role"), choices=ContactRole.choices, initial=ContactRole.UNKNOWN)
    title = _text(_("Title there"), 120)
    started_on = DateField(label=_("Since"), required=False)
    ended_on = DateField(label=_("Until"), required=False)
    primary = forms.BooleanField(label=_("This is their main account"), required=False)

    def __init__(self, *args: Any, actor: Actor, target: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if target:
            label = _("Account") if target == "account" else _("Contact")
            self.fields[target] = LookupField(target, actor, label=label)
            self.order_fields([target, "role", "title", "started_on", "ended_on", "primary"])

    def chosen(self, target: str) -> UUID:
        """The id of the record that was chosen."""
        found: UUID = self.cleaned_data[target]
        return found

    def link(self) -> dict[str, Any]:
        """The keywords of link_contact."""
        return {key: self.cleaned_data[key] for key in ("role", "title", "started_on", "ended_on", "primary")}
