"""The hand-written read of a session answers what the ORM answers."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.forms import model_to_dict
from django.utils import timezone

from crm import queries
from crm.enums import Role, Visibility
from crm.models import Membership, Session, User
from crm.tenancy import context
from crm.tenancy.context import org_context
from tests.factories import make_org, make_user
from tests.support.web import session_for

pytestmark = pytest.mark.django_db(transaction=True)


def make_session(key: str, user: User | None, days: int) -> Session:
    return Session.objects.create(
        session_key=key, session_data="data", expire_date=timezone.now() + dt.timedelta(days=days), user=user,
        ip_address="203.0.113.7", user_agent="Browser",
    )  # fmt: skip


def columns(row: object) -> dict:
    return {name: value for name, value in vars(row).items() if not name.startswith("_") and name != "user"}


def settings_in_force() -> dict[str, str]:
    """What the open transaction has been told of the organisation and the actor."""
    names = list(context.Settings().pairs())
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, coalesce(current_setting(name, true), '') FROM unnest(%s::text[]) name", [names])
        return dict(cursor.fetchall())


def by_orm(key: str) -> Session | None:
    rows = Session.objects.select_related("user").filter(session_key=key, expire_date__gt=timezone.now())
    return rows.first()


@pytest.mark.parametrize("key", ["signed-in", "nobody", "expired", "absent", "", "x' OR true --"])
def test_session_answers_what_the_orm_answers(key: str):
    make_session("signed-in", make_user("Ada Lind", time_zone="Europe/Oslo"), 3)
    make_session("other", make_user("Bo Ek"), 3)
    make_session("nobody", None, 3)
    make_session("expired", make_user("Cy Holt"), -1)
    expected, found = by_orm(key), queries.session(key)
    assert (found is None) == (expected is None)
    if expected is not None and found is not None:
        assert columns(found) == columns(expected)
        assert model_to_dict(found) == model_to_dict(expected)
        assert (found.user is None) == (expected.user is None)
        assert not found._state.adding


def test_session_user_is_a_whole_row_that_can_be_saved():
    make_session("signed-in", make_user("Ada Lind"), 3)
    user = queries.session("signed-in").user
    assert columns(user) == columns(User.objects.get())
    user.name = "Ada Berg"
    user.save()
    assert [row.name for row in User.objects.all()] == ["Ada Berg"]


def test_opening_answers_what_session_and_member_answer():
    org, other = make_org(), make_org()
    manager, rep, left = org.member("manager"), org.member("rep"), org.member("rep")
    with org.system():
        Membership.objects.filter(pk=left.pk).update(active=False)
    org.team("North", rep, managers=(manager,))
    for member in (manager, rep, left, other.member("rep")):
        key = session_for(member.user)
        with transaction.atomic():
            context.enter_user(member.user_id)
            expected = queries.member_by_slug(member.user_id, org.slug)
        context.leave()
        with transaction.atomic():
            found = queries.opening(key, org.slug)
            told = settings_in_force()
        assert columns(found.session) == columns(by_orm(key))
        assert columns(found.session.user) == columns(member.user)
        assert (found.membered is None) == (expected is None) == (member not in (manager, rep))
        if expected:
            assert found.membered.actor == replace(expected.actor, name=member.user.get_full_name())
            assert told == context.settings_of(found.membered.actor).pairs()
            assert columns(found.membered.member) == columns(expected.member)
            assert columns(found.membered.organization) == columns(expected.organization)


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("visibility", Visibility.values)
def test_opening_tells_the_database_what_entering_would(role: str, visibility: str):
    org = make_org(visibility=visibility)
    member, other = org.member(role), org.member("rep")
    org.team("North", other, managers=(member,))
    with transaction.atomic():
        found = queries.opening(session_for(member.user), org.slug, "4f2a")
        told = settings_in_force()
    context.leave()
    with org_context(found.membered.actor):
        assert settings_in_force() == told
    assert told["app.request_id"] == "4f2a"


@pytest.mark.parametrize("key", ["expired", "absent", "", "x' OR true --"])
def test_nothing_opens_without_a_session(key: str):
    org = make_org()
    make_session("expired", org.member("admin").user, -1)
    with transaction.atomic():
        assert queries.opening(key, org.slug) is None


def test_opening_can_be_taken_back():
    org = make_org()
    key = session_for(org.member("admin").user)
    with transaction.atomic(), connection.cursor() as cursor:
        assert queries.opening(key, org.slug).membered is not None
        context.forget()
        assert settings_in_force() == dict.fromkeys(context.Settings().pairs(), "")
        cursor.execute("SELECT count(*) FROM crm_membership")
        assert cursor.fetchone() == (0,)
