"""The demo data."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from activities.enums import ActivityType
from activities.models import Activity, Task
from activities.timelines import Entry, Request, timeline
from contacts.models import Account, AccountShare, Contact, ContactEmail, ContactShare
from crm import queries
from crm.config.demo.seed import PASSWORD, _tables, build
from crm.enums import Role, Visibility
from crm.models import AuditEntry, ExchangeRate, Membership, Notification, Organization, OutboxEvent, Team, User
from crm.tenancy.context import Actor, org_context
from crm.tenancy.models import FEW
from deals import rules
from deals.enums import DealStatus
from deals.models import Deal, DealShare, Stage, StageChange
from tests.factories import Org, make_org

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 3, 11, 9, 30, tzinfo=dt.UTC)  # a Wednesday


@pytest.fixture
def var(settings, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def fjord(var: Path) -> Org:
    call_command("seed_demo", verbosity=0)
    for org_id in queries.due_orgs("all"):
        with org_context(Actor.system(org_id)):
            found = Organization.objects.get(id=org_id)
        if found.slug == "fjord":
            return Org(found)
    raise AssertionError("The first organisation is missing.")


def member_named(name: str) -> Membership:
    return Membership.objects.select_related("user").get(user__name=name)


def rows_of(worlds) -> list[list[dict]]:
    found = []
    for world in worlds:
        for rows in _tables(world):
            columns = [f.attname for f in rows[0]._meta.local_concrete_fields if not f.generated] if rows else []
            found.append([{name: getattr(row, name) for name in columns} for row in rows])
    return found


def test_build_twice_for_one_moment_gives_the_same_rows():
    assert rows_of(build(NOW)) == rows_of(build(NOW))


def test_build_for_another_day_moves_all_dates():
    one, later = build(NOW)[0], build(NOW + dt.timedelta(weeks=4))[0]
    assert [a.subject for a in one.activities[:50]] == [a.subject for a in later.activities[:50]]
    assert later.cast.organization.created_at - one.cast.organization.created_at == dt.timedelta(weeks=4)


@pytest.mark.parametrize("hour", [0, 6, 12, 23])
def test_build_at_any_hour_has_nothing_recorded_in_the_future(hour):
    now = NOW.replace(hour=hour)
    for world in build(now):
        for rows in _tables(world):
            assert [row for row in rows if row.created_at > now] == []
        assert [activity for activity in world.activities if activity.occurred_at > now] == []
        assert [change for change in world.sales.changes if change.at > now] == []
        assert [deal for deal in world.sales.deals if max(deal.touched_at, deal.updated_at) > now] == []


def test_seed_demo_makes_the_promised_counts(fjord):
    logged = (ActivityType.CALL, ActivityType.NOTE, ActivityType.MEETING)
    with fjord.system():
        assert (Contact.objects.count(), Account.objects.count(), Deal.objects.count()) == (600, 150, 220)
        assert Activity.objects.filter(type__in=logged).count() == 3000
        assert Counter(Membership.objects.values_list("role", flat=True)) == {
            Role.ADMIN: 1, Role.MANAGER: 2, Role.REP: 4, Role.READONLY: 1,
        }  # fmt: skip
        assert sorted(Team.objects.values_list("name", flat=True)) == ["Continental", "Nordics"]
        assert ContactEmail.objects.filter(is_primary=True).count() == 600
        assert set(Deal.objects.values_list("currency", flat=True)) == {"EUR", "USD", "GBP"}
        assert set(ExchangeRate.objects.values_list("currency", flat=True)) == {"USD", "GBP"}
        assert (ContactShare.objects.count(), AccountShare.objects.count(), DealShare.objects.count()) == (24, 8, 14)
        assert Notification.objects.count() > 5
        tasks = Counter(Task.objects.values_list("status", flat=True))
        assert tasks["todo"] > 50
        assert Task.objects.filter(status="todo", due_at__lt=timezone.now()).count() > 5
        assert Activity.objects.filter(type=ActivityType.TASK).count() == tasks["done"] > 20
    assert len(queries.due_orgs("all")) == 2
    assert fjord.organization.visibility == Visibility.PRIVATE


def test_seed_demo_deals_stand_in_every_stage_with_their_history(fjord):
    with fjord.system():
        stages = list(Stage.objects.order_by("position"))
        by_stage = Counter(Deal.objects.values_list("stage__name", flat=True))
        assert [(stage.name, by_stage[stage.name]) for stage in stages] == [
            ("Lead", 30), ("Qualified", 28), ("Discovery", 24), ("Proposal", 20), ("Negotiation", 16), ("Commit", 12),
            ("Won", 56), ("Lost", 34),
        ]  # fmt: skip
        for deal in Deal.objects.select_related("stage").prefetch_related("stage_changes"):
            changes = sorted(deal.stage_changes.all(), key=lambda change: change.at)
            assert changes[0].from_stage_id is None
            assert [c.from_stage_id for c in changes[1:]] == [c.to_stage_id for c in changes[:-1]]
            assert (changes[-1].to_stage_id, changes[-1].at) == (deal.stage_id, deal.stage_entered_at)
            assert deal.created_at == changes[0].at
        months = {(change.at.year, change.at.month) for change in StageChange.objects.all()}
        assert len(months) >= 12


def test_seed_demo_has_rotting_deals_and_next_steps_of_every_kind(fjord):
    now = timezone.now()
    with fjord.system():
        deals = list(Deal.objects.filter(status=DealStatus.OPEN).select_related("stage"))
        rots = Counter(rules.rot_of(deal.touched_at, deal.stage.rot_days, now) for deal in deals)
        steps = Counter(rules.step_state(d.next_step, d.next_step_at, now, now.date()) for d in deals)
        keys = Counter(deal.position for deal in deals if deal.stage.name == "Lead")
    assert rots[rules.Rot.ROTTING] >= 8
    assert rots[rules.Rot.NONE] > rots[rules.Rot.ROTTING]
    assert min(steps[state] for state in rules.StepState if state != rules.StepState.TODAY) >= 10
    assert set(keys.values()) == {1}


def test_seed_demo_leaves_no_event_to_deliver(fjord):
    for org_id in queries.due_orgs("all"):
        with org_context(Actor.system(org_id)):
            assert OutboxEvent.objects.count() == 0
    assert queries.due_orgs("outbox") == []


def test_seed_demo_is_back_dated_and_names_who_made_a_record(fjord):
    with fjord.system():
        ages = Counter(contact.created_at < timezone.now() - dt.timedelta(days=7) for contact in Contact.objects.all())
        assert ages[True] > 400
        contact = Contact.objects.first()
        entry = AuditEntry.objects.get(table_name="contacts_contact", row_id=contact.id)
        assert (entry.operation, entry.actor_kind, entry.actor_id) == ("I", "member", contact.owner_id)


def test_rows_that_are_written_after_the_seed_have_the_time_of_now(fjord):
    assert Contact._meta.get_field("created_at").auto_now_add
    assert Contact._meta.get_field("updated_at").auto_now
    began = timezone.now()
    with fjord.system():
        member = Membership.objects.first()
        for count in range(1, FEW + 1):  # so few go by statements that are kept
            made = [Notification(member=member, kind="record.shared", data={}) for _each in range(count)]
            Notification.objects.bulk_create(made)
            assert all(row.created_at >= began for row in made)


@pytest.mark.parametrize(("kind", "model"), [("contact", Contact), ("account", Account), ("deal", Deal)])
def test_seed_demo_timelines_tell_what_happened_and_nothing_of_the_seed(fjord, kind, model):
    """The rows of a record and of its child tables were written one table after the other: no change of fields."""
    with fjord.system():
        admin = Membership.objects.get(role=Role.ADMIN)
    with fjord.acting(admin) as actor:
        for record in model.objects.all()[:60]:
            entries = whole_timeline(kind, record, actor)
            assert {entry.kind for entry in entries} <= {"system", "call", "note", "meeting", "stage_change", "task"}
            # The page of a contact also tells of their deals, the one of an account of its people and their deals.
            own = [e for e in entries if e.kind == "system" and not set(e.about) & {"contact", "account", "deal"}]
            assert [(entry.data, entry.at, bool(entry.who)) for entry in own] == [
                ({"event": "created"}, record.created_at, True)
            ]


def whole_timeline(kind: str, record: Contact | Account | Deal, actor: Actor) -> list[Entry]:
    """All pages of a timeline."""
    found, cursor = [], ""
    while True:
        page = timeline(kind, record, actor, Request(cursor=cursor))
        found += page.entries
        cursor = page.older
        if not cursor:
            return found


def test_seed_demo_rep_sees_own_and_shared_records_only(fjord):
    with fjord.system():
        maya = member_named("Maya Okafor")
        own = Contact.objects.filter(owner=maya).count()
        lent = ContactShare.objects.filter(member=maya).exclude(content_object__owner=maya).count()
    with fjord.acting(maya):
        seen = Contact.objects.count()
    assert 0 < own < 600
    assert own < seen < 600
    assert seen >= own + lent


def test_seed_demo_writes_logins_that_sign_in(fjord, var):
    text = (var / "demo-logins.txt").read_text()
    assert PASSWORD in text
    for user in User.objects.filter(is_demo=True):
        assert user.email in text
    assert User.objects.filter(is_demo=False).count() == 0
    assert User.objects.get(email="maya@fjord.example").check_password(PASSWORD)


def test_seed_demo_if_empty_beside_an_organisation_does_nothing(var):
    make_org()
    call_command("seed_demo", "--if-empty", verbosity=0)
    assert User.objects.count() == 0
    assert len(queries.due_orgs("all")) == 1
    assert not (var / "demo-logins.txt").exists()


def test_seed_demo_twice_is_refused(fjord):
    with pytest.raises(CommandError, match="there already"):
        call_command("seed_demo", verbosity=0)
    assert len(queries.due_orgs("all")) == 2
