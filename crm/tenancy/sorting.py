"""Migration operations for what lists are sorted by of an organisation's own fields (crm.tenancy.models.SortSlots)."""

from __future__ import annotations

from typing import Any

from crm.tenancy.operations import Audit, _Sql


class FillSortSlots(_Sql):
    """Triggers that keep the sort columns of a record type's table as `custom` has it.

    They fire for rows with values of an organisation's own fields alone: an import without such fields does not pay.
    """

    def __init__(self, table: str, record_type: str) -> None:
        self.table, self.record_type = table, record_type

    def deconstruct(self) -> Any:
        return self.__class__.__name__, [], {"table": self.table, "record_type": self.record_type}

    def describe(self) -> str:
        return f"Sort columns of {self.table}"

    def forward(self) -> list[str]:
        when = {
            "insert": ("INSERT", "NEW.custom <> '{}'::jsonb"),
            "update": ("UPDATE OF custom", "NEW.custom IS DISTINCT FROM OLD.custom"),
        }
        return [
            f"CREATE TRIGGER sort_slots_{name} BEFORE {event} ON {self.table} FOR EACH ROW WHEN ({condition})"
            f" EXECUTE FUNCTION keel_fill_sort_slots('{self.record_type}')"
            for name, (event, condition) in when.items()
        ]

    def backward(self) -> list[str]:
        return [f"DROP TRIGGER sort_slots_{name} ON {self.table}" for name in ("insert", "update")]


class AuditLess(_Sql):
    """Keeps further columns of an audited table out of the log. `before` is how the table is audited so far."""

    def __init__(self, before: Audit, *, derived: tuple[str, ...]) -> None:
        self.before, self.derived = before, tuple(derived)

    def deconstruct(self) -> Any:
        return self.__class__.__name__, [self.before], {"derived": self.derived}

    def describe(self) -> str:
        return f"Audit of {self.before.table} without {', '.join(self.derived)}"

    def _after(self) -> Audit:
        old = self.before
        return Audit(old.table, secret=old.secret, derived=(*old.derived, *self.derived), parent=old.parent)

    def forward(self) -> list[str]:
        return [*self.before.backward(), *self._after().forward()]

    def backward(self) -> list[str]:
        return [*self._after().backward(), *self.before.forward()]
