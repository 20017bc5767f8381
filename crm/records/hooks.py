"""What apps add to the kernel's own work. Filled in AppConfig.ready(); each hook runs inside the organisation and the
caller's transaction, and raises what is to undo both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from crm.tenancy.context import Actor

# A new organisation is furnished: deals give it its default pipeline. Called as the system.
organization_created: list[Callable[[Actor], None]] = []

# Hands every record of a member to another one, the recycle bin's too, and says how many there were. Called with
# (old member id, new member id, acting) after the rule was checked, within a change set.
reassigners: list[Callable[[UUID, UUID, Actor], int]] = []


# What an app does before records of a type are deleted for good, called with the type's key and the ids: rows that the
# foreign keys would delete with them, and that belong to something else as well, are taken off them.
purging: list[Callable[[str, Collection[UUID]], None]] = []


# Says whether an app is still writing under a change set (its id), such as an import that goes on: nothing is taken
# back until then.
writers: list[Callable[[UUID], bool]] = []


def add(hooks: list[Any], function: Any) -> None:
    """Adds a function once, however often an app becomes ready."""
    if function not in hooks:
        hooks.append(function)
