"""Asking people to join: by e-mail, once, for a week, and only whoever holds that address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import queries, rules
from crm.actions import profile
from crm.actions.base import action
from crm.actions.notifications import notify
from crm.enums import Role, TokenKind
from crm.events import enqueue_on_commit
from crm.lib import ratelimit, tokens
from crm.lib.errors import Conflict, CrmError, Forbidden, Invalid, NotFound
from crm.models import Invitation, Membership, Organization, TeamMember, Token, User, normalize_email
from crm.tenancy.context import Actor, org_context
from crm.tenancy.fields import new_id

VALID_FOR = timedelta(days=7)
AT_ONCE = 50  # addresses in one go


class InvitationGoneError(CrmError):
    """Used, taken back, too old, or never there: one answer, so that a guessed link learns nothing."""

    code = "invitation.gone"
    status = 404
    message = gettext_lazy("This link does not work any more. Ask whoever invited you to send a new one.")


class WrongPersonError(CrmError):
    """Somebody is signed in with another address than the one that was invited."""

    code = "invitation.wrong_person"
    status = 403
    message = gettext_lazy("This invitation was sent to another address.")


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """What an invitation's link opens. `user` is who has verified the address already, if anybody has."""

    org_id: UUID
    invitation: Invitation
    organization: Organization
    user: User | None


@action
def invite_members(
    emails: Sequence[str], role: str, teams: Collection[UUID] = (), *, acting: Actor
) -> list[Invitation]:
    """Invites addresses with a role and teams, and asks for the mails. All are invited, or none.

    Raises Forbidden for anybody but an admin, Invalid for addresses that can't be invited, RateLimited.
    """
    _require_admin(acting)
    addresses = _addresses(emails)
    if role not in Role.values:
        raise Invalid(fields={"role": _("Choose a role.")})
    known = queries.team_names()
    if not set(teams) <= known.keys():
        raise Invalid(fields={"teams": _("One of these teams is gone. Reload the page.")})
    for _address in addresses:
        ratelimit.count("invite", org=str(acting.org_id))
    try:
        with transaction.atomic():
            return [_invite(address, role, list(teams), acting) for address in addresses]
    except IntegrityError as error:
        if "crm_invitation_open" not in str(error):
            raise
        raise Conflict(_("Somebody else has just invited one of these people. Reload the page.")) from error


@action
def resend_invitation(invitation_id: UUID, *, acting: Actor) -> Invitation:
    """Sends an open invitation again, with a new link that is good for a week; the old link opens nothing any more."""
    _require_admin(acting)
    invitation = _open(invitation_id)
    ratelimit.count("invite", org=str(acting.org_id))
    former = invitation.token_id
    invitation.token = _make_token()
    _save(invitation)
    Token.objects.filter(id=former).delete()
    enqueue_on_commit("crm.mail.send_invitation", invitation_id=invitation.id)
    return invitation


@action
def revoke_invitation(invitation_id: UUID, *, acting: Actor) -> None:
    """Takes an open invitation back; its link opens nothing any more."""
    _require_admin(acting)
    invitation = _open(invitation_id)
    invitation.revoked_at = timezone.now()
    _save(invitation)
    Token.objects.filter(id=invitation.token_id).update(used_at=timezone.now())


def read_invitation(secret: str) -> OpenInvitation:
    """What a link opens, without using it. Raises InvitationGoneError."""
    found = queries.resolve_token(tokens.digest_of(secret))
    if found is None or found[3] != TokenKind.INVITATION:
        raise InvitationGoneError
    org_id, token_id = found[0], found[1]
    with org_context(Actor.system(org_id)):
        invitation = Invitation.objects.filter(token_id=token_id, accepted_at=None, revoked_at=None).first()
        if invitation is None:
            raise InvitationGoneError
        organization = Organization.objects.get(id=org_id)
    return OpenInvitation(org_id, invitation, organization, verified_user(invitation.email))


def accept_invitation(secret: str, user: User) -> Organization:
    """Makes a signed-in person a member, once.

    Raises InvitationGoneError, and WrongPersonError unless they have verified the invited address.
    """
    opened = read_invitation(secret)
    if opened.user is None or opened.user.id != user.id:
        raise WrongPersonError
    return _join(opened, user)


@transaction.atomic
def accept_as_new_person(secret: str, name: str, password: str) -> tuple[User, Organization]:
    """Makes a person whose address the link itself proves, and a member of them.

    Somebody may have signed up with this address without ever verifying it: their password is replaced, and whatever
    they had signed in with it ends. Raises InvitationGoneError, and WrongPersonError where the address is verified.
    """
    opened = read_invitation(secret)
    if opened.user is not None:
        raise WrongPersonError(_("There is an account for this address already. Sign in to join."))
    address = opened.invitation.email
    user = User.objects.select_for_update(no_key=True).filter(email=address).first()
    if user is None:
        user = User(email=address, locale=translation.get_language() or "en")
    user.name = name.strip()[:120]
    user.set_password(password)
    user.save()
    profile.end_sessions(user)
    EmailAddress.objects.filter(user=user).exclude(email=address).delete()
    EmailAddress.objects.update_or_create(user=user, email=address, defaults={"verified": True, "primary": True})
    return user, _join(opened, user)


def verified_user(address: str) -> User | None:
    """Who has shown that an address is theirs, or None."""
    found = EmailAddress.objects.filter(email=normalize_email(address), verified=True).select_related("user").first()
    return found.user if found is not None else None


def _join(opened: OpenInvitation, user: User) -> Organization:
    with org_context(Actor.system(opened.org_id)):
        _use(opened.invitation)
        _become_member(opened.invitation, user)
    return opened.organization


def _use(invitation: Invitation) -> None:
    """Uses the token up: of two people who press the button at once, one finds it used."""
    now = timezone.now()
    used = Token.objects.filter(id=invitation.token_id, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used:
        raise InvitationGoneError
    invitation.accepted_at = now
    _save(invitation)


def _become_member(invitation: Invitation, user: User) -> None:
    there = Membership.objects.select_for_update(no_key=True).filter(user=user).first()
    if there is not None and not there.active:
        raise Forbidden(_("Your access to this organisation was ended. Ask one of its admins to let you in again."))
    if there is not None:
        return
    member = Membership.objects.create(user=user, role=invitation.role)
    known = queries.team_names()
    TeamMember.objects.bulk_create(TeamMember(team_id=pk, member=member) for pk in invitation.teams if pk in known)
    if invitation.invited_by_id is not None:
        notify(invitation.invited_by_id, "member.joined", name=member.name)


def _invite(address: str, role: str, teams: list[UUID], acting: Actor) -> Invitation:
    invitation = Invitation.objects.create(
        email=address, role=role, teams=teams, invited_by_id=acting.member_id, token=_make_token()
    )
    enqueue_on_commit("crm.mail.send_invitation", invitation_id=invitation.id)
    return invitation


def _make_token() -> Token:
    token_id = new_id()
    secret = tokens.secret_of(token_id, TokenKind.INVITATION)
    return Token.objects.create(
        id=token_id,
        kind=TokenKind.INVITATION,
        digest=tokens.digest_of(secret),
        expires_at=timezone.now() + VALID_FOR,
    )


def _addresses(emails: Sequence[str]) -> list[str]:
    """The addresses, normalised, each once. Raises Invalid that names the ones that can't be invited."""
    addresses = list(dict.fromkeys(normalize_email(email) for email in emails if email.strip()))
    if not addresses:
        raise Invalid(fields={"emails": _("Enter at least one e-mail address.")})
    if len(addresses) > AT_ONCE:
        raise Invalid(fields={"emails": _("Invite at most %(n)d people at once.") % {"n": AT_ONCE}})
    problems = [_("%(address)s is no e-mail address.") % {"address": a} for a in addresses if not _is_address(a)]
    members = dict(Membership.objects.filter(user__email__in=addresses).values_list("user__email", "active"))
    still_open = Invitation.objects.filter(email__in=addresses, accepted_at=None, revoked_at=None)
    open_ones = set(still_open.values_list("email", flat=True))
    for address in addresses:
        if members.get(address):
            problems.append(_("%(address)s is a member already.") % {"address": address})
        elif address in members:
            problems.append(_("%(address)s was deactivated. Activate them again in the list.") % {"address": address})
        elif address in open_ones:
            problems.append(_("%(address)s is invited already. Send that invitation again.") % {"address": address})
    if problems:
        raise Invalid(fields={"emails": " ".join(problems)})
    return addresses


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def _open(invitation_id: UUID) -> Invitation:
    rows = Invitation.objects.select_for_update(no_key=True).filter(accepted_at=None, revoked_at=None)
    invitation = rows.filter(id=invitation_id).first()
    if invitation is None:
        raise NotFound(_("This invitation is not open any more. Reload the page."))
    return invitation


def _save(invitation: Invitation) -> None:
    invitation.version += 1
    invitation.save()


def _require_admin(acting: Actor) -> None:
    if not rules.may_manage_people(acting):
        raise Forbidden
