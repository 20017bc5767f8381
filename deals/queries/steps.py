"""The statements of a step from stage to stage: a deal is moved more often than anything else is written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Min

from crm.tenancy.backend.base import prepared_cursor
from crm.tenancy.backend.kept import loaded
from deals.enums import DealStatus
from deals.models import Deal, Stage, StageChange

# The card that the moved one is put above (or below), and the next one on the other side of the gap; without such a
# card, the topmost one of the column. Cards with one key, which a loader may have left, are passed by as one.
_GAP_SQL = """
WITH anchor AS (
    SELECT a.position, a.id = %(before)s AS is_before
      FROM deals_deal a
     WHERE a.org_id = app_org() AND a.id IN (%(before)s, %(after)s) AND a.stage_id = %(stage)s AND a.id <> %(deal)s
       AND a.status = 'open' AND a.deleted_at IS NULL
     ORDER BY a.id = %(before)s DESC LIMIT 1
)
SELECT anchor.position, anchor.is_before,
       CASE WHEN anchor.is_before THEN (
                SELECT max(d.position) FROM deals_deal d
                 WHERE d.org_id = app_org() AND d.stage_id = %(stage)s AND d.status = 'open' AND d.deleted_at IS NULL
                   AND d.position < anchor.position AND d.id <> %(deal)s)
            ELSE (
                SELECT min(d.position) FROM deals_deal d
                 WHERE d.org_id = app_org() AND d.stage_id = %(stage)s AND d.status = 'open' AND d.deleted_at IS NULL
                   AND d.position > coalesce(anchor.position, '') AND d.id <> %(deal)s)
       END
  FROM (SELECT 1) one LEFT JOIN anchor ON true
"""
NOBODY = UUID(int=0)


def gap(stage_id: UUID, deal_id: UUID, before: UUID | None, after: UUID | None) -> tuple[str | None, str | None]:
    """The keys between which a card goes: above `before`, else below `after`, else at the top of the column.

    A neighbour that is not (any more) in the column does not count; None stands for the column's end. Cards that the
    actor can't see count too, so the caller is elevated. One statement.
    """
    params = {"stage": stage_id, "deal": deal_id, "before": before or NOBODY, "after": after or NOBODY}
    with prepared_cursor() as cursor:
        cursor.execute(_GAP_SQL, params)
        anchor, is_before, other = cursor.fetchone()
    return (other, anchor) if is_before else (anchor, other)


def first_positions(stage_ids: Collection[UUID]) -> dict[UUID, str]:
    """The key of the topmost open card of each stage that has one. The caller is elevated, as for `gap`."""
    rows = Deal.objects.filter(stage_id__in=stage_ids, status=DealStatus.OPEN).values("stage_id").order_by()
    return dict(rows.annotate(top=Min("position")).values_list("stage_id", "top"))


def _in_order(model: Any, *columns: str) -> tuple[str, ...]:
    """Columns in the order in which Model.from_db takes them."""
    return tuple(f.attname for f in model._meta.concrete_fields if f.attname in columns)


_DEAL_COLUMNS = _in_order(
    Deal,
    "id", "org_id", "version", "name", "pipeline_id", "stage_id", "position", "owner_id", "account_id", "amount",
    "currency", "probability", "probability_by_hand", "status", "forecast_category", "forecast_by_hand", "close_date",
    "closed_on", "close_reason", "close_note", "next_step", "next_step_at", "stage_entered_at", "touched_at",
)  # fmt: skip
_STAGE_COLUMNS = _in_order(
    Stage, "id", "org_id", "pipeline_id", "name", "kind", "position", "probability", "tone", "rot_days"
)
_STEP_COLUMNS = ", ".join(
    [*(f"d.{name}" for name in _DEAL_COLUMNS), *(f"{stage}.{name}" for stage in "ft" for name in _STAGE_COLUMNS)]
)
_STEP_SQL = f"""
WITH d AS MATERIALIZED (
    SELECT {", ".join(_DEAL_COLUMNS)} FROM deals_deal
     WHERE org_id = app_org() AND id = %s AND deleted_at IS NULL FOR NO KEY UPDATE)
SELECT {_STEP_COLUMNS}
  FROM d
  JOIN deals_stage f ON f.org_id = app_org() AND f.id = d.stage_id
  JOIN deals_stage t ON t.org_id = app_org() AND t.id = %s AND t.deleted_at IS NULL
   FOR NO KEY UPDATE OF t
"""  # noqa: S608 -- our own text


def locked_step(deal_id: UUID, stage_id: UUID) -> tuple[Deal, Stage] | None:
    """A deal with the stage it is in, and the stage it is to go to; None where one of them is absent.

    One statement. The deal and the stage it goes to are locked; deals come before stages everywhere, so that no two
    actions wait for each other. Columns that a step does not need are deferred.
    """
    with prepared_cursor() as cursor:
        cursor.execute(_STEP_SQL, [deal_id, stage_id])
        row = cursor.fetchone()
    if row is None:
        return None
    first, second = len(_DEAL_COLUMNS), len(_DEAL_COLUMNS) + len(_STAGE_COLUMNS)
    deal: Deal = loaded(Deal, _DEAL_COLUMNS, row[:first])
    deal.stage = loaded(Stage, _STAGE_COLUMNS, row[first:second])
    return deal, loaded(Stage, _STAGE_COLUMNS, row[second:])


_WRITTEN = (
    "pipeline_id", "stage_id", "position", "probability", "probability_by_hand", "status", "forecast_category",
    "forecast_by_hand", "closed_on", "close_reason", "close_note", "stage_entered_at", "touched_at", "version",
)  # fmt: skip
_CHANGE_COLUMNS = (
    "id", "org_id", "created_at", "deal_id", "from_stage_id", "to_stage_id", "at", "by_id", "seconds_in_stage",
    "amount", "currency", "probability", "undoes_id", "deal_version",
)  # fmt: skip
_WRITE_SQL = (
    f"WITH moved AS (UPDATE deals_deal SET {', '.join(f'{c} = %s' for c in _WRITTEN)}, updated_at = %s"  # noqa: S608 -- our own text
    " WHERE org_id = app_org() AND id = %s)"
    f" INSERT INTO deals_stagechange ({', '.join(_CHANGE_COLUMNS)}, before)"
    f" VALUES ({', '.join(['%s'] * len(_CHANGE_COLUMNS))}, %s::jsonb)"
)


def write_step(deal: Deal, change: StageChange, now: datetime) -> None:
    """Saves what a step changed of a deal, and its row of history, in one statement.

    The equivalent by the ORM is tests.deals.test_move.step_by_orm.
    """
    change.created_at = deal.updated_at = now
    params: list[Any] = [getattr(deal, column) for column in _WRITTEN]
    params += [now, deal.pk, *(getattr(change, column) for column in _CHANGE_COLUMNS)]
    with prepared_cursor() as cursor:
        cursor.execute(_WRITE_SQL, [*params, orjson.dumps(change.before).decode()])
