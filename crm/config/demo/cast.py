"""The two organisations and who works there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from crm.config.demo.dice import Dice
from crm.config.demo.words import TAGS
from crm.enums import Role, Visibility
from crm.models import ExchangeRate, Membership, Organization, Tag, Team, TeamMember, User


@dataclass(frozen=True)
class Person:
    """Somebody with a log-in, and what they are in one organisation."""

    name: str
    email: str
    role: Role
    title: str
    team: str = ""
    manages: bool = False


@dataclass(frozen=True)
class Setting:
    """What an organisation is, before it has any records. `counts` says how much of everything it gets."""

    name: str
    slug: str
    time_zone: str
    visibility: Visibility
    people: tuple[Person, ...]
    accounts: int
    contacts: int
    open_deals: tuple[int, ...]  # by open stage
    won: int
    lost: int
    activities: int
    stems_from: int = 0  # where in words.STEMS its companies begin


FJORD = Setting(
    name="Fjord Robotics",
    slug="fjord",
    time_zone="Europe/Oslo",
    visibility=Visibility.PRIVATE,
    people=(
        Person("Solveig Dahl", "solveig@fjord.example", Role.ADMIN, "Head of Sales"),
        Person("Jonas Lind", "jonas@fjord.example", Role.MANAGER, "Manager Nordics", "Nordics", manages=True),
        Person("Maya Okafor", "maya@fjord.example", Role.REP, "Account Executive", "Nordics"),
        Person("Aiko Mori", "aiko@fjord.example", Role.REP, "Account Executive", "Nordics"),
        Person("Priya Raman", "priya@fjord.example", Role.MANAGER, "Manager Continental", "Continental", manages=True),
        Person("Tom Becker", "tom@fjord.example", Role.REP, "Account Executive", "Continental"),
        Person("Lucía Serrano", "lucia@fjord.example", Role.REP, "Account Executive", "Continental"),
        Person("Henrik Aas", "henrik@fjord.example", Role.READONLY, "Finance"),
    ),
    accounts=150,
    contacts=600,
    open_deals=(30, 28, 24, 20, 16, 12),
    won=56,
    lost=34,
    activities=3000,
)
TIDEWATER = Setting(
    name="Tidewater Instruments",
    slug="tidewater",
    time_zone="Europe/London",
    visibility=Visibility.ALL_READ,
    people=(
        Person("Nadia Ferreira", "nadia@tidewater.example", Role.ADMIN, "Managing Director"),
        Person("Elin Strand", "elin@tidewater.example", Role.REP, "Sales"),
        # Works for both, so that there is something to switch to.
        Person("Solveig Dahl", "solveig@fjord.example", Role.READONLY, "Adviser"),
    ),
    accounts=12,
    contacts=40,
    open_deals=(4, 3, 3, 2, 1, 1),
    won=3,
    lost=1,
    activities=120,
    stems_from=150,
)
CURRENCIES: dict[str, int] = {"EUR": 60, "USD": 25, "GBP": 15}  # and how often, in percent
RATES: dict[str, float] = {"USD": 0.92, "GBP": 1.16}  # euros for one, a year ago


@dataclass
class Cast:
    """An organisation's own rows, unsaved."""

    organization: Organization
    users: list[User] = field(default_factory=list)
    members: list[Membership] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    team_members: list[TeamMember] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    rates: list[ExchangeRate] = field(default_factory=list)

    def sellers(self) -> dict[Membership, int]:
        """Who owns records, and how often: reps most, managers some, an admin only where there is no manager."""
        weights = {Role.REP.value: 20, Role.MANAGER.value: 8}
        if not any(member.role == Role.MANAGER for member in self.members):
            weights[Role.ADMIN.value] = 12
        return {member: weights[member.role] for member in self.members if member.role in weights}


def make_cast(setting: Setting, dice: Dice, users: dict[str, User]) -> Cast:
    """Organisation, members, teams, tags and exchange rates. `users` is filled, so that people may work for two."""
    founded = dice.now - dt.timedelta(days=460)
    organization = Organization(
        id=dice.id(founded),
        slug=setting.slug,
        name=setting.name,
        time_zone=setting.time_zone,
        base_currency="EUR",
        visibility=setting.visibility,
        is_demo=True,
        created_at=founded,
        updated_at=founded,
    )
    cast = Cast(organization)
    for name in dict.fromkeys(person.team for person in setting.people if person.team):
        cast.teams.append(
            Team(id=dice.id(founded), org=organization, name=name, created_at=founded, updated_at=founded)
        )
    for person in setting.people:
        _join(cast, person, dice, users)
    cast.tags = [
        Tag(id=dice.id(founded), org=organization, name=name, tone=tone, created_at=founded, updated_at=founded)
        for name, tone in TAGS
    ]
    cast.rates = _rates(organization, dice)
    return cast


def _join(cast: Cast, person: Person, dice: Dice, users: dict[str, User]) -> None:
    since = cast.organization.created_at + dt.timedelta(days=len(cast.members))
    if person.email not in users:
        user = User(id=dice.id(since), email=person.email, name=person.name, is_demo=True, date_joined=since)
        users[person.email] = user
        cast.users.append(user)
    member = Membership(
        id=dice.id(since),
        org=cast.organization,
        user=users[person.email],
        role=person.role,
        title=person.title,
        created_at=since,
        updated_at=since,
    )
    cast.members.append(member)
    for team in cast.teams:
        if team.name == person.team:
            joined = TeamMember(
                id=dice.id(since),
                org=cast.organization,
                team=team,
                member=member,
                is_manager=person.manages,
                created_at=since,
            )
            cast.team_members.append(joined)


def _rates(organization: Organization, dice: Dice) -> list[ExchangeRate]:
    rates = []
    for currency, start in RATES.items():
        for months in range(14, -1, -1):
            day = (dice.now - dt.timedelta(days=30 * months)).date()
            rates.append(
                ExchangeRate(
                    id=dice.id(dice.now - dt.timedelta(days=30 * months)),
                    org=organization,
                    currency=currency,
                    rate=f"{start * dice.factor(0.97, 1.03):.4f}",
                    valid_from=day,
                    created_at=dice.now - dt.timedelta(days=30 * months),
                )
            )
    return rates
