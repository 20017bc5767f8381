"""What is handed to the actions of contacts and accounts, and the checks that every way in shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from contacts.enums import AddressKind, ContactRole, LeadStatus, Lifecycle
from contacts.lib import emails as email_lib
from contacts.lib.domains import normalize_domain, website_domain
from crm.lib import phones as phone_lib
from crm.lib.errors import Invalid

Messages = dict[str, str | Promise]
MAX_CHILDREN = 20  # addresses, numbers or domains of one record


@dataclass(frozen=True, slots=True)
class EmailValue:
    """One e-mail address as it was given."""

    address: str
    kind: str = AddressKind.WORK
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class PhoneValue:
    """One phone number as it was given."""

    number: str
    kind: str = AddressKind.WORK
    is_primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """A contact to create. Without an owner it belongs to the actor; without an account it is linked by its domain.

    `tags` are names; tags that do not exist yet are made.
    """

    first_name: str = ""
    last_name: str = ""
    emails: tuple[EmailValue, ...] = ()
    phones: tuple[PhoneValue, ...] = ()
    title: str = ""
    department: str = ""
    lead_source: str = ""
    lead_status: str = LeadStatus.NEW
    lifecycle: str = Lifecycle.LEAD
    do_not_email: bool = False
    do_not_call: bool = False
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    owner_id: UUID | None = None
    account_id: UUID | None = None
    account_role: str = ContactRole.UNKNOWN
    tags: tuple[str, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to create. Its domains are those given and the registrable one of its website."""

    name: str
    domains: tuple[str, ...] = ()
    website: str = ""
    industry: str = ""
    employee_count: int | None = None
    annual_revenue: int | None = None  # minor units of `currency`
    currency: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    description: str = ""
    customer_since: Any = None
    health_score: int | None = None
    is_key: bool = False
    parent_id: UUID | None = None
    owner_id: UUID | None = None
    tags: tuple[str, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)


# The columns that are plain text, with the most characters each may hold.
CONTACT_TEXT = {
    "first_name": 100, "last_name": 100, "title": 120, "department": 120, "lead_source": 80,
    "street": 200, "city": 100, "region": 100, "postal_code": 20, "country": 80,
}  # fmt: skip
CONTACT_CHOICE = {"lead_status": LeadStatus, "lifecycle": Lifecycle}
CONTACT_FLAGS = ("do_not_email", "do_not_call")
ACCOUNT_TEXT = {
    "name": 200, "website": 300, "industry": 80, "phone": 40, "description": 20_000, "currency": 3,
    "street": 200, "city": 100, "region": 100, "postal_code": 20, "country": 80,
}  # fmt: skip
ACCOUNT_NUMBERS = {"employee_count": 2**31 - 1, "annual_revenue": 2**63 - 1, "health_score": 100}


def clean_text(name: str, value: Any, longest: int, errors: Messages) -> str:
    """Text without blanks around it and without characters a database can't hold; too long is an error."""
    text = str(value or "").replace("\x00", "").strip()
    if len(text) > longest:
        errors[name] = _("This is too long: at most %(max)d characters.") % {"max": longest}
    return text


@lru_cache
def _values_of(choices: Any) -> frozenset[str]:
    return frozenset(choices.values)  # made anew each time it is asked for


def clean_choice(name: str, value: Any, choices: Any, errors: Messages) -> str:
    """A value of an enumeration; anything else is an error."""
    if not isinstance(value, str) or value not in _values_of(choices):
        errors[name] = _("“%(value)s” is not one of the choices.") % {"value": value}
    return str(value)


def clean_number(name: str, value: Any, most: int, errors: Messages) -> int | None:
    """A whole number from 0 to `most`, or None; anything else is an error."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        errors[name] = _("Enter a whole number from 0 to %(max)d.") % {"max": most}
        return None
    return value


def clean_emails(values: Iterable[EmailValue], errors: Messages) -> tuple[EmailValue, ...]:
    """Valid addresses without repeats, the primary one first; empty ones are dropped."""
    kept: dict[str, EmailValue] = {}
    for given in values:
        if not given.address.strip():
            continue
        address = email_lib.clean_email(given.address)
        if address is None:
            errors["emails"] = _("“%(address)s” is not an e-mail address.") % {"address": given.address.strip()[:80]}
            continue
        clean_choice("emails", given.kind, AddressKind, errors)
        _keep(kept, email_lib.same_email(address), EmailValue(address, given.kind, given.is_primary))
    return _primary_first(list(kept.values()), "emails", errors)


def clean_phones(values: Iterable[PhoneValue], region: str, errors: Messages) -> tuple[PhoneValue, ...]:
    """Numbers in E.164 where they can be understood, without repeats, the primary one first; empty ones are dropped."""
    kept: dict[str, PhoneValue] = {}
    for given in values:
        if not given.number.strip():
            continue
        number = clean_text("phones", phone_lib.normalize_phone(given.number, region), phone_lib.MAX, errors)
        clean_choice("phones", given.kind, AddressKind, errors)
        _keep(kept, number, PhoneValue(number, given.kind, given.is_primary))
    return _primary_first(list(kept.values()), "phones", errors)


Child = TypeVar("Child", EmailValue, PhoneValue)


def _keep(kept: dict[str, Child], key: str, value: Child) -> None:
    """Adds a child; a repeat only counts when it is the primary one."""
    first = kept.get(key)
    if first is None or (value.is_primary and not first.is_primary):
        kept[key] = value


def _primary_first(values: list[Child], name: str, errors: Messages) -> tuple[Child, ...]:
    """One primary, in front; the first one where none is marked."""
    if len(values) > MAX_CHILDREN:
        errors[name] = _("At most %(max)d of these fit on one record.") % {"max": MAX_CHILDREN}
    if not values:
        return ()
    chosen = next((i for i, value in enumerate(values) if value.is_primary), 0)
    ordered = [values[chosen], *values[:chosen], *values[chosen + 1 :]]
    return tuple(type(v)(_content(v), v.kind, i == 0) for i, v in enumerate(ordered))


def _content(value: EmailValue | PhoneValue) -> str:
    return value.address if isinstance(value, EmailValue) else value.number


def clean_domains(given: Sequence[str], website: str, errors: Messages) -> tuple[str, ...]:
    """The domains of an account, normalised, without repeats; the website's registrable one is added at the end."""
    kept: dict[str, None] = {}
    for text in given:
        if not text.strip():
            continue
        domain = normalize_domain(text)
        if not domain:
            errors["domains"] = _("“%(domain)s” is not a domain, such as example.org.") % {"domain": text.strip()[:80]}
            continue
        kept[domain] = None
    if website and (owned := website_domain(website)):
        kept[owned] = None
    if len(kept) > MAX_CHILDREN:
        errors["domains"] = _("At most %(max)d of these fit on one record.") % {"max": MAX_CHILDREN}
    return tuple(kept)


def clean_website(value: Any, errors: Messages) -> str:
    """A web address with its scheme; "halden.example" becomes "https://halden.example"."""
    text = clean_text("website", value, ACCOUNT_TEXT["website"], errors)
    if not text:
        return ""
    address = text if text.lower().startswith(("http://", "https://")) else f"https://{text}"
    if not normalize_domain(address) or " " in address:
        example = _("“%(address)s” is not a web address, such as https://example.org.")
        errors["website"] = example % {"address": text[:80]}
    return address


def refuse(errors: Messages) -> None:
    """Raises Invalid when there are errors."""
    if errors:
        raise Invalid(fields=errors)
