"""Per-object grants: guardian's direct tables, with an organisation, a member or a team, and an end."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermissionBase

from crm.enums import ShareLevel
from crm.models.membership import Membership, Team
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgManager, TenantModel


class ShareManager(UserObjectPermissionManager, OrgManager):
    """guardian's manager, inside an organisation only."""


class Share(UserObjectPermissionBase, TenantModel):
    """A record shared with a member or a team, to read or to write, until a date or for good.

    `user` and `permission` are guardian's; `user` repeats the member's person so that guardian's checker works, and
    is empty when a team is meant. A subclass adds `content_object`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    member = TenantForeignKey(Membership, models.CASCADE, null=True)
    team = TenantForeignKey(Team, models.CASCADE, null=True)
    level = models.CharField(max_length=5, choices=ShareLevel.choices, default=ShareLevel.READ)
    until = models.DateTimeField(null=True, blank=True)
    granted_by = TenantForeignKey(Membership, models.SET_NULL, null=True)

    objects = ShareManager()

    class Meta:
        abstract = True
        constraints = [
            *TenantModel.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(member__isnull=False, team__isnull=True)
                | models.Q(member__isnull=True, team__isnull=False),
                name="%(app_label)s_%(class)s_one_grantee",
            ),
            models.UniqueConstraint(
                fields=["org", "content_object", "member", "team"],
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once",
            ),
        ]
        indexes = [
            # With level and end: what is shared with somebody is asked before every list.
            *(
                models.Index(
                    fields=["org", grantee, "content_object"],
                    include=["level", "until"],
                    name=f"%(class)s_of_{grantee}",
                )
                for grantee in ("member", "team")
            ),
        ]
