"""Ships with a field of every type, in columns and under `custom`, and sailors aboard; seen by whom owns them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.models import ExchangeRate, Membership, Tag
from crm.records.registry import Field, FieldType, RecordType, registry
from tests.factories import Org, make_org
from tests.records.filters.plain import World, stored_moment
from tests.vessels.models import Sailor, Vessel
from tests.vessels.records import SAILOR

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 28, 9, 30, tzinfo=UTC)  # three days after the clocks went back
OPTIONS = (("ice", "Ice class"), ("dry", "Dry cargo"), ("tank", "Tanker"))
CUSTOM = (
    ("motto", FieldType.TEXT, {}),
    ("draught", FieldType.NUMBER, {}),
    ("share", FieldType.PERCENT, {}),
    ("charter", FieldType.MONEY, {}),
    ("surveyed", FieldType.DATE, {}),
    ("sighted", FieldType.DATETIME, {}),
    ("insured", FieldType.CHECKBOX, {}),
    ("build", FieldType.CHOICE, {"choices": lambda: OPTIONS}),
    ("uses", FieldType.MULTI_CHOICE, {"choices": lambda: OPTIONS}),
    ("captain", FieldType.MEMBER, {}),
    ("sister", FieldType.LOOKUP, {"target": "vessel"}),
    ("homepage", FieldType.URL, {}),
    ("radio", FieldType.PHONE, {}),
)
KINDS = {
    "name": "text", "flag": "choice", "crew": "number", "value": "money", "launched": "date", "seaworthy": "checkbox",
    "owner": "member", "tags": "tags", "created_at": "datetime", "motto": "text", "draught": "number",
    "share": "number", "charter": "money", "surveyed": "date", "sighted": "datetime", "insured": "checkbox",
    "build": "choice", "uses": "multi", "captain": "member", "sister": "lookup", "boarded_at": "datetime",
    "vessel": "lookup",
}  # fmt: skip


def vessel_type() -> RecordType:
    """The registered type, with custom fields as if an organisation had added them."""
    known = registry.get("vessel")
    more = [Field(key, key.title(), kind, custom=True, filterable=True, **extra) for key, kind, extra in CUSTOM]
    return replace(known, fields=(*known.fields, *more))


@dataclass
class Fleet:
    """An organisation in euros, its people, and what each of them sees in plain Python."""

    org: Org
    rep: Membership
    mate: Membership  # of the rep's team
    other: Membership
    admin: Membership
    tags: list[Any]
    vessels: dict[Any, dict[str, Any]]
    sailors: dict[Any, dict[str, Any]]

    def world(self, member: Membership) -> World:
        """What a member sees."""
        everything = member == self.admin
        vessels, sailors = (
            {pk: row for pk, row in rows.items() if everything or row["owner"] == member.id}
            for rows in (self.vessels, self.sailors)
        )
        team = {self.rep.id, self.mate.id} if member in (self.rep, self.mate) else {member.id}
        return World(
            now=NOW,
            zone=ZONE,
            me=member.id,
            team=frozenset(team),
            rates={"EUR": Decimal(1), "USD": Decimal("0.8")},
            kinds=KINDS,
            seen={"vessel": vessels, "sailor": sailors},
            lookups={"sister": "vessel", "vessel": "vessel"},
            relations={"sailors": lambda row: [one for one in sailors.values() if one["vessel"] == row["id"]]},
        )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Moments around midnight, the change of clocks on 25 October, and now.
MOMENTS = [
    _moment(text)
    for text in (
        "2026-10-28T10:30:00+01:00", "2026-10-28T10:31:00+01:00", "2026-10-28T00:00:00+01:00",
        "2026-10-27T23:59:59+01:00", "2026-10-25T00:00:00+02:00", "2026-10-24T23:59:59+02:00",
        "2026-10-25T23:30:00+01:00", "2026-10-26T00:00:00+01:00", "2026-09-28T00:00:00+02:00",
        "2026-09-27T23:00:00+02:00", "2026-10-31T23:59:59+01:00", "2026-11-01T00:00:00+01:00",
    )
]  # fmt: skip
DAYS = [NOW.date() + timedelta(days=n) for n in (-400, -30, -3, -1, 0, 1, 4, 70)]


def make_fleet() -> Fleet:
    """A dozen ships and as many sailors."""
    org = make_org()
    people = [org.member(role) for role in ("rep", "rep", "rep", "admin")]
    rep, mate, other, _admin = people
    org.team("Deck", rep, mate)
    with org.system():
        ExchangeRate.objects.create(currency="USD", rate=Decimal("0.8"), valid_from=date(2026, 1, 1))
        tags = [Tag.objects.create(name=name).id for name in ("A", "B", "C")]
        vessels = [_vessel(n, [rep, mate, other][n % 3 if n % 5 else 0], tags, people) for n in range(12)]
        sisters = {vessels[n].id: vessels[(n * 5 + 1) % 12].id for n in range(12) if n % 4}
        for row in vessels:
            if row.pk in sisters:
                row.custom["sister"] = str(sisters[row.pk])
                row.save(update_fields=["custom"])
        sailors = [
            Sailor.objects.create(
                name=("Ines", "ÉRIC", "oluf")[n % 3],
                owner=[rep, other][n % 2],
                vessel=vessels[(n * 7) % 12] if n % 5 else None,
                boarded_at=MOMENTS[n % 12] if n % 4 else None,
            )
            for n in range(12)
        ]
    return Fleet(org, *people, tags, {v.pk: _plain(v) for v in vessels}, {s.pk: _plain_sailor(s) for s in sailors})


def _vessel(n: int, owner: Membership, tags: list[Any], people: list[Membership]) -> Vessel:
    custom = {
        "motto": ("Fluctuat", "100% sûr", "o'clock (5)", "")[n % 4],
        "draught": (3, 4.5, 12)[n % 3],
        "share": n * 10,
        "charter": {"amount": n * 5000, "currency": ("EUR", "USD", "CHF")[n % 3]},
        "surveyed": DAYS[n % 8].isoformat(),
        "sighted": stored_moment(MOMENTS[n]),
        "insured": n % 2 == 0,
        "build": OPTIONS[n % 3][0],
        "uses": [key for place, (key, _label) in enumerate(OPTIONS) if n >> place & 1],
        "captain": str(people[n % 4].id),
    }
    for place, key in enumerate(list(custom)):
        if (n + place) % 6 == 0:
            del custom[key]
    made = Vessel.objects.create(
        name=("Élan", "elan II", "Borealis", "Ö_sund 50%", "Corvus")[n % 5],
        owner=owner,
        flag=("no", "pa", "")[n % 3],
        crew=None if n % 6 == 0 else n * 4,
        value=None if n % 7 == 0 else n * 100_000,
        currency=("EUR", "USD", "CHF")[n % 3],
        launched=None if n % 6 == 5 else DAYS[n % 8],
        seaworthy=n % 3 != 1,
        tags=[tag for place, tag in enumerate(tags) if n >> place & 1],
        custom=custom,
    )
    Vessel.objects.filter(pk=made.pk).update(created_at=MOMENTS[n])
    made.created_at = MOMENTS[n]
    return made


def _plain(row: Vessel) -> dict[str, Any]:
    custom = row.custom
    charter, surveyed, sighted = (custom.get(key) for key in ("charter", "surveyed", "sighted"))
    own = {
        key: getattr(row, key) for key in ("id", "name", "flag", "crew", "launched", "seaworthy", "tags", "created_at")
    }
    return {
        **{key: custom.get(key) for key, _type, _extra in CUSTOM},
        **own,
        "owner": row.owner_id,
        "value": None if row.value is None else (row.value, row.currency),
        "charter": charter and (charter["amount"], charter["currency"]),
        "draught": custom.get("draught") and Decimal(str(custom["draught"])),
        "surveyed": surveyed and date.fromisoformat(surveyed),
        "sighted": sighted and datetime.fromisoformat(sighted),
        "sister": custom.get("sister") and type(row.pk)(custom["sister"]),
    }


def _plain_sailor(row: Sailor) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "boarded_at": row.boarded_at,
        "vessel": row.vessel_id,
        "owner": row.owner_id,
    }


__all__ = ["NOW", "SAILOR", "ZONE", "Fleet", "make_fleet", "vessel_type"]
