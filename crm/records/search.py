"""Search across record types: a text in, ranked hits out; only what the reader sees, and all of that.

Each stage is asked only where those before it found too little: what begins with the text, what has its words or a part
of an address or number, what is spelled like it. docs/search.md says why, and what each costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

from crm import access
from crm.records import limits, lookup, schema
from crm.records.registry import RecordType, registry
from crm.records.search_queries import Found, Way, find
from crm.tenancy.backend.kept import OneOf
from crm.tenancy.context import Actor, array
from crm.web import cells

LONGEST = 200  # characters of a text that are looked at
FEW = 5  # hits below which words that are spelled alike are looked for
MOST = 10  # hits of one answer while somebody types


class Tier(IntEnum):
    """How well a record fits, the best first."""

    EXACT = 0
    PREFIX = 1
    WORDS = 2
    FRAGMENT = 3
    SIMILAR = 4


_TIERS = {
    Way.PREFIXED: Tier.PREFIX, Way.WORDED: Tier.WORDS, Way.FRAGMENTS: Tier.FRAGMENT, Way.SIMILAR: Tier.SIMILAR,
    Way.MISSPELLED: Tier.SIMILAR,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """How a hit is shown: its name, what tells it from others, and where it leads."""

    name: str
    detail: str
    url: str


Show = Callable[[Sequence[Found], str, Actor], dict[UUID, Shown]]


@dataclass(frozen=True)
class Source:
    """Something that is searched. `show(found, sought, actor)` reads hits under row-level security and says how they
    are shown; what it leaves out is no hit. `prefixed` and `fragments` say which functions the table has beside the one
    for words. An `aside` is searched when everything else gave too little, or all is wanted. It holds what people
    wrote, in which most words are like another: there only those that nobody has are taken for misspelled.
    """

    key: str
    label: Any
    label_plural: Any
    icon: str
    table: str
    show: Show
    prefixed: bool = True
    fragments: bool = False
    aside: bool = False

    def has(self, way: Way) -> bool:
        """Whether it is searched in that way."""
        other = Way.SIMILAR if self.aside else Way.MISSPELLED
        return {Way.PREFIXED: self.prefixed, Way.FRAGMENTS: self.fragments, other: False}.get(way, True)


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found. `source` is what it was found in; `told` the address or number that matched, if any."""

    source: Source
    id: UUID
    tier: Tier
    own: bool
    moment: datetime
    told: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one source, the best first; `more` when there are others."""

    source: Source
    hits: list[Hit]
    more: bool


_more: dict[str, Source] = {}


def add_source(source: Source) -> None:
    """Adds something to search that is no record type, or a type in a way of its own; for AppConfig.ready(). The same
    key again replaces it."""
    _more[source.key] = source


def sources() -> list[Source]:
    """What is searched: the record types that name words, then what apps have added."""
    types = (kind for kind in registry if kind.search_words and kind.key not in _more)
    return [*map(source_of, types), *_more.values()]


def source_of(record_type: RecordType) -> Source:
    """A record type as something to search."""

    def show(found: Sequence[Found], _sought: str, actor: Actor) -> dict[UUID, Shown]:
        return shown_records(record_type, [one.id for one in found], actor)

    return Source(
        key=record_type.key, label=record_type.label, label_plural=record_type.label_plural, icon=record_type.icon,
        table=record_type.model._meta.db_table, show=show, prefixed=bool(record_type.search_paths),
        fragments=bool(record_type.search_fragments),
    )  # fmt: skip


def shown_records(record_type: RecordType, ids: Iterable[UUID], actor: Actor) -> dict[UUID, Shown]:
    """How records are shown, by id: those that the actor sees."""
    rows = access.visible(record_type.model, actor).filter(OneOf("id", array(ids)))
    page = cells.page_of(record_type)
    record_type = schema.record_type(record_type.key, actor)
    return {
        UUID(option.id): Shown(option.name, option.detail, page(option.id))
        for option in lookup.described(record_type, rows, actor)
    }


def search(text: str, actor: Actor, *, most: int = MOST) -> list[Hit]:
    """The best hits of all sources together: by tier, the actor's own first, the newest first."""
    return _best(text, actor, most, quick=False)[0]


def search_quickly(text: str, actor: Actor, *, most: int = MOST) -> tuple[list[Hit], bool]:
    """The best hits among records that have the text as it is, for while somebody types; and whether `search` would
    look further: into addresses, into asides, for what is spelled alike."""
    return _best(text, actor, most, quick=True)


def _best(text: str, actor: Actor, most: int, *, quick: bool) -> tuple[list[Hit], bool]:
    sought = text.strip()[:LONGEST]
    if not sought:
        return [], False
    asked = _Search(sought, sources(), most, actor)
    asked.while_few(most, (Way.PREFIXED,), aside=False)
    further = len(asked.found) < most
    if quick:
        # What somebody is typing is rarely the middle of an address.
        asked.while_few(most, (Way.WORDED,), aside=False)
    else:
        asked.while_few(most, (Way.WORDED, Way.FRAGMENTS), aside=False)
        asked.while_few(most, (Way.WORDED,), aside=True)
        asked.while_few(FEW, (Way.SIMILAR,), aside=False)
        asked.while_few(1, (Way.MISSPELLED,), aside=True)
    return asked.hits(actor, sorted(asked.found.values(), key=_rank)[:most]), further


def search_groups(text: str, actor: Actor, *, each: int) -> list[Group]:
    """Hits by source, at most `each` of one; the source with the best hit first."""
    sought = text.strip()[:LONGEST]
    if not sought:
        return []
    asked = _Search(sought, sources(), each + 1, actor)
    asked.ask((Way.PREFIXED, Way.WORDED, Way.FRAGMENTS))
    asked.while_few(FEW, (Way.SIMILAR, Way.MISSPELLED))
    ranked: dict[str, list[Found]] = defaultdict(list)
    for found in sorted(asked.found.values(), key=_rank):
        ranked[found.table].append(found)
    groups = []
    for several in ranked.values():
        hits = asked.hits(actor, several[:each])
        if hits:
            groups.append(Group(hits[0].source, hits, len(several) > each))
    return groups


def _tier(found: Found) -> Tier:
    return Tier.EXACT if found.exact else _TIERS[found.way]


def _rank(found: Found) -> tuple[Tier, bool, float, UUID]:
    return _tier(found), not found.own, -found.moment.timestamp(), found.id


class _Search:
    """One search: what has been found so far, each record as it was found first."""

    def __init__(self, sought: str, sources: list[Source], most: int, actor: Actor) -> None:
        self.sought, self.most, self.actor = sought, most, actor
        self.sources = {source.table: source for source in sources}
        self.found: dict[tuple[str, UUID], Found] = {}

    def while_few(self, enough: int, ways: Sequence[Way], *, aside: bool | None = None) -> None:
        """Asks where fewer than `enough` are found yet; only in asides, or only in what is none, if that is given."""
        if len(self.found) < enough:
            self.ask(ways, aside=aside)

    def ask(self, ways: Sequence[Way], *, aside: bool | None = None) -> None:
        """Asks in several ways, in one statement."""
        asked = [source for source in self.sources.values() if aside is None or source.aside == aside]
        calls = [(source.table, way) for way in ways for source in asked if source.has(way)]
        hits = limits.narrowed(find(calls, self.sought, self.most), self.sought, self.actor)
        for found in sorted(hits, key=_rank):
            self.found.setdefault((found.table, found.id), found)

    def hits(self, actor: Actor, chosen: Sequence[Found]) -> list[Hit]:
        """The chosen ones as they are shown, in the same order."""
        shown: dict[tuple[str, UUID], Shown] = {}
        for table, source in self.sources.items():
            some = [found for found in chosen if found.table == table]
            if some:
                shown.update({(table, pk): one for pk, one in source.show(some, self.sought, actor).items()})
        return [
            Hit(self.sources[f.table], f.id, _tier(f), f.own, f.moment, f.told, shown[f.table, f.id])
            for f in chosen
            if (f.table, f.id) in shown
        ]
