"""The list that a bulk action is begun from, and the way back to it."""

from __future__ import annotations

from dataclasses import replace

from django.http import QueryDict

from crm.lib.errors import CrmError
from crm.records import lists
from crm.records.registry import RecordType
from crm.tenancy.context import Actor
from crm.views.records import url_for

FROM = "bulk-from"  # the parameter that brings the list's query string
LONGEST = 8000  # characters of an address


def origin_of(kind: RecordType, text: str, actor: Actor) -> str:
    """The query string of the list that a browser or a run names, written anew; "" for what is none to the actor."""
    query = _read(kind, text, actor)
    return query.url(cursor=query.cursor) if query is not None else ""


def way_back(kind: RecordType, came_from: str, actor: Actor) -> str:
    """The address of the list that a run was begun from, as far as it is there for the actor; else of the usual one.

    Only the query string ever comes from outside. A page that the run has emptied is left for the first one.
    """
    query, path = _read(kind, came_from, actor), url_for(kind, "list")
    if query is None:
        return path
    return path + query.url(cursor=query.cursor if query.cursor and _has_rows(kind, query, actor) else "")


def _read(kind: RecordType, text: str, actor: Actor) -> lists.ListQuery | None:
    if not text.startswith("?") or len(text) > LONGEST:
        return None
    try:
        return lists.parse_query(kind, QueryDict(text[1:]), actor)
    except CrmError:
        return None


def _has_rows(kind: RecordType, query: lists.ListQuery, actor: Actor) -> bool:
    try:
        return bool(lists.list_page(kind, replace(query, columns=()), actor, size=1, columns=[]).rows)
    except CrmError:
        return False
