"""Opening a contact or an account to a member or a team. Sharing only widens what they see."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import access, queries, rules
from contacts.events import AccountShared, AccountUnshared, ContactShared, ContactUnshared
from contacts.models import Account, AccountShare, Contact, ContactShare
from crm.actions.base import action
from crm.enums import ShareLevel
from crm.events import emit
from crm.lib.errors import Forbidden, Invalid, NotFound
from crm.models import Share
from crm.tenancy.context import Actor


@action
def share_contact(
    contact_id: UUID | str,
    *,
    acting: Actor,
    level: str,
    member_id: UUID | None = None,
    team_id: UUID | None = None,
    until: datetime | None = None,
) -> ContactShare:
    """Shares a contact with a member or a team, to read or to write, until a moment or for good.

    A share that is there already is changed. Raises NotFound; Forbidden for a contact that was only shared with the
    actor; Invalid for a grantee who is absent or owns it, or a moment in the past.
    """
    contact = access.change_contact(contact_id, acting)
    share = _share(ContactShare, contact, acting, level, member_id, team_id, until)
    emit(ContactShared(record=contact.id, member=member_id, team=team_id, level=level))
    return share


@action
def share_account(
    account_id: UUID | str,
    *,
    acting: Actor,
    level: str,
    member_id: UUID | None = None,
    team_id: UUID | None = None,
    until: datetime | None = None,
) -> AccountShare:
    """Shares an account, like share_contact."""
    account = access.change_account(account_id, acting)
    share = _share(AccountShare, account, acting, level, member_id, team_id, until)
    emit(AccountShared(record=account.id, member=member_id, team=team_id, level=level))
    return share


@action
def unshare_contact(contact_id: UUID | str, share_id: UUID | str, *, acting: Actor) -> None:
    """Takes a share of a contact back. Raises NotFound, Forbidden."""
    contact = access.change_contact(contact_id, acting)
    share = _unshare(ContactShare, contact, share_id, acting)
    emit(ContactUnshared(record=contact.id, member=share.member_id, team=share.team_id))


@action
def unshare_account(account_id: UUID | str, share_id: UUID | str, *, acting: Actor) -> None:
    """Takes a share of an account back. Raises NotFound, Forbidden."""
    account = access.change_account(account_id, acting)
    share = _unshare(AccountShare, account, share_id, acting)
    emit(AccountUnshared(record=account.id, member=share.member_id, team=share.team_id))


def _share(
    model: Any,
    record: Contact | Account,
    acting: Actor,
    level: str,
    member_id: UUID | None,
    team_id: UUID | None,
    until: datetime | None,
) -> Any:
    _check_may_share(record, acting)
    if level not in ShareLevel.values:
        raise Invalid(fields={"level": _("Choose whether they can view or edit.")})
    if until is not None and until <= timezone.now():
        raise Invalid(fields={"until": _("This moment has passed. Choose a later one.")})
    user_id = _grantee(record, member_id, team_id)
    share, _made = model.objects.update_or_create(
        content_object=record,
        member_id=member_id,
        team_id=team_id,
        defaults={
            "level": level,
            "until": until,
            "granted_by_id": acting.member_id,
            "user_id": user_id,
            "permission_id": _permission_id(type(record)._meta.model_name or "", level),
        },
    )
    return share


def _grantee(record: Contact | Account, member_id: UUID | None, team_id: UUID | None) -> UUID | None:
    """The user behind a member, None for a team. Raises Invalid for nobody, both, the absent, and the owner."""
    if (member_id is None) == (team_id is None):
        raise Invalid(fields={"grantee": _("Choose a member or a team.")})
    if team_id is not None:
        if not queries.team_exists(team_id):
            raise Invalid(fields={"grantee": _("This team was not found. Choose another one.")})
        return None
    if member_id == record.owner_id:
        raise Invalid(fields={"grantee": _("This member owns the record and has full access already.")})
    user_id = queries.user_of_member(member_id)
    if user_id is None:
        raise Invalid(fields={"grantee": _("This member was not found or is not active. Choose another one.")})
    return user_id


def _unshare(model: Any, record: Contact | Account, share_id: UUID | str, acting: Actor) -> Share:
    _check_may_share(record, acting)
    share = model.objects.filter(pk=share_id, content_object=record).first() if access.is_uuid(share_id) else None
    if share is None:
        raise NotFound(_("This share was taken back already."))
    share.delete()
    return share


def _check_may_share(record: Contact | Account, acting: Actor) -> None:
    if not rules.may_share(acting, record):
        raise Forbidden(_("Only its owner, their manager or an administrator can share this."))


@lru_cache(maxsize=16)
def _permission_id(model_name: str, level: str) -> int:
    """guardian's side of a share: "view_contact" or "change_contact". Made by migrate, the same everywhere."""
    verb = "change" if level == ShareLevel.WRITE else "view"
    return Permission.objects.values_list("id", flat=True).get(
        codename=f"{verb}_{model_name}", content_type__app_label="contacts"
    )
