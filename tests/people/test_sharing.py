"""Sharing single records, and that guardian's checker, crm.access and row-level security agree about it."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.models import Account, Contact
from crm import access
from crm.actions.sharing import share_record, unshare_record
from crm.enums import ShareLevel
from crm.lib.errors import Forbidden, Invalid, NotFound
from crm.models import Membership, Notification, OutboxEvent
from crm.records.notices import tell
from crm.records.permissions import RecordChecker, permission_for
from deals.models import Deal, Pipeline, Stage
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def org():
    return make_org("Fjord Robotics")


def make_contact(org, owner, **fields):
    with org.system():
        return Contact.objects.create(first_name="Ines", owner=owner, **fields)


def make_deal(org, owner):
    now = timezone.now()
    with org.system():
        pipeline = Pipeline.objects.create(name="Sales")
        stage = Stage.objects.create(pipeline=pipeline, name="Lead")
        return Deal.objects.create(
            name="Fleet",
            pipeline=pipeline,
            stage=stage,
            owner=owner,
            currency="EUR",
            stage_entered_at=now,
            touched_at=now,
        )


def sees(org, member, record):
    with org.acting(member) as actor:
        return access.visible(type(record), actor).filter(pk=record.pk).exists()


def edits(org, member, record):
    with org.acting(member) as actor:
        return access.may_write(record, actor)


def shares(org, record):
    with org.system():
        return list(record.shares.order_by("id").values())


def test_share_with_a_member_opens_one_record_to_read_then_to_edit(org):
    owner, other = org.member("rep", name="Maya Okafor"), org.member("rep")
    contact, hidden = make_contact(org, owner), make_contact(org, owner)
    with org.acting(owner) as actor:
        share_record("contact", contact.pk, member=other.id, acting=actor)
    assert (sees(org, other, contact), edits(org, other, contact)) == (True, False)
    with org.acting(owner) as actor:
        share_record("contact", contact.pk, member=other.id, level=ShareLevel.WRITE, acting=actor)
    assert (sees(org, other, contact), edits(org, other, contact)) == (True, True)
    assert not sees(org, other, hidden)
    (row,) = shares(org, contact)
    assert (row["member_id"], row["user_id"], row["granted_by_id"]) == (other.id, other.user_id, owner.id)
    with org.system():
        assert row["permission_id"] == permission_for(Contact, "write").id
        notes = Notification.objects.filter(member=other)
        assert [(n.kind, n.record) for n in notes] == [("record.shared", contact.pk)] * 2


def test_share_with_a_team_opens_it_to_who_is_in_it_now(org):
    owner, inside, outside = (org.member("rep") for _ in range(3))
    team = org.team("Nordics", inside)
    contact = make_contact(org, owner)
    with org.acting(owner) as actor:
        share_record("contact", contact.pk, team=team.id, level=ShareLevel.WRITE, acting=actor)
    assert (edits(org, inside, contact), sees(org, outside, contact)) == (True, False)
    with org.system():
        team.team_members.all().delete()
    assert not sees(org, inside, contact)


def test_share_with_a_team_is_told_to_its_members_but_not_to_who_shares_or_owns(org):
    owner, manager, first, second, gone, outside = (
        org.member(role) for role in ("rep", "manager", "rep", "readonly", "rep", "rep")
    )
    team = org.team("Nordics", owner, first, second, gone, managers=(manager,))
    contact = make_contact(org, owner)
    with org.system():
        Membership.objects.filter(id=gone.id).update(active=False)
    with org.acting(manager) as actor:
        share_record("contact", contact.pk, team=team.id, acting=replace(actor, name="Lena"))
    with org.system():
        notes = Notification.objects.filter(kind="record.shared", record=contact.pk)
        assert {note.member_id for note in notes} == {first.id, second.id}
        text = "<strong>Lena</strong> shared <strong>Ines</strong> with your team <strong>Nordics</strong>"
        assert [tell(note).text for note in notes] == [text, text]
        told = OutboxEvent.objects.filter(name="member.inbox_changed").values_list("record", flat=True)
        assert sorted(told) == sorted([first.id, second.id])
        assert outside.id not in told


def test_share_with_an_empty_team_tells_nobody(org):
    owner = org.member("rep")
    team, contact = org.team("Nordics", owner), make_contact(org, owner)
    with org.acting(owner) as actor:
        share_record("contact", contact.pk, team=team.id, acting=actor)
    with org.system():
        assert not Notification.objects.exists()


def test_share_ends_by_itself(org):
    owner, other = org.member("rep"), org.member("rep")
    contact = make_contact(org, owner)
    with org.acting(owner) as actor:
        share_record("contact", contact.pk, member=other.id, until=timezone.now() + timedelta(days=1), acting=actor)
    assert sees(org, other, contact)
    with org.system():
        contact.shares.update(until=timezone.now() - timedelta(seconds=1))
    assert not sees(org, other, contact)


def test_share_taken_back_closes_the_record(org):
    owner, other = org.member("rep"), org.member("rep")
    contact = make_contact(org, owner)
    with org.acting(owner) as actor:
        share = share_record("contact", contact.pk, member=other.id, acting=actor)
        unshare_record("contact", contact.pk, share.id, acting=actor)
        with pytest.raises(NotFound):
            unshare_record("contact", contact.pk, share.id, acting=actor)
    assert not sees(org, other, contact)
    with org.system():
        names = OutboxEvent.objects.filter(record=contact.pk).order_by("id").values_list("name", flat=True)
        assert list(names) == ["record.shared", "record.unshared"]


def test_share_of_a_deal_tells_the_board(org):
    owner, other = org.member("rep"), org.member("rep")
    deal = make_deal(org, owner)
    with org.acting(owner) as actor:
        share_record("deal", deal.pk, member=other.id, acting=actor)
    with org.system():
        assert OutboxEvent.objects.filter(record=deal.pk, name="record.shared").count() == 1


def test_record_that_was_only_shared_is_not_shared_on(org):
    owner, editor, reader, third = (org.member("rep") for _ in range(4))
    contact = make_contact(org, owner)
    with org.acting(owner) as actor:
        share_record("contact", contact.pk, member=editor.id, level=ShareLevel.WRITE, acting=actor)
        share_record("contact", contact.pk, member=reader.id, acting=actor)
    before = shares(org, contact)
    with org.acting(editor) as actor, pytest.raises(Forbidden):
        share_record("contact", contact.pk, member=third.id, acting=actor)
    with org.acting(editor) as actor, pytest.raises(Forbidden):
        unshare_record("contact", contact.pk, before[0]["id"], acting=actor)
    with org.acting(reader) as actor, pytest.raises(NotFound):
        share_record("contact", contact.pk, member=third.id, acting=actor)
    assert shares(org, contact) == before


def test_manager_shares_what_the_team_owns(org):
    owner, other, manager = org.member("rep"), org.member("rep"), org.member("manager")
    org.team("Nordics", owner, managers=(manager,))
    contact = make_contact(org, owner)
    with org.acting(manager) as actor:
        share_record("contact", contact.pk, member=other.id, acting=actor)
    assert sees(org, other, contact)


@pytest.mark.parametrize("role", ["rep", "readonly", "manager"])
def test_nobody_else_shares(org, role):
    owner, stranger = org.member("rep"), org.member(role)
    contact = make_contact(org, owner)
    with org.acting(stranger) as actor, pytest.raises(NotFound):
        share_record("contact", contact.pk, member=stranger.id, acting=actor)
    assert shares(org, contact) == []


def test_grantees_that_cannot_be(org):
    owner, gone = org.member("rep"), org.member("rep")
    foreign_org = make_org()
    foreign, foreign_team = foreign_org.member("rep"), foreign_org.team("Elsewhere")
    team = org.team("Nordics")
    contact = make_contact(org, owner)
    with org.system():
        Membership.objects.filter(id=gone.id).update(active=False)
    wrong = [
        {}, {"member": owner.id}, {"member": gone.id}, {"member": foreign.id}, {"team": foreign_team.id},
        {"member": foreign.id, "team": team.id}, {"team": team.id, "level": "own"},
        {"team": team.id, "until": timezone.now()},
    ]  # fmt: skip
    with org.acting(owner) as actor:
        for given_wrong in wrong:
            with pytest.raises(Invalid):
                share_record("contact", contact.pk, **given_wrong, acting=actor)
        with pytest.raises(NotFound):
            share_record("nothing", contact.pk, team=team.id, acting=actor)
    assert shares(org, contact) == []


# ---------------------------------------------------------------- agreement


@dataclass(frozen=True)
class Grant:
    """A share as generated: with whom, how far, and whether it lasts."""

    grantee: str
    level: str
    days: int | None


GRANTS = st.lists(
    st.builds(
        Grant,
        st.sampled_from(["me", "other", "my team", "other team", "team above mine"]),
        st.sampled_from(["read", "write"]),
        st.sampled_from([None, 1, -1]),
    ),
    max_size=4,
    unique_by=lambda grant: grant.grantee,
)
OWNERS = st.sampled_from(["stranger", "me", "my team-mate"])


class World:
    """An organisation with everybody who could be meant, made once for all examples."""

    def __init__(self) -> None:
        self.org = make_org()
        self.actors = {role: self.org.member(role) for role in ("rep", "manager", "readonly", "admin")}
        self.people = {
            "other": self.org.member("rep"),
            "stranger": self.org.member("rep"),
            "mate": self.org.member("rep"),
        }
        above = self.org.team("Above")
        inside = [self.actors[role] for role in ("rep", "readonly", "admin")]
        manager = self.actors["manager"]
        mine = self.org.team("Mine", *inside, self.people["mate"], parent=above, managers=(manager,))
        self.teams = {
            "my team": mine,
            "other team": self.org.team("Other", self.people["other"]),
            "team above mine": above,
        }

    def make(self, model, owner_name, me, grants):
        owner = {"me": me, "stranger": self.people["stranger"], "my team-mate": self.people["mate"]}[owner_name]
        if model is Contact:
            record = Contact.objects.create(first_name="Ines", owner=owner)
        else:
            record = Account.objects.create(name="Halden", owner=owner)
        for grant in grants:
            member = {"me": me, "other": self.people["other"]}.get(grant.grantee)
            record.shares.create(
                content_object=record,
                member=member,
                user=member.user if member else None,
                team=self.teams.get(grant.grantee),
                level=grant.level,
                until=None if grant.days is None else timezone.now() + timedelta(days=grant.days),
                permission=permission_for(model, grant.level),
            )
        return record


def check_agreement(world, owner, grants, role, model):
    me = world.actors[role]
    with world.org.system():
        record = world.make(model, owner, me, grants)
    mine = [g for g in grants if g.grantee in ("me", "my team") and g.days != -1]
    owns = owner == "me" or (owner == "my team-mate" and role == "manager")
    expected_view = role in ("admin", "readonly") or owns or bool(mine)
    expected_change = role == "admin" or (role != "readonly" and (owns or any(g.level == "write" for g in mine)))

    with world.org.acting(me) as actor:
        name = model._meta.model_name
        checker = RecordChecker(actor)
        granted = (
            checker.has_perm(f"view_{name}", record),
            checker.has_perm(f"{model._meta.app_label}.change_{name}", record),
        )
        assert granted == (bool(mine), role != "readonly" and any(g.level == "write" for g in mine))
        fetched = RecordChecker(actor)
        fetched.prefetch_perms([record])
        assert fetched.get_perms(record) == checker.get_user_perms(record) == checker.get_perms(record)

        by_access = (
            access.visible(model, actor).filter(pk=record.pk).exists(),
            model.everything.filter(access.writable_q(model, actor), pk=record.pk).exists(),
        )
        assert by_access == (expected_view, expected_change)
        assert access.may_write(record, actor) == expected_change

        # Without any filter of ours: what the database itself lets pass.
        seen = model.everything.filter(pk=record.pk).exists()
        with transaction.atomic():
            changed = (
                model.everything.filter(pk=record.pk).update(description="x")
                if model is Account
                else (model.everything.filter(pk=record.pk).update(title="x"))
            )
            transaction.set_rollback(True)
        assert (seen, bool(changed)) == (expected_view, expected_change)


def test_checker_access_and_policies_agree():
    world = World()

    @given(OWNERS, GRANTS, st.sampled_from(list(world.actors)), st.sampled_from([Contact, Account]))
    @settings(max_examples=80, deadline=None)
    def agree(owner, grants, role, model):
        check_agreement(world, owner, grants, role, model)

    agree()
