"""Accounts and the people who work there."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass, field

from contacts.enums import AddressKind, ContactRole, LeadStatus, Lifecycle
from contacts.models import Account, AccountContact, AccountDomain, Contact, ContactEmail, ContactPhone
from crm.config.demo.cast import Cast, Setting
from crm.config.demo.dice import Dice
from crm.config.demo.words import INDUSTRIES, NAMES, PLACES, SOURCES, STEMS, STREETS, TITLES
from crm.models import Membership

FREE_MAIL = "postbox.example"
ALONE_PERCENT = 8  # contacts without an account
LIFECYCLES: dict[str, int] = {
    Lifecycle.SUBSCRIBER: 6,
    Lifecycle.LEAD: 38,
    Lifecycle.MQL: 14,
    Lifecycle.SQL: 12,
    Lifecycle.OPPORTUNITY: 16,
    Lifecycle.CUSTOMER: 12,
    Lifecycle.EVANGELIST: 2,
}
STATUSES: dict[str, int] = {
    LeadStatus.NEW: 30,
    LeadStatus.CONTACTED: 35,
    LeadStatus.QUALIFIED: 27,
    LeadStatus.UNQUALIFIED: 8,
}


@dataclass
class Companies:
    """Accounts, contacts and their child rows, unsaved."""

    accounts: list[Account] = field(default_factory=list)
    domains: list[AccountDomain] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    emails: list[ContactEmail] = field(default_factory=list)
    phones: list[ContactPhone] = field(default_factory=list)
    links: list[AccountContact] = field(default_factory=list)
    staff: dict[Account, list[Contact]] = field(default_factory=dict)


def make_companies(setting: Setting, cast: Cast, dice: Dice) -> Companies:
    """`setting.accounts` accounts with about four contacts each."""
    made = Companies()
    sellers = cast.sellers()
    stems = STEMS[setting.stems_from : setting.stems_from + setting.accounts]
    for stem in stems:
        account = _account(stem, cast, sellers, dice)
        made.accounts.append(account)
        made.staff[account] = []
        made.domains += _domains(account, dice)
    taken: set[str] = set()
    # Everybody gets one contact first, the rest fall where they fall.
    homes: list[Account | None] = [*made.accounts]
    rest = range(setting.contacts - len(homes))
    homes += [None if dice.chance(ALONE_PERCENT) else dice.pick(made.accounts) for _number in rest]
    for home in homes[: setting.contacts]:
        _add_contact(made, home, cast, sellers, dice, taken)
    return made


def plain(text: str) -> str:
    """Lower-case ASCII letters of a name, for addresses."""
    text = text.translate(str.maketrans("øØłŁđß", "oOlLds"))
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in folded if letter.isalnum())


def _account(stem: str, cast: Cast, sellers: dict[Membership, int], dice: Dice) -> Account:
    industry, endings = dice.pick(INDUSTRIES)
    city, region, country, postal_code, prefix, _names = dice.pick(PLACES)
    since = dice.days_ago(20, 430)
    domain = f"{plain(stem)}.example"
    staff = round(10 ** dice.factor(1.2, 4.1))
    return Account(
        id=dice.id(since),
        org=cast.organization,
        name=f"{stem} {dice.pick(endings)}",
        owner=dice.weighted(sellers),
        domain=domain,
        industry=industry,
        employee_count=staff,
        annual_revenue=staff * dice.number(90, 260) * 1000 * 100,
        currency="EUR",
        phone=f"{prefix}5550{dice.number(100, 199)}",
        website=f"https://www.{domain}",
        street=f"{dice.pick(STREETS)} {dice.number(1, 120)}",
        city=city,
        region=region,
        country=country,
        postal_code=postal_code,
        customer_since=dice.days_ago(40, 1200).date() if dice.chance(30) else None,
        health_score=dice.number(35, 98) if dice.chance(60) else None,
        is_key=dice.chance(8),
        tags=[tag.id for tag in dice.some(cast.tags, 1)] if dice.chance(25) else [],
        created_at=since,
        updated_at=dice.between(since, dice.now - dt.timedelta(hours=1)),
    )


def _domains(account: Account, dice: Dice) -> list[AccountDomain]:
    domains = [account.domain]
    if dice.chance(10):
        domains.append(account.domain.replace(".example", "-group.example"))
    return [
        AccountDomain(
            id=dice.id(account.created_at),
            org=account.org,
            account=account,
            domain=domain,
            position=position,
            created_at=account.created_at,
        )
        for position, domain in enumerate(domains)
    ]


def _add_contact(
    made: Companies,
    home: Account | None,
    cast: Cast,
    sellers: dict[Membership, int],
    dice: Dice,
    taken: set[str],
) -> None:
    contact = _contact(home, cast, sellers, dice, taken)
    made.contacts.append(contact)
    made.emails += _emails(contact, dice, taken)
    made.phones += _phones(contact, dice)
    if home is None:
        return
    made.staff[home].append(contact)
    made.links.append(_link(contact, home, dice, primary=True))
    if dice.chance(5):
        elsewhere = dice.pick([account for account in made.accounts if account is not home])
        made.links.append(_link(contact, elsewhere, dice, primary=False))


def _contact(home: Account | None, cast: Cast, sellers: dict[Membership, int], dice: Dice, taken: set[str]) -> Contact:
    place = next((p for p in PLACES if home and p[0] == home.city), None) or dice.pick(PLACES)
    city, region, country, postal_code, prefix, usual = place
    title, department, _signs = dice.pick(TITLES)
    since = dice.between(home.created_at if home else dice.days_ago(200, 420), dice.now - dt.timedelta(hours=2))
    first, last, email = _identity(home, usual, dice, taken)
    lifecycle = dice.weighted(LIFECYCLES)
    return Contact(
        id=dice.id(since),
        org=cast.organization,
        first_name=first,
        last_name=last,
        owner=home.owner if home and not dice.chance(6) else dice.weighted(sellers),
        account=home,
        email=email,
        phone=f"{prefix}5550{dice.number(100, 199)}" if dice.chance(72) else "",
        title=title,
        department=department,
        lead_source=dice.pick(SOURCES),
        lead_status=LeadStatus.QUALIFIED if lifecycle == Lifecycle.CUSTOMER else dice.weighted(STATUSES),
        lifecycle=lifecycle,
        score=min(99, max(3, dice.number(0, 60) + 8 * list(LIFECYCLES).index(lifecycle))),
        do_not_email=dice.chance(4),
        do_not_call=dice.chance(3),
        city=city,
        region=region,
        country=country,
        postal_code=postal_code,
        tags=[tag.id for tag in dice.some(cast.tags, dice.number(1, 2))] if dice.chance(35) else [],
        created_at=since,
        updated_at=dice.between(since, dice.now - dt.timedelta(hours=1)),
    )


def _identity(home: Account | None, usual: str, dice: Dice, taken: set[str]) -> tuple[str, str, str]:
    domain = home.domain if home else FREE_MAIL
    for _attempt in range(50):
        firsts, lasts = NAMES[usual if dice.chance(75) else dice.pick(list(NAMES))]
        first, last = dice.pick(firsts), dice.pick(lasts)
        local = dice.pick((f"{plain(first)}.{plain(last)}", f"{plain(first)[0]}.{plain(last)}", plain(first)))
        email = f"{local}@{domain}"
        if email not in taken and f"{first} {last}" not in taken:
            taken |= {email, f"{first} {last}"}
            return first, last, email
    raise AssertionError("The lists of names are too short for so many contacts.")


def _emails(contact: Contact, dice: Dice, taken: set[str]) -> list[ContactEmail]:
    rows = [(contact.email, AddressKind.WORK if contact.account else AddressKind.HOME)]
    private = f"{plain(contact.first_name)}.{plain(contact.last_name)}@{FREE_MAIL}"
    if contact.account and dice.chance(15) and private not in taken:
        taken.add(private)
        rows.append((private, AddressKind.HOME))
    return [
        ContactEmail(
            id=dice.id(contact.created_at),
            org=contact.org,
            contact=contact,
            address=address,
            kind=kind,
            is_primary=position == 0,
            position=position,
            created_at=contact.created_at,
        )
        for position, (address, kind) in enumerate(rows)
    ]


def _phones(contact: Contact, dice: Dice) -> list[ContactPhone]:
    if not contact.phone:
        return []
    rows = [(contact.phone, AddressKind.WORK)]
    if dice.chance(30):
        rows.append((f"{contact.phone[:-4]}9{dice.number(100, 199)}", AddressKind.MOBILE))
    return [
        ContactPhone(
            id=dice.id(contact.created_at),
            org=contact.org,
            contact=contact,
            number=number,
            kind=kind,
            is_primary=position == 0,
            position=position,
            created_at=contact.created_at,
        )
        for position, (number, kind) in enumerate(rows)
    ]


def _link(contact: Contact, account: Account, dice: Dice, *, primary: bool) -> AccountContact:
    signs = next((signs for title, _department, signs in TITLES if title == contact.title), False)
    roles = {ContactRole.DECISION_MAKER: 6, ContactRole.CHAMPION: 2} if signs else {
        ContactRole.UNKNOWN: 3, ContactRole.INFLUENCER: 3, ContactRole.USER: 3, ContactRole.CHAMPION: 1,
        ContactRole.BLOCKER: 1, ContactRole.BILLING: 1,
    }  # fmt: skip
    return AccountContact(
        id=dice.id(contact.created_at),
        org=contact.org,
        account=account,
        contact=contact,
        role=dice.weighted(roles),
        title=contact.title if primary else "",
        is_primary=primary,
        created_at=contact.created_at,
    )
