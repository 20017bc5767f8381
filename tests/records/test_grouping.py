"""Groups of a list, and boards: heads, counts, sums, rows; for each reader what they see and nothing else."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from activities.actions.log import NewActivity, log_activity
from activities.actions.tasks import create_task
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.values import NewAccount, NewContact
from crm.actions.fields import FieldSettings, Option, create_field, set_field_access
from crm.models import ExchangeRate
from crm.records import actions, grouping, lists, schema
from crm.records.listquery import ListQuery, board_fields, group_fields
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Stage
from tests.records.harbour import Harbour
from tests.records.test_views import get, names, post
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(port: Harbour) -> Harbour:
    port.vessel("Aurora", flag="no", crew=5, value=100_00, launched=date(2026, 3, 31))
    port.vessel("Borealis", flag="pa", crew=9, value=50_00, launched=date(2026, 3, 1), seaworthy=False)
    port.vessel("Corvus", flag="no", value=10_00, currency="USD", launched=date(2026, 4, 1))
    port.vessel("Dorado", crew=1)
    port.vessel("Elara", flag="no", crew=100, value=1_000_00, owner=port.stranger)
    return port


def groups(port: Harbour, who: str, by: str, **options: Any) -> list[tuple[str, str, int]]:
    with port.org.acting(getattr(port, who)) as actor:
        kind = schema.record_type("vessel", actor)
        columns = lists.columns_of(kind, actor)
        found = grouping.groups_of(kind, ListQuery(group=by, **options), by, actor, columns, "EUR")
    return [(head.key, head.label, head.count) for head in found.heads]


@pytest.mark.parametrize(
    ("who", "by", "expected"),
    [
        ("rep", "flag", [("no", "Norway", 2), ("pa", "Panama", 1), ("", "None", 1)]),
        ("admin", "flag", [("no", "Norway", 3), ("pa", "Panama", 1), ("", "None", 1)]),
        ("stranger", "flag", [("no", "Norway", 1)]),
        ("rep", "seaworthy", [("true", "Yes", 3), ("false", "No", 1)]),
        ("rep", "launched", [("2026-04", "April 2026", 1), ("2026-03", "March 2026", 2), ("", "None", 1)]),
    ],
)
def test_heads_of_groups(fleet: Harbour, who: str, by: str, expected: list[Any]) -> None:
    assert groups(fleet, who, by) == expected


def test_members_head_groups_by_name(fleet: Harbour) -> None:
    assert [(label, count) for _key, label, count in groups(fleet, "admin", "owner")] == [
        ("Rhea Rep", 4), ("Sven Strange", 1),
    ]  # fmt: skip


def test_subtotals_are_worth_what_they_are_in_the_base_currency_today(fleet: Harbour) -> None:
    def sums() -> list[tuple[Decimal, Decimal, int]]:
        with fleet.org.acting(fleet.rep) as actor:
            kind = schema.record_type("vessel", actor)
            columns = lists.columns_of(kind, actor)
            found = grouping.groups_of(kind, ListQuery(group="flag"), "flag", actor, columns, "EUR")
        return [(head.sums["crew"].value, head.sums["value"].value, head.sums["value"].apart) for head in found.heads]

    assert sums() == [(5, 100_00, 1), (9, 50_00, 0), (1, 0, 0)]
    with fleet.org.system():
        ExchangeRate.objects.create(currency="USD", rate=Decimal("0.5"), valid_from=date(2026, 1, 1))
    assert sums() == [(5, 105_00, 0), (9, 50_00, 0), (1, 0, 0)]


@pytest.mark.parametrize("by", ["flag", "seaworthy", "launched", "owner"])
def test_the_groups_hold_every_row_once(fleet: Harbour, by: str) -> None:
    found = []
    for key, _label, count in groups(fleet, "admin", by):
        page = get(fleet, fleet.admin, f"?group={by}&block=rows&key={key}")
        assert len(names(page)) == count
        found += names(page)
    assert sorted(found) == ["Aurora", "Borealis", "Corvus", "Dorado", "Elara"]


def test_a_groups_rows_come_in_pages(fleet: Harbour) -> None:
    with fleet.org.system():
        Vessel.objects.bulk_create(Vessel(name=f"Ship {n:02}", owner=fleet.rep, flag="pa") for n in range(60))
    seen, path = [], "?group=flag&sort=name&block=rows&key=pa"
    while path:
        response = get(fleet, fleet.rep, path)
        seen += names(response)
        more = re.search(r'hx-get="([^"]*)"', response.content.decode())
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == ["Borealis", *[f"Ship {n:02}" for n in range(60)]]


def test_the_page_has_heads_and_a_foot_and_asks_for_the_first_rows(fleet: Harbour) -> None:
    html = get(fleet, fleet.rep, "?group=flag&cols=crew,value").content.decode()
    assert re.findall(r'<span class="truncate">(Norway|Panama|None)</span>', html) == ["Norway", "Panama", "None"]
    assert html.count('hx-trigger="load once"') == 1
    foot = html.partition("<tfoot>")[2]
    assert re.sub(r"<[^>]*>|\s+", " ", foot).split()[:2] == ["All", "4"]
    assert ">15</td>" in foot


def test_the_numbers_of_the_groups_alone_are_those_of_the_page(fleet: Harbour) -> None:
    page = get(fleet, fleet.rep, "?group=flag&cols=crew,value&crew.min=2").content.decode()
    alone = get(fleet, fleet.rep, "?group=flag&cols=crew,value&crew.min=2&block=sums").content.decode()
    numbers = re.compile(
        r'<tr class="tgroup" data-group="(\w*)">|<span class="agg num">(\d+)|data-col="(\w+)"[^>]*>([^<]*)</td>'
    )
    assert numbers.findall(alone) == numbers.findall(page.partition("<tbody")[2])
    assert len(numbers.findall(alone)) == 2 * 4 + 3
    assert "Dorado" not in alone


@pytest.mark.parametrize("query", ["group=flag", "layout=board&by=flag"])
def test_a_list_without_rows_has_no_groups(port: Harbour, query: str) -> None:
    page = client_for(port.rep).get(f"/w/{port.org.slug}/records/vessel/?{query}")
    assert (page.status_code, "No vessels yet" in page.content.decode()) == (200, query == "group=flag")


def test_a_filter_holds_for_groups(fleet: Harbour) -> None:
    page = get(fleet, fleet.rep, "?group=flag&crew.min=2").content.decode()
    assert re.findall(r'<span class="truncate">(Norway|Panama|None)</span>', page) == ["Norway", "Panama"]


@pytest.mark.parametrize("key", ["2026-13", "x", "2026"])
def test_a_key_that_no_group_has_is_refused(fleet: Harbour, key: str) -> None:
    assert get(fleet, fleet.rep, f"?group=launched&block=rows&key={key}").status_code == 422


def _flagship(port: Harbour, level: str = "") -> None:
    with port.org.acting(port.admin) as admin:
        create_field(
            "vessel",
            FieldSettings(label="Class", key="class", kind="choice", options=(Option("Barge"), Option("Tug", "red"))),
            acting=admin,
        )
        if level:
            set_field_access("vessel", "class", {"rep": level}, acting=admin)


def test_a_custom_picklist_groups_and_makes_a_board(fleet: Harbour) -> None:
    _flagship(fleet)
    with fleet.org.acting(fleet.rep) as rep:
        kind = schema.record_type("vessel", rep)
        tug = kind.field("class").options()[1][0]
        made = Vessel.objects.get(name="Aurora")
        actions.update_record(kind, made.pk, {"class": tug}, acting=rep, version=1)
    assert groups(fleet, "rep", "class") == [(tug, "Tug", 1), ("", "None", 3)]
    html = get(fleet, fleet.rep, "?layout=board&by=class").content.decode()
    assert [name.strip() for name in columns(html)] == ["Barge", "Tug", "None"]
    assert names(get(fleet, fleet.rep, f"?group=class&block=rows&key={tug}")) == ["Aurora"]
    assert get(fleet, fleet.rep, "?group=class&block=rows&key=%00").status_code == 422


def test_a_hidden_field_groups_nothing(fleet: Harbour) -> None:
    _flagship(fleet, "hidden")
    for query in ("?group=class", "?layout=board&by=class", "?group=class&block=rows&key=x"):
        assert get(fleet, fleet.rep, query).status_code == 422
        assert get(fleet, fleet.admin, query).status_code == 200


def test_a_lookup_that_the_reader_does_not_see_is_no_group(fleet: Harbour) -> None:
    with fleet.org.acting(fleet.admin) as admin:
        create_field(
            "vessel", FieldSettings(label="Consort", key="consort", kind="lookup", target="vessel"), acting=admin
        )
    with fleet.org.acting(fleet.admin) as admin:
        hidden = Vessel.objects.get(name="Elara")
        shown = Vessel.objects.get(name="Corvus")
        kind = schema.record_type("vessel", admin)
        for name, other in (("Aurora", hidden), ("Borealis", shown)):
            actions.update_record(kind, Vessel.objects.get(name=name).pk, {"consort": other.pk}, acting=admin)
    assert groups(fleet, "rep", "consort") == [(str(shown.pk), "Corvus", 1), ("", "None", 3)]
    assert names(get(fleet, fleet.rep, "?group=consort&sort=name&block=rows&key=")) == ["Aurora", "Corvus", "Dorado"]
    assert names(get(fleet, fleet.rep, f"?group=consort&block=rows&key={hidden.pk}")) == []


# ---------------------------------------------------------------- boards


def columns(html: str) -> list[str]:
    return re.findall(r'<i class="dot"></i><span class="truncate">([^<]*)</span><span class="count">', html)


def cards(html: str) -> dict[str, list[str]]:
    found = {}
    for part in html.split('<div class="col-body" data-key="')[1:]:
        found[part.partition('"')[0]] = re.findall(r'<article class="deal"[^>]*><a href="[^"]*">([^<]*)</a>', part)
    return found


def test_a_board_has_a_column_for_each_option(fleet: Harbour) -> None:
    html = get(fleet, fleet.rep, "?layout=board&by=flag&sort=name&cols=crew").content.decode()
    assert columns(html) == ["Norway", "Panama", "None"]
    assert cards(html) == {"no": ["Aurora", "Corvus"], "pa": ["Borealis"], "": ["Dorado"]}
    assert cards(get(fleet, fleet.stranger, "?layout=board").content.decode()) == {"no": ["Elara"], "pa": [], "": []}


def test_a_column_has_fifty_cards_and_more(fleet: Harbour) -> None:
    with fleet.org.system():
        Vessel.objects.bulk_create(Vessel(name=f"Ship {n:02}", owner=fleet.rep, flag="pa") for n in range(80))
    html = get(fleet, fleet.rep, "?layout=board&by=flag&sort=name").content.decode()
    first = cards(html)["pa"]
    assert (len(first), html.count('class="more-cards"')) == (50, 1)
    more = re.search(r'class="more-cards" href="([^"]*)"', html)[1].replace("&amp;", "&")
    rest = get(fleet, fleet.rep, more).content.decode()
    assert first + re.findall(r'<a href="[^"]*">([^<]*)</a>', rest) == [
        "Borealis",
        *[f"Ship {n:02}" for n in range(80)],
    ]


def move(port: Harbour, member: Any, record: Any, value: Any, version: int = 1) -> Any:
    path = f"/w/{port.org.slug}/records/vessel/{record.pk}/choices/flag/?layout=board&by=flag"
    return client_for(member).put(path, {"value": value, "version": version}, "application/json")


def test_a_card_is_moved_and_moved_back(fleet: Harbour) -> None:
    with fleet.org.system():
        made = Vessel.objects.get(name="Aurora")
    answer = move(fleet, fleet.rep, made, "pa")
    assert (answer.status_code, fleet.fresh(made).flag, fleet.fresh(made).version) == (200, "pa", 2)
    said = answer.json()
    counts = [re.search(r'class="count">(\d+)', head["html"])[1] for head in said["heads"]]
    assert (said["version"], [head["key"] for head in said["heads"]], counts) == (2, ["no", "pa", ""], ["1", "2", "1"])
    undone = client_for(fleet.rep).post(said["undo"])
    assert (undone.status_code, undone["HX-Refresh"], fleet.fresh(made).flag) == (204, "true", "no")
    assert move(fleet, fleet.rep, made, "", 3).status_code == 200
    assert fleet.fresh(made).flag == ""


@pytest.mark.parametrize(
    ("who", "value", "version", "status"),
    [
        ("rep", "xx", 1, 422),
        ("rep", "pa", 7, 409),
        ("stranger", "pa", 1, 404),
        ("reader", "pa", 1, 404),
        ("rep", "pa", 0, 409),
    ],
)
def test_a_card_that_may_not_move_stays(fleet: Harbour, who: str, value: str, version: int, status: int) -> None:
    with fleet.org.system():
        made = Vessel.objects.get(name="Aurora")
    assert move(fleet, getattr(fleet, who), made, value, version).status_code == status
    assert (fleet.fresh(made).flag, fleet.fresh(made).version) == ("no", 1)


def test_a_field_that_is_no_picklist_has_no_board(fleet: Harbour) -> None:
    with fleet.org.system():
        made = Vessel.objects.get(name="Aurora")
    path = f"records/vessel/{made.pk}/choices/crew/?to=5&was=1"
    assert post(fleet, fleet.rep, path).status_code == 422
    assert fleet.fresh(made).crew == 5


@pytest.mark.parametrize("key", ["contact", "account", "deal", "task", "activity", "vessel"])
@pytest.mark.parametrize("who", ["rep", "manager", "admin", "reader"])
def test_every_group_and_board_of_every_type_opens(fleet: Harbour, key: str, who: str) -> None:
    member = getattr(fleet, who)
    with fleet.org.system() as system:
        create_default_pipeline(acting=system)
    with fleet.org.acting(fleet.rep) as rep:
        contact = create_contact(NewContact(last_name="Okafor"), acting=rep)
        log_activity(NewActivity(type="call", outcome="busy", contact_id=contact.pk), acting=rep)
        create_task({"title": "Call back", "contact": contact.pk}, acting=rep)
        create_account(NewAccount(name="Halden"), acting=rep)
        create_deal({"name": "Fleet", "stage": Stage.objects.order_by("position").first().pk}, acting=rep)
    with fleet.org.acting(member) as actor:
        kind = schema.record_type(key, actor)
        addresses = [f"?group={field.key}" for field in group_fields(kind, actor)]
        addresses += [f"?layout=board&by={field.key}" for field in board_fields(kind, actor)]
        addresses.append("?cols=" + ",".join(field.key for field in lists.listable_fields(kind, actor)))
    client = client_for(member)
    answers = {address: client.get(f"/w/{fleet.org.slug}/records/{key}/{address}").status_code for address in addresses}
    assert answers == dict.fromkeys(addresses, 200)
    for address in addresses:
        for block in ("columns", "groups"):
            path = f"/w/{fleet.org.slug}/records/{key}/{address}&block={block}"
            assert client.get(path).status_code == 200, path
