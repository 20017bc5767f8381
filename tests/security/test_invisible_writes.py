"""A rep of a private organisation works around rows that he can't see: adds, hands over, moves, imports.

Merging and taking back a change set come with the features themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from contacts.actions.accounts import delete_account
from contacts.models import Account, AccountContact, Contact, ImportJob
from crm.models import ExternalId, Notification
from deals.actions.deals import create_deal
from deals.models import Deal
from tests.security.hidden import NAMES, Private, entangle, found, import_rows

pytestmark = pytest.mark.django_db(transaction=True)


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


def _counts(job: ImportJob) -> tuple[int, int, int, int]:
    return job.created, job.updated, job.skipped, job.failed


def test_import_for_others_makes_records_that_the_importer_does_not_see(world):
    rows = "First Name,Last Name,Email,Company Name,Contact owner\nNia,Okafor,nia@x.example,Kestrel,Kira Keeper\n"
    job, _said = import_rows(world, rows)
    assert _counts(job) == (1, 0, 0, 0)
    with world.org.system():
        made = Contact.objects.get(last_name="Okafor")
    assert made.owner_id == world.keeper.pk
    assert not world.sees(world.rep, made)
    assert world.sees(world.keeper, made)
    deals = "Deal - Title,Deal - Value,Deal - Currency of Value,Deal - Owner\nFleet,100,EUR,Kira Keeper\n"
    job, _said = import_rows(world, deals, "deal")
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
    job, said = import_rows(world, rows)
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
    job, said = import_rows(world, rows, "deal")
    assert _counts(job) == (1, 0, 0, 0)
    assert found(world, said, besides=typed) == []
    with world.org.system():
        deal = Deal.objects.select_related("account").get(name="Fleet")
        assert deal.account.owner_id == world.rep.pk
        assert deal.deal_contacts.count() == 0
