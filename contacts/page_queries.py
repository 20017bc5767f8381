"""What the pages of contacts and accounts show: few statements each, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from uuid import UUID

from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.translation import gettext as _

from contacts.enums import AddressKind, ContactRole
from contacts.models import Account, AccountContact, AccountDomain, Contact, ContactEmail, ContactPhone
from crm import access
from crm.lib.phones import dialled, readable_phone
from crm.records import schema
from crm.records.limits import seen_keys
from crm.tenancy.backend.base import prepared_cursor
from crm.tenancy.context import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """An address or a number on a page."""

    value: str
    kind: str
    is_primary: bool

    @property
    def shown(self) -> str:
        """The value as people read it."""
        return readable_phone(self.value)

    @property
    def dialled(self) -> str:
        """A number as a link takes it."""
        return dialled(self.value)

    @property
    def label(self) -> str:
        """What it is for, in words."""
        return str(AddressKind(self.kind).label)


@dataclass(frozen=True, slots=True)
class Link:
    """A contact's place at an account, as the page of either shows it: `id`, `name` and `title` are the other's."""

    id: UUID
    name: str
    title: str
    role: str
    is_primary: bool
    ended_on: date | None

    @property
    def role_label(self) -> str:
        """The role in words; "" where it is not known."""
        return "" if self.role == ContactRole.UNKNOWN else str(ContactRole(self.role).label)

    @property
    def tone(self) -> str:
        """The colour of the role."""
        return ROLE_TONES.get(self.role, "gray")


@dataclass(frozen=True, slots=True)
class Person:
    """A contact in a list of people."""

    id: UUID
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class ContactParts:
    """What stands around a contact on its page."""

    emails: list[Line]
    phones: list[Line]
    links: list[Link]
    colleagues: list[Person]
    tags: dict[UUID, tuple[str, str]]  # id to name and tone


ROLE_TONES = {
    "decision_maker": "violet", "champion": "green", "influencer": "cyan", "blocker": "red", "user": "blue",
    "billing": "amber",
}  # fmt: skip
PEOPLE = 5  # colleagues on a contact's page
LINKS = 100  # accounts on a contact's page, contacts on an account's


def _full_name(prefix: str = "", *, or_address: bool) -> Coalesce:
    """SQL of a contact's name, as Contact.name is."""
    name = Concat(f"{prefix}first_name", Value(" "), f"{prefix}last_name", output_field=CharField())
    return Coalesce(NullIf(Trim(name), Value("")), F(f"{prefix}email") if or_address else Value(""))


def contact_lines(contact_id: UUID) -> tuple[list[Line], list[Line]]:
    """A contact's addresses and numbers, the primary ones first, in one statement."""
    emails = ContactEmail.objects.filter(contact_id=contact_id).values_list(
        Value("email"), "address", "kind", "is_primary", "position"
    )
    phones = ContactPhone.objects.filter(contact_id=contact_id).values_list(
        Value("phone"), "number", "kind", "is_primary", "position"
    )
    found: dict[str, list[tuple[int, Line]]] = {"email": [], "phone": []}
    for what, value, kind, is_primary, position in emails.union(phones, all=True):
        found[what].append((position, Line(value, kind, is_primary)))
    ordered = [[line for _position, line in sorted(found[what], key=lambda pair: pair[0])] for what in found]
    return ordered[0], ordered[1]


# Everything around a contact in one statement: planning five would cost more than running one. What row-level security
# hides from the actor is left out by it; each branch finds its rows by an index of its own.
_PARTS_SQL = """
SELECT 'email', e.id, e.address, e.kind, e.is_primary, e.position, NULL::date
  FROM contacts_contactemail e WHERE e.contact_id = %(contact)s
UNION ALL
SELECT 'phone', p.id, p.number, p.kind, p.is_primary, p.position, NULL
  FROM contacts_contactphone p WHERE p.contact_id = %(contact)s
UNION ALL
(SELECT 'link', l.account_id, a.name, l.role || ' ' || l.title, l.is_primary,
        (row_number() OVER (ORDER BY l.is_primary DESC, l.id))::int, l.ended_on
   FROM contacts_accountcontact l JOIN contacts_account a ON a.id = l.account_id AND a.deleted_at IS NULL
  WHERE l.contact_id = %(contact)s ORDER BY l.is_primary DESC, l.id LIMIT %(links)s)
"""
_COLLEAGUES_SQL = """
UNION ALL
(SELECT 'person', c.id,
        coalesce(nullif(btrim(c.first_name || ' ' || c.last_name), ''),
                 CASE WHEN %(named)s::boolean THEN c.email ELSE '' END),
        c.title, false,
        (row_number() OVER (ORDER BY c.updated_at DESC, c.id DESC))::int, NULL
   FROM contacts_contact c
  WHERE c.account_id = %(account)s AND c.id <> %(contact)s AND c.deleted_at IS NULL
  ORDER BY c.updated_at DESC, c.id DESC LIMIT %(people)s)
"""
_TAGS_SQL = """
UNION ALL
SELECT 'tag', t.id, t.name, t.tone, false, 0, NULL FROM crm_tag t WHERE t.id = ANY (%(tags)s) AND t.deleted_at IS NULL
"""


def contact_parts(contact: Contact, actor: Actor) -> ContactParts:
    """Addresses, numbers, accounts, colleagues and tags of a contact, in one statement.

    Accounts and colleagues that the actor does not see are left out, and so is what is hidden from their role.
    """
    seen = seen_keys(schema.record_type("contact", actor), actor)
    sql = _PARTS_SQL + (_COLLEAGUES_SQL if contact.account_id else "") + (_TAGS_SQL if contact.tags else "")
    given = {"contact": contact.id, "account": contact.account_id, "tags": contact.tags, "named": "email" in seen}
    with prepared_cursor() as cursor:
        cursor.execute(sql, {**given, "links": LINKS, "people": PEOPLE})
        rows = sorted(cursor.fetchall(), key=itemgetter(5))
    parts = ContactParts([], [], [], [], {})
    for what, pk, text, more, is_primary, _position, ended_on in rows:
        if what in ("email", "phone") and what not in seen:
            continue
        if what == "email":
            parts.emails.append(Line(text, more, is_primary))
        elif what == "phone":
            parts.phones.append(Line(text, more, is_primary))
        elif what == "link":
            role, _blank, title = more.partition(" ")
            parts.links.append(Link(pk, text, title if "title" in seen else "", role, is_primary, ended_on))
        elif what == "person":
            parts.colleagues.append(Person(pk, text or _("(no name)"), more if "title" in seen else ""))
        else:
            parts.tags[pk] = (text, more)
    return parts


def people_of(account: Account, actor: Actor) -> list[Link]:
    """The contacts of an account that the actor sees, by role and name."""
    visible = access.visible(Contact, actor).values("id") if actor.read != "all" else None
    rows = AccountContact.objects.filter(account_id=account.id, contact__deleted_at__isnull=True)
    if visible is not None:
        rows = rows.filter(contact_id__in=visible)
    seen = seen_keys(schema.record_type("contact", actor), actor)
    title = Coalesce(NullIf("title", Value("")), "contact__title") if "title" in seen else Value("")
    known = rows.annotate(who=_full_name("contact__", or_address="email" in seen), there=title).values_list(
        "contact_id", "who", "there", "role", "is_primary", "ended_on"
    )
    people = [
        Link(pk, who or _("(no name)"), *rest) for pk, who, *rest in known.order_by("contact__sort_name", "id")[:LINKS]
    ]
    return sorted(people, key=lambda link: (link.ended_on is not None, link.role == ContactRole.UNKNOWN))


def children_of(account: Account, actor: Actor) -> list[tuple[UUID, str]]:
    """The accounts right below an account that the actor sees: (id, name), by name."""
    rows = access.visible(Account, actor).filter(parent_id=account.id).order_by("name_norm", "id")
    return list(rows.values_list("id", "name")[:LINKS])


def domains_of(account_id: UUID) -> list[str]:
    """An account's domains, the first one first."""
    return list(
        AccountDomain.objects.filter(account_id=account_id).order_by("position", "id").values_list("domain", flat=True)
    )


def link_between(contact_id: UUID, account_id: UUID) -> AccountContact | None:
    """The link of a contact to an account, where the actor sees both."""
    rows = AccountContact.objects.select_related("account").filter(account__deleted_at__isnull=True)
    return rows.filter(contact_id=contact_id, account_id=account_id).first()
