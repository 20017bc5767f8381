"""Pieces of the SQL that searches: matches of a text, and the best of what several branches found."""

from __future__ import annotations

import re
from dataclasses import dataclass

NOTHING = "NULL::text"


@dataclass(frozen=True)
class Match:
    """Rows `m` that match: of `table`, whose column `key` names the record. `indexed` is the condition that an index
    answers, `exactly` the one that decides, `told` what is told of the row. `likely` is true of all that match, and
    cheap to ask of rows that are read without the index."""

    table: str
    key: str
    indexed: str
    exactly: str
    told: str = NOTHING
    likely: str = "true"

    def everybodys(self, wanted: str = "") -> str:
        """SELECT of the records' ids, or what is `wanted` of the rows. Of an organisation of a million rows an index of
        the organisation's would be read whole beside the other one: hence IS TRUE, which no index answers."""
        where = f"(m.org_id = org) IS TRUE AND {self.indexed} AND {self.exactly}"
        return f"SELECT {wanted or f'm.{self.key} AS id'} FROM {self.table} m WHERE {where}"

    def is_of(self, table: str) -> str:
        """The condition that a row `t` of the table matches, or has a row that does."""
        if table == self.table:
            return re.sub(r"\bm\.", "t.", f"{self.likely} AND {self.exactly}")
        return f"EXISTS (SELECT {self.of('t.id')})"

    def of(self, record: str) -> str:
        """FROM and WHERE of the rows that belong to one record."""
        return f"FROM {self.table} m WHERE m.org_id = org AND m.{self.key} = {record} AND {self.exactly}"


def shared_ids(number: int) -> str:
    """The variable that holds the ids of a type which are shared with the actor."""
    return f"shared_{number}"


def of_everybody(matches: list[Match]) -> str:
    """SELECT of the ids of all records that match."""
    return " UNION ALL ".join(match.everybodys() for match in matches)


def ranked(branches: list[str], told: str = "r.told") -> str:
    """The best of what branches found, each row once; what is told of a row may be looked up for those alone."""
    found = "\n        UNION ALL ".join(f"({branch})" for branch in branches)
    return f"""RETURN QUERY SELECT r.id, r.exact, r.own, r.moment, {told} FROM (
        SELECT f.id, bool_or(f.exact) AS exact, coalesce(f.owner_id = me, false) AS own, f.moment, max(f.told) AS told
          FROM ({found}) f GROUP BY f.id, f.owner_id, f.moment ORDER BY 2 DESC, 3 DESC, 4 DESC, 1 DESC LIMIT most) r;"""


def begins(column: str, low: str) -> str:
    """The condition that a column begins with a text: a range in byte order, for the index."""
    return f"(t.{column} >= {low} AND t.{column} < {low} || chr(1114111))"


def noted(text: str) -> str:
    """The words of a text as the dictionary holds them: of letters, three to forty. Of those with digits, as far as the
    first one, and of longer ones the beginning, so that it tells of every word that begins with letters."""
    return (
        "LATERAL (SELECT substring(x FROM '^[^0-9]{3,40}.?') AS word"
        f" FROM unnest(string_to_array(keel_spaced({text}), ' ')) x WHERE x ~ '^[^0-9]{{3}}') s"
    )
