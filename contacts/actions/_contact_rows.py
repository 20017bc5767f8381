"""New contacts, from values to rows: what create_contact and create_contacts share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _

from contacts import queries
from contacts.actions import _children, _creating
from contacts.actions._creating import BATCH, Row
from contacts.duplicates import DuplicateContact, Known
from contacts.enums import ContactRole
from contacts.lib.domains import company_domains
from contacts.lib.emails import same_email
from contacts.models import AccountContact, Contact
from contacts.values import (
    CONTACT_CHOICE,
    CONTACT_FLAGS,
    CONTACT_TEXT,
    Messages,
    NewContact,
    clean_choice,
    clean_emails,
    clean_phones,
    clean_text,
    refuse,
)
from crm.actions.tags import clean_tags
from crm.lib.errors import Invalid
from crm.records import timeline
from crm.tenancy.backend.kept import new_row
from crm.tenancy.context import Actor, elevated
from crm.tenancy.fields import new_id
from crm.tenancy.models import create_together


def create_rows(values: Sequence[NewContact], acting: Actor, *, override_duplicate: bool) -> list[Row]:
    """Checks and writes contacts; every row carries what was made or its error. Raises Forbidden for readers."""
    _creating.refuse_readers(acting)
    _creating.check_role("contact", values, acting)
    region = _creating.region_for(values, acting)
    rows = _creating.check_rows(values, lambda value: _check(value, region))
    _creating.settle_owners(rows, acting)
    _settle_accounts(rows, acting)
    _settle_known(rows, acting, override_duplicate=override_duplicate)
    _creating.settle_tags(rows, acting)
    _creating.settle_custom(rows, "contact", acting)
    made = [row for row in rows if row.open]
    if made:
        _write(made, acting)
    return rows


def _check(values: NewContact, region: str) -> Row:
    """A row's columns and children, by themselves. Raises Invalid."""
    errors: Messages = {}
    columns: dict[str, Any] = {n: clean_text(n, getattr(values, n), most, errors) for n, most in CONTACT_TEXT.items()}
    columns |= {n: clean_choice(n, getattr(values, n), choices, errors) for n, choices in CONTACT_CHOICE.items()}
    columns |= {name: bool(getattr(values, name)) for name in CONTACT_FLAGS}
    clean_choice("account_role", values.account_role, ContactRole, errors)
    emails = clean_emails(values.emails, errors)
    phones = clean_phones(values.phones, region, errors)
    name = f"{columns['first_name']} {columns['last_name']}".strip() or (emails[0].address if emails else "")
    if not name and not errors:
        errors["last_name"] = _("Enter a name or an e-mail address.")
    refuse(errors)
    columns["id"] = new_id()
    columns["email"] = emails[0].address if emails else ""
    columns["phone"] = phones[0].number if phones else ""
    columns["custom"] = dict(values.custom)
    keys = tuple(same_email(email.address) for email in emails)
    tags = clean_tags(values.tags)
    return Row(
        values, columns, name, keys=keys, emails=emails, phones=phones, tags=tags, account_role=values.account_role
    )


def _settle_accounts(rows: Sequence[Row], acting: Actor) -> None:
    """Takes the accounts that rows name; one that the actor does not see is refused like one that is not there."""
    named = {row.values.account_id for row in rows if row.open and row.values.account_id}
    visible = queries.live_account_ids(named, acting)
    for row in rows:
        if not row.open or row.values.account_id is None:
            continue
        if row.values.account_id in visible:
            row.account_id = row.values.account_id
        else:
            row.error = Invalid(fields={"account": _("This account was not found. Choose another one.")})


def _settle_known(rows: Sequence[Row], acting: Actor, *, override_duplicate: bool) -> None:
    """Refuses rows whose address somebody has, and finds the account of those that name none by their domain."""
    emails = {key for row in rows if row.open for key in row.keys} if not override_duplicate else set()
    domains = {d for row in rows if row.open and row.account_id is None for d in company_domains(row.keys)}
    found = queries.find_keys(emails, domains, lock=emails)
    if not override_duplicate:
        _refuse_duplicates(rows, found.emails, acting)
    for row in rows:
        if row.open and row.account_id is None:
            row.account_id = next((found.accounts[d] for d in company_domains(row.keys) if d in found.accounts), None)
            row.account_role = ContactRole.UNKNOWN if row.account_id else row.account_role


def _refuse_duplicates(rows: Sequence[Row], taken: Collection[str], acting: Actor) -> None:
    known: dict[str, list[Known]] = {}
    if taken:
        with elevated("contacts of the whole organisation, of which only what the actor may know is told"):
            known = queries.known_keys(taken, ()).emails
    ids = {match.id for match in chain.from_iterable(known.values())}
    _creating.refuse_duplicates(rows, known, DuplicateContact, queries.visible_ids(Contact, ids, acting), acting)


def _write(rows: Sequence[Row], acting: Actor) -> None:
    """Writes checked rows, their children and their timeline entries."""
    for row in rows:
        row.made = new_row(Contact, account_id=row.account_id, **row.columns)
    emails = [child for row in rows for child in _children.email_rows(row.made.id, row.emails)]
    phones = [child for row in rows for child in _children.phone_rows(row.made.id, row.phones)]
    links = [
        new_row(
            AccountContact, contact_id=row.made.id, account_id=row.account_id, role=row.account_role, is_primary=True
        )
        for row in rows
        if row.account_id
    ]
    entries = [
        timeline.Entry(kind="system", data={"event": "created"}, contact_id=row.made.id, account_id=row.account_id)
        for row in rows
    ]
    with _creating.writing_for({row.made.owner_id for row in rows}, acting, "contacts created for another owner"):
        made = [row.made for row in rows]
        create_together(made, emails, phones, links, timeline.rows(entries, acting=acting), batch_size=BATCH)
