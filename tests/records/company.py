"""An organisation to try fields of its own in."""

from __future__ import annotations

from typing import Any

import pytest

from contacts.actions import contacts
from contacts.models import Contact
from contacts.values import NewContact
from crm.actions.fields import FieldSettings, Option, create_field, set_field_access
from crm.lib.errors import CrmError
from crm.models import CustomField, SealedValue, UniqueValue
from tests.factories import Org, make_org

COLOURS = (Option("Red", "red"), Option("Sea green", "teal"))


class Company:
    """An organisation with one member of each role."""

    def __init__(self) -> None:
        self.org: Org = make_org()
        self.members = {role: self.org.member(role) for role in ("admin", "manager", "rep", "readonly")}

    def acting(self, role: str) -> Any:
        return self.org.acting(self.members[role])

    def add(self, label: str, kind: str = "text", record_type: str = "contact", **more: Any) -> CustomField:
        with self.acting("admin") as acting:
            return create_field(record_type, FieldSettings(label=label, kind=kind, **more), acting=acting)

    def limit(self, key: str, record_type: str = "contact", **levels: str) -> None:
        with self.acting("admin") as acting:
            set_field_access(record_type, key, levels, acting=acting)

    def contact(self, role: str = "rep", **values: Any) -> Contact:
        with self.acting(role) as acting:
            return contacts.create_contact(NewContact(last_name="Berg", custom=values), acting=acting)

    def change(self, contact: Contact, role: str = "rep", **values: Any) -> Contact:
        with self.acting(role) as acting:
            return contacts.update_contact(contact.pk, {"custom": values}, acting=acting)

    def stored(self, contact: Contact) -> dict[str, Any]:
        with self.org.system():
            return Contact.objects.get(pk=contact.pk).custom

    def refused(self, error: type[CrmError], role: str = "rep", **values: Any) -> dict[str, str]:
        with pytest.raises(error) as caught:
            self.contact(role, **values)
        with self.org.system():
            assert (Contact.objects.count(), UniqueValue.objects.count(), SealedValue.objects.count()) == (0, 0, 0)
        return {key: str(text) for key, text in caught.value.fields.items()}
