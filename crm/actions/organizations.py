"""Organisations: making one, and its settings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm import rules
from crm.actions.base import action
from crm.enums import Role, Visibility
from crm.lib.errors import Forbidden, Invalid, NotFound
from crm.models import ExchangeRate, Membership, Organization, User, normalize_email
from crm.records import hooks
from crm.tenancy.context import Actor, org_context
from crm.tenancy.fields import new_id

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody new tells: who they are, and the name of the organisation they begin."""

    name: str
    email: str
    password: str
    organization: str


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """What an admin may change about an organisation. `fiscal_year_start` is a month, 1 to 12."""

    name: str
    time_zone: str
    base_currency: str
    fiscal_year_start: int
    visibility: Visibility
    readonly_may_export: bool


@transaction.atomic
def sign_up(given: SignUp) -> User:
    """Makes a person and their organisation. The address counts as theirs once they verify it (allauth asks)."""
    user = User(email=normalize_email(given.email), name=given.name.strip(), locale=translation.get_language() or "en")
    user.set_password(given.password)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    create_organization(given.organization, user=user)
    return user


class _TakenBackError(Exception):
    """Ends the rehearsal."""


def rehearse_sign_up(given: SignUp) -> None:
    """Does the work of sign_up for an address that is known already, and takes it back.

    The answer to a known address must not come sooner than the one to a new address.
    """
    nobody = SignUp(given.name, f"{secrets.token_hex(12)}@rehearsal.invalid", given.password, given.organization)
    try:
        with transaction.atomic():
            sign_up(nobody)
            raise _TakenBackError
    except _TakenBackError:
        return


def create_organization(name: str, *, user: User, time_zone: str = "UTC") -> Organization:
    """Makes an organisation with this user as its admin, and lets the apps furnish it (a default pipeline)."""
    name = name.strip()
    if not name:
        raise Invalid(fields={"organization": _("Give your organisation a name.")})
    actor = Actor.system(new_id())
    with org_context(actor):
        organization = _insert(actor.org_id, name, time_zone=time_zone, locale=user.locale)
        Membership.objects.create(user=user, role=Role.ADMIN)
        for furnish in hooks.organization_created:
            furnish(actor)
    return organization


def _insert(org_id: UUID, name: str, **fields: str) -> Organization:
    """The row, under the first free slug: the name's own, then with a random tail.

    Other organisations' slugs can't be read here, so the unique constraint is asked.
    """
    base = slugify(name)[:50].strip("-") or "org"
    slug = base
    for _attempt in range(5):
        try:
            with transaction.atomic():
                return Organization.objects.create(id=org_id, name=name[:120], slug=slug, **fields)
        except IntegrityError as error:
            if "slug" not in str(error):
                raise
            slug = f"{base}-{''.join(secrets.choice(_ALPHABET) for _i in range(5))}"
    raise Invalid(fields={"organization": _("This name could not be used. Try a different one.")})


@action
def change_settings(given: OrganizationSettings, *, acting: Actor) -> Organization:
    """Changes the organisation's settings. Raises Forbidden for anybody but an admin, Invalid for what can't be."""
    organization = _administered(acting)
    if not given.name.strip():
        raise Invalid(fields={"name": _("Give your organisation a name.")})
    if not 1 <= given.fiscal_year_start <= 12:
        raise Invalid(fields={"fiscal_year_start": _("Choose a month.")})
    if given.base_currency != organization.base_currency and ExchangeRate.objects.exists():
        text = _("The exchange rates are rates to %(currency)s. Remove them under Currencies first, then change this.")
        raise Invalid(fields={"base_currency": text % {"currency": organization.base_currency}})
    organization.name = given.name.strip()[:120]
    organization.time_zone = given.time_zone
    organization.base_currency = given.base_currency
    organization.fiscal_year_start = given.fiscal_year_start
    organization.visibility = given.visibility
    organization.readonly_may_export = given.readonly_may_export
    organization.save()
    return organization


@action
def set_exchange_rate(currency: str, rate: Decimal, valid_from: date, *, acting: Actor) -> ExchangeRate:
    """Says what one unit of a currency is worth in the base currency from a day on, in place of an earlier one."""
    organization = _administered(acting)
    if currency == organization.base_currency:
        raise Invalid(fields={"currency": _("This is the base currency; its rate is always 1.")})
    if rate <= 0:
        raise Invalid(fields={"rate": _("Enter a rate above zero.")})
    made, _created = ExchangeRate.objects.update_or_create(
        currency=currency, valid_from=valid_from, defaults={"rate": rate}
    )
    return made


@action
def delete_exchange_rate(rate_id: UUID, *, acting: Actor) -> None:
    """Removes a dated rate; amounts of its days are converted by the rate before it."""
    _administered(acting)
    if not ExchangeRate.objects.filter(id=rate_id).delete()[0]:
        raise NotFound(_("This rate is gone already. Reload the page."))


def _administered(acting: Actor) -> Organization:
    if not rules.may_administer(acting):
        raise Forbidden
    return Organization.objects.select_for_update(no_key=True).get(id=acting.org_id)
