"""Who may learn of a live event. Worked out where it is published, compared with the reader where it is delivered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.tenancy.context import Actor

Ids = frozenset[UUID]
NOBODY: Ids = frozenset()


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody of the organisation, one person alone, or whoever sees what these owners, members or teams see.

    `owners` reaches members who see the records of one of them: the owner, their managers, and everybody who sees all
    of the organisation. `members` and `teams` are those a record is shared with.
    """

    everybody: bool = False
    person: UUID | None = None
    owners: Ids = NOBODY
    members: Ids = NOBODY
    teams: Ids = NOBODY

    @classmethod
    def only(cls, member_id: UUID) -> Audience:
        """One member and nobody else, not even an admin."""
        return cls(person=member_id)

    def admits(self, actor: Actor) -> bool:
        """Whether this reader may learn of the event."""
        if self.person is not None:
            return actor.member_id == self.person
        if self.everybody or actor.read == "all":
            return True
        return (
            not self.owners.isdisjoint(actor.members)
            or actor.member_id in self.members
            or not self.teams.isdisjoint(actor.teams)
        )

    def packed(self) -> dict[str, Any]:
        """As plain values, for the buffer."""
        if self.person is not None:
            return {"person": self.person}
        if self.everybody:
            return {"everybody": True}
        return {"owners": list(self.owners), "members": list(self.members), "teams": list(self.teams)}

    @classmethod
    def unpacked(cls, values: dict[str, Any]) -> Audience:
        """From what `packed` made, after a way through JSON."""
        if "person" in values:
            return cls(person=UUID(values["person"]))
        if "everybody" in values:
            return EVERYBODY
        return cls(**{name: frozenset(UUID(i) for i in values[name]) for name in ("owners", "members", "teams")})


EVERYBODY = Audience(everybody=True)


def audience_of(model: type[models.Model], records: UUID | Iterable[UUID], *owners: UUID | str | None) -> Audience:
    """Who sees one or several records of a type, by their `owners` (former ones too, after a change) and shares now.

    For receivers in the relay, which see every share of the organisation. Absent owners are left out.
    """
    ids = [records] if isinstance(records, UUID) else list(records)
    shares: Any = model._meta.get_field("shares").related_model
    valid = Q(until__isnull=True) | Q(until__gt=timezone.now())
    grantees = list(shares.objects.filter(valid, content_object_id__in=ids).values_list("member_id", "team_id"))
    return Audience(
        owners=frozenset(UUID(str(owner)) for owner in owners if owner),
        members=frozenset(member for member, _team in grantees if member),
        teams=frozenset(team for _member, team in grantees if team),
    )
