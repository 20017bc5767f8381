"""A person's own things: profile, password, address, sessions. They belong to no organisation, so there is no actor:
each function takes the person whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress, get_emailconfirmation_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import people
from crm.lib import mail, ratelimit
from crm.lib.errors import Invalid, NotFound
from crm.models import Session, User, normalize_email
from crm.web.urls import global_url


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person may change about themselves.

    An empty `time_zone` is the organisation's, an empty `theme` the device's.
    """

    name: str
    locale: str
    time_zone: str
    theme: str
    shortcuts: bool


@transaction.atomic
def update_profile(user: User, given: Profile) -> User:
    """Changes name, language, time zone, theme and single-key shortcuts."""
    if not given.name.strip():
        raise Invalid(fields={"name": _("Enter your name.")})
    user.name = given.name.strip()[:120]
    user.locale, user.time_zone = given.locale, given.time_zone
    user.theme, user.shortcuts = given.theme, given.shortcuts
    user.save(update_fields=["name", "locale", "time_zone", "theme", "shortcuts"])
    return user


def change_password(user: User, current: str, new: str, *, keep_session: str = "", ip: str = "") -> None:
    """Replaces the password, given the current one, and ends every session but `keep_session` (a session key).

    A mail tells the person so, and from which address (`ip`) it was done. Raises Invalid for a wrong or weak password,
    RateLimited after many wrong ones.
    """
    # Outside of the transaction below: a refused try must stay counted.
    check_password(user, current, field="current")
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise Invalid(fields={"new": " ".join(error.messages)}) from error
    with transaction.atomic():
        set_password(user, new, keep_session=keep_session)
    notice = {"timestamp": timezone.now(), "ip": ip, "link": global_url("account_reset_password")}
    mail.send_on_commit(user.email, "password_changed", notice, language=user.locale)


def set_password(user: User, password: str, *, keep_session: str = "") -> None:
    """Stores a password whose change is allowed, and ends the sessions that were begun under the old one."""
    user.set_password(password)
    user.save()
    end_sessions(user, keep=keep_session)


def check_password(user: User, password: str, *, field: str) -> None:
    """Asks for the password once more, before a change that could lock the person out. Raises Invalid, RateLimited."""
    ratelimit.count("password", user=str(user.id))
    if not user.check_password(password):
        raise Invalid(fields={field: _("This is not your current password.")})
    ratelimit.forgive("password", user=str(user.id))


def request_address_change(user: User, address: str, password: str) -> None:
    """Sends a link to a new address; opening it makes the address theirs. Until then nothing changes.

    Whether the address belongs to somebody else is told to that mailbox alone.
    """
    # Outside of the transaction below: a refused try must stay counted.
    check_password(user, password, field="password")
    address = normalize_email(address)
    if address == user.email:
        raise Invalid(fields={"email": _("This is your address already.")})
    ratelimit.count("change_address", user=str(user.id))
    taken = EmailAddress.objects.filter(email=address, verified=True).exclude(user=user).exists()
    pending = EmailAddress.objects.add_new_email(None, user, address, send_verification=False)
    if taken:
        name, link = "account_already_exists", global_url("account_reset_password")
    else:
        confirmation = get_emailconfirmation_model().create(pending)
        name, link = "email_confirmation", global_url("account_confirm_email", confirmation.key)
    mail.send_on_commit(address, name, {"link": link}, language=user.locale)


@transaction.atomic
def cancel_address_change(user: User) -> None:
    """Forgets the new address; its link does nothing any more."""
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()


@transaction.atomic
def release_address(address: str, *, to: User) -> None:
    """Takes an address from whoever signed up with it and never verified it, before `to`, who did, gets it."""
    for squatter in User.objects.select_for_update().filter(email=normalize_email(address)).exclude(id=to.id):
        squatter.email = f"{squatter.id}@released.invalid"
        squatter.is_active = False
        squatter.set_unusable_password()
        squatter.save()
        EmailAddress.objects.filter(user=squatter).delete()
        end_sessions(squatter)


@transaction.atomic
def end_session(user: User, public_id: str) -> None:
    """Signs one browser out, at once and everywhere. Raises NotFound when it is signed out already."""
    for session in people.sessions_of(user.id):
        if session.public_id == public_id:
            Session.objects.filter(session_key=session.key).delete()
            return
    raise NotFound(_("This browser is signed out already. Reload the page."))


def end_sessions(user: User, *, keep: str = "") -> int:
    """Signs every browser of a person out, but the one whose session key is `keep`; says how many."""
    return Session.objects.filter(user=user).exclude(session_key=keep).delete()[0]
