"""The hand-written read of a session answers what the ORM answers."""

import datetime as dt

import pytest
from django.forms import model_to_dict
from django.utils import timezone

from crm import queries
from crm.models import Session, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def make_session(key: str, user: User | None, days: int) -> Session:
    return Session.objects.create(
        session_key=key, session_data="data", expire_date=timezone.now() + dt.timedelta(days=days), user=user,
        ip_address="203.0.113.7", user_agent="Browser",
    )  # fmt: skip


def columns(row: object) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


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
