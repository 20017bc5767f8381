"""The bench's loader, at a size that takes a second."""

import datetime as dt
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from activities.models import Activity
from bench.load import digest, load
from bench.scale import SCALES, Scale
from contacts.models import AccountContact, Contact, ContactEmail
from crm import queries
from crm.models import AuditEntry, Membership, Organization
from crm.tenancy.context import Actor, org_context
from deals.enums import DealStatus
from deals.models import Deal, Stage, StageChange

pytestmark = pytest.mark.django_db(transaction=True)
TINY = Scale("tiny", 4000, others=4, members=100)
NOW = dt.datetime(2026, 3, 11, 9, 30, tzinfo=dt.UTC)


@pytest.fixture
def url(cluster, worker_clone: str) -> str:
    return cluster.superuser_url(worker_clone)


@pytest.fixture
def loaded(url: str) -> dict[str, Organization]:
    load(url, TINY, NOW)
    found = {}
    for org_id in queries.due_orgs("all"):
        with org_context(Actor.system(org_id)):
            organization = Organization.objects.get(id=org_id)
        found[organization.slug] = organization
    return found


def member_number(scale: Scale, number: int) -> Membership:
    return Membership.objects.get(user__email=f"member{number}@org0.example")


def actor_of(organization: Organization, number: int) -> Actor:
    with org_context(Actor.system(organization.id)):
        found = queries.member_by_id(member_number(TINY, number).id)
    assert found is not None
    return found.actor


def test_load_makes_the_proportions(loaded):
    counts = {}
    for slug, organization in loaded.items():
        with org_context(Actor.system(organization.id)):
            rows = (Contact.objects, Deal.objects, Activity.objects, Membership.objects)
            counts[slug] = tuple(manager.count() for manager in rows)
    others = [count for slug, count in counts.items() if slug != "bench"]
    assert counts["bench"] == (2000, 300, 4000, 100)
    assert len(others) == 4
    assert [sum(column) for column in zip(*others, strict=True)][:3] == [2000, 100, 4000]
    with org_context(Actor.system(loaded["bench"].id)):
        assert Deal.objects.filter(status=DealStatus.OPEN).count() == TINY.open_deals == 200
        columns = Counter(Deal.objects.filter(status=DealStatus.OPEN).values_list("stage__position", flat=True))
        assert sorted(columns) == [0, 1, 2, 3, 4, 5]
        assert max(columns.values()) - min(columns.values()) <= 1
        assert Stage.objects.count() == 8
        assert ContactEmail.objects.filter(is_primary=True).count() == 2000
        assert AuditEntry.objects.filter(table_name="contacts_contact", operation="I").count() == 2000


def test_load_gives_every_member_the_same_share(loaded):
    bench = loaded["bench"]
    for number in TINY.reps:
        with org_context(actor_of(bench, number)) as rep:
            assert rep.role == "rep"
            own = Contact.objects.filter(owner_id=rep.member_id).count()
            seen = Contact.objects.count()
        assert own == 2000 // 100
        assert own <= seen < 2 * own  # and what is shared with them
    for number in TINY.managers:
        with org_context(actor_of(bench, number)) as manager:
            assert manager.role == "manager"
            assert len(manager.members) == 50
            assert Contact.objects.filter(owner_id__in=manager.members).count() == 1000
    assert actor_of(bench, TINY.admin).role == "admin"


def test_load_leaves_no_row_that_points_nowhere(loaded, url):
    """Foreign keys slept during the load: all of them hold."""
    with psycopg.connect(url) as database:
        keys = database.execute(
            "SELECT conrelid::regclass::text, conname, confrelid::regclass::text,"
            " (SELECT array_agg(attname ORDER BY o) FROM unnest(conkey) WITH ORDINALITY u (n, o)"
            "   JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = n),"
            " (SELECT array_agg(attname ORDER BY o) FROM unnest(confkey) WITH ORDINALITY u (n, o)"
            "   JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = n)"
            " FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        ).fetchall()
        assert len(keys) > 30
        for table, name, to, columns, targets in keys:
            on = " AND ".join(f"p.{target} = c.{column}" for column, target in zip(columns, targets, strict=True))
            filled = " AND ".join(f"c.{column} IS NOT NULL" for column in columns)
            lost = database.execute(
                f"SELECT count(*) FROM {table} c WHERE {filled} AND NOT EXISTS (SELECT FROM {to} p WHERE {on})"
            ).fetchone()
            assert (name, lost) == (name, (0,))


def test_load_keeps_what_the_application_would_hold(loaded):
    with org_context(Actor.system(loaded["bench"].id)):
        contact = Contact.objects.filter(account__isnull=False).first()
        assert ContactEmail.objects.get(contact=contact, is_primary=True).address == contact.email
        assert AccountContact.objects.get(contact=contact).account_id == contact.account_id
        assert contact.sort_name[0] == contact.last_name[0].lower()
        deal = Deal.objects.filter(status=DealStatus.WON).first()
        changes = list(StageChange.objects.filter(deal=deal).order_by("at"))
        assert [c.from_stage_id for c in changes[1:]] == [c.to_stage_id for c in changes[:-1]]
        assert (changes[0].from_stage_id, changes[-1].to_stage_id) == (None, deal.stage_id)
        activity = Activity.objects.filter(deal__isnull=False).first()
        assert activity.account_id == Deal.objects.get(id=activity.deal_id).account_id
        positions = Deal.objects.filter(stage=Deal.objects.first().stage).values_list("position", flat=True)
        assert len(set(positions)) == len(positions)


def test_load_interleaves_the_organisations(loaded, url):
    pages = "SELECT count(DISTINCT (ctid::text::point)[0]) FROM contacts_contact WHERE org_id = ANY (%s)"
    everybody = [organization.id for organization in loaded.values()]
    with psycopg.connect(url) as database:
        whole = database.execute(pages, [everybody]).fetchone()[0]
        own = database.execute(pages, [[loaded["bench"].id]]).fetchone()[0]
    # Half of all rows, and yet on nearly every page of the table.
    assert whole > 100
    assert own > 0.95 * whole


def test_load_twice_gives_the_same_rows(loaded, url, database_cleaner):
    mark = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM {} t"
    tables = ("contacts_contact", "deals_deal", "activities_activity", "crm_membership")

    def marks() -> list[tuple]:
        with psycopg.connect(url) as database:
            return [database.execute(mark.format(table)).fetchone() for table in tables]

    first = marks()
    connection.close()
    database_cleaner.clean()
    load(url, TINY, NOW)
    assert marks() == first


def test_digest_differs_by_size():
    root = Path(__file__).parents[2]
    assert digest(SCALES["small"], root) == digest(SCALES["small"], root)
    assert digest(SCALES["small"], root) != digest(SCALES["medium"], root)


def test_scale_that_does_not_come_out_even_is_refused():
    with pytest.raises(ValueError, match="come out even"):
        Scale("odd", 10_010, others=4)
