"""A rep of a private organisation works around rows that he can't see, and learns nothing of them.

Merging and taking back a change set come with the features themselves.
"""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from activities.models import Activity
from contacts.actions.accounts import delete_account
from contacts.models import Account, AccountContact, AccountDomain, Contact, ContactEmail, ContactPhone, ImportJob
from contacts.tasks import run_import
from crm.actions.organizations import OrganizationSettings, change_settings
from crm.actions.sharing import share_record, unshare_record
from crm.enums import Visibility
from crm.events.relay import deliver_due
from crm.models import ExternalId, Notification
from crm.records.registry import registry
from deals.actions.deals import create_deal
from deals.actions.stages import move_deal
from deals.models import Deal, DealContact, StageChange
from tests.security.hidden import NAMES, Private, entangle, found, make_private
from tests.security.matrix import plain
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Private:
    """The rep's records, and hidden ones beside them."""
    return make_private()


@pytest.fixture
def tied(world: Private) -> Private:
    """The same, every record of the rep tied to hidden ones."""
    entangle(world)
    return world


# ---------------------------------------------------------------- reading


LINK = re.compile(r'(?:href|hx-get)="([^"]+)"')


def crawl(world: Private, member: Any) -> tuple[int, dict[str, list[str]], dict[str, str]]:
    """Opens whatever a member's pages lead to: how many addresses, what they told of hidden records, what failed."""
    client = client_for(member)
    waiting, seen = [(world.base, "")], {world.base}
    told: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    while waiting:
        path, before = waiting.pop()
        response = client.get(path)
        if response.status_code not in (200, 302):
            failed[path] = f"{response.status_code}, from {before}"
        body = b"".join(response.streaming_content) if response.streaming else response.content
        said = body.decode() + response.headers.get("Location", "")
        if traces := found(world, said):
            told[path] = traces
        links = {_target(path, link) for link in [*LINK.findall(said), response.headers.get("Location", "")]}
        fresh = {link for link in links if link.startswith(world.base)} - seen
        seen |= fresh
        waiting += [(link, path) for link in sorted(fresh)]
    return len(seen), told, failed


def _target(path: str, link: str) -> str:
    """Where a link on a page leads to; "" for a mark on the page, or another sort or page of a list."""
    url = urlsplit(unescape(link))
    if not (url.path or url.query) or url.query.startswith(("sort=", "after=")):
        return ""
    return (url.path or urlsplit(path).path) + (f"?{url.query}" if url.query else "")


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


# ---------------------------------------------------------------- adding what is known already


def test_contact_known_to_somebody_else_says_its_owner_and_no_more(world):
    form = {"last_name": "New", "emails": "vigdis@skjult.example", "emails-key": "a", "emails-kind": "work",
            "emails-primary": "a", "lifecycle": "lead", "lead_status": "new", "owner": world.rep.pk}  # fmt: skip
    typed = ("vigdis@skjult.example", "skjult.example")
    refused = world.post("contacts/new/", form)
    assert refused.status_code == 422
    assert "Already known, owned by Kira Keeper." in refused.said
    assert found(world, refused.said, besides=typed) == []
    with world.org.system():
        assert Contact.objects.filter(last_name="New").count() == 0
    made = world.post("contacts/new/", {**form, "create_anyway": "vigdis@skjult.example"})
    assert made.status_code == 302
    # The domain belongs to an account that the rep does not see: nothing on the page tells of it.
    page = world.browser().get(made["Location"]).content.decode()
    assert found(world, page, besides=typed) == []
    timeline = world.get(f"records/contact/{made['Location'].split('/')[-2]}/history/").said
    assert found(world, timeline, besides=typed) == []


def test_account_known_to_somebody_else_says_its_owner_and_no_more(world):
    form = {"name": "New", "domains": "skjult.example", "owner": world.rep.pk}
    refused = world.post("accounts/new/", form)
    assert refused.status_code == 422
    assert "Already known, owned by Kira Keeper." in refused.said
    assert found(world, refused.said, besides=("skjult.example",)) == []
    made = world.post("accounts/new/", {**form, "create_anyway": "skjult.example"})
    assert made.status_code == 302
    page = world.browser().get(made["Location"]).content.decode()
    assert found(world, page, besides=("skjult.example",)) == []


# ---------------------------------------------------------------- handing over


def _doors(world: Private) -> list[tuple[Any, str, dict[str, Any]]]:
    """Every form that gives one of the rep's records to the keeper: (record, path, data)."""
    own, to = world.own, world.keeper.pk
    contact = {"first_name": "Olav", "last_name": "Kjent", "lifecycle": "lead", "lead_status": "new"}
    deal = {"name": "Day tour", "stage": own.deal.stage_id, "currency": "EUR", "amount": "1000"}
    found = [
        (own.contact, f"contacts/{own.contact.pk}/edit/", contact),
        (own.account, f"accounts/{own.account.pk}/edit/", {"name": "Open Yards"}),
        (own.deal, f"deals/{own.deal.pk}/edit/", deal),
        (own.deal, f"deals/{own.deal.pk}/owner/", {}),
        *((record, f"records/{kind}/{record.pk}/fields/owner/", {}) for kind, record in own),
    ]
    return [(r, path, {**data, "owner": to, "version": world.row(r).version}) for r, path, data in found]


@pytest.mark.parametrize("door", range(7))
@pytest.mark.parametrize("ties", [False, True])
def test_record_handed_to_somebody_unseen_is_gone_and_tells_nothing(world, door, ties):
    if ties:
        entangle(world)
    record, path, data = _doors(world)[door]
    before = world.row(record)
    client = world.browser()
    answer = client.post(world.base + path, data, follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain
    assert found(world, answer.content.decode()) == []
    after = world.row(record)
    assert (after.owner_id, after.version) == (world.keeper.pk, before.version + 1)
    kind = record._meta.model_name
    pages = [f"{kind}s/{record.pk}/", f"{kind}s/{record.pk}/edit/", f"records/{kind}/{record.pk}/history/",
             f"records/{kind}/{record.pk}/", f"timeline/{kind}/{record.pk}/", f"records/{kind}/{record.pk}/shares/",
             f"records/{kind}/{record.pk}/fields/owner/"]  # fmt: skip
    assert {page: world.get(page).status_code for page in pages} == dict.fromkeys(pages, 404)
    assert str(record.pk) not in world.get({"deal": "deals/list/"}.get(kind, f"{kind}s/")).said
    assert world.sees(world.keeper, record)
    with world.org.system():
        assert [n.member_id for n in Notification.objects.filter(record=record.pk)] in ([], [world.keeper.pk])


def test_what_hangs_on_a_record_goes_with_it(world):
    """Addresses, links and notes of a contact that was handed over are gone with it."""
    contact = world.own.contact
    assert world.post(
        f"records/contact/{contact.pk}/fields/owner/", {"owner": world.keeper.pk, "version": contact.version}
    ).status_code == 302  # fmt: skip
    with world.org.acting(world.rep):
        assert (contact.emails.count(), contact.phones.count()) == (0, 0)
        assert AccountContact.objects.filter(contact=contact).count() == 0
    # The account and the deal are still the rep's; they name the contact no more.
    for page in (f"accounts/{world.own.account.pk}/", f"deals/{world.own.deal.pk}/"):
        said = world.get(page).said
        assert [text for text in ("Kjent", "olav@open.example", str(contact.pk)) if text in said] == []


def test_account_with_hidden_contacts_is_deleted_and_restored_around_them(tied):
    """The rep's account goes to the recycle bin and comes back; contacts that the rep can't see follow silently."""
    own, hidden = tied.own, tied.hidden
    assert tied.row(hidden.contact).account_id == own.account.pk
    gone = tied.post(f"accounts/{own.account.pk}/deletion/", {})
    assert gone.status_code == 302
    assert tied.row(hidden.contact).account_id is None
    back = tied.post(f"accounts/{own.account.pk}/restoration/", {})
    assert back.status_code == 302
    assert tied.row(hidden.contact).account_id == own.account.pk
    assert found(tied, tied.browser().get(back["Location"]).content.decode()) == []
    with tied.org.acting(tied.rep) as rep:
        delete_account(own.account.pk, acting=rep)
        assert Contact.objects.filter(pk=hidden.contact.pk).count() == 0


def test_moving_among_hidden_cards_keeps_their_order_and_shows_none(world):
    """Cards that the rep can't see stand in the same column: places are found between them."""
    lead = world.stages["Lead"]
    with world.org.acting(world.keeper) as keeper:
        others = [create_deal({"name": f"Kveldsfart {n}", "stage": lead.pk}, acting=keeper) for n in range(3)]
    with world.org.acting(world.rep) as rep:
        second = create_deal({"name": "Second", "stage": lead.pk}, acting=rep)
    for before in (world.own.deal.pk, others[1].pk, world.hidden.deal.pk):
        answer = world.browser().put(
            f"{world.base}deals/{second.pk}/stage/", {"stage": str(lead.pk), "before": str(before)}, "application/json"
        )
        assert answer.status_code in (200, 204, 302)
        assert [t for t in NAMES if t in answer.content.decode()] == []
    with world.org.system():
        places = list(Deal.objects.filter(stage=lead).order_by("position").values_list("name", flat=True))
    assert [name for name in places if name.startswith("Kveldsfart")] == [
        "Kveldsfart 2", "Kveldsfart 1", "Kveldsfart 0", "Kveldsfart",
    ]  # fmt: skip


# ---------------------------------------------------------------- importing


def _import(world: Private, data: str, kind: str = "contact") -> tuple[ImportJob, str]:
    """Imports a file as the rep, by the pages; the job afterwards, and all that was answered on the way."""
    client = world.browser()
    said = []

    def step(response: Any) -> Any:
        assert response.status_code in (200, 302), response.content.decode()[:500]
        body = b"".join(response.streaming_content) if response.streaming else response.content
        said.append(body.decode() + response.headers.get("Location", ""))
        return response

    upload = {"file": SimpleUploadedFile("rows.csv", data.encode()), "record_type": kind}
    base = step(client.post(f"{world.base}imports/", upload))["Location"].removesuffix("columns/")
    pk = base.rstrip("/").rsplit("/", 1)[-1]
    with world.org.system():
        job = ImportJob.objects.get(pk=pk)
    step(client.get(base + "columns/"))
    step(client.get(base + "check/"))
    step(client.post(base + "start/"))
    ids = {"org_id": str(world.org.id), "job_id": pk, "member_id": str(world.rep.pk)}
    run_import.apply(kwargs=ids, throw=True)
    for page in ("", "rows/skipped.csv", "rows/failed.csv"):
        step(client.get(base + page))
    with world.org.system():
        job.refresh_from_db()
    assert job.status == "done"
    return job, "\n".join(said)


def _counts(job: ImportJob) -> tuple[int, int, int, int]:
    return job.created, job.updated, job.skipped, job.failed


def test_import_for_others_makes_records_that_the_importer_does_not_see(world):
    rows = "First Name,Last Name,Email,Company Name,Contact owner\nNia,Okafor,nia@x.example,Kestrel,Kira Keeper\n"
    job, _said = _import(world, rows)
    assert _counts(job) == (1, 0, 0, 0)
    with world.org.system():
        made = Contact.objects.get(last_name="Okafor")
    assert made.owner_id == world.keeper.pk
    assert not world.sees(world.rep, made)
    assert world.sees(world.keeper, made)
    deals = "Deal - Title,Deal - Value,Deal - Currency of Value,Deal - Owner\nFleet,100,EUR,Kira Keeper\n"
    job, _said = _import(world, deals, "deal")
    assert _counts(job) == (1, 0, 0, 0)
    with world.org.system():
        deal = Deal.objects.get(name="Fleet")
    assert (deal.owner_id, world.sees(world.rep, deal)) == (world.keeper.pk, False)


def test_import_that_matches_hidden_contacts_says_their_owner_and_no_more(world):
    before = world.row(world.hidden.contact)
    typed = ("vigdis@skjult.example", "skjult.example", "Skjult Rederi")
    rows = (
        "Record ID,First Name,Last Name,Email,Company Name\n"
        "77,Some,Body,vigdis@skjult.example,Skjult Rederi\n"
        "78,Nobody,New,nobody@free.example,Skjult Rederi\n"
    )
    job, said = _import(world, rows)
    assert _counts(job) == (1, 0, 1, 0)
    assert said.count("Already known, owned by Kira Keeper.") == 3  # preview, report, CSV
    assert found(world, said, besides=typed) == []
    assert world.row(world.hidden.contact).version == before.version
    with world.org.system():
        made = Contact.objects.select_related("account").get(last_name="New")
        # The rep does not see an account of that name, so one of the rep's own was made.
        assert (made.account.name, made.account.owner_id) == ("Skjult Rederi", world.rep.pk)
        assert Account.objects.filter(name="Skjult Rederi").count() == 2
        assert ExternalId.objects.filter(record=world.hidden.contact.pk).count() == 0


def test_import_of_deals_finds_no_hidden_people_and_accounts(world):
    typed = ("Skjult Rederi", "Hemmelig")
    rows = (
        "Deal - Title,Deal - Value,Deal - Currency of Value,Deal - Organization,Deal - Contact person\n"
        "Fleet,100,EUR,Skjult Rederi,Vigdis Hemmelig\n"
    )
    job, said = _import(world, rows, "deal")
    assert _counts(job) == (1, 0, 0, 0)
    assert found(world, said, besides=typed) == []
    with world.org.system():
        deal = Deal.objects.select_related("account").get(name="Fleet")
        assert deal.account.owner_id == world.rep.pk
        assert deal.deal_contacts.count() == 0


# ---------------------------------------------------------------- shares widen, and end


@pytest.mark.parametrize("kind", ["contact", "account", "deal"])
def test_share_opens_a_record_until_it_is_taken_back_or_over(world, kind):
    record = getattr(world.hidden, kind)
    path, listed = f"{kind}s/{record.pk}/", {"deal": "deals/list/"}.get(kind, f"{kind}s/")
    options = f"records/{kind}/options/?field=x&x={record.pk}"

    def seen() -> list[bool]:
        return [world.get(path).status_code == 200, *(str(record.pk) in world.get(p).said for p in (listed, options))]

    def editable() -> bool:
        return bool(world.get(path + "edit/").status_code == 200)

    assert (seen(), editable()) == ([False] * 3, False)
    with world.org.acting(world.keeper) as keeper:
        share = share_record(kind, record.pk, member=world.rep.pk, level="read", acting=keeper)
    assert (seen(), editable()) == ([True] * 3, False)
    with world.org.acting(world.keeper) as keeper:
        share_record(kind, record.pk, member=world.rep.pk, level="write", acting=keeper)
    assert (seen(), editable()) == ([True] * 3, True)
    with world.org.system():
        type(share).objects.filter(pk=share.pk).update(until=timezone.now() - timedelta(seconds=1))
    assert (seen(), editable()) == ([False] * 3, False)
    with world.org.system():
        type(share).objects.filter(pk=share.pk).update(until=None)
    assert (seen(), editable()) == ([True] * 3, True)
    with world.org.acting(world.keeper) as keeper:
        unshare_record(kind, record.pk, share.pk, acting=keeper)
    assert (seen(), editable()) == ([False] * 3, False)


def test_share_opens_nothing_beside_the_record(tied):
    """Who may see the deal does not see its account and people by that."""
    with tied.org.acting(tied.keeper) as keeper:
        share_record("deal", tied.hidden.deal.pk, member=tied.rep.pk, level="write", acting=keeper)
    said = tied.get(f"deals/{tied.hidden.deal.pk}/").said
    assert "Kveldsfart" in said
    assert [t for t in ("Skjult Rederi", "Hemmelig", "vigdis@skjult.example", "Havnesjef Øst") if t in said] == []
    assert (tied.sees(tied.rep, tied.hidden.account), tied.sees(tied.rep, tied.hidden.contact)) == (False, False)


# ---------------------------------------------------------------- who sees what


def test_manager_sees_exactly_the_team_tree(world):
    """Parent, child and sibling teams; being in a team without managing it shows nothing of the others."""
    org = world.org
    reps = {name: org.member("rep", f"{name.title()} Rep") for name in ("above", "here", "below", "deep", "beside")}
    boss, mate = org.member("manager", "Bo Boss"), org.member("manager", "Mo Mate")
    above = org.team("Above", reps["above"])
    here = org.team("Here", reps["here"], mate, parent=above, managers=(boss,))
    below = org.team("Below", reps["below"], parent=here)
    org.team("Deep", reps["deep"], parent=below)
    org.team("Beside", reps["beside"], parent=above)
    deals = {}
    for name, member in {**reps, "boss": boss, "mate": mate}.items():
        with org.acting(member) as actor:
            deals[name] = create_deal({"name": f"Deal {name}", "stage": world.stages["Lead"].pk}, acting=actor)

    def reached(member: Any) -> tuple[set[str], set[str]]:
        listed = {name for name, deal in deals.items() if str(deal.pk) in world.get("deals/list/", member).said}
        opened = {name for name, deal in deals.items() if world.sees(member, deal)}
        edited = {
            name
            for name, deal in deals.items()
            if world.get(f"deals/{deal.pk}/edit/", member).status_code == 200
        }  # fmt: skip
        assert listed == opened
        return opened, edited

    tree = {"boss", "here", "mate", "below", "deep"}
    assert reached(boss) == (tree, tree)
    assert reached(mate) == ({"mate"}, {"mate"})
    assert reached(reps["above"]) == ({"above"}, {"above"})
    assert reached(world.admin) == (set(deals), set(deals))
    assert reached(world.reader) == (set(deals), set())


def test_read_only_member_sees_everything_and_writes_nothing(tied):
    """Through pages of every record, and with a share to write as well."""
    for records in (tied.own, tied.hidden):
        for kind, record in records:
            with tied.org.acting(tied.admin) as admin:
                share_record(kind, record.pk, member=tied.reader.pk, level="write", acting=admin)
            before = tied.row(record)
            assert tied.sees(tied.reader, record)
            name = {"contact": "title", "account": "industry", "deal": "next_step"}[kind]
            for path, data in (
                (f"records/{kind}/{record.pk}/fields/{name}/", {name: "x", "version": before.version}),
                (f"records/{kind}/{record.pk}/delete/", {}),
                (f"timeline/{kind}/{record.pk}/", {"type": "note", "body": "x"}),
                (f"{kind}s/{record.pk}/edit/", {"name": "x", "version": before.version}),
            ):
                assert tied.post(path, data, tied.reader).status_code in (403, 404), path
            assert tied.row(record).version == before.version
    _opened, _told, failed = crawl(tied, tied.reader)
    # Nothing that a page offers is refused.
    assert failed == {}


def test_where_all_may_read_reps_read_all_and_write_their_own(tied):
    with tied.org.acting(tied.admin) as admin:
        given = OrganizationSettings("Northwind", "UTC", "EUR", 1, Visibility.ALL_READ, readonly_may_export=False)
        change_settings(given, acting=admin)
    for kind, record in tied.hidden:
        assert tied.sees(tied.rep, record)
        assert str(record.pk) in tied.get({"deal": "deals/list/"}.get(kind, f"{kind}s/")).said
        assert tied.get(f"{kind}s/{record.pk}/edit/").status_code == 404
        assert tied.post(f"records/{kind}/{record.pk}/delete/", {}).status_code == 404
    for kind, record in tied.own:
        assert tied.get(f"{kind}s/{record.pk}/edit/").status_code == 200
    _opened, _told, failed = crawl(tied, tied.rep)
    assert failed == {}


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
    _import(world, rows + "Fleet,100,EUR,Kira Keeper\nFerry,100,EUR,Otto Other\n", "deal")
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
    assert {r.key for r in registry} == {"account", "contact", "deal", "vessel"}
