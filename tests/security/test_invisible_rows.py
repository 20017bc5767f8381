"""A rep of a private organisation opens whatever he likes, and learns nothing of rows that he can't see."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from activities.models import Activity
from contacts.models import AccountContact, AccountDomain, ContactEmail, ContactPhone
from crm.events.relay import deliver_due
from crm.models import Notification
from crm.records.registry import registry
from deals.actions.stages import move_deal
from deals.models import Deal, DealContact, StageChange
from tests.security.hidden import NAMES, Private, crawl, found, import_rows
from tests.security.matrix import plain

pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------- reading


def test_nothing_that_a_rep_can_open_tells_of_hidden_records(tied):
    opened, told, failed = crawl(tied, tied.rep)
    assert (told, failed) == ({}, {})
    assert opened > 60


def test_nothing_that_a_manager_of_another_team_can_open_tells_of_them(tied):
    other = tied.org.member("manager", "Mona Manager")
    tied.org.team("West", tied.rep, managers=(other,))
    _opened, told, failed = crawl(tied, other)
    assert (told, failed) == ({}, {})


def _looks(world: Private) -> list[str]:
    """Addresses that a curious rep would try."""
    hidden = world.hidden
    account, contact, deal = hidden.account.pk, hidden.contact.pk, hidden.deal.pk
    lists = [f"{kind}/{query}" for kind in ("contacts", "accounts", "deals/list", "deals") for query in (
        f"?owner={world.keeper.pk}", "?q=skjult", "?q=hemmelig", "?q=vigdis", "?q=kvelds", "?q=998", "?sort=-updated_at",
    )]  # fmt: skip
    exports = [f"records/{kind}/export/" for kind in ("contact", "account", "deal")]
    choices = [
        f"records/{kind}/options/?field=x&x-q={text}&x={pk}"
        for kind, text, pk in (("account", "skj", account), ("contact", "hem", contact), ("deal", "kve", deal))
    ]
    boards = [
        f"deals/board/changes/?pipeline={world.pipeline.pk}&deal={deal}&column={world.stages['Lead'].pk}",
        f"deals/board/cards/?pipeline={world.pipeline.pk}&column={world.stages['Lead'].pk}&after=,{deal}",
    ]
    others = [
        f"contacts/?account={account}", f"deals/list/?account={account}", f"accounts/?parent={account}",
        f"contacts/new/?account={account}", f"deals/new/?account={account}", f"deals/new/?contact={contact}",
        f"activities/new/?contact={contact}", f"timeline/account/{account}/", f"records/deal/{deal}/history/",
        f"timeline/account/{world.own.account.pk}/?q=nattm", f"accounts/{world.own.account.pk}/?q=nattm",
        f"contacts/{world.own.contact.pk}/?tab=changes", f"deals/{world.own.deal.pk}/?tab=changes",
        f"live/poll/?topics=pipeline:{world.pipeline.pk},deal:{deal},contact:{contact},account:{account},me",
    ]  # fmt: skip
    return [*lists, *exports, *choices, *boards, *others]


def test_addresses_with_hidden_ids_and_names_tell_nothing(tied):
    told = {}
    for path in _looks(tied):
        for headers in ({}, {"HX-Request": "true"}):
            response = tied.get(path, **headers)
            assert response.status_code < 500, path
            # What the address itself says may be echoed.
            if traces := found(tied, response.said.lower(), besides=tuple(t for t in NAMES if t.lower() in path)):
                told[path] = [trace for trace in traces if trace not in path]
    assert {path: traces for path, traces in told.items() if traces} == {}


def test_choosing_a_hidden_record_is_refused_like_an_absent_one(world):
    """Lookups, filters and posts answer the same for an id of a hidden record and for one that never was."""
    own = world.own

    def answers(account: Any, contact: Any, deal: Any) -> list[tuple[int, str]]:
        made = [
            world.post("contacts/new/", {"last_name": "New", "lifecycle": "lead", "lead_status": "new",
                                        "owner": world.rep.pk, "account": account}),
            world.post("accounts/new/", {"name": "New", "owner": world.rep.pk, "parent": account}),
            world.post("deals/new/", {"name": "New", "stage": world.stages["Lead"].pk, "currency": "EUR",
                                     "owner": world.rep.pk, "account": account}),
            world.post(f"contacts/{own.contact.pk}/accounts/", {"account": account, "role": "champion"}),
            world.post(f"accounts/{own.account.pk}/people/", {"contact": contact, "role": "champion"}),
            world.post(f"deals/{own.deal.pk}/people/", {"contact": contact, "role": "champion"}),
            world.post(f"timeline/deal/{deal}/", {"type": "note", "body": "x"}),
            world.post("activities/new/?type=note", {"body": "x", "contact": contact}),
            world.post(f"records/contact/{own.contact.pk}/fields/account/",
                      {"account": account, "version": world.row(own.contact).version}),
        ]  # fmt: skip
        return [(response.status_code, plain(response.said)) for response in made]

    hidden = answers(world.hidden.account.pk, world.hidden.contact.pk, world.hidden.deal.pk)
    absent = answers(uuid4(), uuid4(), uuid4())
    assert [status for status, _text in hidden] == [422, 422, 422, 422, 422, 404, 404, 404, 422]
    assert hidden == absent


def test_rows_that_hang_on_hidden_records_are_hidden_with_them(tied):
    """By row-level security alone: no filter is asked for here."""
    own, hidden = tied.own, tied.hidden

    def of_hidden() -> dict[str, int]:
        rows: dict[str, Any] = {
            "addresses": ContactEmail.objects.filter(contact=hidden.contact),
            "numbers": ContactPhone.objects.filter(contact=hidden.contact),
            "domains": AccountDomain.objects.filter(account=hidden.account),
            "places of a hidden contact": AccountContact.objects.filter(contact=hidden.contact),
            "people of a hidden deal": DealContact.objects.filter(deal=hidden.deal),
            "steps": StageChange.objects.filter(deal=hidden.deal),
            "entries of a hidden deal": Activity.objects.filter(deal=hidden.deal),
            "entries of a hidden contact": Activity.objects.filter(contact=hidden.contact, deal=None),
            "entries at one's own account, of others": Activity.objects.filter(account=own.account, owner=tied.keeper),
        }
        return {name: queryset.count() for name, queryset in rows.items()}

    def of_own() -> dict[str, bool]:
        rows: dict[str, Any] = {
            "places of one's contact": AccountContact.objects.filter(contact=own.contact),
            "people of one's deal": DealContact.objects.filter(deal=own.deal),
            "entries of one's contact": Activity.objects.filter(contact=own.contact, deal=None),
        }
        return {name: queryset.exists() for name, queryset in rows.items()}

    with tied.org.system():
        everything = of_hidden()
    assert [name for name, count in everything.items() if count == 0] == []
    with tied.org.acting(tied.rep):
        assert of_hidden() == dict.fromkeys(everything, 0)
        assert set(of_own().values()) == {True}


# ---------------------------------------------------------------- sums and counts


def test_board_sums_and_counts_only_what_the_reader_sees(world):
    page = world.get("deals/").said
    assert ("Day tour" in page, found(world, page)) == (True, [])
    heads = world.get(
        f"deals/board/changes/?pipeline={world.pipeline.pk}&column={world.stages['Lead'].pk}&deal={world.hidden.deal.pk}"
    ).json()
    (head,) = heads["columns"]
    assert "1,000" in head["html"]
    assert (heads["cards"], heads["removed"]) == ([], [str(world.hidden.deal.pk)])
    whole = world.get(
        f"deals/board/changes/?pipeline={world.pipeline.pk}&column={world.stages['Lead'].pk}", world.admin
    )
    assert "88,654" in whole.json()["columns"][0]["html"]


@pytest.mark.parametrize("kind", ["contact", "account", "deal"])
def test_lists_exports_and_counts_hold_what_the_reader_sees(world, kind):
    path = {"deal": "deals/list/"}.get(kind, f"{kind}s/")
    own, hidden = (getattr(records, kind).pk for records in (world.own, world.hidden))
    for member, seen in ((world.rep, {own}), (world.keeper, {hidden}), (world.head, {hidden}),
                         (world.admin, {own, hidden}), (world.reader, {own, hidden})):  # fmt: skip
        page = world.get(path, member)
        assert {pk for pk in (own, hidden) if str(pk) in page.said} == seen
        assert _count(page.said) == len(seen)
    lines = world.get(f"records/{kind}/export/").said.split("\ufeff")[1].strip().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(own)]


def _count(page: str) -> int:
    """The number that a list says beside its rows."""
    text = re.sub(r"<[^>]+>", " ", page)
    numbers = re.findall(r"(?:of|·)?\s*(\d+)\s+(?:contact|account|deal)s?\b", text)
    assert numbers, text[-600:]
    return int(numbers[-1])


# ---------------------------------------------------------------- what is told elsewhere


def test_live_events_of_hidden_deals_reach_nobody_who_may_not_see_them(world, valkey):
    path = f"live/poll/?topics=pipeline:{world.pipeline.pk},me"
    deliver_due()
    since = {member: world.get(path, member).json()["id"] for member in (world.rep, world.keeper, world.head)}
    with world.org.acting(world.keeper) as keeper:
        move_deal(world.hidden.deal.pk, world.stages["Qualified"].pk, acting=keeper)
    deliver_due()
    heard = {
        member.name: [event["record"] for event in world.get(f"{path}&after={after}", member).json()["events"]]
        for member, after in since.items()
    }
    deal = str(world.hidden.deal.pk)
    assert (set(heard["Rhea Rep"]), set(heard["Kira Keeper"]), set(heard["Hal Head"])) == (set(), {deal}, {deal})


def test_batch_about_several_members_deals_names_none_to_those_who_do_not_see_it(world, valkey):
    """An import for two others: each hears of their own deal, or that something changed, never of the other's."""
    other = world.org.member("rep", "Otto Other")
    path = f"live/poll/?topics=pipeline:{world.pipeline.pk},me"
    deliver_due()
    since = world.get(path, other).json()["id"]
    rows = "Deal - Title,Deal - Value,Deal - Currency of Value,Deal - Owner\n"
    import_rows(world, rows + "Fleet,100,EUR,Kira Keeper\nFerry,100,EUR,Otto Other\n", "deal")
    deliver_due()
    with world.org.system():
        fleet, ferry = Deal.objects.get(name="Fleet"), Deal.objects.get(name="Ferry")
    heard = world.get(f"{path}&after={since}", other).said
    assert "deal.created" in heard
    assert (str(fleet.pk) in heard, world.sees(other, ferry), world.sees(other, fleet)) == (False, True, False)


def test_inboxes_tell_of_records_that_their_readers_see(tied):
    with tied.org.system():
        rows = Notification.objects.filter(member=tied.rep, record__isnull=False)
        about = {(row.record_type, row.record) for row in rows}
    assert about <= {(kind, record.pk) for kind, record in tied.own}
    assert found(tied, tied.get("notifications/").said) == []


def test_every_record_type_is_covered_here():
    """A new type of record that hides rows belongs into these tests."""
    assert {r.key for r in registry} == {"account", "activity", "contact", "deal", "task", "vessel"}
