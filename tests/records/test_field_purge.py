"""Fields that were deleted 30 days ago go for good: what goes, what stays, and the receipt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.utils import ProgrammingError
from django.utils import timezone

from crm.actions import field_purge
from crm.actions.bin import delete_record
from crm.actions.fields import delete_field, restore_field
from crm.actions.sharing import share_record
from crm.actions.undo import undo_change_set
from crm.audit import change_set
from crm.lib.errors import Forbidden, NotFound
from crm.models import AuditEntry, ChangeSet, CustomField, DeletionReceipt, SealedValue, UniqueValue
from crm.records import retention_queries
from crm.tasks import fields as job
from tests.records.company import Company
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


def delete(company: Company, row: CustomField, days: float) -> None:
    """Deletes a field some days ago."""
    with company.acting("admin") as acting:
        delete_field(row.pk, acting=acting)
        CustomField.everything.filter(pk=row.pk).update(deleted_at=timezone.now() - timedelta(days=days))


def log_of(company: Company) -> str:
    with company.org.system():
        return " ".join(str(diff) for diff in AuditEntry.objects.values_list("diff", flat=True))


def state(contact: Any) -> tuple[Any, ...]:
    fresh = type(contact)._base_manager.get(pk=contact.pk)
    return fresh.version, fresh.updated_at, fresh.custom


def test_values_go_from_all_records_and_a_receipt_stays(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.actions.field_purge.PART", 2)
    row, kept = company.add("Codename", unique=True, sortable=True), company.add("Colour")
    company.limit("codename", rep="read")
    contacts = [company.contact("admin", codename=f"Falcon {n}", colour="red") for n in range(5)]
    without = company.contact(colour="blue")
    with company.acting("admin") as acting:
        delete_record("contact", contacts[0].pk, acting=acting)
        before = [state(contact) for contact in contacts]
    delete(company, row, days=31)
    job.purge_expired()
    with company.org.system():
        assert [state(contact) for contact in contacts] == [
            (version, at, {"colour": "red"}) for version, at, _custom in before
        ]
        assert state(without)[2] == {"colour": "blue"}
        assert list(CustomField.objects.values_list("pk", flat=True)) == [kept.pk]
        gone = CustomField.everything.get(purged_at__isnull=False)
        assert (gone.key, gone.label, gone.sort_slot) == ("codename", "", "")
        assert UniqueValue.objects.count() == 0
        receipt = DeletionReceipt.objects.get()
        assert (receipt.record_type, receipt.record, receipt.reason) == ("field", row.pk, "retention")
        assert (receipt.purged_by_id, receipt.change_set.kind) == (None, "purge")
        assert AuditEntry.objects.filter(operation="E", row_id=row.pk).count() == 1
    assert ("Falcon" in log_of(company), "Codename" in log_of(company)) == (False, False)
    client = client_for(company.members["admin"])
    page = client.get(f"/w/{company.org.slug}/recycle-bin/receipts/").content.decode()
    assert (str(row.pk) in page, "Field" in page, "Codename" in page) == (True, True, False)
    assert client.get(f"/w/{company.org.slug}/records/contact/{contacts[1].pk}/history/").status_code == 200


def test_a_new_field_of_that_name_has_nothing_of_the_old_one(company: Company) -> None:
    row = company.add("Budget")
    company.limit("budget", rep="hidden")
    contact = company.contact("admin", budget="a lot")
    company.change(contact, "admin", budget="less")
    delete(company, row, days=31)
    job.purge_expired()
    new = company.add("Budget", "money")
    assert new.key != "budget"
    with company.acting("admin") as acting:
        for role in ("manager", "rep"):
            share_record("contact", contact.pk, member=company.members[role].pk, acting=acting)
    for role in ("admin", "manager", "rep"):
        client = client_for(company.members[role])
        page = client.get(f"/w/{company.org.slug}/records/contact/{contact.pk}/history/")
        assert (page.status_code, "a lot" in page.content.decode()) == (200, False)


def test_the_log_keeps_what_it_said_of_earlier_changes(company: Company) -> None:
    row = company.add("Codename")
    contact = company.contact(codename="Falcon")
    company.change(contact, codename="Heron")
    delete(company, row, days=31)
    job.purge_expired()
    assert company.stored(contact) == {}
    assert log_of(company).count("Heron") == 1


def test_encrypted_values_go(company: Company) -> None:
    row = company.add("Pass", encrypted=True)
    company.contact(**{"pass": "hush"})
    with company.org.system():
        assert SealedValue.objects.count() == 1
    delete(company, row, days=31)
    job.purge_expired()
    with company.org.system():
        assert (SealedValue.objects.count(), CustomField.objects.count()) == (0, 0)


@pytest.mark.parametrize("days", [0, 29, 30.01])
def test_what_can_be_restored_or_nearly_stays(company: Company, days: float) -> None:
    row = company.add("Codename")
    contact = company.contact(codename="Falcon")
    delete(company, row, days=days)
    job.purge_expired()
    assert company.stored(contact) == {"codename": "Falcon"}
    with company.org.system() as system:
        assert field_purge.purge_part(row.pk, None, acting=system) is None
        assert (CustomField.everything.count(), DeletionReceipt.objects.count()) == (1, 0)
        assert field_purge.expired_fields(acting=system) == []
    with company.acting("admin") as acting:
        if days < 30:
            restore_field(row.pk, acting=acting)
        else:
            with pytest.raises(NotFound):
                restore_field(row.pk, acting=acting)


def test_every_organisation_has_its_turn_and_broken_work_goes_on(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.actions.field_purge.PART", 1)
    other = Company()
    contacts = {}
    for place in (company, other):
        row = place.add("Codename")
        contacts[place] = [place.contact(codename="Falcon") for _contact in range(3)]
        delete(place, row, days=40)
        with place.org.system() as system:
            assert field_purge.purge_part(row.pk, None, acting=system) == contacts[place][0].pk
    job.purge_expired()
    for place, rows in contacts.items():
        assert [place.stored(contact) for contact in rows] == [{}, {}, {}]
        with place.org.system():
            assert DeletionReceipt.objects.count() == 1
    assert retention_queries.due_fields(timezone.now()) == []


@pytest.mark.parametrize("role", ["manager", "rep", "readonly"])
def test_nobody_but_admins_and_the_job_purges(company: Company, role: str) -> None:
    row = company.add("Codename")
    contact = company.contact(codename="Falcon")
    delete(company, row, days=31)
    with company.acting(role) as acting:
        with pytest.raises(Forbidden):
            field_purge.expired_fields(acting=acting)
        with pytest.raises(Forbidden):
            field_purge.purge_part(row.pk, None, acting=acting)
    with company.acting(role), pytest.raises(ProgrammingError):
        retention_queries.forget_values(row.pk, "contacts_contact", [contact.pk])
    assert company.stored(contact) == {"codename": "Falcon"}


def test_the_log_is_blanked_of_nothing_else(company: Company) -> None:
    live, over = company.add("Colour"), company.add("Codename")
    contact = company.contact(colour="red", codename="Falcon")
    delete(company, over, days=31)
    with company.org.system(), pytest.raises(ProgrammingError):
        retention_queries.forget_values(live.pk, "contacts_contact", [contact.pk])
    with company.acting("admin"):
        type(contact).objects.filter(pk=contact.pk).update(custom={"colour": "blue"})
        assert retention_queries.forget_values(over.pk, "contacts_contact", [contact.pk]) == 0
    with company.acting("admin"):
        assert retention_queries.forget_values(over.pk, "contacts_contact", [contact.pk]) == 0
    assert "Falcon" in log_of(company)


def test_an_undo_does_not_bring_the_values_back(company: Company) -> None:
    row = company.add("Codename")
    company.add("Colour")
    contact = company.contact("admin", codename="Falcon", colour="red")
    with company.acting("admin") as acting, change_set("bulk_edit", "Colour", acting=acting) as made:
        fresh = type(contact).objects.get(pk=contact.pk)
        fresh.custom, fresh.version = {"codename": "Falcon", "colour": "blue"}, fresh.version + 1
        fresh.save()
    delete(company, row, days=31)
    job.purge_expired()
    with company.acting("admin") as acting:
        undo_change_set(ChangeSet.objects.get(pk=made.pk).pk, acting=acting)
    assert company.stored(contact) == {"colour": "red"}
