"""The timeline of a record: activities merged with field changes, by day, in pages, as its reader may see them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from activities import queries, rules
from activities.enums import BY_SYSTEM, ActivityType, CallOutcome, Source
from activities.queries import Before, Sought
from contacts.models import Account, Contact
from crm.lib.errors import Invalid
from crm.models import Membership
from crm.records import schema
from crm.records.history import Change, Group, Reader, history_groups
from crm.records.limits import called, sees
from crm.records.names import Names
from crm.records.registry import registry
from crm.tenancy.context import Actor
from crm.web.pagination import decode_cursor, encode_cursor
from deals.models import Deal

SIZE = 25  # entries of one page
SEARCHED_CHANGES = 200  # groups of field changes that a search looks through, from where the page begins

TABS: dict[str, tuple[str, ...]] = {
    "": (),
    "calls": (ActivityType.CALL,),
    "meetings": (ActivityType.MEETING,),
    "notes": (ActivityType.NOTE,),
    "changes": BY_SYSTEM,
}
# A step to another stage tells these too; the timeline says them once.
TOLD_BY_A_STEP = frozenset(
    {"stage", "pipeline", "status", "probability", "forecast_category", "closed_on", "close_reason", "close_note"}
)
OUTCOMES = dict(CallOutcome.choices)
MODELS: dict[str, type[Model]] = {"contact": Contact, "account": Account, "deal": Deal}


@dataclass(frozen=True, slots=True)
class Ref:
    """A record that an entry mentions."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline. `kind` is an activity's type, or created, changed, deleted, restored.

    `via` says who acted besides a member: "import", "automation", "token", "system" or "". `about` holds the records
    an activity is about, by type, without the one whose timeline it is; `whom` is that one's name if it is a contact.
    """

    id: str
    kind: str
    at: datetime
    who: str = ""
    via: str = ""
    activity_id: UUID | None = None
    subject: str = ""
    body: str = ""
    direction: str = ""
    outcome: str = ""
    seconds: int | None = None
    planned: bool = False
    about: Mapping[str, Ref] = field(default_factory=dict)
    whom: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    may_change: bool = False

    @property
    def outcome_label(self) -> str:
        """How the call ended, in words."""
        return str(OUTCOMES.get(self.outcome, self.outcome))

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """The changes as (field, old, new)."""
        return [(change.label, change.old, change.new) for change in self.changes]


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one day of the reader's calendar, newest first."""

    day: date
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a timeline; `older` is the cursor of the next one, "" at the end. `newest` says that it is the first
    one; `sought` is the activity that it was opened at, where the page shows it."""

    days: list[Day]
    older: str
    newest: bool = True
    sought: UUID | None = None

    @property
    def entries(self) -> list[Entry]:
        """All entries of the page."""
        return [entry for day in self.days for entry in day.entries]


@dataclass(frozen=True, slots=True)
class Request:
    """Which part of a timeline is wanted. `entry` is an activity to open it at."""

    tab: str = ""
    search: str = ""
    cursor: str = ""
    size: int = SIZE
    entry: UUID | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """The types of activities that the tab shows; none means all."""
        return TABS[self.tab]


# ---------------------------------------------------------------- the timeline of a record


def timeline(kind: str, record: Any, actor: Actor, wanted: Request | None = None) -> Timeline:
    """The timeline of a contact, account or deal that the actor sees: activities merged with field changes.

    Newest first. Takes three statements, four where child rows were added and five where the entry of the record's
    creation stands on another page. Opened at an activity that is not among the newest, it begins with that one: its
    place is asked for, and a second page read. Raises Invalid for a tab or cursor that does not exist.
    """
    wanted = wanted or Request()
    page = _page(kind, record, actor, wanted)
    if wanted.entry is None or any(entry.activity_id == wanted.entry for entry in page.entries):
        return replace(page, sought=wanted.entry)
    at = queries.moment_of(kind, record.pk, wanted.entry, actor)
    if at is None:
        return page
    # A page begins after its cursor: after the id that would come before that of the entry, at the same moment.
    former = UUID(int=wanted.entry.int + 1)
    begins = replace(wanted, cursor=encode_cursor("next", [at.isoformat(), "activity"], former))
    return replace(_page(kind, record, actor, begins), sought=wanted.entry)


def place_of(page: str, activity: UUID) -> str:
    """The address at which an activity is read on the page of a record."""
    return f"{page}?entry={activity}#a-{activity}"


def _page(kind: str, record: Any, actor: Actor, wanted: Request) -> Timeline:
    if wanted.tab not in TABS:
        raise Invalid(_("There is no such part of a timeline. Open the page again."))
    before = _decode(wanted.cursor) if wanted.cursor else None
    rows = queries.timeline_rows(
        kind, record.pk, wanted.types, search=_sought(wanted), before=before, limit=wanted.size + 1
    )
    reader = Reader(actor, schema.record_type(kind, actor), record)
    groups = _groups(kind, record, wanted, before) if wanted.tab in ("", "changes") else []
    want_names(reader.names, rows, kind)
    reader.prepare(groups)
    if wanted.search:
        groups = [group for group in groups if _mentions(reader, group, wanted.search)][: wanted.size + 1]
    merged = sorted([*map(_row_key, rows), *map(_group_key, groups)], key=lambda item: item[0], reverse=True)
    page, more = merged[: wanted.size], len(merged) > wanted.size
    entries = _entries(page, reader, Scene(kind, record, actor, reader.names, timezone.now()))
    zone = timezone.get_current_timezone()
    days = [Day(day, list(found)) for day, found in groupby(entries, key=lambda e: e.at.astimezone(zone).date())]
    return Timeline(days, _encode(page[-1]) if more else "", newest=before is None)


Key = tuple[datetime, int, Any]  # moment, activities before changes, id


def _row_key(row: Mapping[str, Any]) -> tuple[Key, Any]:
    return (row["occurred_at"], 1, row["id"]), row


def _group_key(group: Group) -> tuple[Key, Any]:
    return (group.at, 0, group.first), group


def _encode(item: tuple[Key, Any]) -> str:
    (at, rank, pk), _row = item
    return encode_cursor("next", [at.isoformat(), "activity" if rank else "change"], pk)


def _decode(cursor: str) -> Before:
    _direction, value, pk = decode_cursor(cursor)
    try:
        at, source = datetime.fromisoformat(value[0]), value[1]
        if at.tzinfo is None or source not in ("activity", "change"):
            raise ValueError
        return at, source, UUID(pk) if source == "activity" else int(pk)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise Invalid(_("This page's address is damaged. Open the timeline again.")) from error


def _sought(wanted: Request) -> Sought | None:
    if not wanted.search:
        return None
    plain = normal(wanted.search)
    types = [value for value, label in ActivityType.choices if plain in normal(str(label))]
    outcomes = [value for value, label in CallOutcome.choices if plain in normal(str(label))]
    return Sought(wanted.search, types, outcomes)


def normal(text: str) -> str:
    """Text without case and accents, as the database's keel_norm compares it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()


def _groups(kind: str, record: Any, wanted: Request, before: Before | None) -> list[Group]:
    limit = SEARCHED_CHANGES if wanted.search else wanted.size + 1
    start = (before[0], before[2] if before[1] == "change" else None) if before else None
    return history_groups(registry.get(kind), record.pk, before=start, limit=limit)


def _mentions(reader: Reader, group: Group, text: str) -> bool:
    sought = normal(text)
    changes = reader.changes(group)
    return any(sought in normal(f"{c.label} {c.old} {c.new}") for c in changes)


def want_names(names: Names, rows: Sequence[Mapping[str, Any]], kind: str) -> None:
    """Asks for the names that lines of these rows mention on the timeline of a `kind` of record."""
    for row in rows:
        names.want(Membership, row["owner_id"])
        for other, model in MODELS.items():
            if _is_about(row, other, kind):
                names.want(model, row[f"{other}_id"])


def _is_about(row: Mapping[str, Any], other: str, kind: str) -> bool:
    """Whether an entry names a record: not the page's own, and the account only where it stands alone."""
    if other == kind or not row[f"{other}_id"]:
        return False
    return other != "account" or not (row["contact_id"] or row["deal_id"])


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose timeline is told, to whom, and when. `kind` is "" where entries of many records stand together."""

    kind: str
    record: Any
    actor: Actor
    names: Names
    now: datetime


def _entries(page: Sequence[tuple[Key, Any]], reader: Reader, scene: Scene) -> list[Entry]:
    entries = []
    for _key, item in page:
        if isinstance(item, Group):
            entries += _change_entries(item, page, reader, scene)
        else:
            entries.append(activity_entry(item, scene))
    return entries


def activity_entry(row: Mapping[str, Any], scene: Scene) -> Entry:
    """An activity as a line; the names it mentions have been read."""
    names, actor = scene.names, scene.actor
    about = {
        other: Ref(row[f"{other}_id"], names.of(model, row[f"{other}_id"]))
        for other, model in MODELS.items()
        if _is_about(row, other, scene.kind) and names.of(model, row[f"{other}_id"])
    }
    mine = actor.write == "all" or (actor.write == "own" and row["owner_id"] in actor.members)
    who = names.of(Membership, row["owner_id"])
    own = scene.kind == "contact" and row["contact_id"] == scene.record.pk
    return Entry(
        id=f"a-{row['id']}", kind=row["type"], at=row["occurred_at"], who=who,
        via="" if row["source"] in (Source.MANUAL, Source.SYSTEM) and who else row["source"],
        activity_id=row["id"], subject=row["subject"], body=row["body"], direction=row["direction"],
        outcome=row["outcome"], seconds=row["duration_seconds"], planned=row["occurred_at"] > scene.now, about=about,
        whom=(scene.record.first_name or called(scene.record, scene.kind, actor)) if own else "",
        data=_told(row["data"], actor), may_change=mine and row["type"] in rules.LOGGED,
    )  # fmt: skip


def _told(data: Mapping[str, Any], actor: Actor) -> Mapping[str, Any]:
    """What an entry of the system says besides, without what the reader's role doesn't see."""
    if "reason" not in data or sees("deal", "close_reason", actor=actor):
        return data
    return {key: value for key, value in data.items() if key != "reason"}


def _change_entries(group: Group, page: Sequence[tuple[Key, Any]], reader: Reader, scene: Scene) -> list[Entry]:
    kind, record = scene.kind, scene.record
    entry = Entry(
        id=f"c-{group.first}", kind="changed", at=group.at, who=reader.names.of(Membership, group.actor_id),
        via="" if group.actor_kind == "member" else group.actor_kind,
    )  # fmt: skip
    main = [row for row in group.rows if row.id == record.pk and row.table == type(record)._meta.db_table]
    if any(row.operation == "I" for row in main):
        return [] if _creation_is_told(kind, record.pk, page) else [replace(entry, kind="created")]
    binned = next((row.diff["deleted_at"][1] for row in main if "deleted_at" in row.diff), False)
    if binned is not False:
        return [replace(entry, kind="deleted" if binned else "restored")]
    stepped = kind == "deal" and any("stage_id" in row.diff for row in main)
    changes = tuple(c for c in reader.changes(group) if not (stepped and c.key in TOLD_BY_A_STEP))
    return [replace(entry, changes=changes)] if changes else []


def _creation_is_told(kind: str, pk: UUID, page: Sequence[tuple[Key, Any]]) -> bool:
    """Whether an activity says already that the record was created: one of this page, or else of another one.

    The two may lie on different pages: an import or the demo data gives the activity its true date.
    """
    if any(_tells_creation(item, kind) for _key, item in page if not isinstance(item, Group)):
        return True
    return queries.tells_creation(kind, pk)


def _tells_creation(row: Mapping[str, Any], kind: str) -> bool:
    if row["type"] != ActivityType.SYSTEM or row["data"].get("event") != "created":
        return False
    return created_kind(row["contact_id"], row["deal_id"]) == kind


def created_kind(contact_id: UUID | None, deal_id: UUID | None) -> str:
    """Which record an entry about a creation means: the deal, else the contact, else the account it names."""
    return "deal" if deal_id else "contact" if contact_id else "account"
