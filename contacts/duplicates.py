"""What counts as the same person or company. Pure: the rows come from contacts.queries, the rule is decided here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from crm.lib.errors import Conflict


@dataclass(frozen=True, slots=True)
class Known:
    """A record that has an address or a domain already."""

    id: UUID
    name: str
    owner_id: UUID
    owner_name: str


class DuplicateRecord(Conflict):
    """The record seems to exist already. It carries only what the actor may know of the other one.

    `record_id` and `record_name` tell of a record the actor sees; of any other one, `owner_name` alone is told.
    """

    def __init__(self, match: Known, key: str, *, visible: bool) -> None:
        self.record_id = match.id if visible else None
        self.record_name = match.name if visible else ""
        self.owner_name = "" if visible else match.owner_name
        self.key = key
        if visible:
            text = _("%(key)s belongs to %(name)s already. Open that record, or create this one anyway.")
        else:
            text = _("Already known, owned by %(owner)s.")
        super().__init__(text % {"key": key, "name": match.name, "owner": match.owner_name})


class DuplicateContact(DuplicateRecord):
    """A contact with one of these e-mail addresses exists."""

    code = "contact.duplicate"


class DuplicateAccount(DuplicateRecord):
    """An account with one of these domains exists."""

    code = "account.duplicate"


def exact_match(keys: Iterable[str], known: Mapping[str, list[Known]]) -> tuple[str, list[Known]] | None:
    """The first key (an address or a domain, normalised) that somebody has, and who; None when nobody does."""
    for key in keys:
        if found := known.get(key):
            return key, found
    return None


def told(matches: list[Known], visible: Collection[UUID]) -> tuple[Known, bool]:
    """Which of several matches is told of, and whether the actor sees it: one they see comes first."""
    for match in matches:
        if match.id in visible:
            return match, True
    return matches[0], False
