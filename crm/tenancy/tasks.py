"""Background jobs inside an organisation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from celery import Task

from crm import queries
from crm.tenancy.context import Actor, org_context


class NotActive(LookupError):  # noqa: N818 -- says what is the matter
    """The member whose job this is has left meanwhile."""


class OrgTask(Task):
    """A job of one organisation. It takes ids only, `org_id` among them, and enters the organisation itself.

    Slow input and output stand between two short `self.organization(...)` blocks, never inside one.
    """

    abstract = True

    @contextmanager
    def organization(self, org_id: str | UUID, member_id: str | UUID | None = None) -> Iterator[Actor]:
        """The organisation as the system, or as a member, who must still be active (else NotActive)."""
        with org_context(Actor.system(UUID(str(org_id)))) as system:
            if member_id is None:
                yield system
                return
            found = queries.member_by_id(UUID(str(member_id)))
            if found is None:
                raise NotActive(f"Member {member_id} is not active any more.")
            with org_context(found.actor) as actor:
                yield actor
