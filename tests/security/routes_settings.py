"""Settings of a person and of the organisation, its people and teams."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.values import NewAccount, NewContact
from crm.actions.fields import FieldSettings, create_field, delete_field
from crm.actions.invitations import invite_members
from crm.actions.members import deactivate_member
from crm.actions.organizations import set_exchange_rate
from crm.models import (
    CustomField,
    ExchangeRate,
    FieldAccess,
    Invitation,
    Membership,
    Organization,
    Session,
    Team,
    TeamMember,
    Token,
    User,
)
from deals.actions.deals import create_deal
from tests.factories import PASSWORD
from tests.security.matrix import (
    ADMIN,
    ADMINISTERS,
    COLLEAGUE,
    INSIDE,
    MEMBER,
    PERSONAL,
    REP,
    Route,
    World,
)
from tests.support.web import session_for

NEW_PASSWORD = "a lighthouse in the fog"


def _own(name: str, method: str, **kwargs: Any) -> Route:
    """One's own settings: every member has them."""
    return Route(name=name, method=method, **{"right": "profile.edit", "allowed": INSIDE, "status": 302, **kwargs})


def _admin(name: str, method: str, right: str, **kwargs: Any) -> Route:
    """A page for admins. That it exists is no secret, so others of the organisation get 403."""
    status = 200 if method == "GET" else 302
    return Route(
        name=name, method=method, right=right, **{"allowed": ADMINISTERS, "denied": 403, "status": status, **kwargs}
    )


# ---------------------------------------------------------------- one's own things


def _user(world: World, actor: str) -> User:
    return User.objects.get(pk=world.members[actor].user_id)


def _asked_for_addresses(world: World) -> None:
    for actor in INSIDE:
        user = world.members[actor].user
        EmailAddress.objects.create(user=user, email=f"other-{user.email}", verified=False, primary=False)


def _asking(world: World) -> set[str]:
    """Who has asked for another address."""
    unverified = set(EmailAddress.objects.filter(verified=False).values_list("user_id", flat=True))
    return {actor for actor in INSIDE if world.members[actor].user_id in unverified}


def _signed_in_twice(world: World) -> None:
    for actor in INSIDE:
        session_for(world.members[actor].user)


def _rep_signed_in_elsewhere(world: World) -> None:
    world.extra["session"] = session_for(world.members[REP].user)


def _sessions(world: World, actor: str) -> list[str]:
    return list(Session.objects.filter(user=world.members[actor].user).values_list("session_key", flat=True))


PROFILE = (
    Route(name="settings", method="GET", right=MEMBER, allowed=INSIDE, status=302),
    _own("settings_profile", "GET", status=200),
    _own(
        "settings_profile",
        "POST",
        body=lambda world: {"name": "Nia New", "locale": "en", "time_zone": "Europe/Oslo", "theme": "dark"},
        effect=lambda world, response, actor: (
            [_user(world, actor).name, _user(world, actor).time_zone, _user(world, actor).theme]
            == ["Nia New", "Europe/Oslo", "dark"]
        ),
    ),
    _own(
        "settings_password",
        "POST",
        body=lambda world: {"current": PASSWORD, "new": NEW_PASSWORD},
        effect=lambda world, response, actor: _user(world, actor).check_password(NEW_PASSWORD),
    ),
    _own(
        "settings_address",
        "POST",
        body=lambda world: {"email": "elsewhere@fjord.example", "password": PASSWORD},
        effect=lambda world, response, actor: (
            list(
                EmailAddress.objects.filter(user=_user(world, actor))
                .order_by("verified")
                .values_list("email", flat=True)
            )
            == ["elsewhere@fjord.example", _user(world, actor).email]
        ),
    ),
    _own(
        "settings_address",
        "DELETE",
        arrange=_asked_for_addresses,
        effect=lambda world, response, actor: _asking(world) == set(INSIDE) - {actor},
    ),
    _own(
        "settings_sessions",
        "DELETE",
        arrange=_signed_in_twice,
        # The browser that asked stays, everybody else's too.
        effect=lambda world, response, actor: (
            len(_sessions(world, actor)) == 1
            and all(len(_sessions(world, other)) == 2 for other in INSIDE if other != actor)
            and response.client.get(f"/w/{world.org.slug}/settings/profile/").status_code == 200
        ),
    ),
    # A browser of the rep's: for everybody else, admins too, there is no such thing.
    _own(
        "settings_session",
        "DELETE",
        right=PERSONAL,
        allowed=(REP,),
        arrange=_rep_signed_in_elsewhere,
        args=lambda world: [hashlib.sha256(world.extra["session"].encode()).hexdigest()[:32]],
        effect=lambda world, response, actor: _sessions(world, REP) == [world.sessions[REP]],
    ),
)

# ---------------------------------------------------------------- the organisation


def _organization(world: World) -> Organization:
    with world.org.system():
        return Organization.objects.get(id=world.org.id)


def _rate(world: World) -> None:
    with world.org.acting(world.members[ADMIN]) as admin:
        world.extra["rate"] = set_exchange_rate("USD", Decimal("0.9"), date(2026, 1, 1), acting=admin)


def _field(world: World) -> None:
    with world.org.acting(world.members[ADMIN]) as admin:
        given = FieldSettings(label="Region", key="region_c")
        world.extra["field"] = create_field("contact", given, acting=admin)


def _two_fields(world: World) -> None:
    _field(world)
    with world.org.acting(world.members[ADMIN]) as admin:
        world.extra["second"] = create_field("contact", FieldSettings(label="Second"), acting=admin)


def _deleted_field(world: World) -> None:
    _field(world)
    with world.org.acting(world.members[ADMIN]) as admin:
        delete_field(world.extra["field"].pk, acting=admin)


def _field_pk(world: World) -> list[Any]:
    return [world.extra["field"].pk]


GENERAL = (
    _admin("settings_general", "GET", "organization.settings"),
    _admin(
        "settings_general",
        "POST",
        "organization.settings",
        body=lambda world: {
            "name": "Northwind Trading",
            "time_zone": "Europe/Oslo",
            "base_currency": "NOK",
            "fiscal_year_start": "4",
            "visibility": "all_read",
            "readonly_may_export": "on",
        },
        effect=lambda world, response, actor: (
            (o := _organization(world)).name == "Northwind Trading"
            and (o.time_zone, o.base_currency, o.fiscal_year_start, o.visibility, o.readonly_may_export)
            == ("Europe/Oslo", "NOK", 4, "all_read", True)
        ),
    ),
    _admin("settings_currencies", "GET", "currency.rates"),
    _admin(
        "settings_currencies",
        "POST",
        "currency.rates",
        body=lambda world: {"currency": "USD", "rate": "0.92", "valid_from": "2026-01-31"},
        effect=lambda world, response, actor: (
            world.find(ExchangeRate, currency="USD", valid_from=date(2026, 1, 31)).rate == Decimal("0.92")
        ),
    ),
    _admin(
        "settings_currency_rate",
        "DELETE",
        "currency.rates",
        arrange=_rate,
        args=lambda world: [world.extra["rate"].pk],
        effect=lambda world, response, actor: world.count(ExchangeRate) == 0,
    ),
    _admin("settings_fields", "GET", "fields.configure"),
    _admin("settings_fields_of", "GET", "fields.configure", args=lambda world: ["deal"]),
    _admin("field_new", "GET", "fields.configure", args=lambda world: ["contact"]),
    _admin(
        "field_new",
        "POST",
        "fields.configure",
        args=lambda world: ["contact"],
        query=lambda world: {"kind": "text"},
        body=lambda world: {"label": "Territory"},
        effect=lambda world, response, actor: world.find(CustomField, key="territory").record_type == "contact",
    ),
    _admin("field_edit", "GET", "fields.configure", arrange=_field, args=_field_pk),
    _admin(
        "field_edit",
        "POST",
        "fields.configure",
        arrange=_field,
        args=_field_pk,
        body=lambda world: {"label": "Area"},
        effect=lambda world, response, actor: world.find(CustomField, key="region_c").label == "Area",
    ),
    _admin("field_access", "GET", "fields.configure", arrange=_field, args=_field_pk),
    _admin(
        "field_access",
        "POST",
        "fields.configure",
        arrange=_field,
        args=_field_pk,
        body=lambda world: {"manager": "edit", "rep": "hidden", "readonly": "read"},
        effect=lambda world, response, actor: world.find(FieldAccess, role="rep").level == "hidden",
    ),
    _admin("built_in_access", "GET", "fields.configure", args=lambda world: ["contact", "email"]),
    _admin(
        "built_in_access",
        "POST",
        "fields.configure",
        args=lambda world: ["contact", "email"],
        body=lambda world: {"manager": "edit", "rep": "hidden", "readonly": "read"},
        effect=lambda world, response, actor: world.find(FieldAccess, role="rep").field_key == "email",
    ),
    _admin(
        "field_deletion",
        "POST",
        "fields.configure",
        arrange=_field,
        args=_field_pk,
        effect=lambda world, response, actor: world.find(CustomField, key="region_c").deleted_at is not None,
    ),
    _admin(
        "field_restoration",
        "POST",
        "fields.configure",
        arrange=_deleted_field,
        args=_field_pk,
        effect=lambda world, response, actor: world.find(CustomField, key="region_c").deleted_at is None,
    ),
    _admin(
        "field_order",
        "PUT",
        "fields.configure",
        arrange=_two_fields,
        args=lambda world: ["contact"],
        body=lambda world: {"order": [str(world.extra["second"].pk), str(world.extra["field"].pk)]},
        status=204,
        effect=lambda world, response, actor: world.find(CustomField, key="region_c").position == 1,
    ),
)

# ---------------------------------------------------------------- people


def _pk(world: World) -> list[Any]:
    return [world.members[COLLEAGUE].pk]


def _colleague(world: World) -> Membership:
    found: Membership = world.get(Membership, world.members[COLLEAGUE].pk)
    return found


def _deactivated(world: World) -> None:
    with world.org.acting(world.members[ADMIN]) as admin:
        deactivate_member(world.members[COLLEAGUE].pk, acting=admin)


def _with_records(world: World) -> None:
    """Gives the colleague a record of each type."""
    with world.org.acting(world.members[COLLEAGUE]) as colleague:
        world.extra["records"] = [
            create_account(NewAccount(name="Kestrel Works"), acting=colleague),
            create_contact(NewContact(last_name="Okafor"), acting=colleague),
            create_deal({"name": "Fleet", "stage": world.stages["Lead"].pk}, acting=colleague),
        ]


MEMBERS = (
    _admin("settings_members", "GET", "member.change_role"),
    _admin(
        "member_role",
        "PUT",
        "member.change_role",
        status=200,
        args=_pk,
        body=lambda world: {"role": "manager"},
        effect=lambda world, response, actor: _colleague(world).role == "manager",
    ),
    _admin("member_teams", "GET", "team.arrange", args=_pk),
    _admin(
        "member_teams",
        "POST",
        "team.arrange",
        args=_pk,
        body=lambda world: {"teams": [world.team.pk], "managed": [world.team.pk]},
        effect=lambda world, response, actor: (
            world.find(TeamMember, member=world.members[COLLEAGUE], team=world.team).is_manager
        ),
    ),
    _admin("member_deactivation", "GET", "member.deactivate", args=_pk),
    _admin(
        "member_deactivation",
        "POST",
        "member.deactivate",
        arrange=_with_records,
        args=_pk,
        body=lambda world: {"reassign_to": world.members[REP].pk},
        effect=lambda world, response, actor: (
            not _colleague(world).active
            and {world.get(type(record), record.pk).owner_id for record in world.extra["records"]}
            == {world.members[REP].pk}
        ),
    ),
    _admin(
        "member_deactivation",
        "DELETE",
        "member.deactivate",
        arrange=_deactivated,
        # Who is no member any more finds no organisation.
        denied_as={COLLEAGUE: 404},
        args=_pk,
        effect=lambda world, response, actor: _colleague(world).active,
    ),
)

# ---------------------------------------------------------------- teams


def _people_of(world: World, team: Team) -> dict[Any, bool]:
    with world.org.system():
        return dict(TeamMember.objects.filter(team=team).values_list("member_id", "is_manager"))


def _team_form(world: World) -> dict[str, Any]:
    members, managers = world.members[COLLEAGUE].pk, world.members["manager"].pk
    return {"name": "South", "parent": "", "members": [members], "managers": [managers]}


def _is_south(world: World, team: Any) -> bool:
    expected = {world.members[COLLEAGUE].pk: False, world.members["manager"].pk: True}
    return team.name == "South" and _people_of(world, team) == expected


TEAMS = (
    _admin("settings_teams", "GET", "team.arrange"),
    _admin("team_new", "GET", "team.arrange"),
    _admin(
        "team_new",
        "POST",
        "team.arrange",
        body=lambda world: {**_team_form(world), "parent": world.team.pk},
        effect=lambda world, response, actor: _is_south(world, world.find(Team, parent=world.team)),
    ),
    _admin("team_edit", "GET", "team.arrange", args=lambda world: [world.team.pk]),
    _admin(
        "team_edit",
        "POST",
        "team.arrange",
        args=lambda world: [world.team.pk],
        body=_team_form,
        effect=lambda world, response, actor: _is_south(world, world.get(Team, world.team.pk)),
    ),
    _admin(
        "team_edit",
        "DELETE",
        "team.arrange",
        args=lambda world: [world.team.pk],
        effect=lambda world, response, actor: (
            world.get(Team, world.team.pk).deleted_at <= timezone.now() and world.count(TeamMember) == 0
        ),
    ),
)

# ---------------------------------------------------------------- invitations


def _invitation(world: World) -> None:
    with world.org.acting(world.members[ADMIN]) as admin:
        (world.extra["invitation"],) = invite_members(["guest@fjord.example"], "rep", acting=admin)


def _invited(world: World) -> Invitation:
    found: Invitation = world.get(Invitation, world.extra["invitation"].pk)
    return found


INVITATIONS = (
    _admin("settings_invitations", "GET", "member.invite"),
    _admin("invitation_new", "GET", "member.invite"),
    _admin(
        "invitation_new",
        "POST",
        "member.invite",
        body=lambda world: {"emails": "guest@fjord.example", "role": "manager", "teams": [world.team.pk]},
        effect=lambda world, response, actor: (
            (found := world.find(Invitation, email="guest@fjord.example")).role == "manager"
            and found.teams == [world.team.pk]
        ),
    ),
    _admin(
        "invitation_revoke",
        "DELETE",
        "member.invite",
        arrange=_invitation,
        args=lambda world: [world.extra["invitation"].pk],
        effect=lambda world, response, actor: (
            _invited(world).revoked_at is not None
            and world.get(Token, world.extra["invitation"].token_id).used_at is not None
        ),
    ),
    _admin(
        "invitation_sending",
        "POST",
        "member.invite",
        arrange=_invitation,
        args=lambda world: [world.extra["invitation"].pk],
        # The old link is dead, the new one has its mail asked for.
        effect=lambda world, response, actor: (
            _invited(world).token_id != world.extra["invitation"].token_id
            and world.get(Token, world.extra["invitation"].token_id) is None
        ),
    ),
)

SETTINGS = (*PROFILE, *GENERAL, *MEMBERS, *TEAMS, *INVITATIONS)
