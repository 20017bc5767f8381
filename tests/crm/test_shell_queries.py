"""The hand-written reads of every page's shell answer what the ORM answers."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from crm import queries
from crm.models import Notification, SavedView, Tag, Team, TeamMember, ViewMark
from tests.factories import make_org
from tests.support.web import session_for, unread_of

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


def test_view_marks_answer_what_the_orm_answers():
    org = make_org()
    rep, colleague = org.member("rep"), org.member("rep")
    with org.system():
        made = [
            SavedView.objects.create(record_type=kind, name="x", scope="organization", owner=rep)
            for kind in ("contact", "contact", "deal", "deal")
        ]
        marks = ((made[0], True, None), (made[1], False, 2), (made[2], False, 1), (made[3], True, 3))
        for view, is_default, pin in marks:
            ViewMark.objects.create(
                member=rep, view=view, record_type=view.record_type, is_default=is_default, pin=pin
            )  # fmt: skip
        ViewMark.objects.create(member=colleague, view=made[0], record_type="contact", pin=1)

    def read(member):
        with transaction.atomic():
            return queries.view_marks(queries.opening(session_for(member.user), org.slug).marks)

    with org.acting(rep):
        rows = ViewMark.objects.filter(member=rep)
        pins = tuple(rows.filter(pin__isnull=False).order_by("pin").values_list("view_id", flat=True))
        defaults = dict(rows.filter(is_default=True).values_list("record_type", "view_id"))
    assert read(rep) == queries.ViewMarks(pins, defaults)
    assert (read(rep).pins, read(colleague).pins) == ((made[2].pk, made[1].pk, made[3].pk), (made[0].pk,))
    assert read(org.member("rep")) == queries.ViewMarks((), {})


def test_led_teams_answer_what_a_walk_over_the_tree_answers():
    org = make_org()
    manager, rep, other = org.member("manager"), org.member("rep"), org.member("manager")
    top = org.team("Top", managers=(other,))
    mine = org.team("Mine", managers=(manager, rep), parent=top)
    below = org.team("Below", parent=mine)
    org.team("Lowest", parent=below)
    org.team("Beside", manager, parent=top)

    def by_orm(member):
        led = set(TeamMember.objects.filter(member=member, is_manager=True).values_list("team_id", flat=True))
        size = -1
        while size != len(led):
            size = len(led)
            led |= set(Team.objects.filter(parent_id__in=led).values_list("pk", flat=True))
        return led if member.role == "manager" else set()

    for member, count in ((manager, 3), (rep, 0), (other, 5)):
        with org.acting(member) as actor:
            assert queries.led_teams(actor) == by_orm(member)
            assert len(by_orm(member)) == count
