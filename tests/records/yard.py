"""A port whose ships have fields of its own that lists are sorted by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm.actions import field_sorting
from crm.actions.fields import FieldSettings, Option, create_field, update_field
from crm.models import CustomField
from crm.records import lists, schema
from crm.records.listquery import ListQuery
from tests.records.harbour import Harbour
from tests.vessels.models import Vessel

RIGS = (Option("Sloop"), Option("Ketch"), Option("Brig"))
KINDS = {"motto": "text", "depth": "number", "built": "date", "rig": "choice"}


class Yard:
    """Four sortable fields, one of each kind that sorts in a way of its own."""

    def __init__(self, port: Harbour) -> None:
        self.port, self.org = port, port.org
        self.rows = {key: self.add(key.title(), kind) for key, kind in KINDS.items()}

    def add(self, label: str, kind: str = "text", *, sortable: bool = True, **more: Any) -> CustomField:
        options = RIGS if kind in ("choice", "multi_choice") else ()
        given = FieldSettings(label=label, kind=kind, options=options, sortable=sortable, **more)
        with self.org.acting(self.port.admin) as acting:
            made = create_field("vessel", given, acting=acting)
        self.fill(made)
        return made

    def change(self, row: CustomField, **more: Any) -> CustomField:
        options = [Option(o["label"], o["tone"], o["value"]) for o in row.options]
        given = FieldSettings(**{"label": row.label, "kind": row.kind, "options": options, "sortable": True, **more})
        with self.org.acting(self.port.admin) as acting:
            return update_field(row.pk, given, acting=acting)

    def fill(self, row: CustomField) -> None:
        """What the job does."""
        more = True
        while more:
            with self.org.system() as system:
                more = field_sorting.fill_part(row.pk, acting=system)

    def ship(self, owner: Any = None, **own: Any) -> Vessel:
        return self.port.vessel(owner=owner, custom=own)

    def columns(self, ship: Vessel) -> dict[str, Any]:
        """What the sort columns of a ship hold, without empty ones."""
        fresh = self.port.fresh(ship)
        return {name: value for name in fresh.SLOT_COLUMNS if (value := getattr(fresh, name)) is not None}

    def sorted_ids(self, sort: str, who: Any = None, **more: Any) -> list[UUID]:
        """The ids of the first page of a sorted list."""
        with self.org.acting(who or self.port.rep) as actor:
            page = lists.list_page(schema.record_type("vessel", actor), ListQuery(sort=sort, **more), actor)
        return [row["id"] for row in page.rows]
