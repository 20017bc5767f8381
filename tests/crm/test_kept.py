"""Kept queries give what the same querysets give, to everybody, however often and in whatever order they are asked."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from activities.models import Activity
from contacts.actions.contacts import create_contact
from contacts.models import Contact, ContactEmail
from contacts.values import NewContact
from crm import access
from crm.actions.sharing import share_record
from crm.enums import ShareLevel
from crm.lib.errors import NotFound
from crm.models import Team
from crm.tenancy.backend.kept import KeptQuery, new_row, save_columns
from crm.tenancy.fields import new_id
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


def columns(row: object) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_kept_models_and_dicts_are_the_querysets():
    org = make_org()
    with org.system():
        north = Team.objects.create(name="North")
        south = Team.objects.create(name="South", parent=north)
        rows = Team.objects.select_related("parent")
        one = KeptQuery(rows.filter(pk=org.id), org.id)
        for team in (north, south, north):
            [found] = one.all(team.pk)
            assert columns(found) == columns(rows.get(pk=team.pk))
        with CaptureQueriesContext(connection) as asked:
            assert one.first(south.pk).parent.name == "North"
        assert len(asked) == 1
        assert one.first(org.actor(org.member("rep")).member_id) is None
        names = Team.objects.order_by("name").values("id", "name", "parent__name")
        below = KeptQuery(names.filter(parent=org.id), org.id)
        assert below.all(north.pk) == list(names.filter(parent=north)) != []


def test_kept_query_needs_its_samples_and_a_plain_shape():
    org = make_org()
    with org.system():
        with pytest.raises(ValueError, match="None of the samples"):
            KeptQuery(Team.objects.filter(name="North"), org.id)
        with pytest.raises(ValueError, match="without annotations"):
            KeptQuery(Team.objects.filter(pk=org.id).annotate(n=Count("pk")), org.id)


@pytest.mark.parametrize("number", [1, 3, 4])
def test_few_rows_are_inserted_as_many_are(number: int):
    """Up to three go by the kept statement, more by Django's."""
    org = make_org()
    owner = org.member("rep")
    with org.acting(owner):
        values = [
            {"last_name": f"O'Brien {n}", "email": f"{n}@fjord.example", "custom": {"a": ["ü"]}} for n in range(4)
        ]
        rows = [Contact(owner_id=owner.pk, tags=[new_id()], **value) for value in values[:number]]
        assert Contact.objects.bulk_create(rows) == rows
        assert not any(row._state.adding for row in rows)
        twins = [Contact(owner_id=owner.pk, tags=row.tags, **value) for row, value in zip(rows, values, strict=False)]
        for twin in twins:
            twin.save(force_insert=True)
        own = ("id", "created_at", "updated_at")
        for row, twin in zip(rows, twins, strict=True):
            found, expected = (columns(Contact.objects.get(pk=pk)) for pk in (row.pk, twin.pk))
            assert {k: v for k, v in found.items() if k not in own} == {
                k: v for k, v in expected.items() if k not in own
            }
            assert found["created_at"] == row.created_at
        with pytest.raises(IntegrityError), transaction.atomic():
            Contact.objects.bulk_create([Contact(owner_id=org.organization.id, last_name="Nobody's")])


def test_columns_are_saved_as_save_does():
    org = make_org()
    rep, other = org.member("rep"), org.member("rep")
    with org.acting(rep):
        values = {"last_name": "O'Brien", "custom": {"a": 1}, "owner_id": rep.pk}
        row, twin = (Contact.objects.create(**values) for _n in range(2))
        for one in (row, twin):
            one.title, one.custom, one.tags, one.score, one.email = "Captain", {"b": ["ü"]}, [org.id], 7, "unsaved"
        names = ["title", "custom", "tags", "score", "updated_at"]
        save_columns(row, names)
        twin.save(update_fields=names)
        own = ("id", "created_at", "updated_at")
        found, expected = (columns(Contact.objects.get(pk=pk)) for pk in (row.pk, twin.pk))
        assert {k: v for k, v in found.items() if k not in own} == {k: v for k, v in expected.items() if k not in own}
        assert (found["updated_at"], found["email"]) == (row.updated_at, "")
    with org.acting(other), pytest.raises(DatabaseError), transaction.atomic():
        save_columns(row, ["title"])


@pytest.mark.parametrize("role", ["admin", "manager", "rep", "readonly"])
def test_records_by_key_are_those_of_the_queryset(role: str):
    org = make_org()
    owner, reader, other = org.member("rep"), org.member(role), org.member("rep")
    if role == "manager":
        org.team("North", owner, managers=(reader,))
    team = org.team("South", reader)
    records = []
    for number, (level, share) in enumerate([("", ""), ("read", "member"), ("write", "team"), ("read", "other")]):
        with org.acting(owner) as acting:
            contact = create_contact(NewContact(last_name=f"N{number}"), acting=acting)
            if share:
                to = {"member": {"member": reader.pk}, "team": {"team": team.pk}, "other": {"member": other.pk}}[share]
                share_record("contact", contact.pk, level=ShareLevel(level), acting=acting, **to)
            records.append(contact)
    with org.acting(reader) as acting:
        for contact in [*records, *records]:
            for allowed, get in ((access.visible_q, access.get_visible), (access.writable_q, access.get_writable)):
                expected = Contact.objects.filter(allowed(Contact, acting), pk=contact.pk).first()
                try:
                    found = get(Contact, str(contact.pk), acting)
                except NotFound:
                    found = None
                assert (found and columns(found)) == (expected and columns(expected))
    with org.acting(other) as acting:
        seen = [contact.last_name for contact in records if _seen(contact, acting)]
    assert seen == ["N3"]


def _seen(contact: Contact, acting: object) -> bool:
    try:
        access.get_visible(Contact, contact.pk, acting)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("model", [Contact, ContactEmail, Activity], ids=lambda model: model.__name__)
def test_new_row_is_what_the_model_makes(model: type):
    org = make_org()
    with org.system():
        given = {"id": new_id(), "created_at": None, "updated_at": None} if model is Contact else {"id": new_id()}
        made, plain = new_row(model, **given), model(**given)
        here = {name: value for name, value in vars(made).items() if name != "_state"}
        there = {name: value for name, value in vars(plain).items() if name != "_state"}
        moments = [name for name in there if isinstance(there[name], dt.datetime)]  # of one's making
        assert {**here, **dict.fromkeys(moments)} == {**there, **dict.fromkeys(moments)}
        assert (made._state.adding, made._state.db) == (True, None)
        assert vars(new_row(model))["id"] != vars(new_row(model))["id"]
        with pytest.raises(TypeError, match="no columns owner"):
            new_row(Contact, owner="somebody")


def test_new_row_can_be_saved_and_read_again():
    org = make_org()
    rep = org.member("rep")
    with org.system():
        made = new_row(Contact, last_name="Berg", owner_id=rep.pk)
        assert made.name == "Berg"
        made.save(force_insert=True)
        assert (made.sort_name, made.owner.pk, Contact.objects.get().pk) == ("berg", rep.pk, made.pk)
