"""The hand-written SQL of search: calls of the functions that crm.tenancy.searching makes for each table.

tests/records/test_search_equivalence.py compares them with plain Python over everything the reader sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from crm.lib.phones import without_extension
from crm.tenancy.backend.base import prepared_cursor


class Way(StrEnum):
    """How a table is searched; the values are the functions' arguments."""

    PREFIXED = "_prefixed(%(sought)s, %(most)s)"
    WORDED = "_worded(keel_word_query(%(sought)s), %(most)s)"
    FRAGMENTS = "_fragments(%(sought)s, %(most)s)"
    SIMILAR = "_worded((SELECT query FROM alike), %(most)s)"
    MISSPELLED = "_worded((SELECT query FROM misspelled), %(most)s)"  # other spellings of words that nobody has


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found. `exact`: something of it equals the text. `told` is the address or number that matched,
    where it was one."""

    table: str
    way: Way
    id: UUID
    exact: bool
    own: bool
    moment: datetime
    told: str


# The dictionary is looked through once for all tables.
_ALIKE = {
    Way.SIMILAR: "alike AS MATERIALIZED (SELECT keel_alike_query(%(sought)s, true) AS query)",
    Way.MISSPELLED: "misspelled AS MATERIALIZED (SELECT keel_alike_query(%(sought)s, false) AS query)",
}


def find(calls: Sequence[tuple[str, Way]], sought: str, most: int) -> list[Found]:
    """What the actor sees of several tables, each searched in some way, in one statement: at most `most` of each call.

    Tables come from the registry, never from outside.
    """
    if not calls:
        return []
    parts = [f"SELECT {number}, f.* FROM {table}{way} f" for number, (table, way) in enumerate(calls)]  # noqa: S608 -- tables of models
    asked = {way for _table, way in calls}
    alike = ", ".join(query for way, query in _ALIKE.items() if way in asked)
    start = f"WITH {alike} " if alike else ""
    with prepared_cursor() as cursor:
        # Numbers are found by their digits: what a page shows of one, with its extension, is none that is stored so.
        cursor.execute(start + " UNION ALL ".join(parts), {"sought": without_extension(sought), "most": most})
        return [Found(*calls[row[0]], *row[1:5], row[5] or "") for row in cursor.fetchall()]
