"""The floor: the same reads by bare psycopg in a bare WSGI app, under the same row-level security.

No framework could cost less: BEGIN with the tenancy settings, one statement, COMMIT, and the rows as JSON.
`GET /<read>/<role>/<number of the person>/<arguments>`; `GET /one` runs SELECT 1 in the same frame.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import psycopg

Start = Callable[[str, list[tuple[str, str]]], Any]
_CONTACT = """
SELECT c.id, c.first_name, c.last_name, c.email, c.phone, c.title, c.lifecycle, c.score, c.updated_at, c.owner_id,
       a.id, a.name FROM contacts_contact c LEFT JOIN contacts_account a ON a.id = c.account_id WHERE c.id = %s
"""
_LIST = """
SELECT c.id, c.first_name, c.last_name, c.email, c.phone, c.title, c.lifecycle, c.score, c.updated_at, c.owner_id,
       a.id, a.name FROM contacts_contact c LEFT JOIN contacts_account a ON a.id = c.account_id
 WHERE c.deleted_at IS NULL AND {own} ORDER BY c.updated_at DESC, c.id DESC LIMIT 50
"""
_BOARD = """
SELECT d.id, d.name, d.stage_id, d.amount, d.currency, d.close_date, d.next_step, d.next_step_at, d.touched_at,
       d.owner_id, a.name
  FROM deals_stage s
 CROSS JOIN LATERAL (SELECT * FROM deals_deal c WHERE c.org_id = s.org_id AND c.stage_id = s.id AND c.status = 'open'
                        AND c.deleted_at IS NULL AND {own} ORDER BY c.position, c.id LIMIT 50) d
  LEFT JOIN contacts_account a ON a.id = d.account_id
 WHERE s.kind = 'open' ORDER BY s.position, d.position
"""
_ACTORS: dict[str, list[dict[str, Any]]] = json.loads(Path(os.environ["FLOOR_ACTORS"]).read_text(encoding="utf-8"))
_local = threading.local()


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answers one read."""
    read, *rest = environ["PATH_INFO"].strip("/").split("/")
    if read == "one":
        rows = _run("", "SELECT 1", [])
    else:
        actor = _ACTORS[rest[0]][int(rest[1])]
        own = "c.owner_id = ANY (%s)" if actor["own"] else "%s::uuid[] IS NOT NULL"
        text, params = {
            "contact": (_CONTACT, rest[2:]),
            "list": (_LIST.replace("{own}", own), [actor["members"]]),
            "board": (_BOARD.replace("{own}", own), [actor["members"]]),
        }[read]
        rows = _run(actor["settings"], text, params)
    start("200 OK", [("Content-Type", "application/json")])
    return [orjson.dumps(rows, default=str)]


def _run(settings: str, text: str, params: list[Any]) -> list[tuple[Any, ...]]:
    connection = _connection()
    connection.execute(b"BEGIN;" + settings.encode())
    # Values are put into the text by the client, as Django does it: plans are made for the values.
    with psycopg.ClientCursor(connection) as cursor:
        rows = cursor.execute(text.encode(), params).fetchall()
    connection.execute(b"COMMIT")
    return rows


def _connection() -> psycopg.Connection:
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        _local.connection.prepare_threshold = None
    return _local.connection
