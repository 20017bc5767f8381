"""docs/permissions.md against the product: every row is tried as every role, on records of different owners."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from activities.actions import tasks
from activities.actions.log import NewActivity, log_activity
from activities.models import Task
from contacts.actions import accounts, contacts
from contacts.actions import imports as importing
from crm import access, queries, rules
from crm.actions import deadletters, fields, invitations, members, organizations, profile, tag_setup, teams, views
from crm.actions.bin import delete_record, restore_record
from crm.actions.bulk import start_bulk
from crm.actions.purge import purge_entries
from crm.actions.sharing import share_record
from crm.actions.undo import undo_change_set
from crm.enums import Role, ShareLevel, Visibility
from crm.lib.errors import Forbidden, NotFound
from crm.models import BinEntry, Membership, Organization
from crm.records import actions as records
from crm.records.listquery import ListQuery
from crm.records.permissions import permission_for
from crm.records.registry import registry
from crm.records.selections import Selection
from crm.tenancy.context import Actor
from deals.actions import deals, pipelines
from deals.models import Stage
from tests.factories import Org, make_org
from tests.support.cluster import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
ROLES = ("admin", "manager", "rep", "readonly")
TYPES = ("contact", "account", "deal")
# Which records a cell stands for, by their owner as the acting member sees them.
OWNERS = {"yes": {"mine", "mate's", "stranger's"}, "team": {"mine", "mate's"}, "own": {"mine"}, "no": set()}


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    action: str
    cells: dict[str, str]
    by_share: str


def read_matrix() -> list[Row]:
    """The table between the two comments."""
    text = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- matrix:.*?-->\n(.*?)<!-- end of matrix -->", text, re.DOTALL)
    assert table is not None
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].strip().splitlines()]
    head, rows = lines[0], lines[2:]
    assert head == ["Action", "What it means", *ROLES, "By a share"]
    return [Row(row[0].strip("`"), dict(zip(ROLES, row[2:6], strict=True)), row[6]) for row in rows]


MATRIX = read_matrix()


@dataclass
class World:
    """An organisation with one member of each role, a team-mate of all of them, and a stranger."""

    org: Org = field(default_factory=lambda: make_org("Fjord Robotics"))

    def __post_init__(self) -> None:
        self.members = {role: self.org.member(role) for role in ROLES}
        self.members["mate"], self.members["stranger"] = self.org.member("rep"), self.org.member("rep")
        top = self.org.team("Top", managers=(self.members["manager"],))
        # Everybody is in the team below; only the manager manages anything.
        inside = [self.members[name] for name in ("admin", "rep", "readonly", "mate")]
        self.team = self.org.team("Below", *inside, parent=top)
        with self.org.system() as system:
            self.pipeline = pipelines.create_default_pipeline(acting=system)
            self.lead = Stage.objects.get(pipeline=self.pipeline, name="Lead")

    def make(self, record_type: str, owner: Membership) -> Any:
        values = {
            "contact": {"first_name": "Ines", "last_name": "Marchetti"},
            "account": {"name": "Halden"},
            "deal": {"name": "Fleet", "stage": self.lead.pk},
        }[record_type]
        with self.org.system() as system:
            return records.create_record(registry.get(record_type), {**values, "owner": owner.id}, acting=system)

    def owner(self, of: str, role: str) -> Membership:
        return {"mine": self.members[role], "mate's": self.members["mate"], "stranger's": self.members["stranger"]}[of]


@pytest.fixture
def world():
    return World()


def succeeds(world: World, member: Membership, attempt: Callable[[Actor], Any]) -> bool:
    """Whether an attempt works as a member; what it did is taken back."""
    with world.org.acting(member) as actor, transaction.atomic():
        try:
            outcome = attempt(actor)
        except (Forbidden, NotFound):
            outcome = False
        finally:
            transaction.set_rollback(True)
    return outcome is not False


# ---------------------------------------------------------------- what is tried on a record

ASSIGN = {"contact": contacts.assign_contact, "account": accounts.assign_account, "deal": deals.assign_deal}
ABOUT = {"contact": "contact_id", "account": "account_id", "deal": "deal_id"}


def view(world, key, record, actor):
    return access.visible(type(record), actor).filter(pk=record.pk).exists()


def edit(world, key, record, actor):
    values = {"description": "x"} if key == "account" else {"title": "x"} if key == "contact" else {"next_step": "x"}
    return records.update_record(registry.get(key), record.pk, values, acting=actor)


def assign(world, key, record, actor):
    return ASSIGN[key](
        record.pk,
        world.members["stranger" if record.owner_id != world.members["stranger"].id else "mate"].id,
        acting=actor,
    )


def share(world, key, record, actor):
    return share_record(key, record.pk, team=world.team.id, acting=actor)


def delete(world, key, record, actor):
    return delete_record(key, record.pk, acting=actor)


def restore(world, key, record, actor):
    return restore_record(key, record.pk, acting=actor)


def log(world, key, record, actor):
    return log_activity(NewActivity(type="note", body="x", **{ABOUT[key]: record.pk}), acting=actor)


def add_task(world, key, record, actor):
    return tasks.create_task({"title": "x", key: record.pk}, acting=actor)


ON_RECORDS: dict[str, Callable[..., Any]] = {
    "record.view": view,
    "record.edit": edit,
    "record.assign": assign,
    "record.share": share,
    "record.delete": delete,
    "record.restore": restore,
    "activity.log": log,
    "task.create": add_task,
}


def view_task(world, task, actor):
    return access.visible(Task, actor).filter(pk=task.pk).exists()


def edit_task(world, task, actor):
    tasks.complete_task(task.pk, acting=actor)
    tasks.reopen_task(task.pk, acting=actor)
    other = world.members["stranger" if task.owner_id != world.members["stranger"].id else "mate"]
    tasks.update_task(task.pk, {"owner": other.id}, acting=actor)


ON_TASKS: dict[str, Callable[..., Any]] = {"task.view": view_task, "task.edit": edit_task}


# ---------------------------------------------------------------- what is tried without one


def create(world, actor):
    for key, values in {
        "contact": {"last_name": "New"},
        "account": {"name": "New"},
        "deal": {"name": "New", "stage": world.lead.pk},
    }.items():
        made = records.create_record(registry.get(key), values, acting=actor)
        assert made.owner_id == actor.member_id


def export(world, actor):
    organization = Organization.objects.get(id=world.org.id)
    return rules.may_export(actor, organization.readonly_may_export)


def run_import(world, actor):
    return importing.upload_import(io.BytesIO(b"First Name,Email\nIna,ina@x.example\n"), "contacts.csv", acting=actor)


def change_many(world, actor):
    seen = world.make("contact", world.members["rep"]).pk, world.make("contact", world.members["manager"]).pk
    hers = (world.make("contact", world.members["admin"]).pk, *seen)
    return start_bulk("contact", "set", {"title": "x"}, Selection(hers), acting=actor)


def configure(world, actor):
    return pipelines.create_pipeline("Renewals", acting=actor)


def purge(world, actor):
    record = world.make("contact", world.members["stranger"])
    with world.org.system() as system:
        delete_record("contact", record.pk, acting=system)
        entry = BinEntry.objects.get(record=record.pk)
    return purge_entries([entry.pk], acting=actor)


def manage_tags(world, actor):
    tag = tag_setup.create_tag("New", "blue", acting=actor)
    return tag_setup.delete_tag(tag.pk, acting=actor)


def invite(world, actor):
    return invitations.invite_members(["new@x.example"], Role.REP, acting=actor)


def change_role(world, actor):
    return members.change_role(world.members["stranger"].id, Role.MANAGER, acting=actor)


def deactivate(world, actor):
    members.deactivate_member(world.members["stranger"].id, acting=actor)
    return members.reactivate_member(world.members["stranger"].id, acting=actor)


def arrange(world, actor):
    made = teams.create_team("New", parent=world.team.id, acting=actor)
    return teams.delete_team(made.id, acting=actor)


def change_settings(world, actor):
    given = organizations.OrganizationSettings(
        "New", "Europe/Oslo", "NOK", 4, Visibility.PRIVATE, readonly_may_export=True
    )
    return organizations.change_settings(given, acting=actor)


def rates(world, actor):
    return organizations.set_exchange_rate("USD", Decimal("0.9"), date(2026, 1, 1), acting=actor)


def configure_fields(world, actor):
    return fields.create_field("contact", fields.FieldSettings(label="New"), acting=actor)


def repair_events(world, actor):
    return deadletters.replay_dead_letters(acting=actor)


def edit_profile(world, actor):
    user = Membership.objects.select_related("user").get(id=actor.member_id).user
    return profile.update_profile(user, profile.Profile("New", "en", "", "dark", shortcuts=False))


def save_view(world, actor, scope="private", **options):
    return views.create_view("contact", "New", ListQuery(), scope=scope, acting=actor, **options)


def save_team_view(world, actor):
    return save_view(world, actor, "team", team=world.team.id)


def save_view_for_all(world, actor):
    return save_view(world, actor, "organization")


def manage_views(world, actor):
    boss = world.org.member("admin")
    with world.org.acting(boss) as other:
        made = save_view_for_all(world, other)
    return views.delete_view(made.pk, acting=actor)


WITHOUT_RECORD: dict[str, Callable[[World, Actor], Any]] = {
    "record.create": create,
    "record.bulk": change_many,
    "record.import": run_import,
    "record.purge": purge,
    "pipeline.configure": configure,
    "tag.manage": manage_tags,
    "view.save": save_view,
    "view.save_team": save_team_view,
    "view.save_all": save_view_for_all,
    "view.manage": manage_views,
    "member.invite": invite,
    "member.change_role": change_role,
    "member.deactivate": deactivate,
    "team.arrange": arrange,
    "organization.settings": change_settings,
    "currency.rates": rates,
    "fields.configure": configure_fields,
    "events.repair": repair_events,
    "profile.edit": edit_profile,
}
APART = {"record.export", "organization.create"}


def test_every_row_is_tried():
    rows = [row.action for row in MATRIX]
    assert sorted(rows) == sorted([*ON_RECORDS, *ON_TASKS, *WITHOUT_RECORD, *APART])


@pytest.mark.parametrize("row", [row for row in MATRIX if row.action in ON_TASKS], ids=lambda row: row.action)
def test_role_reaches_exactly_the_tasks_the_matrix_says(world, row):
    attempt = ON_TASKS[row.action]
    for role in ROLES:
        reached = set()
        for of in OWNERS["yes"]:
            with world.org.system() as system:
                task = tasks.create_task({"title": "Call", "owner": world.owner(of, role).id}, acting=system)
            if succeeds(world, world.members[role], lambda actor, t=task: attempt(world, t, actor)):
                reached.add(of)
        assert reached == OWNERS[row.cells[role]], f"{row.action} as {role}"
    assert row.by_share == "no"


@pytest.mark.parametrize("row", [row for row in MATRIX if row.action in ON_RECORDS], ids=lambda row: row.action)
def test_role_reaches_exactly_the_records_the_matrix_says(world, row):
    attempt = ON_RECORDS[row.action]
    for key in TYPES:
        for role in ROLES:
            reached = set()
            for of in OWNERS["yes"]:
                record = world.make(key, world.owner(of, role))
                if row.action == "record.restore":
                    with world.org.system() as system:
                        delete_record(key, record.pk, acting=system)
                if succeeds(world, world.members[role], lambda actor, k=key, r=record: attempt(world, k, r, actor)):
                    reached.add(of)
            assert reached == OWNERS[row.cells[role]], f"{row.action} of a {key} as {role}"


@pytest.mark.parametrize("row", [row for row in MATRIX if row.action in ON_RECORDS], ids=lambda row: row.action)
def test_share_gives_exactly_what_the_matrix_says(world, row):
    attempt = ON_RECORDS[row.action]
    enough = {"read": {"read", "write"}, "write": {"write"}, "no": set()}[row.by_share]
    for key in TYPES:
        for role in ("manager", "rep"):
            given = set()
            for level in ShareLevel.values:
                record = world.make(key, world.members["stranger"])
                with world.org.system() as system:
                    member = world.members[role]
                    share_record(key, record.pk, member=member.id, level=level, acting=system)
                    assert record.shares.get().permission == permission_for(type(record), level)
                    if row.action == "record.restore":
                        delete_record(key, record.pk, acting=system)
                if succeeds(world, member, lambda actor, k=key, r=record: attempt(world, k, r, actor)):
                    given.add(level)
            assert given == enough, f"{row.action} of a shared {key} as {role}"


def test_share_never_lets_a_read_only_member_write(world):
    for key in TYPES:
        record = world.make(key, world.members["stranger"])
        member = world.members["readonly"]
        with world.org.system() as system:
            share_record(key, record.pk, member=member.id, level=ShareLevel.WRITE, acting=system)
        for action in ("record.edit", "record.assign", "record.share", "record.delete", "activity.log"):
            attempt = ON_RECORDS[action]
            assert not succeeds(world, member, lambda actor, a=attempt, k=key, r=record: a(world, k, r, actor)), action


@pytest.mark.parametrize("row", [row for row in MATRIX if row.action in WITHOUT_RECORD], ids=lambda row: row.action)
def test_role_may_do_exactly_what_the_matrix_says(world, row):
    attempt = WITHOUT_RECORD[row.action]
    may = {
        role: "yes" if succeeds(world, world.members[role], lambda actor: attempt(world, actor)) else "no"
        for role in ROLES
    }
    assert may == row.cells


def test_export_follows_the_matrix_and_the_setting(world):
    (row,) = [row for row in MATRIX if row.action == "record.export"]
    for allowed in (False, True):
        with world.org.system():
            Organization.objects.filter(id=world.org.id).update(readonly_may_export=allowed)
        for role in ROLES:
            expected = {"yes": True, "no": False, "setting": allowed}[row.cells[role]]
            assert succeeds(world, world.members[role], lambda actor: export(world, actor)) == expected


def test_change_set_is_undone_by_its_maker_and_admins(world):
    for maker in ("admin", "manager", "rep"):
        record = world.make("contact", world.members[maker])
        with world.org.acting(world.members[maker]) as actor:
            run = start_bulk("contact", "set", {"title": "x"}, Selection((record.pk,)), acting=actor)
        may = {
            role
            for role in ROLES
            if succeeds(world, world.members[role], lambda actor, r=run: undo_change_set(r.change_set_id, acting=actor))
        }
        assert may == {"admin", maker}


def test_everybody_may_begin_another_organisation(world):
    (row,) = [row for row in MATRIX if row.action == "organization.create"]
    for role in ROLES:
        assert row.cells[role] == "yes"
        made = organizations.create_organization("Another", user=world.members[role].user)
        with Org(made).system():
            assert Membership.objects.get(user=world.members[role].user).role == Role.ADMIN


def test_where_everybody_may_read_only_seeing_widens(world):
    with world.org.system():
        Organization.objects.filter(id=world.org.id).update(visibility=Visibility.ALL_READ)
    for role in ("manager", "rep"):
        for key in TYPES:
            record = world.make(key, world.members["stranger"])
            member = world.members[role]
            assert succeeds(world, member, lambda actor, k=key, r=record: view(world, k, r, actor))
            for action in ("record.edit", "record.assign", "record.share", "record.delete", "activity.log"):
                attempt = ON_RECORDS[action]
                assert not succeeds(world, member, lambda actor, a=attempt, k=key, r=record: a(world, k, r, actor)), (
                    action
                )


def test_manager_without_the_role_sees_no_more(world):
    """Being marked as a team's manager counts with the role Manager only."""
    lead = world.org.member("rep")
    world.org.team("Also below", world.members["mate"], managers=(lead,))
    with world.org.system():
        assert queries.member_by_id(lead.id).actor.members == (lead.id,)
