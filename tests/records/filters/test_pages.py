"""Filtered lists over HTTP, with the record type that only tests have."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.db.models import Func, Q, TextField, Value
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from crm.lib.errors import Invalid, TooSlow
from crm.models import Tag
from crm.records import export, lists
from crm.records.filters import fixed
from crm.records.filters.compiler import compile_filter
from crm.records.filters.dates import Days
from crm.records.filters.limits import stopped_in_time
from crm.records.filters.reader import Reader
from crm.records.filters.text import parse
from crm.records.registry import registry
from tests.factories import Org, make_org
from tests.support.web import client_for
from tests.vessels.models import Sailor, Vessel

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("Élan", "Borealis", "Corvus")


class Harbour:
    """Three ships of two owners, one of them in the manager's team."""

    def __init__(self) -> None:
        self.org: Org = make_org(time_zone="Pacific/Auckland")
        roles = ("rep", "rep", "admin", "readonly", "manager")
        self.rep, self.other, self.admin, self.reader, self.manager = (self.org.member(role) for role in roles)
        above = self.org.team("Fleet", managers=(self.manager,))
        self.org.team("Deck", self.rep, parent=above)
        with self.org.system():
            Vessel.objects.create(name="Élan", owner=self.rep, flag="no", crew=5, value=1_250_000_00)
            pacific = Vessel.objects.create(
                name="Borealis", owner=self.rep, flag="pa", crew=12, launched=date(2026, 5, 1)
            )
            Vessel.objects.create(name="Corvus", owner=self.other, flag="no", crew=40, secret_code="hush")
            Sailor.objects.create(name="Ines", owner=self.rep, vessel=pacific)

    def get(self, member: Any, path: str, **headers: str) -> Any:
        return client_for(member).get(f"/w/{self.org.slug}/records/vessel/{path}", headers=headers)

    def names(self, member: Any, text: str, more: str = "") -> list[str]:
        response = self.get(member, f"?sort=name&filter={quote(text)}{more}")
        assert response.status_code == 200, response.content.decode()[-2000:]
        found = [part.split("<", 1)[0] for part in response.content.decode().split('<span class="truncate">')[1:]]
        return [name for name in found if name in NAMES]


@pytest.fixture
def harbour() -> Harbour:
    return Harbour()


@pytest.mark.parametrize(
    ("who", "text", "expected"),
    [
        ("admin", "crew:between:(5,12)", "Borealis Élan"),
        ("rep", "name:contains:'E'", "Borealis Élan"),
        ("admin", "or(flag:is:pa,crew:gt:12)", "Borealis Corvus"),
        ("admin", "not(flag:is:pa)", "Corvus Élan"),
        ("admin", "some(sailors,name:is:INES)", "Borealis"),
        ("other", "some(sailors)", ""),
        ("other", "none(sailors)", "Corvus"),
        ("rep", "owner:is:me", "Borealis Élan"),
        ("admin", "owner:any_of:(my_team)", ""),
        ("rep", "owner:any_of:(my_team)", "Borealis Élan"),
        ("manager", "owner:any_of:(my_team)", "Borealis Élan"),
        ("admin", "launched:is:2026-05-01", "Borealis"),
        ("admin", "launched:empty,value:gte:1000000.5", "Élan"),
    ],
)
def test_a_list_shows_what_its_filter_leaves(harbour: Harbour, who: str, text: str, expected: str) -> None:
    assert harbour.names(getattr(harbour, who), text) == expected.split()


def test_short_forms_search_and_filter_hold_together(harbour: Harbour) -> None:
    assert harbour.names(harbour.admin, "crew:lt:20", "&flag=no") == ["Élan"]
    assert harbour.names(harbour.admin, "crew:lt:20", "&q=bor") == ["Borealis"]


def test_count_and_export_are_filtered_too(harbour: Harbour) -> None:
    count = harbour.get(harbour.admin, "?block=count&filter=flag:is:no").content.decode()
    assert ">2<" in count
    response = harbour.get(harbour.admin, "export/?filter=flag:is:no")
    rows = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    assert {row["Name"] for row in rows} == {"Élan", "Corvus"}


def test_an_export_knows_the_readers_day(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream goes on after the request, and its further pages are of the same days as the first."""
    monkeypatch.setattr(export, "PAGE", 1)
    with harbour.org.system():
        Vessel.objects.update(created_at=datetime(2026, 3, 31, 12, tzinfo=UTC))  # the first of April in Auckland
    for day, names in (("2026-04-01", NAMES), ("2026-03-31", ())):
        response = harbour.get(harbour.admin, f"export/?filter=created_at:is:{day}")
        rows = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
        assert {row["Name"] for row in rows} == set(names)


def test_chips_say_the_filter_and_take_its_parts_away(harbour: Harbour) -> None:
    text = "crew:between:(5,50),or(flag:is:no,flag:is:pa),some(sailors,name:is:Ines),owner:any_of:(me)"
    html = harbour.get(harbour.rep, f"?flag=pa&filter={text}").content.decode()
    labels = [part.split('"', 1)[0] for part in html.split('class="chip" role="group" aria-label="')[1:]]
    assert labels == [
        "Filter: Flag is any of Panama",
        "Filter: Crew is between 5 and 50",
        "Filter: Any of  Flag is Norway or Flag is Panama",
        "Filter: Sailors some Name is Ines",
        "Filter: Owner is any of Me",
    ]
    assert 'href="?flag=pa&amp;filter=or(flag:is:no,flag:is:pa),some(sailors,name:is:Ines),owner:any_of:(me)"' in html
    assert "filter=crew:between:(5,50)" in html.split("at=0-1")[0].rsplit("hx-get=", 1)[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour:is:red", "no field “colour” to filter by. (at filter.field)"),
        ("secret_code:is:hush", "no field “secret_code” to filter by. (at filter.field)"),
        (
            "crew:gt:1,or(crew:lt:3,owner.name:is:x)",
            "no field “owner.name” to filter by. (at filter.and[1].or[1].field)",
        ),
        ("some(pirates)", "no related records “pirates”. (at filter.related)"),
        ("some(sailors,secret_code:is:x)", "no field “secret_code” to filter by. (at filter.where.field)"),
        ("crew:contains:5", "“Crew” can't be compared by “contains”"),
        ("crew:gt:many", "“Crew” is a number, such as 1250.50. (at filter.value)"),
        ("crew:gt:true", "“Crew” is a number"),
        ("crew:gt:9999999999999999", "too large"),
        ("crew:gt", "takes one value"),
        ("crew:between:(1,2,3)", "takes two values"),
        ("crew:empty:1", "takes no value"),
        ("flag:any_of:(xx)", "“xx” is no option of “Flag”"),
        ("flag:any_of:()", "at least one value"),
        ("seaworthy:is:1", "true or false"),
        ("owner:is:nobody", "id of a record"),
        ("launched:is:2026-02-30", "no date such as 2026-01-31"),
        ("launched:in:someday", "no period such as this_month"),
        ("launched:in_last:30", "no number of days"),
        ("name:is:' '", "use “is empty”"),
        ("a" * 21_000, "too long"),
        (",".join(["crew:gt:1"] * 51), "at most 50 conditions"),
        ("not(not(not(not(not(not(crew:gt:1))))))", "at most 5 levels deep"),
        ("crew:gt:1)", "character 10"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(harbour: Harbour, text: str, said: str) -> None:
    for path in (f"?filter={text}", f"export/?filter={text}", f"?block=count&filter={text}"):
        response = harbour.get(harbour.admin, path, Accept="application/json")
        assert (response.status_code, said in json.loads(response.content)["detail"]) == (422, True), response.content
    assert harbour.get(harbour.admin, f"?filter={text}").status_code == 422


def test_a_field_hidden_from_a_role_is_as_if_it_were_not_there(harbour: Harbour) -> None:
    with harbour.org.system():
        tag = Tag.objects.create(name="Flagship")
        Vessel.objects.update(tags=[tag.id])
    text = f"tags:any_of:({tag.id})"
    assert harbour.names(harbour.admin, text) == ["Borealis", "Corvus", "Élan"]
    hidden = harbour.get(harbour.reader, f"?filter={text}").content.decode()
    absent = harbour.get(harbour.reader, f"?filter={text.replace('tags', 'gats')}").content.decode()
    assert "no field “tags” to filter by" in hidden
    shown = [page.split("<body", 1)[1].replace("gats", "tags") for page in (hidden, absent)]
    assert shown[0].split("<h1")[1].split("</section")[0] == shown[1].split("<h1")[1].split("</section")[0]
    panel = harbour.get(harbour.reader, "filter/").content.decode()
    assert ("Flagship" in panel, 'value="tags"' in panel) == (False, False)


@pytest.mark.parametrize(
    "value",
    ["' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE x", "$1", "%s", "{x}", "\u0000", "🛳", "＇", "name_norm", "' ' ' '"],
)
def test_hostile_values_are_values(harbour: Harbour, value: str) -> None:
    for op in ("is", "contains", "starts_with", "ends_with"):
        text = f"name:{op}:'{value.replace(chr(39), chr(39) * 2)}'"
        response = harbour.get(harbour.admin, f"?filter={quote(text)}")
        assert response.status_code == (422 if "\0" in value else 200)
        assert 'class="truncate">Corvus' not in response.content.decode()


@pytest.mark.parametrize(("who", "most"), [("admin", 9), ("rep", 9), ("reader", 9)])
def test_statements_of_a_filtered_list(harbour: Harbour, who: str, most: int) -> None:
    client, path = client_for(getattr(harbour, who)), "crew:gt:1,some(sailors,name:contains:e),not(flag:is:pa)"
    client.get(f"/w/{harbour.org.slug}/records/vessel/?filter={path}")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/w/{harbour.org.slug}/records/vessel/?filter={path}")
    assert len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT"))]) <= most


# ---------------------------------------------------------------- time


def sleeps(*_args: Any) -> Q:
    slept = Cast(Func(Value(3), function="pg_sleep"), TextField())
    return Q(Exact(slept, Value("x")))


def test_a_filter_that_takes_too_long_is_stopped_and_told(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.FILTER_TIMEOUT = 0.05
    for module in (lists, fixed):
        monkeypatch.setattr(module, "compile_filter", sleeps)
    for path in ("?filter=crew:gt:1", "?block=count&filter=crew:gt:1", "export/?filter=crew:gt:1"):
        response = harbour.get(harbour.admin, path)
        assert (response.status_code, "took too long and was stopped" in response.content.decode()) == (503, True)
    toast = harbour.get(harbour.admin, "?filter=crew:gt:1", **{"HX-Request": "true"})
    assert "took too long" in json.loads(toast.headers["HX-Trigger"])["toast"]["text"]
    counted = harbour.get(harbour.admin, "filter/?state=1&act=count&n0-0.field=crew&n0-0.op=gt&n0-0.value=1")
    assert counted.content.decode() == "Counting takes too long."
    assert harbour.get(harbour.admin, "").status_code == 200


def test_after_the_limit_the_transaction_goes_on_without_one(harbour: Harbour) -> None:
    with harbour.org.system():
        before = limit()
        with pytest.raises(TooSlow), stopped_in_time(0.05):
            list(Vessel.objects.filter(sleeps()))
        assert limit() == before
        with stopped_in_time(2):
            assert (limit(), Vessel.objects.count()) == ("2s", 3)
        assert limit() == before


def limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


# ---------------------------------------------------------------- the reader


def test_quarters_are_those_of_the_organisation(harbour: Harbour) -> None:
    with harbour.org.system():
        harbour.org.organization.fiscal_year_start = 2
        harbour.org.organization.save()
    with harbour.org.acting(harbour.rep) as actor:
        calendar = Reader(actor, datetime(2026, 11, 22, tzinfo=UTC)).calendar
        assert calendar.period("this_quarter") == Days(date(2026, 11, 1), date(2027, 2, 1))


def test_a_filter_is_one_readers(harbour: Harbour) -> None:
    """The same tree means something else for everybody: who "me" is, and what is visible."""
    tree = parse("owner:is:me")
    for member, names in ((harbour.rep, {"Élan", "Borealis"}), (harbour.other, {"Corvus"}), (harbour.admin, set())):
        with harbour.org.acting(member) as actor:
            rows = Vessel.objects.filter(compile_filter(tree, registry.get("vessel"), actor))
            assert {row.name for row in rows} == names


# ---------------------------------------------------------------- the panel


def panel(harbour: Harbour, query: str) -> str:
    response = harbour.get(
        harbour.rep, f"filter/?state=1&{query}", **{"HX-Request": "true", "HX-Target": "filter-body"}
    )
    assert response.status_code == 200
    return response.content.decode()


def test_steps_of_the_panel(harbour: Harbour) -> None:
    row = "n0.match=and&n0-0.field=crew&n0-0.was=crew&n0-0.op=gte&n0-0.wasop=gte&n0-0.value=7"
    html = panel(harbour, row)
    assert (html.count('class="frow"'), "<html" in html, 'value="7"' in html) == (1, False, True)
    assert panel(harbour, f"{row}&act=add:0").count('class="frow"') == 2
    assert panel(harbour, f"{row}&act=group:0").count('class="fgroup"') == 2
    assert 'value="7"' not in panel(harbour, f"{row}&act=remove:0-0")
    other = panel(harbour, row.replace("field=crew", "field=flag"))
    assert ("Norway" in other, 'value="7"' in other) == (True, False)
    related = panel(harbour, row.replace("field=crew", "field=some:sailors"))
    assert 'name="n0-0.relation" value="sailors"' in related
    assert 'value="7"' in panel(harbour, row.replace("op=gte&", "op=lte&"))
    for odd in (
        "act=remove:0",
        "act=remove:9-9",
        "act=add:x",
        "act=jump",
        "n0-0-0-0-0-0.field=x",
        "n0-5.match=odd",
        "at=zzz",
    ):
        assert "fgroup" in panel(harbour, f"{row}&{odd}")


def test_the_panel_leads_to_the_list(harbour: Harbour) -> None:
    query = "state=1&q=ela&sort=-crew&n0.match=none&n0-0.field=crew&n0-0.op=between&n0-0.value=1&n0-0.value=4&act=apply"
    response = harbour.get(harbour.rep, f"filter/?{query}")
    assert response.status_code == 302
    assert response["Location"].endswith("/records/vessel/?filter=not(crew:between:(1,4))&q=ela&sort=-crew")
    unfinished = harbour.get(harbour.rep, "filter/?state=1&n0-0.field=crew&n0-0.op=gt&n0-0.value=&act=apply")
    assert (unfinished.status_code, "Choose a value." in unfinished.content.decode()) == (200, True)
    wrong = harbour.get(harbour.rep, "filter/?state=1&n0-0.field=crew&n0-0.op=gt&n0-0.value=x&act=apply")
    assert "is a number, such as" in wrong.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "crew:gte:7",
        "flag:any_of:(no,pa),seaworthy:is:false",
        "or(launched:lt:today,launched:is:2026-05-01,launched:in:last_week,launched:in_last:3w)",
        "not(or(crew:gt:1,crew:lt:0)),launched:between:(2026-01-01,2026-12-31)",
        "some(sailors,or(name:contains:e,boarded_at:lt:now)),none(sailors)",
        "name:any_of:(Elan,'two words'),value:gte:1.5,owner:any_of:(me,my_team)",
        "some(sailors,vessel.name:is:x)",
    ],
)
def test_the_panel_keeps_what_it_was_opened_with(harbour: Harbour, text: str) -> None:
    """What the form holds when it is opened is the same filter when it is sent."""
    html = harbour.get(harbour.rep, f"filter/?filter={quote(text)}").content.decode()
    sent = "&".join(f"{name}={quote(value)}" for name, value in controls(html))
    response = harbour.get(harbour.rep, f"filter/?{sent}&act=apply")
    assert response.status_code == 302, response.content.decode()[-3000:]
    with harbour.org.acting(harbour.rep) as actor:
        query = lists.parse_query(registry.get("vessel"), QueryDict(response["Location"].partition("?")[2]), actor)
    assert query.text == text


def controls(html: str) -> list[tuple[str, str]]:
    """What a browser would send of the form in a page."""
    from html.parser import HTMLParser  # noqa: PLC0415 -- beside its only use

    class Form(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.sent: list[tuple[str, str]] = []
            self.select = self.area = ""
            self.inside = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            self.inside = self.inside or "data-filter-form" in given
            if not self.inside:
                return
            name, value = given.get("name") or "", given.get("value") or ""
            kind = given.get("type")
            if (tag == "input" and (kind not in ("checkbox", "radio") or "checked" in given) and name) or (
                tag == "option" and "selected" in given
            ):
                self.sent.append((name or self.select, value))
            self.select = name if tag == "select" else self.select
            self.area = name if tag == "textarea" else self.area

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag != "form"
            self.area = "" if tag == "textarea" else self.area

        def handle_data(self, data: str) -> None:
            if self.area:
                self.sent.append((self.area, data))

    form = Form()
    form.feed(html)
    return form.sent


def test_a_deal_that_is_gone_from_a_stage_choice_matches_nothing() -> None:
    """Options that are rows come and go; a saved filter that names a former one still works."""
    org = make_org()
    admin = org.member("admin")
    with org.acting(admin) as actor:
        deal = registry.get("deal")
        found = compile_filter(parse("stage:any_of:(0199b1c6-0000-7000-8000-000000000000,x)"), deal, actor)
        assert deal.model.objects.filter(found).count() == 0
        with pytest.raises(Invalid):
            compile_filter(parse("status:is:x"), deal, actor)
