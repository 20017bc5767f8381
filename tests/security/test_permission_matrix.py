"""Every route, by a hand-written expectation: who may, what it does for them, and that it does nothing for others.

There is one world (see matrix.World), made once. Whatever a request has changed is put back before the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from crm.launch.testcluster import ClusterInfo
from tests.security.matrix import (
    ANONYMOUS,
    COLLEAGUE,
    EDITOR,
    EVERYBODY,
    INSIDE,
    MEMBER,
    METHODS,
    MUTATING,
    PERSONAL,
    ROLES,
    SECRETS,
    STRANGER,
    VIEWER,
    VISITOR,
    Fingerprint,
    Observer,
    Route,
    World,
    address,
    ask,
    elsewhere,
    ids_in,
    make_world,
    plain,
    read,
)
from tests.security.routes import ROUTES
from tests.support.cluster import ROOT, Cleaner, worker_database

WRITING = [route for route in ROUTES if route.method in MUTATING]
each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
each_write = pytest.mark.parametrize("route", WRITING, ids=lambda route: route.label)


# ---------------------------------------------------------------- the world, always as it was


class Stage:
    """Gives every request the same world."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self._world = make_world()
        observer.keep()

    def world(self, route: Route) -> World:
        """The world as it was made, with what the route arranges."""
        self.observer.put_back()
        world = replace(self._world, extra={})
        if route.arrange is not None:
            route.arrange(world)
        return world

    def fingerprint(self) -> Fingerprint:
        """A digest of everything stored."""
        return self.observer.fingerprint()


@pytest.fixture(scope="module")
def stage(
    cluster: ClusterInfo, django_db_setup: None, django_db_blocker: Any, database_cleaner: Cleaner
) -> Iterator[Stage]:
    """Committed data for the whole module. Emptied at the end."""
    with django_db_blocker.unblock():
        observer = Observer(cluster.superuser_url(worker_database()))
        yield Stage(observer)
        observer.close()
        connections.close_all()
        database_cleaner.clean()


def differences(before: Fingerprint, after: Fingerprint) -> list[str]:
    """The tables that changed."""
    return [name for name in before if before[name] != after[name]]


# ---------------------------------------------------------------- the table is whole


def patterns(urlconf: str) -> dict[str, URLPattern]:
    """The routes of a URLconf by name; one without a name fails."""
    found: dict[str, URLPattern] = {}

    def walk(entries: list[Any], at: str) -> None:
        for entry in entries:
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, at + str(entry.pattern))
            elif isinstance(entry, URLPattern):
                assert entry.name, f"The route {at}{entry.pattern} has no name."
                found[entry.name] = entry

    walk(get_resolver(urlconf).url_patterns, "")
    return found


def test_every_route_is_in_the_table():
    table = {(route.name, route.is_global) for route in ROUTES}
    real = {(name, False) for name in patterns(settings.ORG_URLCONF)}
    real |= {(name, True) for name in patterns(settings.ROOT_URLCONF)}
    assert sorted(real - table) == []
    assert sorted(table - real) == []


def test_expectations_are_told_apart():
    labels = [route.label for route in ROUTES]
    assert sorted(labels) == sorted(set(labels))


FIRST = {(route.name, route.is_global): route for route in reversed(ROUTES)}


@pytest.mark.parametrize("route", FIRST.values(), ids=lambda route: route.name)
def test_methods_that_are_not_in_the_table_are_refused(route, stage):
    listed = {r.method for r in ROUTES if (r.name, r.is_global) == (route.name, route.is_global)}
    world = stage.world(route)
    client, path = world.client(route.allowed[0]), address(world, route)
    before = stage.fingerprint()
    answers = {method: client.generic(method, path).status_code for method in METHODS if method not in listed}
    assert answers == dict.fromkeys(answers, 405)
    assert differences(before, stage.fingerprint()) == []


# ---------------------------------------------------------------- the table says what the document says


@cache
def document() -> dict[str, dict[str, str]]:
    """docs/permissions.md: what each role and a share have of a right, by the right's name."""
    text = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- matrix:.*?-->\n(.*?)<!-- end of matrix -->", text, re.DOTALL)
    assert table is not None
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table[1].strip().splitlines()]
    return {row[0]: {**dict(zip(ROLES, row[2:6], strict=True)), "share": row[6]} for row in rows[2:]}


@pytest.mark.parametrize("route", [r for r in ROUTES if r.right != PERSONAL], ids=lambda route: route.label)
def test_expectations_follow_the_document(route):
    """The rep owns the records, the manager manages the rep's team, the others are reps: see World."""
    if route.right == VISITOR:
        assert route.is_global
        return
    if route.right == MEMBER:
        assert set(route.allowed) >= set(INSIDE)
        return
    cells = document()[route.right]
    expected = {role for role in ROLES if cells[role] in ("yes", "team", "own")}
    if cells["rep"] == "yes":
        expected |= {COLLEAGUE, VIEWER, EDITOR}
    if route.shareable:
        expected |= {"read": {VIEWER, EDITOR}, "write": {EDITOR}, "no": set()}[cells["share"]]
    assert {actor for actor in route.allowed if actor in INSIDE} == expected


def test_document_has_no_right_without_a_route():
    assert sorted(set(document()) - {route.right for route in ROUTES}) == []


# ---------------------------------------------------------------- denied


def check_refusal(route: Route, response: Any, actor: str, expected: int) -> None:
    """The status, and that nothing is told."""
    if actor == ANONYMOUS and not route.is_global and route.headers.get("HX-Request"):
        # htmx would swap a page it is led to into the one that is there.
        assert (response.status_code, response["HX-Redirect"].split("?")[0]) == (200, settings.LOGIN_URL)
        return
    assert response.status_code == expected, f"{actor}: {response.status_code} {response.said[:600]}"
    if actor == ANONYMOUS and not route.is_global:
        assert response["Location"].split("?")[0] == settings.LOGIN_URL
    if actor in (ANONYMOUS, STRANGER, COLLEAGUE):
        assert [secret for secret in SECRETS if secret in response.said] == [], actor


@each_route
def test_denied_actors_change_nothing(route, stage):
    world = stage.world(route)
    denied = [actor for actor in EVERYBODY if actor not in route.allowed]
    clients = {actor: world.client(actor) for actor in denied}
    before = stage.fingerprint()
    for actor, client in clients.items():
        check_refusal(route, ask(world, route, client), actor, route.refusal(actor))
        assert differences(before, stage.fingerprint()) == [], f"{actor} changed something"


@pytest.mark.parametrize("route", [r for r in ROUTES if not r.is_global], ids=lambda route: route.label)
def test_ids_of_another_organisation_open_nothing_in_ones_own(route, stage):
    """The stranger, an admin, asks below their own organisation's path with the first organisation's ids."""
    world = stage.world(route)
    in_path = set(ids_in(route.args(world)))
    foreign = in_path | set(ids_in([*route.body(world).values(), *route.query(world).values()]))
    if not foreign:
        return
    client = world.client(STRANGER)
    before = stage.fingerprint()
    response = ask(world, route, client, address(world, route, world.other))
    if in_path:
        assert response.status_code == 404, response.said[:600]
    elif route.method in MUTATING:
        assert response.status_code in (404, 422), response.said[:600]
    assert [secret for secret in SECRETS if secret in response.said] == []
    assert differences(before, stage.fingerprint()) == []


HIDDEN = [route for route in ROUTES if not route.is_global and route.refusal(COLLEAGUE) == 404]


@pytest.mark.parametrize("route", [r for r in HIDDEN if COLLEAGUE not in r.allowed], ids=lambda route: route.label)
def test_what_is_hidden_is_answered_like_what_never_was(route, stage):
    """The colleague asks for the rep's records, and for ids of nothing: one answer."""
    world = stage.world(route)
    client, path = world.client(COLLEAGUE), address(world, route)
    hidden, absent = ask(world, route, client), ask(world, route, client, elsewhere(path))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert plain(hidden.said) == plain(absent.said)


# ---------------------------------------------------------------- allowed


@each_route
def test_allowed_actors_succeed(route, stage):
    reads = route.method == "GET" and not route.writes
    world = stage.world(route) if reads else None
    for actor in route.allowed:
        if not reads:
            world = stage.world(route)
        assert world is not None
        client = world.client(actor)
        if route.before is not None:
            route.before(world, client)
        before = stage.fingerprint() if reads else {}
        response = ask(world, route, client)
        assert response.status_code == route.status, f"{actor}: {response.status_code} {response.said[:1500]}"
        if route.effect is not None:
            assert route.effect(world, response, actor) is True, f"{actor}: the request did not do what it is for"
        if actor in (ANONYMOUS, STRANGER, COLLEAGUE):
            assert [secret for secret in SECRETS if secret in response.said] == [], actor
        if reads:
            wrote = set(differences(before, stage.fingerprint()))
            assert wrote <= set(route.writes), f"{actor}: a read wrote something"


@each_write
def test_changes_need_a_csrf_token(route, stage):
    """The same request, by somebody who may: refused without the token, done with it."""
    world = stage.world(route)
    actor = route.allowed[0]
    if route.before is not None:
        easy = world.client(actor)
        route.before(world, easy)
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        client.cookies = easy.cookies
    else:
        client = world.client(actor, enforce_csrf_checks=True)
    client.cookies.pop(settings.CSRF_COOKIE_NAME, None)
    before = stage.fingerprint()
    response = ask(world, route, client)
    assert response.status_code == 403, response.said[:600]
    assert differences(before, stage.fingerprint()) == []
    token = "k" * 32
    client.cookies[settings.CSRF_COOKIE_NAME] = token
    response = ask(world, route, client, **{"X-CSRFToken": token})
    assert response.status_code == route.status, response.said[:1500]
    assert route.effect is not None
    assert route.effect(world, response, actor) is True


# ---------------------------------------------------------------- the two sides


@pytest.mark.parametrize("route", FIRST.values(), ids=lambda route: route.name)
def test_routes_do_not_answer_on_the_other_side(route, stage):
    """An organisation's route without the prefix, and a global one below it, answer 404."""
    world = stage.world(route)
    client = world.client("admin")
    path = address(world, route)
    here = f"/w/{world.org.slug}"
    other = here + path if route.is_global else path.removeprefix(here)
    if other in ("/", here + "/"):
        # Both sides have a front page, and it is their own.
        assert read(client.get(other)) != read(client.get(path))
        return
    assert client.get(other).status_code == 404
