"""The box before a record's name that ticks it: in lists, and on its page."""

from __future__ import annotations

from collections.abc import Callable

from crm.records.registry import RecordType
from crm.tenancy.context import Actor
from crm.web.cells import Row, escape, record_name, url_of


def box_of(record_type: RecordType, actor: Actor) -> Callable[[Row], str] | None:
    """The function that makes the box of one row, for a type that has one; what the actor may not tick is greyed.

    The row holds the check's path, `owner_id` and the name's columns (crm.records.lists.value_paths).
    """
    check = record_type.check
    if check is None:
        return None
    address = url_of(check.url_name)

    def box(row: Row) -> str:
        ticked = row[check.path] is not None
        label = escape(str(check.label) % {"name": record_name(record_type, row)})
        may = actor.write == "all" or (actor.write == "own" and row["owner_id"] in actor.members)
        act = f'hx-{"delete" if ticked else "put"}="{address(row["id"])}" hx-swap="none"' if may else "disabled"
        state = " checked" if ticked else ""
        look = f'class="check check-round" id="check-{row["id"]}" aria-label="{label}"'
        return f'<input type="checkbox" {look}{state} {act}>'

    return box
