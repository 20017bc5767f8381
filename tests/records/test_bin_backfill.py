"""What was deleted before there was a recycle bin finds its place there with the migration."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from activities.actions.log import NewActivity, delete_activity, log_activity
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import NewAccount, NewContact
from crm.actions.bin import delete_record, restore_entries
from crm.models import BinEntry
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from tests.records.harbour import Harbour

pytestmark = pytest.mark.django_db(transaction=True)
MIGRATIONS = (
    "contacts.migrations.0006_fill_recycle_bin",
    "deals.migrations.0005_fill_recycle_bin",
    "activities.migrations.0003_fill_recycle_bin",
)


def migrate() -> None:
    for name in MIGRATIONS:
        for operation in import_module(name).Migration.operations:
            with connection.schema_editor() as editor:
                operation.database_forwards(name.split(".", 1)[0], editor, apps, apps)


def test_migration_finds_what_lies_in_the_bin_already(port: Harbour) -> None:
    other = Harbour()
    with port.org.system() as system:
        create_default_pipeline(acting=system)
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden"), acting=rep)
        contact = create_contact(NewContact(first_name="Nia", last_name="Okafor", account_id=account.pk), acting=rep)
        deal = create_deal({"name": "Fleet"}, acting=rep)
        note = log_activity(NewActivity(type="note", body="Met\nmore", contact_id=contact.pk), acting=rep)
    with other.org.acting(other.rep) as rep:
        elsewhere = create_account(NewAccount(name="Brenner"), acting=rep)
    with port.org.acting(port.manager) as manager:
        delete_activity(note.pk, acting=manager)
        for key, record in (("account", account), ("contact", contact), ("deal", deal)):
            delete_record(key, record.pk, acting=manager)
    other.delete("account", elsewhere)
    columns = ("record_type", "record", "name", "table_name", "owner_id", "deleted_by_id", "emptied")

    def entries(place: Harbour) -> list[tuple[Any, ...]]:
        with place.org.system():
            return sorted(BinEntry.objects.values_list(*columns), key=str)

    before = [entries(port), entries(other)]
    with port.org.system():
        BinEntry.objects.all().delete()
        Contact.everything.update(deleted_at=timezone.now() - timedelta(days=400))
    with other.org.system():
        BinEntry.objects.all().delete()
    migrate()
    migrate()
    assert [entries(port), entries(other)] == before
    with port.org.system():
        (old,) = BinEntry.objects.filter(record=contact.pk)
        assert timedelta(days=22) < timezone.now() - old.created_at < timedelta(days=24)
        ids = list(BinEntry.objects.values_list("pk", flat=True))
    with port.org.acting(port.rep) as rep:
        assert len(restore_entries(ids, acting=rep).records) == 4
    assert port.fresh(contact).account_id == account.pk
