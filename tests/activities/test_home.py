"""The home page."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from markupsafe import Markup

from activities import home as activities_home
from activities.models import Activity
from contacts.models import Contact
from crm.lib.dates import quarter_of
from crm.models import ExchangeRate, Membership
from crm.records import schema
from crm.records import timeline as port
from crm.records.permissions import permission_for
from crm.views.home import _greeting
from crm.web.home import home as registry
from deals.models import Deal, DealShare
from deals.queries.home import OpenDeals
from tests.activities.conftest import Desk, make_desk, statements
from tests.factories import make_org
from tests.support.web import client_for

TODAY = dt.timedelta()


def page_of(client: Client, desk: Desk, query: str = "") -> str:
    response = client.get(f"/w/{desk.org.slug}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def card(page: str, key: str) -> str:
    """The words of one card; "" where it is absent."""
    found = re.search(rf'<section class="card"[^>]* id="{key}".*?</section>', page, re.DOTALL)
    return words(found[0]) if found else ""


def days_left(first_month: int) -> str:
    days = quarter_of(timezone.localdate(), first_month).days_left
    return f"{days} day{'s' if days > 1 else ''} left"


def figure(page: str, name: str) -> str:
    """The words of one figure, without its name; "" where there are none."""
    found = re.search(rf'<dl class="stat"><dt>{name}</dt>.*?</dl>', page, re.DOTALL)
    return words(found[0]).removeprefix(name).strip() if found else ""


def add_deal(desk: Desk, name: str, *, owner: Membership | None = None, closes: int | None = 30, **values: Any) -> Deal:
    """A deal that is not at risk, unless `values` say otherwise."""
    now = timezone.now()
    with desk.org.system():
        return Deal.objects.create(
            **{
                "name": name, "pipeline": desk.deal.pipeline, "stage": desk.stages["Lead"], "owner": owner or desk.rep,
                "currency": "EUR", "amount": 100_00, "stage_entered_at": now, "touched_at": now, "next_step": "Call",
                "close_date": timezone.localdate() + dt.timedelta(days=closes) if closes is not None else None,
                "probability": 50, **values,
            }
        )  # fmt: skip


# ---------------------------------------------------------------- figures and lists


def test_figures_add_up_in_the_base_currency(desk: Desk):
    with desk.org.system():
        Deal.objects.all().delete()
        day = timezone.localdate()
        ExchangeRate.objects.create(currency="USD", rate=Decimal("0.5"), valid_from=day - dt.timedelta(days=9))
        ExchangeRate.objects.create(currency="USD", rate=Decimal(1), valid_from=day - dt.timedelta(days=99))
        ExchangeRate.objects.create(currency="USD", rate=Decimal(7), valid_from=day + dt.timedelta(days=1))
    add_deal(desk, "Euro", amount=1_000_00)
    add_deal(desk, "Dollar", amount=1_000_00, currency="USD", closes=-1)
    add_deal(desk, "Franc", amount=500_00, currency="CHF")
    add_deal(desk, "Nothing yet", amount=None)
    add_deal(desk, "Won", status="won", amount=9_000_00)
    add_deal(desk, "Foreign", owner=desk.stranger)
    page = page_of(client_for(desk.rep), desk)
    figures = re.search(r'<div class="stats">.*?</div>', page, re.DOTALL)
    assert figures is not None
    assert words(figures[0]) == (
        f"Won this quarter €0 0 deals · {days_left(1)} Open pipeline €1,500 4 deals Weighted forecast €750 amounts by their probability"
        " Closing this month €500 1 deal At risk 1 overdue, rotting or no next step"
    )
    assert "1 USD = 0.5 EUR since" in figures[0]
    assert "CHF" in figures[0]


def add_won(desk: Desk, name: str, on: dt.date, **values: Any) -> Deal:
    return add_deal(desk, name, **{"status": "won", "closed_on": on, "amount": 1_000_00, **values})


@pytest.mark.parametrize("first_month", [1, 2, 3, 6])
def test_won_this_quarter_is_of_the_organisations_fiscal_year(desk: Desk, first_month: int):
    with desk.org.system():
        Deal.objects.all().delete()
        type(desk.org.organization).objects.filter(pk=desk.org.id).update(fiscal_year_start=first_month)
        ExchangeRate.objects.create(currency="USD", rate=Decimal("0.5"), valid_from=dt.date(2020, 1, 1))
    quarter = quarter_of(timezone.localdate(), first_month)
    add_won(desk, "On its first day", quarter.begins)
    add_won(desk, "Today", timezone.localdate(), amount=200_00, currency="USD")
    add_won(desk, "Without an amount", timezone.localdate(), amount=None)
    add_won(desk, "The day before", quarter.begins - dt.timedelta(days=1))
    add_won(desk, "In the next one", quarter.ends)
    add_won(desk, "Lost", timezone.localdate(), status="lost")
    add_won(desk, "Binned", timezone.localdate(), deleted_at=timezone.now())
    add_won(desk, "Somebody's", timezone.localdate(), owner=desk.stranger)
    add_deal(desk, "Open", amount=50_00)
    page = page_of(client_for(desk.rep), desk)
    assert figure(page, "Won this quarter") == f"€1,100 3 deals · {days_left(first_month)}"
    assert figure(page, "Open pipeline") == "€50 1 deal"


def test_won_this_quarter_stays_when_no_deal_is_open(desk: Desk):
    with desk.org.system():
        Deal.objects.all().delete()
    add_won(desk, "The last one", timezone.localdate())
    assert figure(page_of(client_for(desk.rep), desk), "Won this quarter").startswith("€1,000 1 deal ")
    assert 'class="stats"' not in page_of(client_for(desk.stranger), desk)


@pytest.mark.parametrize(
    ("who", "query", "won"),
    [
        ("rep", "", "€1 1"), ("boss", "", "€111 3"), ("boss", "?scope=mine", "€10 1"), ("admin", "", "€1,111 4"),
        ("reader", "", "€1,111 4"), ("reader", "?scope=mine", ""), ("stranger", "", "€1,100 2"),
    ],
)  # fmt: skip
def test_won_this_quarter_is_what_the_reader_sees(desk: Desk, who: str, query: str, won: str):
    with desk.org.system():
        Deal.objects.all().delete()
    today = timezone.localdate()
    add_won(desk, "Rep's", today, amount=1_00)
    add_won(desk, "Boss's", today, amount=10_00, owner=desk.boss)
    add_won(desk, "Stranger's", today, owner=desk.stranger)
    shared = add_won(desk, "Shared", today, amount=100_00, owner=desk.stranger)
    with desk.org.system():
        DealShare.objects.create(
            content_object=shared, member=desk.boss, user_id=desk.boss.user_id, permission=permission_for(Deal, "read")
        )
    found = figure(page_of(client_for(getattr(desk, who)), desk, query), "Won this quarter")
    assert found.partition(" deal")[0] == won


def test_at_risk_names_the_reason_the_most_overdue_first(desk: Desk):
    long_ago = timezone.now() - dt.timedelta(days=21)
    with desk.org.system():
        Deal.objects.all().delete()
    add_deal(desk, "Fine")
    add_deal(desk, "Rotting", touched_at=long_ago, closes=20)
    add_deal(desk, "Lost its way", next_step="", closes=10)
    add_deal(desk, "Overdue", closes=-3)
    add_deal(desk, "Long overdue", closes=-30, next_step="")
    found = card(page_of(client_for(desk.rep), desk), "at-risk")
    order = ("Long overdue", "Overdue", "Lost its way", "Rotting")
    assert [found.index(name) for name in order] == sorted(found.index(name) for name in order)
    assert found.startswith("Deals at risk 4 ")
    assert "Quiet for 21 days" in found
    assert "No next step" in found
    assert "Fine" not in found


def test_deal_whose_stage_never_rots_is_not_at_risk(desk: Desk):
    with desk.org.system():
        Deal.objects.all().delete()
        type(desk.stages["Lead"]).objects.update(rot_days=0)
    add_deal(desk, "Quiet", touched_at=timezone.now() - dt.timedelta(days=300))
    page = page_of(client_for(desk.rep), desk)
    assert card(page, "at-risk") == ""
    assert "Quiet" in card(page, "open-deals")


def test_my_open_deals_are_mine_by_close_date(desk: Desk):
    with desk.org.system():
        Deal.objects.all().delete()
    for name, closes in (("Late", -2), ("No date", None), ("Soon", 3), ("Later", 40)):
        add_deal(desk, name, closes=closes)
    add_deal(desk, "Somebody's", owner=desk.stranger, closes=1)
    found = card(page_of(client_for(desk.rep), desk), "open-deals")
    assert found.startswith("My open deals 4 ")
    assert [found.index(n) for n in ("Late", "Soon", "Later", "No date")] == sorted(
        found.index(n) for n in ("Late", "Soon", "Later", "No date")
    )
    assert "Somebody" not in found


@pytest.mark.parametrize(
    ("who", "query", "seen"),
    [
        ("rep", "", {"Rep's"}),
        ("rep", "?scope=all", {"Rep's"}),
        ("boss", "", {"Rep's", "Boss's", "Shared"}),
        ("boss", "?scope=mine", {"Boss's"}),
        ("admin", "", {"Rep's", "Boss's", "Stranger's", "Shared"}),
        ("reader", "", {"Rep's", "Boss's", "Stranger's", "Shared"}),
        ("reader", "?scope=mine", set()),
    ],
)
def test_scope_shows_what_the_reader_sees(desk: Desk, who: str, query: str, seen: set[str]):
    with desk.org.system():
        Deal.objects.all().delete()
    add_deal(desk, "Rep's")
    add_deal(desk, "Boss's", owner=desk.boss)
    add_deal(desk, "Stranger's", owner=desk.stranger)
    shared = add_deal(desk, "Shared", owner=desk.stranger)
    with desk.org.system():
        DealShare.objects.create(
            content_object=shared, member=desk.boss, user_id=desk.boss.user_id, permission=permission_for(Deal, "read")
        )
    page = page_of(client_for(getattr(desk, who)), desk, query)
    found = page.replace("&#39;", "'")
    assert {name for name in ("Rep's", "Boss's", "Stranger's", "Shared") if f">{name}<" in found} == seen


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("who", ["rep", "boss", "admin", "stranger"])
def test_open_deals_count_what_they_list(desk: Desk, who: str, mine: bool):
    for number in range(4):
        add_deal(desk, f"Deal {number}", next_step="" if number % 2 else "Call", closes=number)
        add_deal(desk, f"Other {number}", owner=desk.stranger, closes=number)
    today = timezone.localdate()
    with desk.org.acting(getattr(desk, who)) as actor:
        deals = OpenDeals(actor, mine=mine, today=today, quarter=quarter_of(today, 1))
        visible = Deal.objects.filter(status="open")
        rows = list(visible.filter(owner_id=actor.member_id) if mine else visible)
        assert deals.figures.count == len(rows)
        risky = [d for d in rows if not d.next_step or d.touched_at < timezone.now() - dt.timedelta(days=14)]
        assert deals.figures.at_risk == len(risky)
        assert {line.id for line in deals.at_risk()} == {d.pk for d in risky}


# ---------------------------------------------------------------- activity


def names(desk: Desk, who: Membership, *, mine: bool = False) -> list[str]:
    with desk.org.acting(who) as actor:
        return [entry.body or entry.kind for entry in activities_home.entries(actor, mine=mine)]


def test_recent_activity_is_what_the_reader_sees(desk: Desk):
    with desk.org.system():
        foreign = Contact.objects.create(first_name="Foreign", owner=desk.stranger)
    desk.log(body="Rep on own", occurred_at=timezone.now() - dt.timedelta(hours=4))
    desk.log(by=desk.boss, body="Boss on rep's", occurred_at=timezone.now() - dt.timedelta(hours=3))
    desk.log(
        by=desk.admin, body="Admin on deal", deal_id=desk.deal.pk, occurred_at=timezone.now() - dt.timedelta(hours=2)
    )
    desk.log(by=desk.stranger, body="Stranger on own", contact_id=foreign.pk)
    everything = ["Stranger on own", "Admin on deal", "Boss on rep's", "Rep on own"]
    assert names(desk, desk.rep) == everything[1:]
    assert names(desk, desk.stranger) == everything[:1]
    assert names(desk, desk.boss) == everything[2:]
    assert names(desk, desk.admin) == everything
    assert names(desk, desk.reader) == everything
    assert names(desk, desk.admin, mine=True) == ["Admin on deal"]


def test_recent_activity_leaves_out_what_is_planned_and_what_an_import_wrote(desk: Desk):
    desk.log(type="meeting", subject="Demo", occurred_at=timezone.now() + dt.timedelta(days=1))
    with desk.org.system():
        Activity.objects.create(type="system", source="import", contact=desk.contact, data={"event": "created"})
    with desk.org.acting(desk.rep) as acting:
        port.write([port.Entry(kind="system", data={"event": "created"}, contact_id=desk.contact.pk)], acting=acting)
    with desk.org.acting(desk.rep) as actor:
        found = activities_home.entries(actor, mine=False)
    assert [(e.kind, e.who) for e in found] == [("system", "Maya Okafor")]


def test_recent_activity_says_when_and_about_whom(desk: Desk):
    desk.log(type="call", body="Asked for the pdf", deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    found = card(page_of(client_for(desk.rep), desk), "recent")
    assert found == (
        "Recent activity Maya Okafor called Ines Marchetti · Yard crane retrofit Connected Asked for the pdf just now"
    )


# ---------------------------------------------------------------- first steps, greeting, cost


def test_home_of_a_new_organisation_offers_first_steps(db: None):
    org = make_org()
    rep, reader = org.member("rep"), org.member("readonly")
    page = client_for(rep).get(f"/w/{org.slug}/").content.decode()
    assert "First steps" in page
    assert "0 of 3 done" in page
    assert f'href="/w/{org.slug}/contacts/new/"' in page
    assert 'class="stats"' not in page
    page = client_for(reader).get(f"/w/{org.slug}/").content.decode()
    assert "First steps" not in page
    assert "Nothing waits for you" in page


def test_home_checks_off_what_is_done(desk: Desk):
    with desk.org.system():
        Deal.objects.all().delete()
    page = page_of(client_for(desk.rep), desk)
    assert "1 of 3 done" in page
    with desk.org.system():
        Contact.objects.bulk_create(Contact(first_name=str(n), owner=desk.rep) for n in range(12))
    assert "2 of 3 done" in page_of(client_for(desk.rep), desk)
    with desk.org.system():
        Contact.objects.exclude(pk=desk.contact.pk).delete()
    add_deal(desk, "Over", status="won")
    page = page_of(client_for(desk.rep), desk)
    assert "First steps" not in page
    assert "Nothing waits for you" in page


@pytest.mark.parametrize(
    ("hour", "greeting"), [(4, "Good evening"), (5, "Good morning"), (11, "Good morning"), (12, "Good afternoon"),
                           (17, "Good afternoon"), (18, "Good evening"), (23, "Good evening")],
)  # fmt: skip
def test_greeting_follows_the_clock(hour: int, greeting: str):
    assert _greeting(hour, "Maya") == f"{greeting}, Maya"


def test_home_greets_by_first_name_on_the_readers_day(desk: Desk):
    user = desk.rep.user
    with desk.org.system():
        type(user).objects.filter(pk=user.pk).update(time_zone="Pacific/Kiritimati")
    page = page_of(client_for(desk.rep), desk)
    local = timezone.now().astimezone(ZoneInfo("Pacific/Kiritimati"))
    assert re.search(r"<h1>Good (morning|afternoon|evening), Maya</h1>", page)
    assert f"<p>{local:%A} {local.day} {local:%B}</p>" in page


@pytest.mark.parametrize("who", ["rep", "boss", "admin", "reader"])
@pytest.mark.parametrize("query", ["", "?scope=mine", "?scope=all"])
def test_home_takes_at_most_ten_statements(who: str, query: str, db: None):
    desk = make_desk()
    for number in range(9):
        add_deal(desk, f"Deal {number}", currency=("EUR", "USD", "CHF")[number % 3], next_step="")
        add_won(desk, f"Won {number}", timezone.localdate())
        desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    with desk.org.system():
        theirs = add_deal(desk, "Theirs", owner=desk.stranger)
        DealShare.objects.create(
            content_object=theirs, member=desk.boss, user_id=desk.boss.user_id, permission=permission_for(Deal, "read")
        )
    client = client_for(getattr(desk, who))
    with desk.org.acting(getattr(desk, who)) as actor:
        schema.record_type("deal", actor)  # a process reads an organisation's fields once
    assert statements(client, f"/w/{desk.org.slug}/{query}") <= 10


def test_home_of_a_new_organisation_takes_at_most_ten_statements(db: None):
    org = make_org()
    client = client_for(org.member("rep"))
    assert statements(client, f"/w/{org.slug}/") <= 10


def test_home_shows_what_apps_register(desk: Desk):
    registry.add("test.panel", lambda request: Markup("<p>From a test</p>"), order=1)
    try:
        assert "<p>From a test</p>" in page_of(client_for(desk.rep), desk)
    finally:
        registry.remove("test.panel")
