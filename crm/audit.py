"""Change sets: writes that belong together, and can be found and undone together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crm.enums import ChangeSetKind
from crm.models import ChangeSet
from crm.tenancy import context
from crm.tenancy.context import Actor


@contextmanager
def change_set(
    kind: ChangeSetKind, label: str, *, acting: Actor, undoes: ChangeSet | None = None
) -> Iterator[ChangeSet]:
    """Everything written inside is recorded under one change set."""
    made = ChangeSet.objects.create(kind=kind, label=label[:200], made_by_id=acting.member_id, undoes=undoes)
    with context.recorded_under(made.id):
        yield made
