"""Reads of deals that join, and all hand-written SQL of deals. Each hand-written one has an equivalence test."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import Min

from deals.enums import DealStatus
from deals.models import Deal

# The card that the moved one is put above (or below), and the next one on the other side of the gap. Ties, which a
# loader may have left, are passed by as one.
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


def gap(stage_id: UUID, deal_id: UUID, before: UUID | None, after: UUID | None) -> tuple[str | None, str | None]:
    """The keys between which a card goes: above `before`, else below `after`, else at the top of the column.

    A neighbour that is not (any more) in the column does not count. None stands for the column's end. Cards that the
    actor can't see count too, so the caller is elevated.
    """
    with connection.cursor() as cursor:
        params = {"stage": stage_id, "deal": deal_id, "before": before, "after": after}
        cursor.execute(_GAP_SQL, params)
        anchor, is_before, other = cursor.fetchone()
    return (other, anchor) if is_before else (anchor, other)


def first_positions(stage_ids: Collection[UUID]) -> dict[UUID, str]:
    """The key of the topmost open card of each stage that has one. The caller is elevated, as for `gap`."""
    rows = Deal.objects.filter(stage_id__in=stage_ids, status=DealStatus.OPEN).values("stage_id").order_by()
    return dict(rows.annotate(top=Min("position")).values_list("stage_id", "top"))
