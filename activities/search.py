"""Notes, calls and meetings as something to search: shown with what was said, leading to the record they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from activities import queries, rules
from activities.enums import ActivityType
from activities.models import Activity
from activities.timelines import MODELS, place_of
from crm.records.names import Names
from crm.records.registry import registry
from crm.records.search import Shown, Source, add_source
from crm.records.search_queries import Found
from crm.tenancy.context import Actor
from crm.web.cells import page_of
from crm.web.highlight import excerpt
from crm.web.urls import path_to

KINDS = dict(ActivityType.choices)
EXCERPT = 90  # characters of a text around what was sought


def register() -> None:
    """Adds activities to search."""
    add_source(
        Source(
            "activity", _("Activity"), _("Notes and activities"), "sticky-note", Activity._meta.db_table, show,
            prefixed=False, aside=True,
        )
    )  # fmt: skip


def show(found: Sequence[Found], sought: str, actor: Actor) -> dict[UUID, Shown]:
    """How activities are shown: those that row-level security lets the reader see."""
    rows = queries.texts_of([one.id for one in found])
    names = Names()
    for row in rows:
        kind, pk = _parent(row)
        if kind:
            names.want(MODELS[kind], pk)
    names.load()
    return {row["id"]: shown for row in rows if (shown := _shown(row, names, sought))}


def _parent(row: Mapping[str, Any]) -> tuple[str, UUID | None]:
    """The record an activity belongs to: the first that it names, as its policy has it."""
    return next(((kind, row[f"{kind}_id"]) for kind in ("deal", "contact", "account") if row[f"{kind}_id"]), ("", None))


def _shown(row: Mapping[str, Any], names: Names, sought: str) -> Shown | None:
    """None where neither the record is the reader's to see nor the entry theirs to correct: there is no page for it."""
    kind, pk = _parent(row)
    about = names.of(MODELS[kind], pk) if kind else ""
    if not about and row["type"] not in rules.LOGGED:
        return None
    page = page_of(registry.get(kind))(pk) if about else ""
    url = place_of(page, row["id"]) if page else path_to("activity_edit", row["id"])
    said = excerpt(row["body"], sought, EXCERPT)
    return Shown(row["subject"] or said, " · ".join(filter(None, [about, said if row["subject"] else ""])), url)
