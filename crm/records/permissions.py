"""guardian's checker over our share tables: what a member was granted on single records.

It answers for grants alone. Ownership, teams' records and roles are crm.access; the row-level security policies hold
all of it. A test shows that the three agree (tests/people/test_sharing_agreement.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import Model, Q
from django.utils import timezone
from guardian.core import ObjectPermissionChecker
from guardian.utils import get_user_obj_perms_model

from crm.enums import ShareLevel
from crm.tenancy.context import Actor


def codename(model: type[Model], level: str) -> str:
    """guardian's name of a level: "view_contact" to read, "change_contact" to write."""
    return f"{'change' if level == ShareLevel.WRITE else 'view'}_{model._meta.model_name}"


def permission_for(model: type[Model], level: str) -> Permission:
    """The permission row that a share of this level points at."""
    name = model._meta.model_name or ""
    return Permission.objects.get_by_natural_key(codename(model, level), model._meta.app_label, name)


class RecordChecker(ObjectPermissionChecker):
    """What an actor was granted on records: by a share to the member or one of their teams, while it lasts.

    A share to write includes reading. Members are told apart, not people: one person's grants in another
    organisation count for nothing here. Read-only members never write, whatever they were granted.
    """

    def __init__(self, actor: Actor) -> None:
        # guardian's own constructor asks for a user with groups and a superuser flag, which ours has not.
        self.actor = actor
        self.user, self.group = None, None
        self._obj_perms_cache: dict[Any, list[str]] = {}

    def has_perm(self, perm: str, obj: Model) -> bool:
        """Whether a grant gives the permission ("view_deal" or "deals.view_deal") on this record."""
        return perm.rpartition(".")[2] in self.get_perms(obj)

    def get_perms(self, obj: Model) -> list[str]:
        """The permissions that grants give on a record."""
        key = self.get_local_cache_key(obj)
        if key not in self._obj_perms_cache:
            self.prefetch_perms([obj])
        return self._obj_perms_cache[key]

    def get_user_perms(self, obj: Model) -> Any:
        """The same, asked of the database each time."""
        return self._granted(type(obj), [obj.pk])[obj.pk]

    def get_group_perms(self, obj: Model) -> Any:
        """Nothing: groups are never used, teams are."""
        return []

    def get_user_filters(self, obj: Model) -> dict[str, Any]:
        raise NotImplementedError("Grants to teams need more than keywords: use get_user_perms().")

    def prefetch_perms(self, objects: Iterable[Model]) -> bool:
        """Reads the grants of records of one type in one statement."""
        records = list(objects)
        if records:
            granted = self._granted(type(records[0]), [record.pk for record in records])
            for record in records:
                self._obj_perms_cache[self.get_local_cache_key(record)] = granted[record.pk]
        return True

    def get_local_cache_key(self, obj: Model) -> tuple[Any, ...]:
        """A record by its type and id; no content type is looked up."""
        return obj._meta.label, obj.pk

    def _granted(self, model: type[Model], ids: list[UUID]) -> dict[UUID, list[str]]:
        shares: Any = get_user_obj_perms_model(model)
        mine = Q(member_id=self.actor.member_id) | Q(team_id__in=self.actor.teams)
        lasting = Q(until__isnull=True) | Q(until__gt=timezone.now())
        rows = shares.objects.filter(mine, lasting, content_object_id__in=ids)
        granted: dict[UUID, set[str]] = defaultdict(set)
        for pk, name in rows.values_list("content_object_id", "permission__codename"):
            granted[pk].add(codename(model, ShareLevel.READ))
            if self.actor.write != "none":
                granted[pk].add(name)
        return {pk: sorted(granted[pk]) for pk in ids}
