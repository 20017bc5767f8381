"""Migration operations that carry row-level security, tenant keys and the audit trigger.

They name tables and columns, never models, so that a migration means the same however the code moves on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation

MEMBERS = "(SELECT app_members())"


@dataclass(frozen=True)
class Owned:
    """Rows with an owner (a column of memberships), shared by rows of a share table.

    Which rows are shared with the actor is asked by a function, at most once per statement and only when a row is not
    their own: its plan is kept by the session, where a subquery would be planned anew by every statement.
    """

    shares: str = ""
    share_column: str = ""
    owner: str = "owner_id"

    def function(self, table: str) -> tuple[str, str]:
        """The function that the policies need: its signature, and the SQL that makes it; "" where there is none."""
        if not self.shares:
            return "", ""
        signature = f"{self.shares}_ids(boolean)"
        share = (
            f"SELECT s.{self.share_column} FROM public.{self.shares} s WHERE s.org_id = public.app_org()"
            " AND (s.level = 'write' OR NOT $1) AND (s.until IS NULL OR s.until > now())"
        )
        # Two branches, each on its own index.
        body = (
            f"RETURN ARRAY({share} AND s.member_id = public.app_member()"
            f" UNION ALL {share} AND s.team_id = ANY ((SELECT public.app_teams())::uuid[]))"
        )
        kind = "RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE"
        return signature, f"CREATE FUNCTION {signature} {kind} AS $$ BEGIN {body}; END $$"

    def _shared(self, alias: str, writing: str) -> str:
        return f" OR {alias}.id = ANY ((SELECT {self.shares}_ids({writing}))::uuid[])" if self.shares else ""

    def visible(self, alias: str) -> str:
        """SQL: the row is owned by somebody the actor sees, or shared."""
        return f"{alias}.{self.owner} = ANY ({MEMBERS}::uuid[])" + self._shared(alias, "false")

    def writable(self, alias: str) -> str:
        """SQL: the row is owned by somebody whose rows the actor edits, or shared for writing."""
        return f"{alias}.{self.owner} = ANY ({MEMBERS}::uuid[])" + self._shared(alias, "true")


@dataclass(frozen=True)
class Through:
    """Rows that are reached through another row, such as a contact's e-mail through the contact.

    `parents` holds (column, parent table, the parent's Owned) rows. A row belongs to the first of them that it names,
    and is seen with that one: a note about somebody's deal is not read through the account it also mentions.
    Seeing a parent is left to the parent's own policy, which PostgreSQL applies inside of this one. With several
    parents that is asked by a function: its plans are kept by the session, where subqueries in a policy would be
    planned anew by every statement (0.8 ms of a timeline's 0.9), and for many rows by reading whole parent tables.
    """

    parents: tuple[tuple[str, str, Owned], ...]
    owner: str = ""

    def _own(self, alias: str) -> list[str]:
        return [f"{alias}.{self.owner} = ANY ({MEMBERS}::uuid[])"] if self.owner else []

    def function(self, table: str) -> tuple[str, str]:
        """The function behind `visible`: its signature, and the SQL that makes it; "" where there is none.

        It runs with its caller's rights.
        """
        if len(self.parents) < 2:
            return "", ""
        body = "".join(
            f" IF ${n} IS NOT NULL THEN PERFORM 1 FROM public.{parent} p WHERE p.id = ${n}; RETURN FOUND; END IF;"
            for n, (_column, parent, _owned) in enumerate(self.parents, 1)
        )
        signature = f"{table}_visible({', '.join(['uuid'] * len(self.parents))})"
        kind = "RETURNS boolean LANGUAGE plpgsql STABLE"
        return signature, f"CREATE FUNCTION {signature} {kind} AS $$ BEGIN{body} RETURN false; END $$"

    def visible(self, alias: str) -> str:
        """SQL: the parent that the row belongs to is visible. `alias` is the table's own name."""
        columns = [f"{alias}.{column}" for column, _table, _owned in self.parents]
        if len(columns) > 1:
            return " OR ".join([*self._own(alias), f"{alias}_visible({', '.join(columns)})"])
        return " OR ".join(
            [*self._own(alias), f"EXISTS (SELECT 1 FROM {self.parents[0][1]} p WHERE p.id = {columns[0]})"]
        )

    def writable(self, alias: str) -> str:
        """SQL: one of the parents is writable."""
        parts = self._own(alias)
        for column, table, owned in self.parents:
            parts.append(f"EXISTS (SELECT 1 FROM {table} p WHERE p.id = {alias}.{column} AND ({owned.writable('p')}))")
        return " OR ".join(parts)


@dataclass(frozen=True)
class Recorded:
    """Rows about a record of any type, such as its entry in the recycle bin: seen by who sees the record's own row.

    `table_column` says which table that row is in and `column` its id; `owner` repeats the record's owner and is looked
    at first. Only members who write the owner's records change such a row.
    """

    table_column: str = "table_name"
    column: str = "record"
    owner: str = "owner_id"

    def function(self, table: str) -> tuple[str, str]:
        """The function that asks the record's table, with its caller's rights, hence under that table's policies."""
        signature = f"{table}_visible(text, uuid)"
        body = (
            "IF to_regclass($1) IS NULL THEN RETURN false; END IF;"
            " EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s p WHERE p.id = $1)', to_regclass($1))"
            " INTO found USING $2; RETURN found;"
        )
        kind = "RETURNS boolean LANGUAGE plpgsql STABLE"
        return signature, f"CREATE FUNCTION {signature} {kind} AS $$ DECLARE found boolean; BEGIN {body} END $$"

    def visible(self, alias: str) -> str:
        """SQL: the row is the actor's by its owner, or the record is visible. `alias` is the table's own name."""
        return f"{self.writable(alias)} OR {alias}_visible({alias}.{self.table_column}, {alias}.{self.column})"

    def writable(self, alias: str) -> str:
        """SQL: the record is owned by somebody whose records the actor edits."""
        return f"{alias}.{self.owner} = ANY ({MEMBERS}::uuid[])"


class _Sql(Operation):
    """An operation made of forward and backward statements."""

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes nothing that Django's models know of."""

    def forward(self) -> list[str]:
        """Statements that apply the operation."""
        raise AssertionError("a subclass gives the statements")

    def backward(self) -> list[str]:
        """Statements that take it back."""
        raise AssertionError("a subclass gives the statements")

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Runs the forward statements."""
        for statement in self.forward():
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Runs the backward statements."""
        for statement in self.backward():
            schema_editor.execute(statement, params=None)


def fence(table: str) -> list[str]:
    """Row-level security on a table, for its owner too, and the policy that keeps every row in its organisation."""
    own_org = "org_id = app_org()"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} {'FORCE' if settings.RLS_MODE == 'forced' else 'NO FORCE'} ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({own_org}) WITH CHECK ({own_org})",
    ]


def open_again(table: str) -> list[str]:
    """What takes row-level security off a table whose policies are gone."""
    return [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"]


class EnableTenancy(_Sql):
    """Forced row-level security on a table: its organisation, who sees a row, who may write it.

    `rows` is Owned, Through or Recorded, or None for rows that everybody of the organisation sees. With `personal` set
    to a column of memberships, members who may only read still write their own rows. `admin_only` keeps everybody but
    actors who write everything from writing. `tenant` adds to the organisation rule for reading, for the few tables
    read before an organisation is known.
    """

    def __init__(
        self,
        table: str,
        rows: Owned | Through | Recorded | None = None,
        *,
        personal: str = "",
        tenant: str = "",
        admin_only: bool = False,
    ) -> None:
        self.table, self.rows, self.personal, self.tenant = table, rows, personal, tenant
        self.admin_only = admin_only

    def deconstruct(self) -> Any:
        kwargs: dict[str, Any] = {"table": self.table}
        for name in ("rows", "personal", "tenant", "admin_only"):
            if getattr(self, name):
                kwargs[name] = getattr(self, name)
        return self.__class__.__name__, [], kwargs

    def describe(self) -> str:
        return f"Row-level security on {self.table}"

    def forward(self) -> list[str]:
        table = self.table
        create = f"CREATE POLICY {{}} ON {table} AS RESTRICTIVE FOR"
        writes = "coalesce(app_write(), 'none') " + ("= 'all'" if self.admin_only else "<> 'none'")
        personal = f"{self.personal} = app_member()" if self.personal else ""
        may_insert = f"{writes} OR {personal}" if personal else writes
        may_change = may_insert
        if self.rows:
            may_change = (
                f"coalesce(app_write(), 'none') = 'all' OR (app_write() = 'own' AND ({self.rows.writable(table)}))"
            )
        _signature, function = self.rows.function(table) if self.rows else ("", "")
        statements = [
            *([function] if function else []),
            *fence(table),
            create.format("may_insert") + f" INSERT WITH CHECK ({may_insert})",
            create.format("may_update") + f" UPDATE USING ({may_change}) WITH CHECK ({may_insert})",
            create.format("may_delete") + f" DELETE USING ({may_change})",
        ]
        if self.tenant:
            statements.append(f"CREATE POLICY door ON {table} FOR SELECT USING ({self.tenant})")
        if self.rows:
            # The planner takes CASE for half of the rows; of a plain OR it would expect next to none, for admins too.
            sees = f"CASE WHEN app_reach() = 'all' THEN true ELSE {self.rows.visible(table)} END"
            statements.append(create.format("visible") + f" SELECT USING ({sees})")
        return statements

    def backward(self) -> list[str]:
        names = ["tenant", "may_insert", "may_update", "may_delete", "door", "visible"]
        signature, _function = self.rows.function(self.table) if self.rows else ("", "")
        return [f"DROP POLICY IF EXISTS {name} ON {self.table}" for name in names] + [
            *([f"DROP FUNCTION {signature}"] if signature else []),
            *open_again(self.table),
        ]


class AddTenantForeignKey(_Sql):
    """A foreign key over `(org_id, column)`: a row can't point at another organisation's.

    `on_delete` is RESTRICT, CASCADE or SET NULL (which empties the column only).
    """

    def __init__(self, table: str, column: str, to: str, on_delete: str = "RESTRICT") -> None:
        self.table, self.column, self.to, self.on_delete = table, column, to, on_delete

    def deconstruct(self) -> Any:
        return (
            self.__class__.__name__,
            [],
            {"table": self.table, "column": self.column, "to": self.to, "on_delete": self.on_delete},
        )

    def describe(self) -> str:
        return f"Tenant foreign key {self.table}.{self.column}"

    @property
    def name(self) -> str:
        """The constraint's name, within PostgreSQL's 63 bytes."""
        return f"{self.table}_{self.column}_tenant_fk"[-63:].lstrip("_")

    def forward(self) -> list[str]:
        action = f"SET NULL ({self.column})" if self.on_delete == "SET NULL" else self.on_delete
        key = f"FOREIGN KEY (org_id, {self.column}) REFERENCES {self.to} (org_id, id) ON DELETE {action}"
        return [
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} {key} NOT VALID",
            f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {self.name}",
        ]

    def backward(self) -> list[str]:
        return [f"ALTER TABLE {self.table} DROP CONSTRAINT {self.name}"]


class Audit(_Sql):
    """Statement-level triggers that write inserts, updates and deletes of a table to the audit log.

    `secret` columns never enter it; `derived` columns are computed from others, so their change says nothing new.
    `parent` is the column that names the record a child row belongs to: its history is found by it, also when the
    child is gone.
    """

    def __init__(
        self, table: str, *, secret: tuple[str, ...] = (), derived: tuple[str, ...] = (), parent: str = ""
    ) -> None:
        self.table, self.secret, self.derived, self.parent = table, tuple(secret), tuple(derived), parent

    def deconstruct(self) -> Any:
        kwargs = {"table": self.table, "secret": self.secret, "derived": self.derived, "parent": self.parent}
        return self.__class__.__name__, [], kwargs

    def describe(self) -> str:
        return f"Audit of {self.table}"

    def forward(self) -> list[str]:
        skip = "{" + ",".join(("updated_at", "version", *self.derived, *self.secret)) + "}"
        rows = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows"}
        rows["update"] = f"{rows['insert']} {rows['delete']}"
        return [
            f"CREATE TRIGGER audit_{event} AFTER {event.upper()} ON {self.table} REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION keel_audit_{event}('{skip}', '{self.parent}')"
            for event, tables in rows.items()
        ]

    def backward(self) -> list[str]:
        return [f"DROP TRIGGER audit_{event} ON {self.table}" for event in ("insert", "delete", "update")]


class RunSqlFile(_Sql):
    """Runs one of `crm/tenancy/sql/*.sql`: functions that policies and triggers need."""

    def __init__(self, path: str, undo: str = "SELECT 1") -> None:
        self.path, self.undo = path, undo

    def deconstruct(self) -> Any:
        return self.__class__.__name__, [], {"path": self.path, "undo": self.undo}

    def describe(self) -> str:
        return f"Database functions of {self.path}"

    def forward(self) -> list[str]:
        text = (settings.BASE_DIR / self.path).read_text(encoding="utf-8")
        return [text]

    def backward(self) -> list[str]:
        return [self.undo]
