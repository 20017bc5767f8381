"""What an actor sees of deals, as the conditions of hand-written statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from crm.enums import ShareLevel
from crm.tenancy.backend.base import prepared_cursor
from crm.tenancy.context import Actor


class Where(NamedTuple):
    """A condition over deals_deal, with its parameters."""

    sql: str
    params: tuple[Any, ...]


EVERYTHING = Where("true", ())

# Two halves, each on its own index.
_SHARED_SQL = """
SELECT content_object_id, max(level) FROM (
    SELECT s.content_object_id, s.level FROM deals_dealshare s
     WHERE s.org_id = app_org() AND (s.until IS NULL OR s.until > now()) AND s.member_id = %s
    UNION ALL
    SELECT s.content_object_id, s.level FROM deals_dealshare s
     WHERE s.org_id = app_org() AND (s.until IS NULL OR s.until > now()) AND s.team_id = ANY (%s::uuid[])) shared
 GROUP BY content_object_id
"""


@dataclass(frozen=True, slots=True)
class Sight:
    """An actor, and the deals that are shared with them, each with its level.

    The shares are read first because a statement that looks for them by itself takes twice as long to plan.
    """

    actor: Actor
    shared: dict[UUID, str]

    def branches(self, where: Where) -> list[Where]:
        """What the actor sees, as disjoint conditions that each use an index of their own (crm.access.branches)."""
        if self.actor.read == "all":
            return [where]
        members = self.actor.members_array
        found = [Where(f"deals_deal.owner_id = ANY(%s::uuid[]) AND {where.sql}", (members, *where.params))]
        if self.shared:
            sql = f"deals_deal.id = ANY(%s) AND NOT deals_deal.owner_id = ANY(%s::uuid[]) AND {where.sql}"
            found.append(Where(sql, (list(self.shared), members, *where.params)))
        return found

    def may_write(self, deal_id: UUID, owner_id: UUID) -> bool:
        """Whether the actor may change a deal that they see (crm.access.may_write)."""
        if self.actor.write != "own":
            return self.actor.write == "all"
        return owner_id in self.actor.members or self.shared.get(deal_id) == ShareLevel.WRITE


def sight_of(actor: Actor) -> Sight:
    """What an actor sees. No statement for those whom shares give nothing."""
    if actor.read == "all" and actor.write != "own":
        return Sight(actor, {})
    with prepared_cursor() as cursor:
        # "write" sorts after "read", so the higher of two levels holds.
        cursor.execute(_SHARED_SQL, [actor.member_id, actor.teams_array])
        return Sight(actor, dict(cursor.fetchall()))
