"""Contacts and accounts as record types: what lists, filters, forms, export and history know of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contacts.actions import accounts, contacts, edits
from contacts.enums import ContactRole, LeadStatus, Lifecycle
from contacts.models import Account, AccountContact, Contact
from contacts.values import EmailValue, NewAccount, NewContact, PhoneValue
from crm.records.registry import Bin, Bulk, Emptied, Field, FieldType, RecordType, Relation
from crm.tenancy.context import Actor

LIFECYCLE_TONES = {
    "subscriber": "gray", "lead": "blue", "mql": "cyan", "sql": "teal", "opportunity": "violet", "customer": "green",
    "evangelist": "pink", "other": "gray",
}  # fmt: skip
LEAD_STATUS_TONES = {"new": "blue", "contacted": "cyan", "qualified": "green", "unqualified": "gray"}


def _owner() -> Field:
    return Field(
        "owner", _("Owner"), FieldType.MEMBER, path="owner_id", label_paths=("owner__user__name",), filterable=True
    )


def _tags() -> Field:
    return Field("tags", _("Tags"), FieldType.TAGS, filterable=True)


def _address() -> tuple[Field, ...]:
    return (
        Field("street", _("Street"), FieldType.TEXT, filterable=True),
        Field("city", _("City"), FieldType.TEXT, filterable=True),
        Field("region", _("State or region"), FieldType.TEXT, filterable=True),
        Field("postal_code", _("Postal code"), FieldType.TEXT, filterable=True),
        Field("country", _("Country"), FieldType.TEXT, filterable=True),
    )


def _times() -> tuple[Field, ...]:
    return (
        Field("created_at", _("Created"), FieldType.DATETIME, filterable=True, editable=False, always=True),
        Field(
            "updated_at", _("Updated"), FieldType.DATETIME, sortable=True, filterable=True, editable=False, always=True
        ),
    )


def _link_fields() -> tuple[Field, ...]:
    """What is known of a contact at an account, whichever of the two is filtered."""
    return (
        Field("role", _("Role"), FieldType.CHOICE, choices=ContactRole),
        Field("title", _("Job title there"), FieldType.TEXT),
        Field("is_primary", _("Main account"), FieldType.CHECKBOX),
        Field("started_on", _("Since"), FieldType.DATE),
        Field("ended_on", _("Until"), FieldType.DATE),
    )


def _given(values: Mapping[str, Any], plain: tuple[str, ...]) -> dict[str, Any]:
    """The keywords of a new record that have the same name as a field, and those that hold an id."""
    given = {key: value for key, value in values.items() if key in plain}
    for key in ("owner", "account", "parent"):
        if values.get(key):
            given[f"{key}_id"] = values[key]
    if values.get("custom"):
        given["custom"] = values["custom"]
    if values.get("tags"):
        given["tags"] = tuple(values["tags"])
    return given


def create_contact_from(values: Mapping[str, Any], *, acting: Actor) -> Contact:
    """create_contact for values by field key. Raises what it does."""
    plain = tuple(key for key in NewContact.__dataclass_fields__ if key not in ("emails", "phones", "tags"))
    given = _given(values, plain)
    if values.get("email"):
        given["emails"] = (EmailValue(values["email"]),)
    if values.get("phone"):
        given["phones"] = (PhoneValue(values["phone"]),)
    return contacts.create_contact(NewContact(**given), acting=acting)


def create_account_from(values: Mapping[str, Any], *, acting: Actor) -> Account:
    """create_account for values by field key. Raises what it does."""
    plain = tuple(key for key in NewAccount.__dataclass_fields__ if key not in ("domains", "tags"))
    given = {"name": "", **_given(values, plain)}
    if values.get("domain"):
        given["domains"] = (values["domain"],)
    return accounts.create_account(NewAccount(**given), acting=acting)


def _main_contacts_of(account_id: UUID) -> Q:
    """The contacts whose first link is to an account."""
    links = AccountContact.objects.filter(account_id=account_id, is_primary=True)
    return Q(pk__in=links.values("contact_id"))


CONTACT = RecordType(
    key="contact",
    model=Contact,
    label=_("Contact"),
    label_plural=_("Contacts"),
    icon="users",
    fields=(
        Field("first_name", _("First name"), FieldType.TEXT, filterable=True),
        Field("last_name", _("Last name"), FieldType.TEXT, filterable=True),
        Field(
            "account", _("Account"), FieldType.LOOKUP, path="account_id", target="account",
            label_paths=("account__name",), url_name="account_detail", filterable=True,
        ),
        Field("title", _("Job title"), FieldType.TEXT, filterable=True),
        Field(
            "lifecycle", _("Lifecycle"), FieldType.CHOICE, choices=Lifecycle, tones=LIFECYCLE_TONES, filterable=True,
            required=True,
        ),
        Field(
            "last_activity_at", _("Last activity"), FieldType.DATETIME, sortable=True, filterable=True, editable=False
        ),
        _owner(),
        Field(
            "email", _("Email"), FieldType.EMAIL, sort_path="email_norm", sortable=True, filterable=True,
            searched=("email_norm", "emails__address_norm"), bulk=False,
        ),
        _tags(),
        Field(
            "phone", _("Phone"), FieldType.PHONE, sort_path="phone_norm", filterable=True,
            searched=("phone_norm", "phones__number_norm"), bulk=False,
        ),
        Field("department", _("Department"), FieldType.TEXT, filterable=True),
        Field("lead_source", _("Lead source"), FieldType.TEXT, filterable=True),
        Field(
            "lead_status", _("Lead status"), FieldType.CHOICE, choices=LeadStatus, tones=LEAD_STATUS_TONES,
            filterable=True, required=True,
        ),
        Field("score", _("Score"), FieldType.NUMBER, filterable=True, editable=False),
        Field("do_not_email", _("Do not email"), FieldType.CHECKBOX, filterable=True),
        Field("do_not_call", _("Do not call"), FieldType.CHECKBOX, filterable=True),
        *_address(),
        *_times(),
    ),
    name_paths=("first_name", "last_name"),
    name_fallback="email",
    name_sort_path="sort_name",
    subtitle=("title", "account"),
    list_columns=("account", "title", "lifecycle", "last_activity_at", "owner", "email", "tags"),
    search_paths=("sort_name", "full_name_norm", "email_norm", "phone_norm"),
    search_words=("full_name_norm", "email_norm"),
    search_fragments=("emails__address_norm", "phones__number_norm"),
    create=create_contact_from,
    update=contacts.update_contact,
    bulk=Bulk(apply=edits.apply_contacts, written=edits.tell_contacts),
    url_names={
        "list": "contact_list", "detail": "contact_detail", "new": "contact_new", "edit": "contact_edit",
        "import": "import_list",
    },
    relations=(
        Relation(
            "accounts", _("Accounts"), "account", "contact_id", through=AccountContact, forth="account_id",
            fields=_link_fields(),
        ),
    ),
    history_tables=(
        "contacts_contactemail", "contacts_contactphone", "contacts_accountcontact", "contacts_contactshare",
    ),
)  # fmt: skip

ACCOUNT = RecordType(
    key="account",
    model=Account,
    label=_("Account"),
    label_plural=_("Accounts"),
    icon="building-2",
    fields=(
        Field("name", _("Name"), FieldType.TEXT, sort_path="name_norm", sortable=True, required=True, filterable=True),
        Field(
            "domain", _("Domain"), FieldType.TEXT, filterable=True, searched=("domain", "account_domains__domain"),
            bulk=False,
        ),
        Field("industry", _("Industry"), FieldType.TEXT, filterable=True),
        Field("employee_count", _("Employees"), FieldType.NUMBER, filterable=True),
        Field(
            "annual_revenue", _("Annual revenue"), FieldType.MONEY, currency_path="currency", filterable=True,
        ),
        Field("phone", _("Phone"), FieldType.PHONE, filterable=True, searched=("phone",)),
        Field("website", _("Website"), FieldType.URL, filterable=True, bulk=False),
        _owner(),
        Field(
            "parent", _("Parent account"), FieldType.LOOKUP, path="parent_id", target="account",
            label_paths=("parent__name",), url_name="account_detail", filterable=True,
        ),
        Field("customer_since", _("Customer since"), FieldType.DATE, filterable=True),
        Field("health_score", _("Health"), FieldType.NUMBER, filterable=True, editable=False),
        Field("is_key", _("Key account"), FieldType.CHECKBOX, filterable=True),
        _tags(),
        Field("description", _("Description"), FieldType.LONG_TEXT, filterable=True),
        *_address(),
        *_times(),
    ),
    name_sort_path="name_norm",
    subtitle=("industry", "city"),
    list_columns=("domain", "industry", "city", "employee_count", "owner", "tags", "updated_at"),
    search_paths=("name_norm",),
    search_words=("name_norm", "domain"),
    search_fragments=("account_domains__domain", "phone"),
    create=create_account_from,
    update=accounts.update_account,
    bulk=Bulk(apply=edits.apply_accounts, written=edits.tell_accounts, undo=edits.refuse_circles),
    bin=Bin(emptied=(Emptied(Contact, "account_id", still=_main_contacts_of),)),
    url_names={"list": "account_list", "detail": "account_detail", "new": "account_new", "edit": "account_edit"},
    relations=(
        Relation(
            "contacts", _("Contacts"), "contact", "account_id", through=AccountContact, forth="contact_id",
            fields=_link_fields(),
        ),
    ),
    history_tables=("contacts_accountdomain", "contacts_accountshare"),
)  # fmt: skip
