"""Routes outside of any organisation: signing in and up, invitations, choosing an organisation."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, get_emailconfirmation_model
from allauth.account.utils import user_pk_to_url_str
from django.core import mail
from django.test import Client

from crm.actions.invitations import invite_members
from crm.enums import TokenKind
from crm.lib import tokens
from crm.models import Membership, Session, TeamMember, User
from tests.factories import PASSWORD, make_user
from tests.security.matrix import ADMIN, ANONYMOUS, COLLEAGUE, EVERYBODY, INSIDE, STRANGER, VISITOR, Route, World

SIGNED_IN = (STRANGER, *INSIDE)
NEW_PASSWORD = "a lighthouse in the fog"


def _page(name: str, **kwargs: Any) -> Route:
    return Route(name=name, method="GET", right=VISITOR, is_global=True, **{"allowed": EVERYBODY, **kwargs})


def _form(name: str, **kwargs: Any) -> Route:
    return Route(name=name, method="POST", right=VISITOR, is_global=True, status=302, **kwargs)


def _signed_in(client: Client) -> bool:
    """Whether the browser opens pages that need a person."""
    return client.get("/orgs/menu/").status_code == 200


# ---------------------------------------------------------------- signing up


def _sign_up_form(world: World) -> dict[str, str]:
    address = f"{uuid4().hex[:10]}@fjord.example"
    world.extra["address"] = address
    return {"organization": "Fjord Robotics", "name": "Maya Okafor", "email": address, "password1": PASSWORD}


def _is_somebody_new(world: World, response: Any, actor: str) -> bool:
    user = User.objects.get(email=world.extra["address"])
    unverified = EmailAddress.objects.filter(user=user, verified=False).count() == 1
    return user.check_password(PASSWORD) and unverified and not _signed_in(response.client)


# ---------------------------------------------------------------- links of mails


def _unverified(world: World) -> None:
    user = make_user(name="Sela Unverified")
    EmailAddress.objects.filter(user=user).update(verified=False)
    world.extra["unverified"] = EmailAddress.objects.get(user=user)


def _confirmation_key(world: World) -> list[Any]:
    return [get_emailconfirmation_model().create(world.extra["unverified"]).key]


def _is_verified(world: World, response: Any, actor: str) -> bool:
    return EmailAddress.objects.get(pk=world.extra["unverified"].pk).verified


def _forgetful(world: World) -> None:
    world.extra["forgetful"] = make_user(name="Fay Forgetful")


def _reset_link(world: World) -> list[Any]:
    user = world.extra["forgetful"]
    return [user_pk_to_url_str(user), default_token_generator.make_token(user)]


def _reset_form(world: World) -> list[Any]:
    return [user_pk_to_url_str(world.extra["forgetful"]), "set-password"]


def _opened_reset_link(world: World, client: Client) -> None:
    uid, key = _reset_link(world)
    assert client.get(f"/auth/password/{uid}-{key}/").status_code == 302


def _mailed(address: str) -> bool:
    return [message.to for message in mail.outbox][-1:] == [[address]]


def _has_new_password(world: World, response: Any, actor: str) -> bool:
    return User.objects.get(pk=world.extra["forgetful"].pk).check_password(NEW_PASSWORD)


# ---------------------------------------------------------------- invitations


def _invite(world: World, address: str) -> None:
    with world.org.acting(world.members[ADMIN]) as admin:
        (made,) = invite_members([address], "manager", [world.team.id], acting=admin)
    world.extra["invitation"] = made


def _invited_anybody(world: World) -> None:
    _invite(world, f"{uuid4().hex[:10]}@fjord.example")


def _invited_stranger(world: World) -> None:
    _invite(world, world.stranger.user.email)


def _secret(world: World) -> list[Any]:
    return [tokens.secret_of(world.extra["invitation"].token_id, TokenKind.INVITATION)]


def _joined(world: World, response: Any, actor: str) -> bool:
    user = User.objects.get(email=world.extra["invitation"].email)
    member = world.find(Membership, user=user)
    in_team = world.find(TeamMember, member=member, team=world.team)
    may_enter = response.client.get(f"/w/{world.org.slug}/settings/profile/").status_code == 200
    return (member.role, in_team.is_manager) == ("manager", False) and may_enter


ENTRANCE = (
    _page(
        "front",
        status=302,
        effect=lambda world, response, actor: (
            response["Location"] == ("/auth/login/" if actor == ANONYMOUS else "/orgs/")
        ),
    ),
    # People who are signed in already are led on.
    _page("account_login", allowed=(ANONYMOUS,), denied=302),
    _form(
        "account_login",
        allowed=(ANONYMOUS,),
        denied=302,
        body=lambda world: {"login": world.members[COLLEAGUE].user.email, "password": PASSWORD},
        effect=lambda world, response, actor: (
            _signed_in(response.client) and Session.objects.filter(user=world.members[COLLEAGUE].user).exists()
        ),
    ),
    _page("account_logout", allowed=SIGNED_IN, denied=302),
    _form(
        "account_logout",
        allowed=SIGNED_IN,
        denied=302,
        effect=lambda world, response, actor: (
            not _signed_in(response.client) and not Session.objects.filter(user=world.member(actor).user).exists()
        ),
    ),
    _page("account_signup", allowed=(ANONYMOUS,), denied=302),
    _form("account_signup", allowed=(ANONYMOUS,), denied=302, body=_sign_up_form, effect=_is_somebody_new),
    _page("account_inactive"),
    _page("account_email_verification_sent"),
    # Opening somebody else's link signs oneself out, and does nothing else before the button is pressed.
    _page(
        "account_confirm_email",
        arrange=_unverified,
        args=_confirmation_key,
        writes=("crm_session",),
        effect=lambda world, response, actor: not _signed_in(response.client) and not _is_verified(world, None, ""),
    ),
    _form(
        "account_confirm_email",
        allowed=EVERYBODY,
        arrange=_unverified,
        args=_confirmation_key,
        effect=_is_verified,
    ),
    _page("account_reset_password"),
    _form(
        "account_reset_password",
        allowed=EVERYBODY,
        arrange=_forgetful,
        body=lambda world: {"email": world.extra["forgetful"].email},
        effect=lambda world, response, actor: _mailed(world.extra["forgetful"].email),
    ),
    _page("account_reset_password_done"),
    _page("account_reset_password_from_key", sets="link", arrange=_forgetful, args=_reset_link, status=302),
    _page(
        "account_reset_password_from_key",
        sets="form",
        arrange=_forgetful,
        args=_reset_form,
        before=_opened_reset_link,
        writes=("crm_session",),
        effect=lambda world, response, actor: 'name="password1"' in response.said and not _signed_in(response.client),
    ),
    _form(
        "account_reset_password_from_key",
        allowed=EVERYBODY,
        arrange=_forgetful,
        args=_reset_form,
        before=_opened_reset_link,
        body=lambda world: {"password1": NEW_PASSWORD},
        effect=_has_new_password,
    ),
    _page("account_reset_password_from_key_done"),
    # The link proves the address to somebody new; whoever is signed in as somebody else is refused.
    _page("invitation", sets="new person", arrange=_invited_anybody, args=_secret, allowed=(ANONYMOUS,), denied=403),
    _form(
        "invitation",
        sets="new person",
        arrange=_invited_anybody,
        args=_secret,
        allowed=(ANONYMOUS,),
        denied=403,
        body=lambda world: {"name": "Nia New", "password": PASSWORD},
        effect=_joined,
    ),
    # An address that somebody has verified needs that person: a visitor is asked to sign in.
    _page(
        "invitation",
        sets="known person",
        arrange=_invited_stranger,
        args=_secret,
        allowed=(STRANGER,),
        denied=403,
        denied_as={ANONYMOUS: 200},
    ),
    _form(
        "invitation",
        sets="known person",
        arrange=_invited_stranger,
        args=_secret,
        allowed=(STRANGER,),
        denied=403,
        denied_as={ANONYMOUS: 200},
        body=lambda world: {"name": "Nia New", "password": PASSWORD},
        effect=_joined,
    ),
    _page(
        "organizations",
        allowed=SIGNED_IN,
        denied=302,
        status=302,
        effect=lambda world, response, actor: (
            response["Location"] == f"/w/{(world.other if actor == STRANGER else world.org).slug}/"
        ),
    ),
    _page("organization_new", allowed=SIGNED_IN, denied=302),
    Route(
        name="organization_new",
        method="POST",
        right="organization.create",
        is_global=True,
        allowed=SIGNED_IN,
        denied=302,
        status=302,
        body=lambda world: {"organization": "Kestrel Works"},
        # Its settings are open to whoever made it, as its admin.
        effect=lambda world, response, actor: (
            "Kestrel Works" in response.client.get(response["Location"] + "settings/general/").content.decode()
        ),
    ),
    _page(
        "organizations_menu",
        allowed=SIGNED_IN,
        denied=302,
        effect=lambda world, response, actor: (
            ("Contoso" if actor == STRANGER else "Northwind") in response.said
            and ("Northwind" if actor == STRANGER else "Contoso") not in response.said
        ),
    ),
    _page("styleguide", allowed=SIGNED_IN, denied=404),
)
