"""create_contacts leaves what create_contact would leave, row by row; the same for accounts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.models import Activity
from contacts.actions.accounts import create_account, create_accounts
from contacts.actions.contacts import create_contact, create_contacts
from contacts.duplicates import DuplicateRecord
from contacts.models import Account, AccountContact, AccountDomain, Contact, ContactEmail, ContactPhone
from contacts.values import EmailValue, NewAccount, NewContact, PhoneValue
from crm.lib.errors import CrmError
from crm.models import OutboxEvent, Tag
from crm.records import schema
from tests.contacts.conftest import Cast
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = st.sampled_from(["Ines", "Noor", "Erik", "", " "])
ADDRESSES = st.sampled_from(
    ["ines@halden.example", "INES@halden.example", "noor@halden.example", "erik@gmail.com", "known@brenner.example",
     "hidden@brenner.example", "nobody", "x@nowhere.example"]
)  # fmt: skip
EMAILS = st.lists(st.builds(EmailValue, ADDRESSES, st.sampled_from(["work", "home"]), st.booleans()), max_size=3)
NUMBERS = st.sampled_from(["010 555 0142", "+31105550142", "ask", "", "+1 415 555 2671"])
PHONES = st.lists(st.builds(PhoneValue, NUMBERS, st.just("work"), st.booleans()), max_size=2)
TAGS = st.lists(st.sampled_from(["Champion", "champion", "Crème", "creme", "NL"]), max_size=3)
OWNERS = st.sampled_from([None, "rep", "stranger"])
LINKED = st.sampled_from([None, None, "own", "hidden"])


@st.composite
def contact_rows(draw: Any) -> list[dict[str, Any]]:
    row = st.fixed_dictionaries(
        {"first_name": NAMES, "last_name": NAMES, "emails": EMAILS.map(tuple), "phones": PHONES.map(tuple),
         "tags": TAGS.map(tuple), "owner": OWNERS, "account": LINKED,
         "lifecycle": st.sampled_from(["lead", "customer", "friend"])}
    )  # fmt: skip
    return draw(st.lists(row, max_size=6))


def furnished() -> Cast:
    """A private organisation with accounts and contacts, some of them out of the rep's sight."""
    org = make_org(time_zone="Europe/Amsterdam")
    rep = org.member("rep", "Maya Okafor")
    cast = Cast(org, rep, rep, rep, org.member("rep", "Tom Becker"), rep)
    cast.account("Halden", domains=("halden.example",))
    cast.account("Brenner", by=cast.stranger, domains=("brenner.example",))
    cast.contact(first_name="Known", last_name="One", email="known@brenner.example")
    cast.contact(by=cast.stranger, first_name="Hidden", last_name="One", email="hidden@brenner.example")
    return cast


def contact_of(cast: Cast, row: dict[str, Any], accounts: dict[str, Any]) -> NewContact:
    owner, account = row["owner"], row["account"]
    plain = {key: value for key, value in row.items() if key not in ("owner", "account")}
    owner_id = {None: None, "rep": cast.rep.id, "stranger": cast.stranger.id}[owner]
    account_id = {None: None, "own": accounts["Halden"], "hidden": accounts["Brenner"]}[account]
    return NewContact(**plain, owner_id=owner_id, account_id=account_id, account_role="user")


def outcome(result: Any) -> tuple[Any, ...]:
    """What a caller learns of one row."""
    if isinstance(result, DuplicateRecord):
        return result.code, str(result), result.record_name, result.owner_name, result.record_id is None
    if isinstance(result, CrmError):
        return result.code, str(result), {name: str(text) for name, text in result.fields.items()}
    return ("made", result.owner_id is not None)


def one_by_one(create: Any, rows: list[Any], acting: Any, **more: Any) -> list[Any]:
    results = []
    for row in rows:
        try:
            results.append(create(row, acting=acting, **more))
        except CrmError as error:
            results.append(error)
    return results


def state(cast: Cast) -> dict[str, Any]:
    """Everything in the organisation, by names instead of ids."""
    with cast.org.system():
        tags = dict(Tag.objects.values_list("id", "name"))
        people = {
            c.pk: (c.first_name, c.last_name, c.email, c.phone, c.lifecycle, c.version, c.owner.name,
                   c.account.name if c.account else None, tuple(tags[t] for t in c.tags))
            for c in Contact.everything.select_related("owner__user", "account")
        }  # fmt: skip
        accounts = {
            a.pk: (a.name, a.domain, a.website, a.phone, a.owner.name, tuple(tags[t] for t in a.tags))
            for a in Account.everything.select_related("owner__user")
        }
        entries = Activity.objects.values_list("type", "contact_id", "account_id", "owner__user__name")
        return {
            "people": Counter(people.values()),
            "accounts": Counter(accounts.values()),
            "tags": sorted(tags.values()),
            "emails": Counter(
                (people[r.contact_id], r.address, r.kind, r.is_primary, r.position) for r in ContactEmail.objects.all()
            ),
            "phones": Counter(
                (people[r.contact_id], r.number, r.kind, r.is_primary, r.position) for r in ContactPhone.objects.all()
            ),
            "links": Counter(
                (people[r.contact_id], accounts[r.account_id], r.role, r.is_primary)
                for r in AccountContact.objects.all()
            ),
            "domains": Counter((accounts[r.account_id], r.domain, r.position) for r in AccountDomain.objects.all()),
            "timeline": Counter((kind, people.get(c), accounts.get(a), who) for kind, c, a, who in entries),
        }  # fmt: skip


def announced(cast: Cast, one: str, many: str) -> set[str]:
    """The ids of the records that events of creation name, single or in batches."""
    with cast.org.system():
        single = OutboxEvent.objects.filter(name=one).values_list("record", flat=True)
        batches = OutboxEvent.objects.filter(name=many).values_list("payload__records", flat=True)
        return {str(pk) for pk in single} | {pk for batch in batches for pk in batch}


@given(rows=contact_rows(), override=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_create_contacts_leaves_what_create_contact_leaves(rows: list[dict[str, Any]], override: bool) -> None:
    casts = furnished(), furnished()
    results = []
    for cast, batch in zip(casts, (False, True), strict=True):
        with cast.org.system():
            accounts = dict(Account.objects.values_list("name", "id"))
        values = [contact_of(cast, row, accounts) for row in rows]
        with cast.org.acting(cast.rep) as acting:
            if batch:
                results.append(create_contacts(values, acting=acting, override_duplicate=override))
            else:
                results.append(one_by_one(create_contact, values, acting, override_duplicate=override))
    assert [outcome(result) for result in results[0]] == [outcome(result) for result in results[1]]
    assert state(casts[0]) == state(casts[1])
    for cast, made in zip(casts, results, strict=True):
        ids = {str(result.pk) for result in made if not isinstance(result, CrmError)}
        assert ids <= announced(cast, "contact.created", "contacts.created")


ACCOUNTS = st.lists(
    st.builds(
        dict,
        name=st.sampled_from(["Halden", "Nordhavn", "", "Kiln"]),
        domains=st.lists(
            st.sampled_from(["halden.example", "brenner.example", "www.nordhavn.example", "no domain", "gmail.com"]),
            max_size=2,
        ).map(tuple),
        website=st.sampled_from(["", "https://nordhavn.example/x", "facebook.com/kiln", "not a site"]),
        phone=st.sampled_from(["", "010 555 0142"]),
        annual_revenue=st.sampled_from([None, 100, -1]),
        tags=TAGS.map(tuple),
    ),
    max_size=5,
)


@given(rows=ACCOUNTS, override=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_create_accounts_leaves_what_create_account_leaves(rows: list[dict[str, Any]], override: bool) -> None:
    casts = furnished(), furnished()
    values = [NewAccount(**row) for row in rows]
    with casts[0].org.acting(casts[0].rep) as acting:
        single = one_by_one(create_account, values, acting, override_duplicate=override)
    with casts[1].org.acting(casts[1].rep) as acting:
        batch = create_accounts(values, acting=acting, override_duplicate=override)
    assert [outcome(result) for result in single] == [outcome(result) for result in batch]
    assert state(casts[0]) == state(casts[1])
    ids = {str(result.pk) for result in batch if not isinstance(result, CrmError)}
    assert ids <= announced(casts[1], "account.created", "accounts.created")


def test_create_contacts_takes_a_fixed_number_of_statements(cast: Cast, django_assert_num_queries: Any) -> None:
    rows = [NewContact(last_name=f"N{n}", emails=(EmailValue(f"n{n}@firm{n}.example"),)) for n in range(330)]
    with cast.org.acting(cast.rep) as acting:
        schema.schema_of(acting)  # read once by a process
        with django_assert_num_queries(6):
            create_contacts(rows[:30], acting=acting)
        with django_assert_num_queries(6):
            create_contacts(rows[30:], acting=acting)


def test_create_contacts_emits_one_event_per_thousand(cast: Cast) -> None:
    with cast.org.acting(cast.rep) as acting:
        create_contacts([NewContact(last_name=f"N{n}") for n in range(1001)], acting=acting)
    with cast.org.system():
        events = OutboxEvent.objects.filter(name="contacts.created").order_by("id")
        assert [len(payload["records"]) for payload in events.values_list("payload", flat=True)] == [1000, 1]
