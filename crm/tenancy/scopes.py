"""Row-level security of what members keep for themselves, or share by a scope."""

from __future__ import annotations

from typing import Any

from crm.tenancy.operations import _Sql, fence, open_again

# Nobody acts: the system, which looks after every row.
_SYSTEM = "app_member() IS NULL"
_LED = "team_id = ANY ((SELECT keel_led_teams())::uuid[])"
_IN_TEAM = f"team_id = ANY ((SELECT app_teams())::uuid[]) OR {_LED}"

LED_TEAMS = """
CREATE FUNCTION keel_led_teams() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN RETURN ARRAY(
    WITH RECURSIVE tree AS (
        SELECT t.team_id AS id FROM public.crm_teammember t JOIN public.crm_membership m ON m.id = t.member_id
         WHERE t.org_id = public.app_org() AND t.member_id = public.app_member() AND t.is_manager
           AND m.org_id = t.org_id AND m.role = 'manager'
        UNION
        SELECT c.id FROM public.crm_team c JOIN tree ON c.parent_id = tree.id
         WHERE c.org_id = public.app_org() AND c.deleted_at IS NULL)
    SELECT id FROM tree); END $$
"""


class CreateLedTeams(_Sql):
    """The function keel_led_teams(): ids of the teams that the acting member manages, and of all below them."""

    def deconstruct(self) -> Any:
        return self.__class__.__name__, [], {}

    def describe(self) -> str:
        return "Teams that a member manages"

    def forward(self) -> list[str]:
        return [LED_TEAMS]

    def backward(self) -> list[str]:
        return ["DROP FUNCTION keel_led_teams()"]


class EnablePersonal(_Sql):
    """Forced row-level security on a table whose rows are a member's own, or shared by a scope.

    `owner` is the column that names the member. A table with `scoped` also has the columns `scope` and `team_id`: a
    "private" row is its owner's alone, a "team" row is seen by that team and the managers above it, an "organization"
    row by everybody; owners, managers of the team and who writes everything change the shared ones. Otherwise nobody
    but the owner sees or writes a row, whatever their role; so may members who only read.
    """

    def __init__(self, table: str, owner: str, *, scoped: bool = False) -> None:
        self.table, self.owner, self.scoped = table, owner, scoped

    def deconstruct(self) -> Any:
        return self.__class__.__name__, [], {"table": self.table, "owner": self.owner, "scoped": self.scoped}

    def describe(self) -> str:
        return f"Personal row-level security on {self.table}"

    def _visible(self) -> str:
        own = f"{self.owner} = app_member() OR {_SYSTEM}"
        if not self.scoped:
            return own
        shared = f"CASE scope WHEN 'organization' THEN true WHEN 'team' THEN app_write() = 'all' OR {_IN_TEAM} END"
        return f"{own} OR coalesce({shared}, false)"

    def _writable(self) -> str:
        own = f"{self.owner} = app_member()"
        system = f"{_SYSTEM} AND app_write() = 'all'"
        if not self.scoped:
            return f"{own} OR ({system})"
        writes = "coalesce(app_write(), 'none')"
        return (
            f"({own} AND (scope = 'private' OR {writes} <> 'none')) OR ({system})"
            f" OR (scope <> 'private' AND {writes} = 'all') OR (scope = 'team' AND {writes} = 'own' AND {_LED})"
        )

    def forward(self) -> list[str]:
        table = self.table
        create = f"CREATE POLICY {{}} ON {table} AS RESTRICTIVE FOR"
        return [
            *fence(table),
            create.format("visible") + f" SELECT USING ({self._visible()})",
            create.format("may_insert") + f" INSERT WITH CHECK ({self._writable()})",
            create.format("may_update") + f" UPDATE USING ({self._writable()}) WITH CHECK ({self._writable()})",
            create.format("may_delete") + f" DELETE USING ({self._writable()})",
        ]

    def backward(self) -> list[str]:
        names = ["tenant", "visible", "may_insert", "may_update", "may_delete"]
        return [f"DROP POLICY {name} ON {self.table}" for name in names] + [
            *open_again(self.table),
        ]
