"""What an actor sees of deals, as the conditions of hand-written statements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
SELECT s.content_object_id, s.level FROM deals_dealshare s
 WHERE s.org_id = app_org() AND (s.until IS NULL OR s.until > now()) AND s.member_id = %s
UNION ALL
SELECT s.content_object_id, s.level FROM deals_dealshare s
 WHERE s.org_id = app_org() AND (s.until IS NULL OR s.until > now()) AND s.team_id = ANY (%s::uuid[])
"""


@dataclass(frozen=True)
class Sight:
    """What an actor sees of deals."""

    actor: Actor

    @cached_property
    def shared(self) -> dict[UUID, str]:
        """The deals that are shared with the actor, each with its level; no statement for those whom shares give
        nothing. Lists name them one by one: a statement that looks for them by itself takes twice as long to plan."""
        if self.actor.read == "all" and self.actor.write != "own":
            return {}
        found: dict[UUID, str] = {}
        with prepared_cursor() as cursor:
            cursor.execute(_SHARED_SQL, [self.actor.member_id, self.actor.teams_array])
            for deal_id, level in cursor.fetchall():
                # "write" sorts after "read": the higher of two levels holds.
                found[deal_id] = max(level, found.get(deal_id, ""))
        return found

    def kept_branches(self, deals: str, *params: Any) -> list[Where]:
        """What the actor sees of `deals`, a SELECT of deals by other keys with its parameters, as disjoint SELECTs of
        a statement that is planned once. The fence of OFFSET 0 has what is shared looked up one by one."""
        if self.actor.read == "all":
            return [Where(deals, params)]
        members, teams = self.actor.members_array, self.actor.teams_array
        own = f"{deals} AND deals_deal.owner_id = ANY (%s::uuid[])"
        shared = (
            f"SELECT d.* FROM (SELECT DISTINCT content_object_id AS id FROM ({_SHARED_SQL}) s) sh CROSS JOIN LATERAL"  # noqa: S608 -- our own text
            f" ({deals} AND deals_deal.id = sh.id AND NOT deals_deal.owner_id = ANY (%s::uuid[]) OFFSET 0) d"
        )
        return [Where(own, (*params, members)), Where(shared, (self.actor.member_id, teams, *params, members))]

    def branches(self, where: Where) -> list[Where]:
        """What the actor sees, as disjoint conditions that each use an index of their own (crm.access.branches)."""
        if self.actor.read == "all":
            return [where]
        members = self.actor.members_array
        found = [Where(f"deals_deal.owner_id = ANY (%s::uuid[]) AND {where.sql}", (members, *where.params))]
        if self.shared:
            sql = f"deals_deal.id = ANY (%s) AND NOT deals_deal.owner_id = ANY (%s::uuid[]) AND {where.sql}"
            found.append(Where(sql, (list(self.shared), members, *where.params)))
        return found

    def may_write(self, deal_id: UUID, owner_id: UUID) -> bool:
        """Whether the actor may change a deal that they see (crm.access.may_write)."""
        if self.actor.write != "own":
            return self.actor.write == "all"
        return owner_id in self.actor.members or self.shared.get(deal_id) == ShareLevel.WRITE
