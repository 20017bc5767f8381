"""New accounts, from values to rows: what create_account and create_accounts share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _

from contacts import queries
from contacts.actions import _children, _creating
from contacts.actions._creating import BATCH, Row
from contacts.duplicates import DuplicateAccount, Known
from contacts.lib.domains import is_free_mail
from contacts.models import Account
from contacts.values import (
    ACCOUNT_NUMBERS,
    ACCOUNT_TEXT,
    Messages,
    NewAccount,
    clean_domains,
    clean_number,
    clean_text,
    clean_website,
    refuse,
)
from crm.actions.tags import clean_tags
from crm.lib.errors import Invalid
from crm.lib.money import is_currency
from crm.lib.phones import normalize_phone
from crm.records import timeline
from crm.tenancy.backend.kept import new_row
from crm.tenancy.context import Actor, elevated
from crm.tenancy.fields import new_id
from crm.tenancy.models import create_together


def create_rows(values: Sequence[NewAccount], acting: Actor, *, override_duplicate: bool) -> list[Row]:
    """Checks and writes accounts; every row carries what was made or its error. Raises Forbidden for readers."""
    _creating.refuse_readers(acting)
    _creating.check_role("account", values, acting)
    numbers = [value.phone.strip() for value in values]
    region = _creating.region_of_actor(acting) if any(n and not n.startswith("+") for n in numbers) else ""
    rows = _creating.check_rows(values, lambda value: _check(value, region))
    _creating.settle_owners(rows, acting)
    _settle_parents(rows, acting)
    _settle_currencies(rows, acting)
    if not override_duplicate:
        _refuse_duplicates(rows, acting)
    _creating.settle_tags(rows, acting)
    _creating.settle_custom(rows, "account", acting)
    made = [row for row in rows if row.open]
    if made:
        _write(made, acting)
    return rows


def _check(values: NewAccount, region: str) -> Row:
    """A row's columns and domains, by themselves. Raises Invalid."""
    errors: Messages = {}
    columns = account_columns({name: getattr(values, name) for name in ACCOUNT_COLUMNS}, region, errors)
    domains = clean_domains(values.domains, columns["website"], errors)
    refuse(errors)
    columns["id"] = new_id()
    columns["parent_id"] = values.parent_id
    columns["domain"] = domains[0] if domains else ""
    keys = tuple(domain for domain in domains if not is_free_mail(domain))
    return Row(values, columns, columns["name"], keys=keys, domains=domains, tags=clean_tags(values.tags))


ACCOUNT_COLUMNS = (*ACCOUNT_TEXT, *ACCOUNT_NUMBERS, "customer_since", "is_key", "custom")


def account_columns(given: dict[str, Any], region: str, errors: Messages) -> dict[str, Any]:
    """The plain columns among the values given, checked; what is wrong goes into `errors`."""
    columns: dict[str, Any] = {}
    for name, value in given.items():
        if name == "website":
            columns[name] = clean_website(value, errors)
        elif name == "phone":
            columns[name] = clean_text(name, normalize_phone(value or "", region), ACCOUNT_TEXT[name], errors)
        elif name in ACCOUNT_TEXT:
            columns[name] = clean_text(name, value, ACCOUNT_TEXT[name], errors)
        elif name in ACCOUNT_NUMBERS:
            columns[name] = clean_number(name, value, ACCOUNT_NUMBERS[name], errors)
        else:
            columns[name] = bool(value) if name == "is_key" else value
    if "name" in columns and not columns["name"]:
        errors["name"] = _("Enter the name of the account.")
    if columns.get("currency") and not is_currency(columns["currency"]):
        errors["currency"] = _("Give the three letters of a currency, such as EUR.")
    return columns


def _settle_parents(rows: Sequence[Row], acting: Actor) -> None:
    """Refuses rows whose parent account is absent or not the actor's to see."""
    named = {row.values.parent_id for row in rows if row.open and row.values.parent_id}
    visible = queries.live_account_ids(named, acting)
    for row in rows:
        if row.open and row.values.parent_id and row.values.parent_id not in visible:
            row.error = Invalid(fields={"parent": _("This account was not found. Choose another one.")})


def _settle_currencies(rows: Sequence[Row], acting: Actor) -> None:
    """Gives amounts without a currency the organisation's."""
    without = [row for row in rows if row.open and row.columns["annual_revenue"] is not None]
    without = [row for row in without if not row.columns["currency"]]
    currency = queries.base_currency(acting.org_id) if without else ""
    for row in without:
        row.columns["currency"] = currency


def _refuse_duplicates(rows: Sequence[Row], acting: Actor) -> None:
    """Refuses rows with a domain that an account of the organisation has, seen by the actor or not."""
    domains = {key for row in rows if row.open for key in row.keys}
    if not domains:
        return
    taken = queries.find_keys((), domains, lock=domains).accounts
    known: dict[str, list[Known]] = {}
    if taken:
        with elevated("accounts of the whole organisation, of which only what the actor may know is told"):
            known = queries.known_keys((), taken).domains
    ids = {match.id for match in chain.from_iterable(known.values())}
    _creating.refuse_duplicates(rows, known, DuplicateAccount, queries.visible_ids(Account, ids, acting), acting)


def _write(rows: Sequence[Row], acting: Actor) -> None:
    """Writes checked rows, their domains and timeline entries."""
    for row in rows:
        row.made = new_row(Account, **row.columns)
    domains = [child for row in rows for child in _children.domain_rows(row.made.id, row.domains)]
    entries = [timeline.Entry(kind="system", data={"event": "created"}, account_id=row.made.id) for row in rows]
    with _creating.writing_for({row.made.owner_id for row in rows}, acting, "accounts created for another owner"):
        made = [row.made for row in rows]
        create_together(made, domains, timeline.rows(entries, acting=acting), batch_size=BATCH)
