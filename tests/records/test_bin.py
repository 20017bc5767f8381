"""The recycle bin, for the record type that only tests have and for those with more to bring back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activities.actions.log import NewActivity, delete_activity, log_activity
from activities.models import Activity
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Account, AccountContact, Contact, ContactEmail
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.bin import delete_record, delete_records, restore_entries, restore_record
from crm.actions.members import deactivate_member
from crm.actions.sharing import share_record
from crm.lib.errors import Conflict, Forbidden, NotFound
from crm.models import AuditEntry, BinEntry, ChangeSet, OutboxEvent
from crm.records.bin import visible_entries
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import DealContact, Pipeline, Stage
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------- into the bin


def test_deleting_makes_an_entry_that_says_what_it_was(port: Harbour) -> None:
    vessel = port.vessel("Élan")
    entry = port.delete("vessel", vessel, by=port.manager)
    assert (entry.record_type, entry.name, entry.owner_id, entry.deleted_by_id) == (
        "vessel", "Élan", port.rep.pk, port.manager.pk,
    )  # fmt: skip
    assert port.fresh(vessel).version == 2
    with port.org.system():
        assert list(OutboxEvent.objects.values_list("name", "record")) == [("vessel.deleted", vessel.pk)]


def test_deleting_many_is_a_fixed_number_of_statements_and_all_or_none(port: Harbour) -> None:
    few, many = [port.vessel(f"F{n}").pk for n in range(2)], [port.vessel(f"M{n}").pk for n in range(40)]
    counts = []
    with port.org.acting(port.rep) as actor:
        for pks in (few, many):
            with CaptureQueriesContext(connection) as captured:
                assert len(delete_records("vessel", pks, acting=actor)) == len(pks)
            counts.append(len(captured))
    assert counts[0] == counts[1]
    mine, theirs = port.vessel("Mine"), port.vessel("Theirs", port.stranger)
    with port.org.acting(port.rep) as actor, pytest.raises(NotFound):
        delete_records("vessel", [mine.pk, theirs.pk], acting=actor)
    assert (port.fresh(mine).deleted_at, port.fresh(theirs).deleted_at) == (None, None)


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_deleting_out_of_reach_changes_nothing(port: Harbour, who: str) -> None:
    vessel = port.vessel()
    with port.org.acting(getattr(port, who)) as actor, pytest.raises(NotFound):
        delete_record("vessel", vessel.pk, acting=actor)
    with port.org.system():
        assert (Vessel.objects.count(), BinEntry.objects.count()) == (1, 0)


# ---------------------------------------------------------------- the page


def test_page_shows_what_one_saw_before(port: Harbour) -> None:
    port.delete("vessel", port.vessel("Aurora"))
    port.delete("vessel", port.vessel("Borealis", port.stranger), by=port.stranger)
    both = ["Borealis", "Aurora"]
    assert {who: port.names(getattr(port, who)) for who in ("rep", "stranger", "manager", "admin", "reader")} == {
        "rep": ["Aurora"], "stranger": ["Borealis"], "manager": ["Aurora"], "admin": both, "reader": both,
    }  # fmt: skip


def test_what_was_shared_is_seen_in_the_bin_and_restored_by_its_owner_only(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden"), acting=rep)
        share_record("account", account.pk, member=port.stranger.pk, level="write", acting=rep)
    entry = port.delete("account", account)
    assert port.names(port.stranger) == ["Halden"]
    assert 'aria-label="Restore Halden"' not in port.bin(port.stranger).content.decode()
    assert port.post(port.stranger, "restoration/", id=entry.pk).status_code == 403
    assert port.fresh(account).deleted_at is not None


def test_policy_hides_entries_also_from_plain_queries(port: Harbour) -> None:
    port.delete("vessel", port.vessel())
    seen = {}
    for who in ("rep", "stranger", "manager", "admin", "reader"):
        with port.org.acting(getattr(port, who)) as actor:
            seen[who] = (BinEntry.objects.count(), visible_entries(actor).count())
    assert seen == {"rep": (1, 1), "stranger": (0, 0), "manager": (1, 1), "admin": (1, 1), "reader": (1, 1)}


def test_page_filters_searches_and_pages(port: Harbour) -> None:
    port.delete("vessel", port.vessel("Élan"))
    port.delete("vessel", port.vessel("Corvus"), by=port.admin)
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Elm Yards"), acting=rep)
    port.delete("account", account)
    found = {
        query: port.names(port.admin, query)
        for query in ("?type=vessel", f"?by={port.admin.pk}", "?q=el", "?q=EL&type=account", "?by=nobody", "?q=lan")
    }
    assert found == {
        "?type=vessel": ["Corvus", "Élan"], f"?by={port.admin.pk}": ["Corvus"], "?q=el": ["Elm Yards", "Élan"],
        "?q=EL&type=account": ["Elm Yards"], "?by=nobody": [], "?q=lan": [],
    }  # fmt: skip
    assert port.bin(port.admin, "?after=nonsense").status_code == 422


def test_page_is_keyset_paged_with_a_fixed_number_of_statements(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        rows = [Vessel(name=f"Ship {n:03}", owner=port.rep) for n in range(60)]
        Vessel.objects.bulk_create(rows)
        delete_records("vessel", [row.pk for row in rows[:5]], acting=rep)
    client, path = client_for(port.rep), f"/w/{port.org.slug}/recycle-bin/"
    counts = []
    for more in ([], rows[5:]):
        if more:
            with port.org.acting(port.rep) as rep:
                delete_records("vessel", [row.pk for row in more], acting=rep)
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            first = client.get(path).content.decode()
        counts.append(len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT", "SET LOCAL"))]))
    assert counts[0] + 1 == counts[1] <= 9  # a long list also counts
    names = re.findall(r'class="medium">(Ship \d+)', first)
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    names += re.findall(r'class="medium">(Ship \d+)', client.get(path + older).content.decode())
    assert sorted(names) == [f"Ship {n:03}" for n in range(60)]


def test_days_left_are_shown_and_the_last_ones_marked(port: Harbour) -> None:
    for name, days in (("New", 0), ("Week", 25), ("Last", 29)):
        port.age(port.delete("vessel", port.vessel(name)), days=days, seconds=5)
    html = port.bin(port.rep).content.decode()
    rows = {
        name: html.split(f'<span class="medium">{name}</span>')[1].split("</tr>")[0] for name in ("New", "Week", "Last")
    }
    assert "30 days" in rows["New"]
    assert 'data-tone="amber"' in rows["Week"]
    assert "5 days" in rows["Week"]
    assert 'data-tone="red"' in rows["Last"]
    assert "1 day<" in rows["Last"]


# ---------------------------------------------------------------- out of the bin


def test_restoring_brings_back_the_whole_group_in_one_change_set(port: Harbour) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden", domains=("halden.example",)), acting=rep)
        contact = create_contact(
            NewContact(last_name="Okafor", emails=(EmailValue("nia@halden.example"),), account_id=account.pk),
            acting=rep,
        )
        deal = create_deal({"name": "Fleet", "account": account.pk, "contacts": [contact.pk]}, acting=rep)
        log_activity(NewActivity(type="note", body="Met", contact_id=contact.pk), acting=rep)
        share_record("contact", contact.pk, member=port.stranger.pk, acting=rep)

    def group() -> Any:
        with port.org.system():
            return (
                Contact.everything.get(pk=contact.pk).account_id,
                list(ContactEmail.objects.filter(contact=contact).values_list("address", "is_primary")),
                list(AccountContact.objects.filter(contact=contact).values_list("account", "is_primary")),
                list(DealContact.objects.filter(contact=contact).values_list("deal", flat=True)),
                list(Activity.objects.filter(contact=contact, type="note").values_list("body", flat=True)),
                contact.shares.count(),
            )

    before = group()
    entries = [port.delete("contact", contact), port.delete("account", account)]
    assert entries[0].along == {"contacts_accountcontact": 1, "deals_dealcontact": 1, "activities_activity": 2}
    html = port.bin(port.rep).content.decode()
    assert "Contact · with 1 account link, 1 deal, 2 timeline entries" in html
    assert port.fresh(contact).account_id is None
    with port.org.acting(port.rep) as rep:
        restored = restore_entries([entry.pk for entry in entries], acting=rep)
        assert ([type(r) for r in restored.records], restored.refused) == ([Account, Contact], [])
        assert ChangeSet.objects.filter(kind="restore").count() == 1
        assert BinEntry.objects.count() == 0
        made = ChangeSet.objects.get(kind="restore").pk
        written = AuditEntry.objects.filter(change_set_id=made).values_list("table_name", flat=True)
        assert set(written) == {"contacts_account", "contacts_contact"}
    assert group() == before
    assert port.fresh(deal).account_id == account.pk


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_restoring_out_of_reach_changes_nothing(port: Harbour, who: str) -> None:
    vessel = port.vessel()
    entry = port.delete("vessel", vessel)
    member = getattr(port, who)
    with port.org.acting(member) as actor:
        with pytest.raises(NotFound):
            restore_record("vessel", vessel.pk, acting=actor)
        with pytest.raises((NotFound, Forbidden)):
            restore_entries([entry.pk], acting=actor)
    assert port.fresh(vessel).deleted_at is not None


def test_value_that_was_taken_meanwhile_keeps_a_record_in_the_bin(port: Harbour) -> None:
    gone, other = port.vessel("Gone", call_sign="LAXY"), port.vessel("Other")
    entries = [port.delete("vessel", gone), port.delete("vessel", other)]
    port.vessel("Taker", port.stranger, call_sign="LAXY")
    with port.org.acting(port.rep) as rep, pytest.raises(Conflict, match="only one may have"):
        restore_record("vessel", gone.pk, acting=rep)
    response = port.post(port.rep, "restoration/", id=[entry.pk for entry in entries])
    assert response.status_code == 302
    assert (port.fresh(gone).deleted_at is None, port.fresh(other).deleted_at is None) == (False, True)
    assert port.names(port.rep) == ["Gone"]


def test_two_records_of_one_value_do_not_come_back_together(port: Harbour) -> None:
    first = port.vessel("First", call_sign="LAXY")
    entries = [port.delete("vessel", first)]
    second = port.vessel("Second", call_sign="LAXY")
    entries.append(port.delete("vessel", second))
    with port.org.acting(port.rep) as rep:
        restored = restore_entries([entry.pk for entry in entries], acting=rep)
        assert [record.name for record in restored.records] == ["First"]
        assert [name for name, _reason in restored.refused] == ["Second"]


def test_deal_whose_stage_is_gone_comes_back_to_the_first_of_its_kind(port: Harbour) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        stage = Stage.objects.get(name="Proposal")
    with port.org.acting(port.rep) as rep:
        deal = create_deal({"name": "Fleet", "stage": stage.pk}, acting=rep)
        other = create_deal({"name": "Barge", "stage": stage.pk}, acting=rep)
    port.delete("deal", deal)
    port.delete("deal", other)
    with port.org.system():
        Stage.objects.filter(pk=stage.pk).update(deleted_at=timezone.now())
        first = Stage.objects.filter(kind="open").order_by("position").first()
    with port.org.acting(port.rep) as rep:
        restored = restore_record("deal", deal.pk, acting=rep)
    assert (restored.stage_id, port.fresh(deal).stage_id, port.fresh(deal).deleted_at) == (
        first.pk,
        first.pk,
        None,
    )
    with port.org.system():
        Pipeline.objects.update(deleted_at=timezone.now())
        Stage.objects.update(deleted_at=timezone.now())
    with port.org.acting(port.rep) as rep, pytest.raises(Conflict, match="pipeline"):
        restore_record("deal", other.pk, acting=rep)
    assert port.fresh(other).deleted_at is not None


def test_activity_goes_to_the_bin_and_comes_back_from_its_page(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        contact = create_contact(NewContact(last_name="Okafor"), acting=rep)
        note = log_activity(
            NewActivity(type="note", body="Met beside the quay\nand more", contact_id=contact.pk), acting=rep
        )
        touched = Contact.objects.get(pk=contact.pk).last_activity_at
        delete_activity(note.pk, acting=rep)
        assert Contact.objects.get(pk=contact.pk).last_activity_at is None
    assert port.names(port.rep, "?type=activity") == ["Met beside the quay"]
    assert port.post(port.rep, "restoration/", id=port.entry(note).pk).status_code == 302
    assert port.fresh(note).deleted_at is None
    assert port.fresh(contact).last_activity_at == touched


def test_leavers_part_of_the_bin_goes_to_the_heir(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden"), acting=rep)
    port.delete("account", account)
    with port.org.acting(port.admin) as admin:
        deactivate_member(port.rep.pk, reassign_to=port.stranger.pk, acting=admin)
    assert port.names(port.stranger) == ["Halden"]
    with port.org.acting(port.stranger) as actor:
        restore_record("account", account.pk, acting=actor)
    assert port.fresh(account).deleted_at is None
