"""The hand-written reads of every page's shell answer what the ORM answers."""

import datetime as dt

import pytest
from django.utils import timezone

from crm import queries
from crm.models import Notification, Tag
from tests.factories import make_org
from tests.support.web import unread_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_unread_answers_what_the_orm_answers():
    org, other = make_org(), make_org()
    rep, colleague = org.member("rep"), org.member("rep")
    stranger = other.member("rep")
    with other.system():
        Notification.objects.create(member=stranger, kind="deal_assigned")
    with org.system():
        for read in (None, None, timezone.now() - dt.timedelta(days=1)):
            Notification.objects.create(member=rep, kind="deal_assigned", read_at=read)
        Notification.objects.create(member=colleague, kind="deal_assigned")
    with org.acting(rep):
        expected = Notification.objects.filter(member=rep, read_at__isnull=True).count()
    assert (unread_of(org.slug, rep), expected) == (2, 2)
    assert (
        unread_of(org.slug, colleague),
        unread_of(other.slug, stranger),
        unread_of(org.slug, org.member("rep")),
    ) == (1, 1, 0)


def test_unread_stops_at_its_cap():
    org = make_org()
    rep = org.member("rep")
    with org.system():
        Notification.objects.bulk_create(
            Notification(member=rep, kind="deal_assigned") for _n in range(queries.UNREAD_CAP + 5)
        )
    assert unread_of(org.slug, rep) == queries.UNREAD_CAP


def test_tags_answers_what_the_orm_answers():
    org, other = make_org(), make_org()
    with other.system():
        Tag.objects.create(name="Elsewhere")
    with org.system():
        Tag.objects.create(name="Champion", tone="green")
        Tag.objects.create(name="Trade fair", tone="blue")
        Tag.objects.create(name="Old", deleted_at=timezone.now())
        expected = {tag.id: (tag.name, tag.tone) for tag in Tag.objects.all()}
        assert queries.tags() == expected
        assert sorted(name for name, _tone in expected.values()) == ["Champion", "Trade fair"]
