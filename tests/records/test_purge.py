"""Deleting for good: what goes, what stays, and the receipt."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.utils import ProgrammingError
from django.utils import timezone

from activities.actions.log import NewActivity, delete_activity, log_activity
from activities.models import Activity
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact, set_emails
from contacts.models import Contact, ContactEmail
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.purge import purge_entries, purge_expired
from crm.lib.errors import Forbidden
from crm.models import AuditEntry, BinEntry, ChangeSet, DeletionReceipt, Notification
from crm.records import retention_queries
from crm.tasks import bin as bin_job
from deals.actions.contacts import set_deal_contact
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, DealContact
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def texts_of_log() -> str:
    return " ".join(str(diff) for diff in AuditEntry.objects.values_list("diff", flat=True))


def test_purge_removes_the_record_its_children_and_what_the_log_said(port: Harbour) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
    with port.org.acting(port.rep) as rep:
        contact = create_contact(
            NewContact(first_name="Ysolde", last_name="Brandvik", emails=(EmailValue("old@quay.example"),)), acting=rep
        )
        set_emails(contact.pk, [EmailValue("new@quay.example")], acting=rep)
        deal = create_deal({"name": "Fleet"}, acting=rep)
        set_deal_contact(deal.pk, contact.pk, acting=rep)
        log_activity(NewActivity(type="note", body="Whispered secret", contact_id=contact.pk), acting=rep)
        kept = log_activity(
            NewActivity(type="call", outcome="connected", body="About fleet", deal_id=deal.pk, contact_id=contact.pk),
            acting=rep,
        )
        Notification.objects.create(member=port.rep, kind="x", record=contact.pk, data={"name": "Ysolde Brandvik"})
    entry = port.delete("contact", contact)
    with port.org.acting(port.admin) as admin:
        assert all(text in texts_of_log() for text in ("old@quay.example",))
        assert purge_entries([entry.pk], acting=admin) == 1
        assert [text for text in ("Ysolde", "Brandvik", "quay.example", "Whispered") if text in texts_of_log()] == []
        assert (Contact.everything.count(), ContactEmail.objects.count(), BinEntry.objects.count()) == (0, 0, 0)
        assert (Notification.objects.count(), DealContact.objects.count()) == (0, 0)
        # What belongs to the deal as well stays with the deal.
        assert [(a.pk, a.contact_id) for a in Activity.objects.filter(type="call")] == [(kept.pk, None)]
        receipt = DeletionReceipt.objects.get()
        assert (receipt.record_type, receipt.record, receipt.reason) == ("contact", contact.pk, "admin")
        assert (receipt.purged_by_id, receipt.binned_at) == (port.admin.pk, entry.created_at)
        erased = AuditEntry.objects.filter(operation="E")
        assert list(erased.values_list("row_id", "actor_id", "diff")) == [(contact.pk, port.admin.pk, None)]
        assert AuditEntry.objects.filter(table_name="deals_deal", row_id=deal.pk, operation="I").exists()


@pytest.mark.parametrize("who", ["rep", "manager", "reader"])
def test_purge_is_for_admins_only(port: Harbour, who: str) -> None:
    vessel = port.vessel()
    entry = port.delete("vessel", vessel)
    with port.org.acting(getattr(port, who)) as actor, pytest.raises(Forbidden):
        purge_entries([entry.pk], acting=actor)
    assert port.post(getattr(port, who), "purge/", id=entry.pk, confirmed="1").status_code == 403
    assert port.fresh(vessel) is not None


def test_purge_needs_to_be_confirmed(port: Harbour) -> None:
    vessel = port.vessel()
    entry = port.delete("vessel", vessel)
    asked = port.post(port.admin, "purge/", id=entry.pk)
    assert (asked.status_code, "Tick the box" in asked.content.decode()) == (422, True)
    assert port.fresh(vessel) is not None
    assert port.post(port.admin, "purge/", id=entry.pk, confirmed="1").status_code == 302
    assert port.fresh(vessel) is None
    html = client_for(port.admin).get(f"/w/{port.org.slug}/recycle-bin/receipts/").content.decode()
    assert str(vessel.pk) in html
    assert "Aurora" not in html


def test_purge_of_an_account_leaves_what_others_have_of_it(port: Harbour) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden"), acting=rep)
        deal = create_deal({"name": "Fleet", "account": account.pk}, acting=rep)
        about_deal = log_activity(NewActivity(type="note", body="On the deal", deal_id=deal.pk), acting=rep)
        about_account = log_activity(NewActivity(type="note", body="On the account", account_id=account.pk), acting=rep)
        delete_activity(about_account.pk, acting=rep)
    entry = port.delete("account", account)
    with port.org.acting(port.admin) as admin:
        purge_entries([entry.pk], acting=admin)
        assert Deal.objects.get().account_id is None
        assert (Activity.everything.filter(type="note").get().pk, BinEntry.objects.count()) == (about_deal.pk, 0)


def test_job_purges_what_is_older_than_30_days_in_every_organisation(
    port: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.actions.purge.MOST", 2)
    monkeypatch.setattr("crm.tasks.bin.MOST", 2)
    other = Harbour()
    old = []
    for place in (port, other):
        for n in range(3):
            entry = place.delete("vessel", place.vessel(f"Old {n}"))
            place.age(entry, days=30, seconds=5)
            old.append(entry.record)
        place.age(place.delete("vessel", place.vessel("Young")), days=29, hours=23)
    bin_job.run()
    for place in (port, other):
        with place.org.system():
            assert list(BinEntry.objects.values_list("name", flat=True)) == ["Young"]
            assert list(Vessel.everything.values_list("name", flat=True)) == ["Young"]
            receipts = DeletionReceipt.objects.values_list("reason", "purged_by")
            assert list(receipts) == [("retention", None)] * 3
            assert "Old" not in texts_of_log()
    bin_job.run()
    with port.org.system() as system:
        assert (DeletionReceipt.objects.count(), purge_expired(acting=system)) == (3, 0)


def test_nobody_erases_the_log_without_a_receipt_or_the_right(port: Harbour) -> None:
    vessel = port.vessel()
    entry = port.delete("vessel", vessel)
    with port.org.acting(port.admin) as admin:
        purge_entries([entry.pk], acting=admin)
        purge, before = DeletionReceipt.objects.get().change_set_id, AuditEntry.objects.count()
        other = ChangeSet.objects.create(kind="merge", label="x", made_by=port.admin)
    for member, change_set in ((port.rep, purge), (port.admin, other.pk)):
        with port.org.acting(member), pytest.raises(ProgrammingError):
            retention_queries.erase_subjects(change_set)
    with port.org.system():
        assert AuditEntry.objects.count() == before


def test_due_bins_are_those_with_something_old(port: Harbour) -> None:
    entry = port.delete("vessel", port.vessel())
    plain = {port.org.id} if entry.created_at < timezone.now() else set()
    assert set(retention_queries.due_bins(timezone.now())) == plain == {port.org.id}
    assert retention_queries.due_bins(timezone.now() - timedelta(days=30)) == []
