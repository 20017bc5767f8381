"""Importing contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import queries
from contacts.actions.contacts import create_contacts, update_contact
from contacts.duplicates import told
from contacts.enums import AddressKind, LeadStatus, Lifecycle
from contacts.imports import parsing
from contacts.imports.accounts import Accounts, accounts_named
from contacts.imports.externals import known_records, remember
from contacts.imports.own import own_values
from contacts.imports.planning import ME
from contacts.imports.targets import ImportField, Parsed, Question, Result, Settings, Target, reason_of
from contacts.lib.emails import clean_email, same_email
from contacts.models import Contact
from contacts.values import CONTACT_TEXT, EmailValue, NewContact, PhoneValue
from crm import access
from crm.lib.errors import CrmError, Invalid
from crm.records import schema
from crm.records.custom import sealed_keys
from crm.tenancy.context import Actor, elevated

KEY = "contact"
TEXT = (
    "first_name",
    "last_name",
    "title",
    "department",
    "lead_source",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
)

FIELDS = (
    ImportField("external_id", gettext_lazy("Record ID"), names=("record id", "id", "contact id"), longest=120),
    ImportField("first_name", gettext_lazy("First name"), names=("first name", "firstname", "given name"), longest=100),
    ImportField(
        "last_name", gettext_lazy("Last name"), names=("last name", "lastname", "surname", "family name"), longest=100
    ),
    ImportField("full_name", gettext_lazy("Full name"), names=("name", "full name", "contact name")),
    ImportField(
        "emails",
        gettext_lazy("Email"),
        "many",
        names=(
            "email",
            "e mail",
            "email address",
            "email work",
            "email home",
            "email other",
            "work email",
            "additional email addresses",
        ),
    ),
    ImportField(
        "phones",
        gettext_lazy("Phone"),
        "many",
        names=(
            "phone",
            "phone number",
            "phone work",
            "phone home",
            "phone mobile",
            "phone other",
            "mobile phone number",
            "mobile phone",
            "mobile",
            "mobilephone",
            "homephone",
            "otherphone",
            "home phone",
            "other phone",
        ),
    ),
    ImportField("title", gettext_lazy("Job title"), names=("job title", "title"), longest=120),
    ImportField("department", gettext_lazy("Department"), names=("department",), longest=120),
    ImportField(
        "account",
        gettext_lazy("Account"),
        names=("company name", "associated company", "organization", "account name", "company account", "company"),
        longest=200,
    ),
    ImportField(
        "owner",
        gettext_lazy("Owner"),
        "owner",
        names=("contact owner", "owner", "lead owner", "ownerid", "account owner"),
        ask="owner",
    ),
    ImportField(
        "lead_status", gettext_lazy("Lead status"), "choice", names=("lead status",), choices=tuple(LeadStatus.choices)
    ),
    ImportField(
        "lifecycle",
        gettext_lazy("Lifecycle stage"),
        "choice",
        names=("lifecycle stage",),
        choices=tuple(Lifecycle.choices),
        ask="lifecycle",
    ),
    ImportField(
        "lead_source", gettext_lazy("Lead source"), names=("lead source", "leadsource", "original source"), longest=80
    ),
    ImportField(
        "street",
        gettext_lazy("Street"),
        names=("street address", "mailing street", "mailingstreet", "street", "postal address"),
        longest=200,
    ),
    ImportField(
        "city",
        gettext_lazy("City"),
        names=("city", "mailing city", "mailingcity", "city town village locality of postal address"),
        longest=100,
    ),
    ImportField(
        "region",
        gettext_lazy("State or region"),
        names=("state region", "mailing state province", "mailingstate", "state county of postal address", "state"),
        longest=100,
    ),
    ImportField(
        "postal_code",
        gettext_lazy("Postal code"),
        names=(
            "postal code",
            "mailing zip postal code",
            "mailingpostalcode",
            "zip postal code of postal address",
            "zip",
        ),
        longest=20,
    ),
    ImportField(
        "country",
        gettext_lazy("Country"),
        names=("country region", "mailing country", "mailingcountry", "country of postal address", "country"),
        longest=80,
    ),
    ImportField("do_not_email", gettext_lazy("Do not email"), "bool", names=("hasoptedoutofemail", "email opt out")),
    ImportField("do_not_call", gettext_lazy("Do not call"), "bool", names=("donotcall", "do not call")),
    ImportField("tags", gettext_lazy("Tags"), names=("labels", "label", "tags")),
    ImportField("deleted", gettext_lazy("Deleted there"), "bool", names=("isdeleted",)),
)


def _prepare(settings: Settings, acting: Actor) -> None:
    """Nothing is looked up beforehand: accounts are found as the rows name them."""


def _questions(distinct: dict[str, list[str]], settings: Settings, acting: Actor) -> list[Question]:
    known = {parsing.normal(text) for choice in Lifecycle.choices for text in (choice[0], str(choice[1]))}
    unknown = tuple(value for value in distinct.get("lifecycle", ()) if parsing.normal(value) not in known)
    if not unknown:
        return []
    options = tuple((value, str(label)) for value, label in Lifecycle.choices)
    return [Question("lifecycle", _("Lifecycle stages"), unknown, options, dict.fromkeys(unknown, Lifecycle.OTHER))]


def _check(parsed: Parsed, settings: Settings) -> None:
    """Refuses addresses that are none, and rows without a name or an address."""
    if parsed.values.get("deleted"):
        parsed.skip = _("It was deleted in the system it comes from.")
        return
    if "full_name" in parsed.values and not {"first_name", "last_name"} & parsed.values.keys():
        first, last = parsing.split_name(parsed.values["full_name"])
        parsed.values |= {"first_name": first[:100], "last_name": last[:100]}
    emails = []
    for text, header in parsed.values.get("emails", ()):
        for part in parsing.split_many(text):
            if clean_email(part) is None:
                parsed.error = _("%(column)s: “%(text)s” is not an e-mail address.") % {
                    "column": header,
                    "text": part[:80],
                }
                return
            emails.append(EmailValue(part, _kind(header)))
    parsed.values["emails"] = emails
    named = parsed.values.get("first_name") or parsed.values.get("last_name") or emails
    if not named:
        parsed.error = _("The row has neither a name nor an e-mail address.")


def _kind(header: str) -> str:
    name = parsing.normal(header)
    for word, kind in (("mobile", AddressKind.MOBILE), ("home", AddressKind.HOME), ("other", AddressKind.OTHER)):
        if word in name:
            return kind
    return AddressKind.WORK


def _phones(parsed: Parsed) -> tuple[PhoneValue, ...]:
    return tuple(
        PhoneValue(part[:40], _kind(header))
        for text, header in parsed.values.get("phones", ())
        for part in text.split(";")
        if part.strip()
    )


def _new(parsed: Parsed, accounts: Accounts, acting: Actor) -> NewContact:
    values = parsed.values
    owner = values.get("owner")
    return NewContact(
        **{name: values.get(name, "")[: CONTACT_TEXT[name]] for name in TEXT},
        emails=tuple(values["emails"]),
        phones=_phones(parsed),
        lead_status=values.get("lead_status", LeadStatus.NEW),
        lifecycle=values.get("lifecycle", Lifecycle.LEAD),
        do_not_email=values.get("do_not_email", False),
        do_not_call=values.get("do_not_call", False),
        owner_id=acting.member_id if owner in (None, ME) else owner,
        account_id=accounts.of(values.get("account")),
        tags=tuple(parsing.split_many(values.get("tags", ""))),
        custom=own_values(parsed),
    )


def write(parsed: Sequence[Parsed], settings: Settings, *, acting: Actor) -> list[Result]:
    """Creates contacts, or fills empty fields of those with the same address. A row whose address an earlier row of
    the file has is treated as one of those."""
    accounts = accounts_named(
        {row.values["account"] for row in parsed if row.values.get("account")}, settings, acting=acting
    )
    results: dict[int, Result] = {}
    waiting = list(enumerate(parsed))
    while waiting:
        seen: set[str] = set()
        now, later = [], []
        for position, row in waiting:
            keys = _keys(row, settings)
            (later if seen & keys else now).append((position, row))
            seen |= keys
        results.update(_write_distinct(now, accounts, settings, acting))
        waiting = later
    return [results[position] for position in range(len(parsed))]


def _keys(row: Parsed, settings: Settings) -> set[str]:
    keys = {same_email(email.address) for email in row.values["emails"]}
    external = row.values.get("external_id")
    return keys | ({f"{settings.source}:{external}"} if external else set())


def _write_distinct(
    rows: list[tuple[int, Parsed]], accounts: Accounts, settings: Settings, acting: Actor
) -> dict[int, Result]:
    """Rows that have no address in common."""
    emails = {same_email(email.address) for _position, row in rows for email in row.values["emails"]}
    with elevated("contacts that an import's rows match, of which only the owner is told"):
        known = queries.known_keys(emails, ()).emails
    externals = known_records(KEY, [row.values.get("external_id", "") for _position, row in rows], settings)
    ids = {match.id for matches in known.values() for match in matches} | set(externals.values())
    writable = set(Contact.objects.filter(access.writable_q(Contact, acting), id__in=ids).values_list("id", flat=True))
    results: dict[int, Result] = {}
    fresh: list[tuple[int, Parsed]] = []
    filled: list[tuple[int, Parsed, UUID]] = []
    for position, row in rows:
        matches = next(
            (known[same_email(e.address)] for e in row.values["emails"] if known.get(same_email(e.address))), None
        )
        external = externals.get(row.values.get("external_id", ""))
        if matches:
            match, seen = told(matches, writable)
            if seen:
                filled.append((position, row, match.id))
            else:
                results[position] = Result(
                    "skipped", _("Already known, owned by %(owner)s.") % {"owner": match.owner_name}
                )
        elif external in writable and external is not None:
            filled.append((position, row, external))
        else:
            fresh.append((position, row))
    results.update(_create(fresh, accounts, settings, acting))
    results.update(_fill(filled, accounts, settings, acting))
    return results


def _create(rows: list[tuple[int, Parsed]], accounts: Accounts, settings: Settings, acting: Actor) -> dict[int, Result]:
    if not rows:
        return {}
    made = create_contacts([_new(row, accounts, acting) for _position, row in rows], acting=acting)
    results: dict[int, Result] = {}
    pairs: list[tuple[str, UUID]] = []
    for (position, row), contact in zip(rows, made, strict=True):
        if isinstance(contact, CrmError):
            results[position] = Result("failed", reason_of(contact))
            continue
        results[position] = Result("created", accounts.note(row.values.get("account")), record=contact.id)
        if row.values.get("external_id"):
            pairs.append((row.values["external_id"], contact.id))
    remember(KEY, pairs, settings)
    return results


def _fill(
    rows: list[tuple[int, Parsed, UUID]], accounts: Accounts, settings: Settings, acting: Actor
) -> dict[int, Result]:
    if not rows:
        return {}
    present = Contact.objects.in_bulk([pk for _position, _row, pk in rows])
    sealed = sealed_keys(schema.record_type(KEY, acting), present)
    results: dict[int, Result] = {}
    for position, row, pk in rows:
        contact = present[pk]
        changes = _empty_fields(contact, row, accounts)
        if own := own_values(row, contact.custom.keys() | sealed.get(pk, set())):
            changes["custom"] = own
        note = "" if contact.account_id else accounts.note(row.values.get("account"))
        if not changes:
            results[position] = Result("skipped", note or _("Already here, with nothing to add."), record=pk)
            continue
        try:
            update_contact(pk, changes, acting=acting)
        except Invalid as refused:
            results[position] = Result("failed", reason_of(refused), record=pk)
            continue
        results[position] = Result("updated", note, record=pk)
    remember(KEY, [(row.values["external_id"], pk) for _p, row, pk in rows if row.values.get("external_id")], settings)
    return results


def _empty_fields(contact: Contact, row: Parsed, accounts: Accounts) -> dict[str, Any]:
    """What the row knows of built-in fields and the contact does not."""
    changes: dict[str, Any] = {
        name: row.values[name] for name in TEXT if row.values.get(name) and not getattr(contact, name)
    }
    if row.values["emails"] and not contact.email:
        changes["emails"] = row.values["emails"]
    if not contact.phone and (phones := _phones(row)):
        changes["phones"] = phones
    if contact.account_id is None and (pk := accounts.of(row.values.get("account"))):
        changes["account"] = pk
    if row.values.get("tags") and not contact.tags:
        changes["tags"] = parsing.split_many(row.values["tags"])
    return changes


TARGET = Target(KEY, gettext_lazy("Contacts"), FIELDS, _prepare, _questions, _check, write, "contact_list")
