"""Migration operations that write rows, organisation by organisation: row-level security binds the owner as well."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

from crm.tenancy.backend.base import prepared_cursor

# Nothing that was deleted long ago is purged before people had a week to look at it.
_SQL = """
INSERT INTO crm_binentry (
       id, org_id, record_type, record, table_name, name, owner_id, deleted_by_id, along, emptied, created_at)
SELECT uuidv7(), r.org_id, '{key}', r.id, '{table}', left({name}, 200), r.owner_id,
       (SELECT m.id FROM crm_auditentry a JOIN crm_membership m ON m.id = a.actor_id
         WHERE a.org_id = r.org_id AND a.table_name = '{table}' AND a.row_id = r.id AND a.diff ? 'deleted_at'
         ORDER BY a.id DESC LIMIT 1),
       '{{}}', {emptied}, greatest(r.deleted_at, now() - interval '23 days')
  FROM {table} r
 WHERE r.org_id = app_org() AND r.deleted_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM crm_binentry b WHERE b.org_id = r.org_id AND b.record = r.id)
"""


class FillRecycleBin(Operation):
    """Entries of the recycle bin for what was deleted before there were any.

    `name` is SQL for what a row `r` is called, `emptied` for the entry's column of that name.
    """

    reversible = True

    def __init__(self, key: str, table: str, name: str, emptied: str = "'{}'::jsonb") -> None:
        self.key, self.table, self.name, self.emptied = key, table, name, emptied

    def deconstruct(self) -> Any:
        kwargs = {"key": self.key, "table": self.table, "name": self.name, "emptied": self.emptied}
        return self.__class__.__name__, [], kwargs

    def describe(self) -> str:
        return f"Recycle bin of {self.table}"

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes nothing that Django's models know of."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Writes the entries that are missing."""
        from crm.tenancy.orgs import for_each_org  # noqa: PLC0415 -- models are loaded by the time it runs

        statement = _SQL.format(key=self.key, table=self.table, name=self.name, emptied=self.emptied)
        for _actor in for_each_org():
            with prepared_cursor() as cursor:
                cursor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Leaves them: the table goes with the migration that made it."""
