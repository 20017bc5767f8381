"""A cursor that goes straight through libpq, by statements which the session has prepared or with the values in them.

psycopg's own cursor spends more on a small statement than the database does: it is made for every way of asking. This
one knows two, and uses psycopg for what turns values into bytes and rows into values.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import Transformer as AnyTransformer
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus

KEPT_MOST = 300  # statements that a session keeps; the one not used for longest makes room

Params = Sequence[Any] | Mapping[str, Any]
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|s|%)")
_GOOD = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY})


@lru_cache(maxsize=512)
def parted(sql: str) -> tuple[tuple[bytes, ...], tuple[str, ...] | None]:
    """What stands between a statement's placeholders (%s, or %(name)s), and the names of these in their order; None
    where they have none."""
    pieces, names, start = [""], [], 0
    for found in _PLACEHOLDER.finditer(sql):
        pieces[-1] += sql[start : found.start()]
        start = found.end()
        if found[0] == "%%":
            pieces[-1] += "%"
        else:
            pieces.append("")
            names.append(found[1])
    pieces[-1] += sql[start:]
    return tuple(piece.encode() for piece in pieces), tuple(names) if any(names) else None


@lru_cache(maxsize=2048)
def numbered(sql: str) -> tuple[bytes, tuple[str, ...] | None]:
    """A statement with PostgreSQL's placeholders ($1) for psycopg's, and the names in their order; None where they have
    none."""
    pieces, names = parted(sql)
    order = tuple(dict.fromkeys(names or ()))
    numbers = [order.index(name) + 1 for name in names] if names else range(1, len(pieces))
    rest = [b"$%d%b" % (number, piece) for number, piece in zip(numbers, pieces[1:], strict=True)]
    return pieces[0] + b"".join(rest), order or None


def _quick(value: Any) -> Any:
    """Ids as the text of an array: psycopg takes as long for a hundred of them as for all else in a request."""
    if type(value) is list and value and type(value[0]) is UUID and all(type(each) is UUID for each in value):
        return "{" + ",".join([each.hex for each in value]) + "}"
    return value


class Prepared:
    """The statements that one session has prepared, by text and types of the values."""

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[bytes, Any], bytes] = OrderedDict()
        self._numbers = count(1)

    def name(self, pgconn: Any, text: bytes, types: Any) -> bytes:
        """What a statement is called; it is prepared when it is new. Raises psycopg.Error."""
        key = (text, types)
        name = self._names.get(key)
        if name is not None:
            self._names.move_to_end(key)
            return name
        if len(self._names) >= KEPT_MOST:
            _key, oldest = self._names.popitem(last=False)
            checked(pgconn, pgconn.exec_(b"DEALLOCATE " + oldest))
        name = b"keel_%d" % next(self._numbers)
        checked(pgconn, pgconn.prepare(name, text, types))
        self._names[key] = name
        return name


def checked(pgconn: Any, result: Any) -> Any:
    """A result that is none of an error. Raises psycopg.Error for one."""
    if result.status in _GOOD:
        return result
    if pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError(result.get_error_message())
    raise psycopg.errors.error_from_result(result)


def _in_order(params: Params, names: Sequence[str] | None) -> Sequence[Any]:
    return [params[name] for name in names] if names else params  # type: ignore[call-overload,return-value]


class DirectCursor:
    """What Django's wrapper of a cursor needs: `execute`, the rows, `rowcount`.

    A `raw` one takes statements with PostgreSQL's own placeholders. Without `prepared` the values stand in the
    statement, and it is planned for them.
    """

    def __init__(self, connection: psycopg.Connection[Any], prepared: Prepared | None, *, raw: bool = False) -> None:
        self._connection, self._prepared, self.raw = connection, prepared, raw
        self._rows: list[Any] = []
        self._next = 0
        self.rowcount = -1

    def execute(self, sql: str, params: Params = ()) -> DirectCursor:
        """Runs one statement. Raises psycopg.Error."""
        transformer = Transformer(self._connection)
        if self._prepared is None:
            result = self._with_values(transformer, sql, params)
        else:
            result = self._by_name(transformer, self._prepared, sql, params)
        transformer.set_pgresult(result)
        self._rows = transformer.load_rows(0, result.ntuples, tuple) if result.ntuples else []
        self._next, self.rowcount = 0, result.command_tuples if result.command_tuples is not None else -1
        return self

    def _by_name(self, transformer: AnyTransformer, prepared: Prepared, sql: str, params: Params) -> Any:
        text, names = (sql.encode(), None) if self.raw else numbered(sql)
        values = [_quick(value) for value in _in_order(params, names)]
        given: Any = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        pgconn = self._connection.pgconn
        name = prepared.name(pgconn, text, transformer.types)
        return checked(pgconn, pgconn.exec_prepared(name, given, transformer.formats))

    def _with_values(self, transformer: AnyTransformer, sql: str, params: Params) -> Any:
        pieces, names = parted(sql)
        literals = [transformer.as_literal(_quick(value)) for value in _in_order(params, names)]
        text = b"".join([part for pair in zip(pieces, [*literals, b""], strict=True) for part in pair])
        pgconn = self._connection.pgconn
        return checked(pgconn, pgconn.exec_(text))

    def fetchone(self) -> Any:
        """The next row, or None."""
        rows = self._rows
        if self._next >= len(rows):
            return None
        self._next += 1
        return rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        rows = self._rows[self._next :] if self._next else self._rows
        self._next = len(self._rows)
        return rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def close(self) -> None:
        """Nothing is held."""
