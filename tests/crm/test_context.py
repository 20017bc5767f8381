"""The transaction that carries an organisation."""

import pytest
from django.db import connection, transaction

from crm import queries
from crm.models import Tag, Team
from crm.tenancy import context
from crm.tenancy.context import Actor, elevated, org_context
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [name])
        return cursor.fetchone()[0] or ""


def test_org_context_sets_and_forgets_the_organisation():
    org = make_org()
    with org.system():
        assert setting("app.org_id") == str(org.id)
        assert setting("app.reach") == "all"
    assert setting("app.org_id") == ""


def test_manager_outside_of_an_organisation_raises():
    with pytest.raises(context.NoOrganization):
        Tag.objects.all()


def test_org_context_inside_another_restores_the_former_settings():
    org = make_org()
    rep = org.member("rep")
    with org.system():
        with org.acting(rep):
            assert (setting("app.reach"), setting("app.member_id")) == ("own", str(rep.id))
        assert (setting("app.reach"), setting("app.member_id")) == ("all", "")


def test_org_context_after_an_error_inside_restores_the_former_settings():
    org = make_org()
    rep = org.member("rep")
    with org.system():
        with pytest.raises(ZeroDivisionError), org.acting(rep):
            _ = Tag.objects.create(name="Lost") and 1 / 0
        assert (setting("app.reach"), setting("app.member_id")) == ("all", "")
        assert Tag.objects.count() == 0


def test_org_context_refuses_another_organisation_inside():
    one, two = make_org(), make_org()
    with one.system(), pytest.raises(context.OtherOrganization), org_context(Actor.system(two.id)):
        pass


def test_elevated_reaches_all_and_comes_back():
    org = make_org()
    rep = org.member("rep")
    with org.acting(rep):
        with elevated("a test"):
            assert (setting("app.reach"), setting("app.write")) == ("all", "all")
        assert (setting("app.reach"), setting("app.write")) == ("own", "own")


def test_begin_on_a_dead_connection_reconnects():
    org = make_org()
    with org.system():
        pid = connection.connection.info.backend_pid
    connection.connection.pgconn.finish()
    with org.system():
        assert setting("app.org_id") == str(org.id)
        assert connection.connection.info.backend_pid != pid


def test_raw_sql_without_an_organisation_sees_nothing():
    org = make_org()
    with org.system():
        Team.objects.create(name="North")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm_team")
        assert cursor.fetchone() == (0,)


def test_member_by_slug_knows_teams_before_the_organisation_is_entered():
    org, other = make_org(), make_org()
    manager, rep, below, stranger = org.member("manager"), org.member("rep"), org.member("rep"), org.member("rep")
    north = org.team("North", rep, managers=(manager,))
    south = org.team("South", below, parent=north)
    org.team("Elsewhere", stranger)
    with transaction.atomic():
        context.enter_user(manager.user_id)
        found = queries.member_by_slug(manager.user_id, org.slug)
        assert queries.member_by_slug(manager.user_id, other.slug) is None
    context.leave()
    assert found is not None
    assert found.actor.teams == (north.id,)
    assert set(found.actor.members) == {manager.id, rep.id, below.id}
    assert found.actor == org.actor(manager)
    assert south.parent_id == north.id


def test_looking_members_up_changes_nobody_into_them():
    org = make_org()
    admin, rep = org.member("admin"), org.member("rep")
    with org.acting(admin):
        assert queries.member_by_id(rep.id).actor.member_id == rep.id
        assert (setting("app.member_id"), setting("app.user_id")) == (str(admin.id), str(admin.user_id))
