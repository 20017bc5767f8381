"""Walking all organisations."""

from __future__ import annotations

from collections.abc import Iterator

from crm import queries
from crm.tenancy.context import Actor, org_context


def for_each_org() -> Iterator[Actor]:
    """Enters every organisation in turn, as the system, each in a transaction of its own.

    For data migrations, seeds and periodic jobs: FORCE row-level security applies to the owner too, so work outside
    of an organisation would silently find nothing.
    """
    for org_id in queries.due_orgs("all"):
        with org_context(Actor.system(org_id)) as actor:
            yield actor
