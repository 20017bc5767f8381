"""Who changed an organisation's settings, from what to what, stands in the audit log."""

import pytest

from crm.actions import organizations
from crm.enums import Visibility
from crm.models import AuditEntry
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


def test_changed_settings_stand_in_the_log():
    org, other = make_org("Northwind", time_zone="UTC", base_currency="EUR"), make_org()
    admin = org.member("admin")
    given = ("Northwind AS", "UTC", "EUR", 1, Visibility.ALL_READ)
    for _again in range(2):
        with org.acting(admin) as acting:
            organizations.change_settings(
                organizations.OrganizationSettings(*given, readonly_may_export=False), acting=acting
            )
    with org.acting(admin):
        entries = list(AuditEntry.objects.filter(table_name="crm_organization"))
    assert [(e.row_id, e.operation, e.actor_id, e.actor_kind) for e in entries] == [
        (org.organization.id, "U", admin.id, "member")
    ]
    assert entries[0].diff["name"] == ["Northwind", "Northwind AS"]
    assert "base_currency" not in entries[0].diff
    with other.system():
        assert not AuditEntry.objects.filter(table_name="crm_organization").exists()
