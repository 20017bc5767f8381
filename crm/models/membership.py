"""Members of an organisation, their teams, and invitations."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.enums import Role, TokenKind
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgModel, TenantModel


class Membership(OrgModel):
    """A user in an organisation, with a role. Records are owned by memberships, so a leaver's history stays."""

    user = models.ForeignKey("crm.User", models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.REP)
    title = models.CharField(max_length=120, blank=True)
    active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    last_active_at = models.DateTimeField(null=True, blank=True)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "user"], name="crm_membership_org_user"),
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def name(self) -> str:
        """The name that other members see."""
        return self.user.get_full_name()


class Team(OrgModel):
    """A group of members; a manager of a team sees the records of every team below it."""

    name = models.CharField(max_length=80)
    parent = TenantForeignKey("crm.Team", models.SET_NULL, null=True, blank=True, related_name="children")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "name"], condition=models.Q(deleted_at__isnull=True), name="crm_team_org_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(TenantModel):
    """A member in a team."""

    team = TenantForeignKey(Team, models.CASCADE, related_name="team_members")
    member = TenantForeignKey(Membership, models.CASCADE, related_name="team_members")
    is_manager = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "team", "member"], name="crm_teammember_once"),
        ]
        indexes = [models.Index(fields=["org", "member"], name="crm_teammember_member")]


class Token(TenantModel):
    """A secret that opens one thing once. Only its SHA-256 is stored; `keel_resolve_token` finds it."""

    kind = models.CharField(max_length=20, choices=TokenKind.choices)
    digest = models.BinaryField(max_length=32, unique=True)
    member = TenantForeignKey(Membership, models.CASCADE, null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Invitation(OrgModel):
    """An e-mail address asked to join, with a role and teams. Bound to that address once it is verified."""

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.REP)
    teams = ArrayField(models.UUIDField(), default=list, blank=True)
    invited_by = TenantForeignKey(Membership, models.SET_NULL, null=True)
    token = TenantForeignKey(Token, models.CASCADE)
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="crm_invitation_open",
            ),
        ]
