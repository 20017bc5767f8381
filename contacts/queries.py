"""Reads of contacts and accounts that join, and the hand-written SQL (each has an equivalence test)."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Case, When

from contacts.duplicates import Known
from contacts.models import Account, AccountDomain, Contact, ContactEmail, ImportJob, ImportRow
from contacts.models.importing import ImportStatus
from crm import access
from crm.models import Membership, Organization
from crm.tenancy import context
from crm.tenancy.backend.base import prepared_cursor
from crm.tenancy.context import Actor

BUCKETS = 64  # advisory locks that one organisation's addresses share: an import holds no more than these

NOTED = ("created", "updated")  # outcomes of rows that are in; one is kept where something of it was left out


@dataclass(slots=True)
class KnownKeys:
    """Who has which address, and which accounts have which domain; the oldest first."""

    emails: dict[str, list[Known]] = field(default_factory=lambda: defaultdict(list))
    domains: dict[str, list[Known]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """Which addresses somebody has, and the oldest account of each domain that has one."""

    emails: frozenset[str] = frozenset()
    accounts: Mapping[str, UUID] = field(default_factory=dict)


def find_keys(emails: Collection[str], domains: Collection[str], *, lock: Collection[str]) -> FoundKeys:
    """Looks for live records of the whole organisation with these normalised addresses and domains, whoever asks.

    Others who create records with one of the keys to `lock` wait until this transaction ends.
    """
    if not (emails or domains or lock):
        return FoundKeys()
    space = zlib.crc32(str(context.current_org_id()).encode()) - 2**31
    # Sorted, so that two that lock several can't wait for each other.
    buckets = sorted({zlib.crc32(key.encode()) % BUCKETS for key in lock})
    with prepared_cursor() as cursor:
        cursor.execute(
            "SELECT kind, key, id FROM keel_find_keys(%s::int, %s::int[], %s::text[], %s::text[])",
            [space, buckets, list(emails), list(domains)],
        )
        rows = cursor.fetchall()
    accounts: dict[str, UUID] = {}
    for kind, key, pk in rows:
        if kind == "domain":
            accounts.setdefault(key, pk)
    return FoundKeys(frozenset(key for kind, key, _pk in rows if kind == "email"), accounts)


MANY = 20  # keys above which they are looked up alone first


def _present(emails: Collection[str], domains: Collection[str]) -> tuple[set[str], set[str]]:
    """The keys that somebody has. Without a join, one index scan whatever the planner believes: while an import fills
    a new table its statistics say that it is empty, and a join would walk every contact for every chunk."""
    taken = ContactEmail.objects.filter(address_norm__in=emails).values_list("address_norm", flat=True)
    owned = AccountDomain.objects.filter(domain__in=domains).values_list("domain", flat=True)
    return set(taken) if emails else set(), set(owned) if domains else set()


# By hand, since every new contact asks it and the planner's time is most of it.
_EMAILS_SQL = """
SELECT 'email', e.address_norm, c.id,
       coalesce(nullif(btrim(c.first_name || ' ' || c.last_name), ''), c.email), c.owner_id,
       (SELECT coalesce(nullif(u.name, ''), split_part(u.email, '@', 1))
          FROM crm_membership m JOIN crm_user u ON u.id = m.user_id WHERE m.id = c.owner_id)
  FROM contacts_contactemail e JOIN contacts_contact c ON c.id = e.contact_id
 WHERE e.address_norm = ANY (%(emails)s) AND c.deleted_at IS NULL
"""
_DOMAINS_SQL = """
SELECT 'domain', d.domain, a.id, a.name, a.owner_id,
       (SELECT coalesce(nullif(u.name, ''), split_part(u.email, '@', 1))
          FROM crm_membership m JOIN crm_user u ON u.id = m.user_id WHERE m.id = a.owner_id)
  FROM contacts_accountdomain d JOIN contacts_account a ON a.id = d.account_id
 WHERE d.domain = ANY (%(domains)s) AND a.deleted_at IS NULL
"""


def known_keys(emails: Collection[str], domains: Collection[str]) -> KnownKeys:
    """Live contacts by normalised e-mail address and live accounts by domain, in one statement for a few.

    It sees what the settings of the transaction allow: actions call it `elevated`, and tell of a match only what the
    actor may know.
    """
    if len(emails) + len(domains) > MANY:
        emails, domains = _present(emails, domains)
    parts = [sql for sql, keys in ((_EMAILS_SQL, emails), (_DOMAINS_SQL, domains)) if keys]
    found = KnownKeys()
    if not parts:
        return found
    with prepared_cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), {"emails": list(emails), "domains": list(domains)})
        for kind, key, pk, name, owner_id, owner_name in cursor.fetchall():
            keys = found.emails if kind == "email" else found.domains
            keys[key].append(Known(pk, name or key, owner_id, owner_name))
    for matches in (*found.emails.values(), *found.domains.values()):
        matches.sort(key=lambda known: known.id)
    return found


def visible_ids(model: type[Contact | Account], ids: Collection[UUID], actor: Actor) -> set[UUID]:
    """Which of some records the actor sees."""
    if actor.read == "all" or not ids:
        return set(ids)
    return set(access.visible(model, actor).filter(id__in=ids).values_list("id", flat=True))


def live_account_ids(ids: Collection[UUID], actor: Actor) -> set[UUID]:
    """Which of some ids are accounts that the actor sees and that are not in the recycle bin."""
    return set(access.visible(Account, actor).filter(id__in=ids).values_list("id", flat=True)) if ids else set()


def active_members(ids: Collection[UUID]) -> dict[UUID, str]:
    """Those of some ids that are active members of the organisation, with their names."""
    if not ids:
        return {}
    rows = Membership.objects.filter(id__in=ids, active=True).values_list("id", "user__name", "user__email")
    return {pk: name or email.partition("@")[0] for pk, name, email in rows}


def accounts_above(account_id: UUID, most: int, parents: Mapping[UUID, UUID | None] | None = None) -> set[UUID]:
    """An account and those above it in its company tree, at most `most` levels. `parents` are to be those of some."""
    known = parents or {}
    found: set[UUID] = set()
    at: UUID | None = account_id
    while at is not None and at not in found and len(found) < most:
        found.add(at)
        of = Account.everything.filter(pk=at).values_list("parent_id", flat=True)
        at = known[at] if at in known else of.first()
    return found


def past_imports(actor: Actor) -> list[ImportJob]:
    """The last 20 imports of the actor; for admins, of everybody."""
    jobs = ImportJob.objects.select_related("owner__user").order_by("-id")
    return list((jobs if actor.write == "all" else jobs.filter(owner_id=actor.member_id))[:20])


def imports_under_way(change_set_id: UUID) -> bool:
    """Whether an import still writes under a change set."""
    going = (ImportStatus.QUEUED, ImportStatus.RUNNING)
    return ImportJob.objects.filter(change_set_id=change_set_id, status__in=going).exists()


def rows_of_import(job: ImportJob) -> list[ImportRow]:
    """The first 200 rows of an import that failed, were skipped, or are in with a note; in this order."""
    place = Case(When(outcome="failed", then=0), When(outcome="skipped", then=1), default=2)
    return list(ImportRow.objects.filter(job=job).defer("cells").order_by(place, "line")[:200])


def noted_in_import(job: ImportJob) -> int:
    """How many rows of an import are in, but for something that was left out."""
    return ImportRow.objects.filter(job=job, outcome__in=NOTED).count()


def all_rows_of_import(job: ImportJob, outcome: str) -> list[tuple[int, str, list[Any]]]:
    """Line, reason and cells, as they are kept, of every row of an import that was "skipped", "failed" or "noted"."""
    outcomes = NOTED if outcome == "noted" else (outcome,)
    rows = ImportRow.objects.filter(job=job, outcome__in=outcomes).order_by("line")
    return list(rows.values_list("line", "reason", "cells"))


def base_currency(org_id: UUID) -> str:
    """The currency of an organisation's amounts that name none."""
    return Organization.objects.values_list("base_currency", flat=True).get(pk=org_id)
