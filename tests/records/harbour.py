"""A private organisation whose records go to the recycle bin and come back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm.actions.bin import delete_record
from crm.models import BinEntry
from tests.factories import make_org
from tests.support.web import client_for
from tests.vessels.models import Vessel


class Harbour:
    """A private organisation with a rep, a manager of theirs, an admin, a reader, and a rep who sees none of it."""

    def __init__(self) -> None:
        self.org = make_org()
        self.rep, self.stranger = self.org.member("rep", "Rhea Rep"), self.org.member("rep", "Sven Strange")
        self.manager, self.admin = self.org.member("manager", "Mia Manager"), self.org.member("admin", "Ada Admin")
        self.reader = self.org.member("readonly", "Rune Reader")
        self.org.team("North", self.rep, managers=(self.manager,))

    def vessel(self, name: str = "Aurora", owner: Any = None, **fields: Any) -> Vessel:
        with self.org.system():
            return Vessel.objects.create(name=name, owner=owner or self.rep, **fields)

    def delete(self, key: str, record: Any, by: Any = None) -> BinEntry:
        with self.org.acting(by or self.rep) as actor:
            delete_record(key, record.pk, acting=actor)
        return self.entry(record)

    def entry(self, record: Any) -> BinEntry:
        with self.org.system():
            return BinEntry.objects.get(record=record.pk)

    def fresh(self, record: Any) -> Any:
        with self.org.system():
            return type(record)._base_manager.filter(pk=record.pk).first()

    def age(self, entry: BinEntry, **age: int) -> None:
        with self.org.system():
            BinEntry.objects.filter(pk=entry.pk).update(created_at=timezone.now() - timedelta(**age))

    def bin(self, member: Any, query: str = "") -> Any:
        return client_for(member).get(f"/w/{self.org.slug}/recycle-bin/{query}")

    def names(self, member: Any, query: str = "") -> list[str]:
        response = self.bin(member, query)
        assert response.status_code == 200, response.content[:500]
        return re.findall(r'<span class="medium">([^<]*)</span>', response.content.decode())

    def post(self, member: Any, path: str, **data: Any) -> Any:
        return client_for(member).post(f"/w/{self.org.slug}/recycle-bin/{path}", data)
