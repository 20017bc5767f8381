"""Saved views: what they keep, who sees and changes them, what is left of one whose parts are hidden or gone."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.utils import DatabaseError
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from crm.actions import views
from crm.actions.fields import FieldSettings, create_field, delete_field, set_field_access
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import Membership, SavedView, TeamMember, ViewMark
from crm.records import lists, schema
from tests.factories import make_org
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def save(
    port: Harbour,
    member: Membership,
    address: str = "",
    name: str = "Mine",
    record_type: str = "vessel",
    **options: Any,
) -> SavedView:
    with port.org.acting(member) as actor:
        query = lists.parse_query(schema.record_type(record_type, actor), QueryDict(address), actor)
        return views.create_view(record_type, name, query, acting=actor, **options)


def get(port: Harbour, member: Membership, query: str = "", path: str = "records/vessel/", **headers: str) -> Any:
    return client_for(member).get(f"/w/{port.org.slug}/{path}{query}", headers=headers)


def post(port: Harbour, member: Membership, path: str, method: str = "post", **data: Any) -> Any:
    return getattr(client_for(member), method)(f"/w/{port.org.slug}/{path}", data)


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content[-600:]
    return re.findall(r'data-ini="[^"]*"></span><span class="truncate">([^<]*)<', response.content.decode())


def heads(response: Any) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*data-col="([^"]*)"', response.content.decode())


@pytest.fixture
def fleet(port: Harbour) -> Harbour:
    for name, flag, crew in (("Aurora", "no", 5), ("Borealis", "pa", 9), ("Corvus", "no", 7)):
        port.vessel(name, flag=flag, crew=crew)
    return port


# ---------------------------------------------------------------- what a list's address says


def test_columns_are_shown_in_the_order_of_the_address(fleet: Harbour) -> None:
    assert heads(get(fleet, fleet.rep, "?cols=crew,flag")) == ["crew", "flag"]
    assert heads(get(fleet, fleet.rep, "?cols=crew&cols=flag")) == ["crew", "flag"]


@pytest.mark.parametrize(
    "query",
    ["?cols=secret_code", "?cols=nothing", "?group=crew", "?group=secret_code", "?layout=board&by=crew",
     "?layout=wall", "?density=huge", "?sort=crew,nothing", "?sort=" + ",".join(f"f{n}" for n in range(9))],
)  # fmt: skip
def test_what_a_list_does_not_have_is_refused(fleet: Harbour, query: str) -> None:
    assert get(fleet, fleet.admin, query).status_code == 422


def test_a_hidden_field_is_refused_as_one_that_never_was(fleet: Harbour) -> None:
    for part in ("cols", "group", "sort"):
        there = get(fleet, fleet.manager, f"?{part}=tags").content.decode()
        never = get(fleet, fleet.manager, f"?{part}=togs").content.decode()
        assert re.findall(r"<p[^>]*>[^<]*togs[^<]*", never) == [
            found.replace("tags", "togs") for found in re.findall(r"<p[^>]*>[^<]*tags[^<]*", there)
        ]


def test_an_export_has_the_columns_the_order_and_the_filter_of_its_list(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep, "sort=-crew&cols=crew,flag&flag=no")
    response = get(fleet, fleet.rep, f"?view={view.pk}", "records/vessel/export/")
    rows = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert [row.split(",")[1:] for row in rows] == [
        ["Name", "Crew", "Flag"], ["Corvus", "7", "Norway"], ["Aurora", "5", "Norway"],
    ]  # fmt: skip


# ---------------------------------------------------------------- a view and differences from it


def test_a_view_says_all_and_the_address_only_what_differs(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep, "sort=-crew&cols=crew,flag&flag=no")
    page = get(fleet, fleet.rep, f"?view={view.pk}")
    assert (names(page), heads(page)) == (["Corvus", "Aurora"], ["crew", "flag"])
    assert "Unsaved changes" not in page.content.decode()
    changed = get(fleet, fleet.rep, f"?view={view.pk}&sort=name")
    assert names(changed) == ["Aurora", "Corvus"]
    assert "Unsaved changes" in changed.content.decode()
    assert names(get(fleet, fleet.rep, f"?view={view.pk}&filter=")) == ["Borealis", "Corvus", "Aurora"]
    assert names(get(fleet, fleet.rep, f"?view={view.pk}&flag=pa")) == ["Borealis"]


@pytest.mark.parametrize("change", [{"sort": "name"}, {"where": None}, {"columns": ()}, {"filters": {"flag": ("pa",)}}])
def test_an_address_is_read_back_as_what_it_was_made_of(fleet: Harbour, change: dict[str, Any]) -> None:
    view = save(fleet, fleet.rep, "sort=-crew&cols=crew,flag&flag=no")
    with fleet.org.acting(fleet.rep) as actor:
        kind = schema.record_type("vessel", actor)
        query = lists.parse_query(kind, QueryDict(f"view={view.pk}"), actor)
        address = query.url(**change)
        again = lists.parse_query(kind, QueryDict(address[1:]), actor)
    expected = {**{name: getattr(query, name) for name in ("sort", "where", "columns", "filters")}, **change}
    assert {name: getattr(again, name) for name in expected} == expected


def test_the_whole_address_shows_the_same_to_anyone(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep, "sort=-crew&cols=crew&flag=no")
    with fleet.org.acting(fleet.rep) as actor:
        query = lists.parse_query(schema.record_type("vessel", actor), QueryDict(f"view={view.pk}"), actor)
    assert get(fleet, fleet.manager, f"?view={view.pk}").status_code == 404
    page = get(fleet, fleet.manager, query.whole().url())
    assert (names(page), heads(page)) == (["Corvus", "Aurora"], ["crew"])


def test_a_view_of_another_type_is_not_there(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep)
    assert get(fleet, fleet.rep, f"?view={view.pk}", "records/contact/").status_code == 404


@pytest.mark.parametrize("address", ["filter=flag:is:xx", "sort=colour", "cols=colour", "flag=xx"])
def test_what_makes_no_sense_is_not_saved(fleet: Harbour, address: str) -> None:
    with pytest.raises(Invalid):
        save(fleet, fleet.rep, address)
    with fleet.org.system():
        assert SavedView.objects.count() == 0


# ---------------------------------------------------------------- parts that are hidden or gone


def test_a_part_that_is_hidden_from_the_reader_is_left_out_and_told_without_its_name(fleet: Harbour) -> None:
    with fleet.org.acting(fleet.admin) as admin:
        create_field("vessel", FieldSettings(label="Berth", kind="text"), acting=admin)
    view = save(fleet, fleet.admin, "cols=crew,berth&filter=flag:is:no,berth:empty&sort=-crew", scope="organization")
    assert heads(get(fleet, fleet.manager, f"?view={view.pk}")) == ["crew", "berth"]
    with fleet.org.acting(fleet.admin) as admin:
        set_field_access("vessel", "berth", {"manager": "hidden"}, acting=admin)
    page = get(fleet, fleet.manager, f"?view={view.pk}")
    assert (names(page), heads(page)) == (["Corvus", "Aurora"], ["crew"])
    html = page.content.decode()
    assert "A part of this view" in html
    assert "erth" not in html
    assert "A part of this view" not in get(fleet, fleet.admin, f"?view={view.pk}").content.decode()


def test_a_part_that_is_gone_is_left_out(fleet: Harbour) -> None:
    with fleet.org.acting(fleet.admin) as admin:
        made = create_field("vessel", FieldSettings(label="Berth", kind="text"), acting=admin)
    view = save(fleet, fleet.rep, "cols=berth&filter=berth:empty&sort=crew,name")
    with fleet.org.acting(fleet.admin) as admin:
        delete_field(made.pk, acting=admin)
    assert names(get(fleet, fleet.rep, f"?view={view.pk}")) == ["Aurora", "Corvus", "Borealis"]


def test_saving_over_what_one_does_not_see_is_refused(fleet: Harbour) -> None:
    with fleet.org.acting(fleet.admin) as admin:
        create_field("vessel", FieldSettings(label="Berth", kind="text"), acting=admin)
    team = _team(fleet)
    view = save(fleet, fleet.rep, "cols=berth", scope="team", team=team)
    with fleet.org.acting(fleet.admin) as admin:
        set_field_access("vessel", "berth", {"manager": "hidden"}, acting=admin)
    with fleet.org.acting(fleet.manager) as manager, pytest.raises(Forbidden):
        views.arrange_view(view.pk, lists.ListQuery(sort="name"), acting=manager, version=1)
    assert (fleet.fresh(view).arrangement, fleet.fresh(view).version) == ("cols=berth", 1)


# ---------------------------------------------------------------- who


def _team(port: Harbour) -> UUID:
    with port.org.system():
        return TeamMember.objects.get(member=port.rep).team_id


@pytest.fixture
def shared(fleet: Harbour) -> dict[str, SavedView]:
    """A view of each scope, the rep's; the admin's for everybody."""
    return {
        "private": save(fleet, fleet.rep, "sort=name"),
        "team": save(fleet, fleet.rep, "sort=name", scope="team", team=_team(fleet)),
        "organization": save(fleet, fleet.admin, "sort=name", scope="organization"),
    }


SEES = {
    "rep": ["private", "team", "organization"], "manager": ["team", "organization"],
    "admin": ["team", "organization"], "reader": ["organization"], "stranger": ["organization"],
}  # fmt: skip
CHANGES = {"rep": ["private", "team"], "manager": ["team"], "admin": ["team", "organization"]}


@pytest.mark.parametrize("who", SEES)
def test_who_sees_a_view(fleet: Harbour, shared: dict[str, SavedView], who: str) -> None:
    member = getattr(fleet, who)
    seen = [s for s, view in shared.items() if get(fleet, member, f"?view={view.pk}").status_code == 200]
    counted = [s for s, v in shared.items() if get(fleet, member, "", f"views/{v.pk}/count/").status_code == 200]
    with fleet.org.acting(member):
        in_database = set(SavedView.objects.values_list("scope", flat=True))
    assert (seen, counted, in_database) == (SEES[who], SEES[who], set(SEES[who]))


@pytest.mark.parametrize("who", SEES)
def test_who_changes_a_view(fleet: Harbour, shared: dict[str, SavedView], who: str) -> None:
    changed = []
    for scope, view in shared.items():
        team = view.team_id
        with fleet.org.acting(getattr(fleet, who)) as actor:
            try:
                views.update_view(view.pk, "Renamed", scope, team, acting=actor, version=1)
                changed.append(scope)
            except (Forbidden, NotFound):
                assert (fleet.fresh(view).name, fleet.fresh(view).version) == ("Mine", 1)
    assert changed == CHANGES.get(who, [])


@pytest.mark.parametrize("who", ["manager", "reader", "stranger", "admin"])
def test_the_database_keeps_others_from_a_private_view(fleet: Harbour, who: str) -> None:
    view = save(fleet, fleet.rep)
    with fleet.org.acting(getattr(fleet, who)):
        assert SavedView.objects.filter(pk=view.pk).update(name="Taken") == 0
        assert SavedView.objects.filter(pk=view.pk).delete()[0] == 0
    assert fleet.fresh(view).name == "Mine"


def test_the_database_lets_readers_save_private_views_only(fleet: Harbour) -> None:
    save(fleet, fleet.reader)
    with fleet.org.acting(fleet.reader), pytest.raises(DatabaseError, match="row-level security"):
        SavedView.objects.create(record_type="vessel", name="x", owner=fleet.reader, scope="organization")


@pytest.mark.parametrize(
    ("who", "scope", "works"),
    [
        ("reader", "private", True), ("reader", "team", False), ("reader", "organization", False),
        ("rep", "team", True), ("rep", "organization", False), ("stranger", "team", False),
        ("manager", "team", True), ("manager", "organization", True), ("admin", "team", True),
        ("admin", "organization", True),
    ],
)  # fmt: skip
def test_who_saves_for_whom(fleet: Harbour, who: str, scope: str, works: bool) -> None:
    options = {"scope": scope, "team": _team(fleet) if scope == "team" else None}
    if works:
        assert save(fleet, getattr(fleet, who), **options).scope == scope
        return
    with pytest.raises(Forbidden):
        save(fleet, getattr(fleet, who), **options)
    with fleet.org.system():
        assert SavedView.objects.count() == 0


def test_a_manager_above_sees_and_changes_the_view_of_a_team_below(fleet: Harbour) -> None:
    boss = fleet.org.member("manager")
    top = fleet.org.team("Top", managers=(boss,))
    with fleet.org.system():
        low = TeamMember.objects.get(member=fleet.rep).team
        type(low).objects.filter(pk=low.pk).update(parent=top)
    view = save(fleet, fleet.rep, scope="team", team=low.pk)
    assert get(fleet, boss, f"?view={view.pk}").status_code == 200
    with fleet.org.acting(boss) as actor:
        assert views.update_view(view.pk, "Ours", "team", low.pk, acting=actor, version=1).name == "Ours"


def test_views_of_another_organisation_are_not_there(fleet: Harbour) -> None:
    view = save(fleet, fleet.admin, scope="organization")
    other = make_org()
    stranger = other.member("admin")
    for path in (f"records/vessel/?view={view.pk}", f"views/{view.pk}/", f"views/{view.pk}/count/"):
        assert client_for(stranger).get(f"/w/{other.slug}/{path}").status_code == 404
    with other.acting(stranger):
        assert SavedView.objects.count() == 0


def test_a_stale_form_is_refused(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep)
    with fleet.org.acting(fleet.rep) as rep:
        views.update_view(view.pk, "Ours", "private", None, acting=rep, version=1)
        with pytest.raises(Conflict):
            views.update_view(view.pk, "Late", "private", None, acting=rep, version=1)
    assert fleet.fresh(view).name == "Ours"


# ---------------------------------------------------------------- through the pages


def test_a_view_is_saved_renamed_copied_deleted_and_brought_back_by_its_pages(fleet: Harbour) -> None:
    made = post(
        fleet,
        fleet.rep,
        "records/vessel/views/new/",
        name="Norse",
        audience="private",
        arrangement="?flag=no&sort=name",
    )
    view_id = made["Location"].partition("?view=")[2]
    assert names(get(fleet, fleet.rep, f"?view={view_id}")) == ["Aurora", "Corvus"]
    assert "Norse" in get(fleet, fleet.rep, "", "records/vessel/views/").content.decode()
    assert post(
        fleet, fleet.rep, f"views/{view_id}/", name="Nordic", audience=f"team:{_team(fleet)}", version="1"
    ).status_code == 302  # fmt: skip
    page = get(fleet, fleet.manager, f"?view={view_id}")
    assert "Nordic" in page.content.decode()
    saved = post(fleet, fleet.manager, f"views/{view_id}/arrangement/", arrangement="?sort=-name", version="2")
    assert saved.status_code == 302
    assert names(get(fleet, fleet.rep, f"?view={view_id}")) == ["Corvus", "Borealis", "Aurora"]
    copy = post(fleet, fleet.rep, f"views/{view_id}/copy/")["Location"]
    assert "Copy of Nordic" in client_for(fleet.rep).get(copy).content.decode()
    assert post(fleet, fleet.rep, f"views/{view_id}/deletion/").status_code == 302
    assert get(fleet, fleet.rep, f"?view={view_id}").status_code == 404
    assert post(fleet, fleet.rep, f"views/{view_id}/restoration/").status_code == 302
    assert get(fleet, fleet.rep, f"?view={view_id}").status_code == 200


def test_a_view_without_a_name_is_asked_for_one(fleet: Harbour) -> None:
    response = post(fleet, fleet.rep, "records/vessel/views/new/", name=" ", audience="private", arrangement="?")
    assert response.status_code == 422
    with fleet.org.system():
        assert SavedView.objects.count() == 0


# ---------------------------------------------------------------- a member's own


def test_a_default_view_is_what_the_plain_list_shows_to_that_member_alone(fleet: Harbour) -> None:
    view = save(fleet, fleet.admin, "sort=-name&flag=no", scope="organization")
    assert post(fleet, fleet.rep, f"views/{view.pk}/default/").status_code == 302
    assert names(get(fleet, fleet.rep)) == ["Corvus", "Aurora"]
    assert names(get(fleet, fleet.rep, "?view=")) == ["Corvus", "Borealis", "Aurora"]
    assert names(get(fleet, fleet.manager)) == ["Corvus", "Borealis", "Aurora"]
    other = save(fleet, fleet.rep, "flag=pa")
    post(fleet, fleet.rep, f"views/{other.pk}/default/")
    assert names(get(fleet, fleet.rep)) == ["Borealis"]
    post(fleet, fleet.rep, f"views/{other.pk}/default/", "delete")
    assert names(get(fleet, fleet.rep)) == ["Corvus", "Borealis", "Aurora"]


def test_a_default_view_that_is_gone_leaves_the_plain_list(fleet: Harbour) -> None:
    view = save(fleet, fleet.admin, "flag=no", scope="organization")
    post(fleet, fleet.rep, f"views/{view.pk}/default/")
    post(fleet, fleet.admin, f"views/{view.pk}/deletion/")
    assert names(get(fleet, fleet.rep)) == ["Corvus", "Borealis", "Aurora"]


def test_everything_stays_within_reach_of_who_has_a_default_view(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep, "flag=no&group=flag")
    post(fleet, fleet.rep, f"views/{view.pk}/default/")
    page = get(fleet, fleet.rep, "?crew=9").content.decode()
    assert re.findall(r'<a class="x" href="([^"]*)"', page) == ["?view="]
    assert names(get(fleet, fleet.rep, "?view=")) == ["Corvus", "Borealis", "Aurora"]
    panel = get(fleet, fleet.rep, f"?view={view.pk}&sort=name", "records/vessel/filter/").content.decode()
    (cleared,) = re.findall(r'<a class="btn btn-sm btn-ghost push" href="[^"?]*([^"]*)"', panel)
    assert cleared == f"?filter=&amp;sort=name&amp;view={view.pk}"


def test_the_menu_of_sorts_turns_adds_and_takes_away(fleet: Harbour) -> None:
    def links(query: str) -> list[str]:
        page = get(fleet, fleet.rep, f"?{query}&block=sorts").content.decode()
        return re.findall(r'<a [^>]*href="([^"]*)"', page)

    usual = links("flag=no")
    assert usual[0] == "?flag=no&amp;sort=updated_at"  # of what it is sorted by as usual nothing is taken away
    assert [one for one in usual if one.endswith(("sort=name", "sort=-crew", "sort=-flag"))] == [
        "?flag=no&amp;sort=-crew", "?flag=no&amp;sort=-flag", "?flag=no&amp;sort=name",
    ]  # fmt: skip
    sorted_ = links("sort=-crew,name")
    assert sorted_[:4] == ["?sort=crew,name", "?sort=name", "?sort=-crew,-name", "?sort=-crew"]
    assert "?sort=-crew,name,-value" in sorted_
    assert sorted_[-1] == "?view="
    assert names(get(fleet, fleet.rep, "?sort=-crew,-name")) == ["Borealis", "Corvus", "Aurora"]
    full = links("sort=-crew,name,-value,-launched,flag")
    assert [one for one in full if one.count(",") == 5] == []


def test_a_later_page_of_a_view_is_no_change_of_it(fleet: Harbour) -> None:
    view = save(fleet, fleet.rep, "sort=name")
    with fleet.org.acting(fleet.rep) as actor:
        for change, is_changed in (("", False), ("&after=x", False), ("&sort=-name", True)):
            query = lists.parse_query(schema.record_type("vessel", actor), QueryDict(f"view={view.pk}{change}"), actor)
            assert query.is_changed == is_changed


def test_what_is_typed_into_the_search_box_is_in_every_address_of_the_list(fleet: Harbour) -> None:
    headers = {"HX-Request": "true", "HX-Target": "records", "HX-Trigger": "list-search"}
    answer = get(fleet, fleet.rep, "?q=bore", **headers).content.decode()
    apart = re.findall(r'id="([a-z-]+)" class="contents" hx-swap-oob="true"', answer)
    assert apart == ["view-name", "view-parts", "list-export"]
    assert re.findall(r'href="([^"]*)" download', answer) == [f"/w/{fleet.org.slug}/records/vessel/export/?q=bore"]
    assert answer.count("views/new/?q=bore") == 2  # with script and without
    assert answer.count("?q=bore&amp;block=columns") == 1
    again = get(fleet, fleet.rep, "?q=bore", **{"HX-Request": "true", "HX-Target": "records"}).content.decode()
    assert "hx-swap-oob" not in again


def _pinned(response: Any) -> list[str]:
    return re.findall(r'<span class="truncate">([^<]*)</span><span class="count', response.content.decode())


def test_pins_stand_in_the_members_order_with_counts(fleet: Harbour) -> None:
    first, second = save(fleet, fleet.rep, name="One"), save(fleet, fleet.rep, "flag=no", name="Two")
    assert 'class="pins"' not in get(fleet, fleet.rep).content.decode()
    for view in (first, second):
        assert post(fleet, fleet.rep, f"views/{view.pk}/pin/").status_code == 302
    assert 'class="pins"' in get(fleet, fleet.rep).content.decode()
    assert _pinned(get(fleet, fleet.rep, "", "views/pins/")) == ["One", "Two"]
    assert get(fleet, fleet.rep, "", f"views/{second.pk}/count/").content == b"2"
    post(fleet, fleet.rep, "views/pins/", pin=[str(second.pk), str(first.pk)])
    assert _pinned(get(fleet, fleet.rep, "", "views/pins/")) == ["Two", "One"]
    post(fleet, fleet.rep, f"views/{second.pk}/pin/", "delete")
    assert _pinned(get(fleet, fleet.rep, "", "views/pins/")) == ["One"]
    assert _pinned(get(fleet, fleet.manager, "", "views/pins/")) == []


def test_a_reader_pins_and_has_a_default(fleet: Harbour) -> None:
    view = save(fleet, fleet.admin, "flag=no", scope="organization")
    assert post(fleet, fleet.reader, f"views/{view.pk}/pin/").status_code == 302
    assert post(fleet, fleet.reader, f"views/{view.pk}/default/").status_code == 302
    with fleet.org.system():
        assert list(ViewMark.objects.values_list("member_id", "is_default", "pin")) == [(fleet.reader.pk, True, 1)]


def test_marks_are_nobody_elses_business(fleet: Harbour) -> None:
    view = save(fleet, fleet.admin, scope="organization")
    with fleet.org.acting(fleet.rep) as rep:
        views.pin_view(view.pk, acting=rep)
    with fleet.org.acting(fleet.admin):
        assert ViewMark.objects.count() == 0
        assert ViewMark.objects.update(pin=9) == 0


# ---------------------------------------------------------------- statements


def statements(port: Harbour, member: Membership, path: str) -> int:
    client = client_for(member)
    client.get(f"/w/{port.org.slug}/{path}")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/w/{port.org.slug}/{path}").status_code == 200
    return len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT"))])


@pytest.mark.parametrize("who", ["rep", "manager", "admin"])
def test_statements_of_a_list_with_a_view(fleet: Harbour, who: str) -> None:
    member = getattr(fleet, who)
    view = save(fleet, member, "filter=some(sailors,name:starts_with:S)&sort=-crew,name&cols=crew,owner")
    plain = statements(fleet, member, "records/vessel/")
    with fleet.org.acting(member) as actor:
        views.pin_view(view.pk, acting=actor)
    assert statements(fleet, member, "records/vessel/") == plain
    assert statements(fleet, member, f"records/vessel/?view={view.pk}") <= 8
    for path in ("?group=flag&cols=crew", "?group=owner&cols=value,owner", "?layout=board&by=flag"):
        assert statements(fleet, member, f"records/vessel/{path}") <= 8, path
    with fleet.org.system():
        Vessel.objects.all().delete()
