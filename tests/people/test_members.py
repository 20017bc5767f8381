"""Roles, teams, deactivation with reassignment, coming back."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from contacts.models import Account, Contact
from crm import people, queries
from crm.actions import members, teams
from crm.enums import Role
from crm.lib.errors import Conflict, CrmError, Invalid
from crm.models import AuditEntry, ChangeSet, Membership, Notification, Organization, Team, TeamMember
from crm.records import hooks
from crm.tenancy.context import org_context
from deals.models import Deal, Pipeline, Stage
from tests.factories import make_org
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def org():
    return make_org("Fjord Robotics")


@pytest.fixture
def admin(org):
    return org.member("admin", name="Lena Aalto")


def role_of(org, member):
    with org.system():
        return Membership.objects.get(id=member.id).role


def state(org):
    with org.system():
        return (
            list(Membership.objects.order_by("id").values()),
            list(Team.everything.order_by("id").values()),
            list(TeamMember.objects.order_by("id").values()),
            list(Contact.everything.order_by("id").values("id", "owner_id", "version")),
            list(Notification.objects.order_by("id").values()),
            ChangeSet.objects.count(),
        )


def set_role(client, org, member, role):
    return client.put(f"/w/{org.slug}/settings/users/{member.id}/role/", f"role={role}", HTTP_HX_REQUEST="true")


@pytest.fixture
def furnished(org, admin):
    """A leaver who owns something of everything, in the recycle bin too."""
    leaver = org.member("rep", name="Tom Becker")
    with org.system():
        account = Account.objects.create(name="Halden Logistics", owner=leaver)
        Account.objects.create(name="Gone", owner=leaver, deleted_at=timezone.now())
        Contact.objects.create(first_name="Ines", owner=leaver, account=account)
        Contact.objects.create(first_name="Noor", owner=admin)
        pipeline = Pipeline.objects.create(name="Sales", is_default=True)
        stage = Stage.objects.create(pipeline=pipeline, name="Lead")
        now = timezone.now()
        Deal.objects.create(
            name="Fleet",
            pipeline=pipeline,
            stage=stage,
            owner=leaver,
            currency="EUR",
            stage_entered_at=now,
            touched_at=now,
        )
    return leaver


def test_role_is_changed_over_http(org, admin):
    rep = org.member("rep", name="Maya Okafor")
    client = client_for(admin)
    answer = set_role(client, org, rep, "manager")
    assert answer.status_code == 200
    assert "Maya Okafor is now: Manager" in answer["HX-Trigger"]
    assert 'id="people"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert role_of(org, rep) == Role.MANAGER
    with org.system():
        assert Notification.objects.get().kind == "member.role_changed"
        assert AuditEntry.objects.get(table_name="crm_membership", operation="U").diff == {"role": ["rep", "manager"]}


@pytest.mark.parametrize("role", ["owner", "", "ADMIN"])
def test_role_that_does_not_exist_is_refused(org, admin, role):
    rep = org.member("rep")
    before = state(org)
    assert set_role(client_for(admin), org, rep, role).status_code == 422
    assert state(org) == before


def test_last_admin_keeps_the_role(org, admin):
    gone = org.member("admin")
    with org.system():
        Membership.objects.filter(id=gone.id).update(active=False)
    before = state(org)
    answer = set_role(client_for(admin), org, admin, "rep")
    assert answer.status_code == 409
    assert "only admin" in answer["HX-Trigger"]
    assert state(org) == before


def test_admin_may_step_down_when_there_is_another(org, admin):
    org.member("admin")
    client = client_for(admin)
    answer = set_role(client, org, admin, "rep")
    assert answer["HX-Redirect"] == f"/w/{org.slug}/settings/profile/"
    assert client.get(f"/w/{org.slug}/settings/users/").status_code == 403
    assert client.get(f"/w/{org.slug}/settings/profile/").status_code == 200


def run_together(*functions):
    """Runs functions at the same moment, each with a connection of its own; what each raised, or None."""
    barrier, outcomes = threading.Barrier(len(functions)), {}

    def run(function):
        try:
            barrier.wait()
            function()
            outcomes[function] = None
        except CrmError as error:
            outcomes[function] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[function] for function in functions]


def test_two_admins_who_remove_each_other_at_once_leave_one(org, admin):
    other = org.member("admin")

    # Both requests have begun as admins.
    actors = {member: org.actor(member) for member in (admin, other)}

    def demote(who, by):
        with org_context(actors[by]) as actor:
            members.change_role(who.id, Role.REP, acting=actor)

    for _round in range(5):
        with org.system():
            Membership.objects.update(role=Role.ADMIN)
        outcomes = run_together(lambda: demote(other, admin), lambda: demote(admin, other))
        with org.system():
            assert Membership.objects.filter(role=Role.ADMIN).count() == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1


def test_two_teams_moved_below_each_other_at_once_make_no_circle(org, admin):
    for n in range(5):
        north, south = org.team(f"North {n}"), org.team(f"South {n}")

        def below(team, parent):
            with org.acting(admin) as actor:
                teams.update_team(team.id, team.name, parent=parent.id, members=(), managers=(), acting=actor)

        outcomes = run_together(lambda a=north, b=south: below(a, b), lambda a=north, b=south: below(b, a))
        assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 1


def test_deactivation_hands_every_record_over_in_one_change_set(org, admin, furnished):
    heir = org.member("rep", name="Aiko Mori")
    client, url = client_for(admin), f"/w/{org.slug}/settings/users/{furnished.id}/deactivation/"
    page = client.get(url).content.decode()
    for words in ("2 Accounts", "1 Contact", "1 Deal"):
        assert words in page

    answer = client.post(url, {"reassign_to": str(heir.id)})
    assert answer.status_code == 302
    with org.system():
        assert people.owned_counts(furnished.id) == {}
        assert people.owned_counts(heir.id) == {"account": 2, "contact": 1, "deal": 1}
        assert people.owned_counts(admin.id) == {"contact": 1}
        member = Membership.objects.get(id=furnished.id)
        assert not member.active
        assert member.deactivated_at is not None
        (change_set,) = ChangeSet.objects.all()
        assert change_set.label == "Records of Tom Becker handed to Aiko Mori"
        assert change_set.made_by_id == admin.id
        moved = AuditEntry.objects.filter(change_set_id=change_set.id, operation="U")
        assert moved.count() == 4
        assert all(entry.diff["owner_id"] == [str(furnished.id), str(heir.id)] for entry in moved)
        assert [n.data["count"] for n in Notification.objects.filter(member=heir)] == [4]


def test_deactivation_without_somebody_to_take_the_records_is_refused(org, admin, furnished):
    client, url = client_for(admin), f"/w/{org.slug}/settings/users/{furnished.id}/deactivation/"
    reader, gone = org.member("readonly"), org.member("rep")
    foreign = make_org().member("rep")
    with org.system():
        Membership.objects.filter(id=gone.id).update(active=False)
    before = state(org)
    for heir in ("", str(furnished.id), str(reader.id), str(gone.id), str(foreign.id), "nonsense"):
        assert client.post(url, {"reassign_to": heir}).status_code == 422, heir
    with org.acting(admin) as actor:
        for heir_id in (furnished.id, reader.id, gone.id, foreign.id):
            with pytest.raises(Invalid):
                members.deactivate_member(furnished.id, reassign_to=heir_id, acting=actor)
        with pytest.raises(Conflict):
            members.deactivate_member(furnished.id, acting=actor)
    assert state(org) == before


def test_deactivation_when_an_app_fails_changes_nothing(org, admin, furnished, monkeypatch):
    def fail(old, new, acting):
        raise Conflict("No.")

    monkeypatch.setattr(hooks, "reassigners", [*hooks.reassigners, fail])
    heir = org.member("rep")
    before = state(org)
    url = f"/w/{org.slug}/settings/users/{furnished.id}/deactivation/"
    assert client_for(admin).post(url, {"reassign_to": str(heir.id)}).status_code == 422
    assert state(org) == before


def test_deactivation_when_an_app_forgot_its_records_is_a_fault_not_a_loss(org, admin, furnished, monkeypatch):
    monkeypatch.setattr(hooks, "reassigners", hooks.reassigners[:1])
    heir = org.member("rep")
    before = state(org)
    url = f"/w/{org.slug}/settings/users/{furnished.id}/deactivation/"
    assert client_for(admin).post(url, {"reassign_to": str(heir.id)}).status_code == 500
    assert state(org) == before


def test_deactivation_of_somebody_without_records_asks_for_nobody(org, admin):
    rep = org.member("rep")
    client, url = client_for(admin), f"/w/{org.slug}/settings/users/{rep.id}/deactivation/"
    assert "reassign_to" not in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    with org.system():
        assert not Membership.objects.get(id=rep.id).active
        assert ChangeSet.objects.count() == 0


def test_nobody_deactivates_themselves_or_the_last_admin(org, admin):
    before = state(org)
    client = client_for(admin)
    assert client.post(f"/w/{org.slug}/settings/users/{admin.id}/deactivation/").status_code == 422
    with org.system() as system, pytest.raises(Conflict):
        members.deactivate_member(admin.id, acting=system)
    assert state(org) == before


def test_member_comes_back_with_role_and_teams(org, admin):
    manager = org.member("manager")
    org.team("Nordics", managers=(manager,))
    client, url = client_for(admin), f"/w/{org.slug}/settings/users/{manager.id}/deactivation/"
    client.post(url)
    theirs = client_for(manager)
    assert theirs.get(f"/w/{org.slug}/settings/profile/").status_code == 404
    assert manager.user.email in client.get(f"/w/{org.slug}/settings/users/?show=deactivated").content.decode()
    assert client.delete(url).status_code == 302
    assert theirs.get(f"/w/{org.slug}/settings/profile/").status_code == 200
    with org.system():
        assert role_of(org, manager) == Role.MANAGER
        assert people.teams_of(manager.id) == {Team.objects.get().id: True}


def test_list_searches_and_filters(org, admin):
    org.member("rep", name="Maya Okafor", email="maya@fjord.example")
    org.member("readonly", name="Sam Doyle", email="sam@fjord.example")
    client, url = client_for(admin), f"/w/{org.slug}/settings/users/"

    def shown(query):
        page = client.get(url + query, HTTP_HX_REQUEST="true").content.decode()
        return [name for name in ("Lena Aalto", "Maya Okafor", "Sam Doyle") if name in page]

    assert shown("") == ["Lena Aalto", "Maya Okafor", "Sam Doyle"]
    assert shown("?q=OKA") == ["Maya Okafor"]
    assert shown("?q=sam@") == ["Sam Doyle"]
    assert shown("?role=readonly") == ["Sam Doyle"]
    assert shown("?q=nobody") == []
    assert shown("?show=deactivated") == []


def test_teams_of_a_member_are_set(org, admin):
    north, south = org.team("North"), org.team("South")
    rep = org.member("rep")
    client, url = client_for(admin), f"/w/{org.slug}/settings/users/{rep.id}/teams/"
    assert "North" in client.get(url).content.decode()
    assert client.post(url, {"teams": [str(north.id)], "managed": [str(south.id)]}).status_code == 302
    with org.system():
        assert people.teams_of(rep.id) == {north.id: False, south.id: True}
    assert client.post(url, {"teams": [str(south.id)]}).status_code == 302
    with org.system():
        assert people.teams_of(rep.id) == {south.id: False}


def test_tree_of_teams(org, admin):
    priya, tom = org.member("manager", name="Priya Raman"), org.member("rep", name="Tom Becker")
    client, base = client_for(admin), f"/w/{org.slug}/settings/teams/"
    client.post(base + "new/", {"name": "Sales", "managers": [str(priya.id)]})
    with org.system():
        sales = Team.objects.get()
    client.post(base + "new/", {"name": "Nordics", "parent": str(sales.id), "members": [str(tom.id)]})
    client.post(base + "new/", {"name": "Iberia", "parent": str(sales.id)})
    with org.system():
        tree = [(node.name, node.depth, node.managers, node.members) for node in people.team_tree()]
        assert tree == [
            ("Sales", 0, ("Priya Raman",), ()), ("Iberia", 1, (), ()), ("Nordics", 1, (), ("Tom Becker",)),
        ]  # fmt: skip
        assert set(queries.member_by_id(priya.id).actor.members) == {priya.id, tom.id}
    page = client.get(base).content.decode()
    assert page.index("Sales") < page.index("Iberia") < page.index("Nordics")


def test_team_cannot_stand_below_itself(org, admin):
    one = org.team("One")
    two = org.team("Two", parent=one)
    three = org.team("Three", parent=two)
    before = state(org)
    client = client_for(admin)
    for parent in (one, two, three):
        answer = client.post(f"/w/{org.slug}/settings/teams/{one.id}/", {"name": "One", "parent": str(parent.id)})
        assert answer.status_code == 422
    assert state(org) == before


def test_name_of_a_team_is_taken_once(org, admin):
    org.team("Nordics")
    before = state(org)
    answer = client_for(admin).post(f"/w/{org.slug}/settings/teams/new/", {"name": " Nordics "})
    assert answer.status_code == 422
    assert "There is a team of this name" in answer.content.decode()
    assert state(org) == before


def test_removed_team_lets_its_people_go_and_its_teams_move_up(org, admin):
    top = org.team("Top")
    rep = org.member("rep")
    middle = org.team("Middle", rep, parent=top)
    low = org.team("Low", parent=middle)
    assert client_for(admin).delete(f"/w/{org.slug}/settings/teams/{middle.id}/").status_code == 302
    with org.system():
        assert set(Team.objects.values_list("name", "parent__name")) == {("Top", None), ("Low", "Top")}
        assert Team.objects.get(id=low.id).parent_id == top.id
        assert queries.member_by_id(rep.id).actor.teams == ()
    assert client_for(admin).post(f"/w/{org.slug}/settings/teams/new/", {"name": "Middle"}).status_code == 302


@pytest.mark.parametrize("role", ["manager", "rep", "readonly"])
def test_only_admins_arrange_people(org, admin, furnished, role):
    team = org.team("Nordics", furnished)
    actor = org.member(role)
    client, base = client_for(actor), f"/w/{org.slug}/settings/"
    before = state(org)
    answers = {
        "list": client.get(base + "users/"),
        "role": set_role(client, org, actor, "admin"),
        "teams": client.post(f"{base}users/{actor.id}/teams/", {"teams": [str(team.id)], "managed": [str(team.id)]}),
        "deactivate": client.post(f"{base}users/{furnished.id}/deactivation/", {"reassign_to": str(actor.id)}),
        "activate": client.delete(f"{base}users/{furnished.id}/deactivation/"),
        "team": client.post(base + "teams/new/", {"name": "Mine", "managers": [str(actor.id)]}),
        "edit": client.post(f"{base}teams/{team.id}/", {"name": "Mine", "managers": [str(actor.id)]}),
        "remove": client.delete(f"{base}teams/{team.id}/"),
        "tree": client.get(base + "teams/"),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 403)
    assert state(org) == before


def test_admin_reaches_nobody_of_another_organisation(org, admin, furnished):
    team = org.team("Nordics", furnished)
    other = make_org()
    boss = other.member("admin")
    client, base = client_for(boss), f"/w/{other.slug}/settings/"
    before = state(org), state(other)
    assert set_role(client, other, furnished, "admin").status_code == 404
    assert client.post(f"{base}users/{furnished.id}/deactivation/").status_code == 404
    assert client.post(f"{base}users/{boss.id}/teams/", {"teams": [str(team.id)]}).status_code == 422
    assert client.post(base + "teams/new/", {"name": "X", "parent": str(team.id)}).status_code == 422
    assert client.post(base + "teams/new/", {"name": "X", "members": [str(furnished.id)]}).status_code == 422
    assert client.delete(f"{base}teams/{team.id}/").status_code == 404
    assert set_role(client, org, furnished, "admin").status_code == 404
    assert (state(org), state(other)) == before


def test_person_in_two_organisations_stands_once_among_the_members_of_each(org, admin):
    second = make_org("Second")
    with second.system():
        elsewhere = Membership.objects.create(user=admin.user, role=Role.ADMIN)
    with org.acting(admin) as actor:
        assert [pk for pk, _name in queries.members()] == [admin.id]
        assert [one.id for one in people.people()] == [admin.id]
        assert list(Membership.everything.values_list("id", flat=True)) == [admin.id]
        assert list(Organization.objects.values_list("id", flat=True)) == [org.id]
        with pytest.raises(Conflict):
            members.change_role(admin.id, Role.REP, acting=actor)  # an admin elsewhere is no admin here
        with pytest.raises(CrmError):
            members.change_role(elsewhere.id, Role.REP, acting=actor)
    page = client_for(admin).get(f"/w/{org.slug}/settings/users/").content.decode()
    assert str(elsewhere.id) not in page
