"""An encrypted value is a value like any other: changing it alone is a change of its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from activities.actions.tasks import create_task
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.values import NewAccount, NewContact
from crm.actions.fields import FieldSettings, create_field
from crm.lib.errors import Conflict
from crm.models import OutboxEvent
from crm.records import custom, schema
from crm.records.actions import create_record, update_record
from crm.records.registry import registry
from crm.tenancy.context import Actor
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from tests.records.harbour import Harbour

pytestmark = pytest.mark.django_db
MAKE: dict[str, Callable[[Actor], Any]] = {
    "contact": lambda by: create_contact(NewContact(last_name="Lind"), acting=by),
    "account": lambda by: create_account(NewAccount(name="Quay"), acting=by),
    "deal": lambda by: create_deal({"name": "Quay"}, acting=by),
    "task": lambda by: create_task({"title": "Call"}, acting=by),
    "vessel": lambda by: create_record(registry.get("vessel"), {"name": "Aurora"}, acting=by),
}


@pytest.mark.parametrize("key", MAKE)
def test_an_edit_of_an_encrypted_value_is_told_and_refuses_one_of_an_older_version(port: Harbour, key: str):
    with port.org.system() as system:
        create_default_pipeline(acting=system)
    with port.org.acting(port.admin) as admin:
        create_field(key, FieldSettings(label="Passport", encrypted=True), acting=admin)
    with port.org.acting(port.rep) as rep:
        made = MAKE[key](rep)
        version = port.fresh(made).version
        kind = schema.record_type(key, rep)
        update_record(kind, made.pk, {"passport": "X-1"}, acting=rep, version=version)
        assert port.fresh(made).version == version + 1
        assert OutboxEvent.objects.filter(name=f"{key}.updated", record=made.pk).count() == 1
        with pytest.raises(Conflict):
            update_record(kind, made.pk, {"passport": "X-2"}, acting=rep, version=version)
        assert custom.opened(kind, made.pk, rep) == {"passport": "X-1"}
        assert port.fresh(made).version == version + 1
