"""What a saved view says of a list, for one reader: what is hidden from them or gone is left out, and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from crm.lib.errors import Invalid
from crm.models import SavedView
from crm.records.filters.compiler import compile_filter
from crm.records.filters.reader import Reader
from crm.records.filters.text import parse
from crm.records.filters.tree import Node, all_of, members_of
from crm.records.listquery import (
    PARTS,
    SAFE,
    ListQuery,
    read_columns,
    read_density,
    read_group,
    read_layout,
    sort_key,
    sorts_of,
)
from crm.records.registry import RecordType
from crm.tenancy.context import Actor


class _Unread(Reader):
    """A reader of whom nothing is asked in the database: whether a filter makes sense does not depend on it."""

    team: frozenset[UUID] = frozenset()  # type: ignore[assignment]
    rates: dict[str, Decimal] = {}  # type: ignore[assignment]


def text_of(query: ListQuery, record_type: RecordType, actor: Actor) -> str:
    """What a view keeps of a list: PARTS as parameters of an address, short filters among them. Raises Invalid."""
    tree = query.tree(record_type, actor)
    compile_filter(tree, record_type, actor, _Unread(actor))
    whole = replace(query, where=tree, filters={})
    return urlencode([(name, value) for name, value in whole.parts().items() if value], safe=SAFE)


def opened(record_type: RecordType, view: SavedView, actor: Actor) -> ListQuery:
    """The list of a view, as far as its parts are for this reader; `lost` where some are not."""
    said = {name: value for name, value in parse_qsl(view.arrangement) if name in PARTS}
    lost: list[bool] = []

    def kept(name: str, reads: Callable[[str], object]) -> str:
        """The members of a list of names that can be read."""
        names = [each for each in said.get(name, "").split(",") if each]
        good = [each for each in names if _reads(reads, each)]
        lost.append(good != names)
        return ",".join(good)

    sort = kept("sort", lambda name: sort_key(record_type, name, actor))
    cols = kept("cols", lambda name: read_columns(record_type, name, actor))
    group = kept("group", lambda name: read_group(record_type, name, actor))
    layout, by = _layout(record_type, said, actor)
    lost.append(bool(said.get("layout")) and not layout)
    where, complete = _where(record_type, said.get("filter", ""), actor)
    return ListQuery(
        q=said.get("q", ""),
        sort=",".join(sorts_of(sort)) if sort else "",
        where=where,
        columns=tuple(cols.split(",")) if cols else (),
        group=group,
        layout=layout,
        by=by,
        density=said.get("density", "") if _reads(read_density, said.get("density", "")) else "",
        lost=any(lost) or not complete,
    )


def _reads(reads: Callable[[str], object], text: str) -> bool:
    try:
        reads(text)
    except Invalid:
        return False
    return True


def _layout(record_type: RecordType, said: Mapping[str, str], actor: Actor) -> tuple[str, str]:
    try:
        return read_layout(record_type, said.get("layout", ""), said.get("by", ""), actor)
    except Invalid:
        return "", ""


def _where(record_type: RecordType, text: str, actor: Actor) -> tuple[Node | None, bool]:
    """The conditions of a filter that make sense to the reader, and whether those are all."""
    if not text:
        return None, True
    try:
        tree = parse(text)
    except Invalid:
        return None, False
    reader, members = _Unread(actor), members_of(tree)
    good = [m for m in members if _reads(lambda _text, m=m: compile_filter(m, record_type, actor, reader), "")]
    return all_of(good), len(good) == len(members)
