"""A record type defined only in the test package gets list, search, filter, form, deletion and export."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Tag
from crm.records.actions import update_record
from crm.records.registry import registry
from tests.factories import make_org
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def harbour():
    org = make_org()
    rep, other, admin, reader = (org.member(role) for role in ("rep", "rep", "admin", "readonly"))
    with org.system():
        Vessel.objects.create(name="Élan", owner=rep, flag="no", crew=5, value=1_250_000_00)
        Vessel.objects.create(name="Borealis", owner=rep, flag="pa", crew=12, secret_code="hush")
        Vessel.objects.create(name="Corvus", owner=other, flag="no", crew=40)
    return org, rep, other, admin, reader


def names(response):
    assert response.status_code == 200, response.content[:500]
    html = response.content.decode()
    found = [part.split("<", 1)[0] for part in html.split('<span class="truncate">')[1:]]
    return [name for name in found if name in ("Élan", "Borealis", "Corvus")]


def get(org, member, path):
    return client_for(member).get(f"/w/{org.slug}/records/vessel/{path}")


@pytest.mark.parametrize(
    ("who", "path", "expected"),
    [
        (3, "", ["Corvus", "Borealis", "Élan"]),
        (4, "", ["Corvus", "Borealis", "Élan"]),
        (1, "", ["Borealis", "Élan"]),
        (3, "?sort=name", ["Borealis", "Corvus", "Élan"]),
        (3, "?sort=-crew", ["Corvus", "Borealis", "Élan"]),
        (3, "?sort=value", ["Élan", "Borealis", "Corvus"]),
        (3, "?q=ela", ["Élan"]),
        (3, "?q=ÉL", ["Élan"]),
        (1, "?q=corv", []),
        (3, "?flag=no&sort=name", ["Corvus", "Élan"]),
        (1, "?owner=me&sort=name", ["Borealis", "Élan"]),
        (3, "?crew.min=6&crew.max=20", ["Borealis"]),
        (3, "?value.min=1000000", ["Élan"]),
    ],
)
def test_list_shows_what_was_asked_for(harbour, who, path, expected):
    org, member = harbour[0], harbour[who]
    assert names(get(org, member, path)) == expected


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("contacts/", ["Contacts"]), ("contacts/?layout=board&by=lifecycle", ["Contacts"]), ("deals/", ["Deals"]),
        ("deals/list/", ["Deals"]), ("deals/list/?group=stage", ["Deals"]), ("tasks/", ["Tasks"]),
        ("records/deal/filter/", ["Deals"]), ("records/vessel/", []),
    ],
)  # fmt: skip
def test_sidebar_marks_what_is_listed(harbour, path, here):
    org, rep, *_others = harbour
    page = client_for(rep).get(f"/w/{org.slug}/{path}")
    assert page.status_code == 200
    nav = page.content.decode().partition("<ul>")[2].partition("</ul>")[0]
    assert re.findall(r'aria-current="page"[^>]*><svg.*?</svg>([^<]+)</a>', nav) == here


def test_list_pages_by_keyset_in_both_directions(harbour):
    org, rep = harbour[0], harbour[1]
    with org.system():
        Vessel.objects.bulk_create(Vessel(name=f"Ship {n:03}", owner=rep, crew=None) for n in range(120))
    client, seen, path = client_for(rep), [], "?sort=name"
    pages = []
    while path:
        html = client.get(f"/w/{org.slug}/records/vessel/{path}").content.decode()
        page = [
            p.split("<", 1)[0] for p in html.split('<span class="truncate">')[1:] if p.startswith(("Ship", "Él", "Bor"))
        ]
        pages.append(page)
        seen += page
        path = (
            html.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
            if 'rel="next"' in html
            else ""
        )
    assert seen == ["Borealis", "Élan", *[f"Ship {n:03}" for n in range(120)]]
    back = html.split('rel="prev"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    html = client.get(f"/w/{org.slug}/records/vessel/{back}").content.decode()
    assert [
        p.split("<", 1)[0] for p in html.split('<span class="truncate">')[1:] if p.startswith(("Ship", "Él", "Bor"))
    ] == pages[-2]


@pytest.mark.parametrize(
    "path", ["?colour=red", "?sort=secret_code", "?crew.min=many", "?after=nonsense", "?secret_code=hush"]
)
def test_list_refuses_what_it_cannot_read(harbour, path):
    assert get(harbour[0], harbour[3], path).status_code == 422


@pytest.mark.parametrize("who", [1, 3, 4])
def test_list_statements(harbour, who):
    org, member = harbour[0], harbour[who]
    client = client_for(member)
    client.get(f"/w/{org.slug}/records/vessel/")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(f"/w/{org.slug}/records/vessel/")
    assert len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT"))]) <= 6


def test_form_creates_and_updates_with_a_version(harbour):
    org, rep = harbour[0], harbour[1]
    client, base = client_for(rep), f"/w/{org.slug}/records/vessel/"
    made = client.post(
        base + "new/", {"name": "Dorado", "flag": "pa", "crew": "3", "value": "12.50", "seaworthy": "on"}
    )
    assert made.status_code == 302, made.content.decode()[-800:]
    with org.system():
        vessel = Vessel.objects.get(name="Dorado")
        assert (vessel.owner_id, vessel.value, vessel.version) == (rep.id, 1250, 1)
    fields = {"name": "Dorado II", "owner": str(rep.id), "version": "1", "seaworthy": "on"}
    assert client.post(f"{base}{vessel.id}/edit/", fields).status_code == 302
    assert client.post(f"{base}{vessel.id}/edit/", {**fields, "name": "Late"}).status_code == 409
    with org.system():
        vessel.refresh_from_db()
        assert (vessel.name, vessel.version) == ("Dorado II", 2)


def test_form_with_errors_is_shown_again_and_saves_nothing(harbour):
    org, rep = harbour[0], harbour[1]
    response = client_for(rep).post(f"/w/{org.slug}/records/vessel/new/", {"name": "", "crew": "x"})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    with org.system():
        assert Vessel.objects.count() == 3


@pytest.mark.parametrize(("who", "expected"), [(1, {"Borealis", "Élan"}), (3, {"Borealis", "Corvus", "Élan"})])
def test_export_holds_what_the_member_sees_and_no_secret(harbour, who, expected):
    org, member = harbour[0], harbour[who]
    response = get(org, member, "export/")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["Name"] for row in rows} == expected
    assert "hush" not in text


def test_export_is_refused_to_read_only_members_unless_allowed(harbour):
    org, reader = harbour[0], harbour[4]
    assert get(org, reader, "export/").status_code == 403


def test_delete_moves_to_the_bin_for_its_owner_only(harbour):
    org, rep, other, _admin, reader = harbour
    with org.system():
        vessel = Vessel.objects.get(name="Borealis")
    for member, status in ((other, 404), (reader, 404), (rep, 302)):
        response = client_for(member).post(f"/w/{org.slug}/records/vessel/{vessel.id}/delete/")
        assert response.status_code == status
        with org.system():
            assert Vessel.objects.filter(pk=vessel.pk).exists() == (status == 404)


def test_tags_are_shown_to_the_roles_that_may_see_them(harbour):
    org, rep, _other, admin, reader = harbour
    with org.system():
        tag = Tag.objects.create(name="Flagship")
        Vessel.objects.update(tags=[tag.id])
    assert [b"Flagship" in get(org, member, "").content for member in (rep, admin, reader)] == [True, True, False]


def test_history_shows_who_changed_what_and_no_secret(harbour):
    org, rep, other, _admin, _reader = harbour
    with org.acting(rep) as actor:
        vessel = Vessel.objects.get(name="Borealis")
        update_record(registry.get("vessel"), vessel.pk, {"name": "Boreas", "crew": 14}, acting=actor)
        Vessel.objects.filter(pk=vessel.pk).update(secret_code="hush hush")
    path = f"/w/{org.slug}/records/vessel/{vessel.pk}/history/"
    html = client_for(rep).get(path).content.decode()
    assert all(text in html for text in ("Borealis", "Boreas", "12", "14", rep.user.name))
    assert "hush" not in html
    assert client_for(other).get(path).status_code == 404


def test_detail_shows_the_fields_of_a_record(harbour):
    org, rep, other, _admin, _reader = harbour
    with org.system():
        vessel = Vessel.objects.get(name="Borealis")
    path = f"/w/{org.slug}/records/vessel/{vessel.pk}/"
    html = client_for(rep).get(path).content.decode()
    assert "Panama" in html
    assert "hush" not in html
    assert client_for(other).get(path).status_code == 404


@pytest.mark.parametrize(("who", "told"), [(1, ["New vessel", "Vessels"]), (4, ["Vessels"])])
def test_palette_makes_one_and_jumps_to_the_list(harbour, who, told):
    org, *members = harbour
    page = client_for((None, *members)[who]).get(f"/w/{org.slug}/palette/?q=vessel").content.decode()
    found = re.findall(r'role="option".*?<span class="truncate">(.*?)</span>', page)
    assert [re.sub(r"<[^>]*>", "", text) for text in found] == told
