"""Which records of a list somebody has chosen: some by their ids, or all that a list's address shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from crm import access
from crm.lib.errors import Invalid
from crm.records import lists
from crm.records.filters.limits import stopped_in_time
from crm.records.registry import RecordType
from crm.tenancy.context import Actor

MOST = 100_000  # records that one run changes
ONE, ALL = "bulk-id", "bulk-all"  # parameters; no field can be called so


@dataclass(frozen=True, slots=True)
class Selection:
    """Records chosen by their `ids`, or by `query`, all that match a list's."""

    ids: tuple[UUID, ...] = ()
    query: lists.ListQuery | None = None


def parse_selection(kind: RecordType, params: QueryDict, actor: Actor, *, chosen: QueryDict | None = None) -> Selection:
    """What a form or an address chooses; the list's own parameters stand in `params`. Raises Invalid."""
    chosen = params if chosen is None else chosen
    if chosen.get(ALL):
        return Selection(query=lists.parse_query(kind, without_choice(params), actor))
    return Selection(tuple(dict.fromkeys(UUID(pk) for pk in chosen.getlist(ONE) if access.is_uuid(pk))))


def without_choice(params: QueryDict) -> QueryDict:
    """A list's own parameters, without those that say what was chosen of it."""
    own = params.copy()
    for name in [name for name in own if name.startswith("bulk-")]:
        del own[name]
    return own


def selected_ids(kind: RecordType, selection: Selection, actor: Actor) -> list[UUID]:
    """The ids of the chosen records that the actor sees, in order. Raises Invalid where there are more than 100,000."""
    if selection.query is None:
        rows = access.visible(kind.model, actor).filter(pk__in=selection.ids)
        return list(rows.order_by("pk").values_list("pk", flat=True))
    with stopped_in_time():
        found = _all_ids(kind, selection.query, actor)
    if len(found) > MOST:
        raise Invalid(too_many())
    return found


def _all_ids(kind: RecordType, query: lists.ListQuery, actor: Actor) -> list[UUID]:
    parts = _branches(kind, query, actor)
    if parts is None:
        raise Invalid(too_many())
    ids = [pk for part in parts for pk in part.order_by("pk").values_list("pk", flat=True)[: MOST + 1]]
    return sorted(ids) if len(parts) > 1 else ids


def _branches(kind: RecordType, query: lists.ListQuery, actor: Actor) -> list[QuerySet[Any]] | None:
    """All that match, also what a search finds beyond the rows that its list shows; None where that is too much."""
    rows, whole = lists.matching(kind, query, actor, MOST + 1)
    return access.branches(rows, actor) if whole else None


def count_selected(kind: RecordType, selection: Selection, actor: Actor) -> int:
    """How many records are chosen, at most one more than 100,000. Raises Invalid, and TooSlow."""
    if selection.query is None:
        return access.visible(kind.model, actor).filter(pk__in=selection.ids).count()
    with stopped_in_time():
        parts = _branches(kind, selection.query, actor)
        return MOST + 1 if parts is None else sum(part.order_by().values("pk")[: MOST + 1].count() for part in parts)


def too_many() -> str:
    """What is said of more records than one run changes."""
    return _("More than %(most)s records match. Narrow the list down with a filter, and work in parts.") % {
        "most": f"{MOST:,}"
    }


def parts_of(ids: Sequence[UUID], size: int) -> list[list[UUID]]:
    """Ids in portions, in order."""
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]
