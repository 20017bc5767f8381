"""Every route, by a hand-written expectation: who may, what it does for them, and that it does nothing for others."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse, set_script_prefix

from crm.launch.testcluster import ClusterInfo
from tests.security.matrix import ANONYMOUS, EVERYBODY, Route, World, fingerprint, make_world
from tests.security.routes import ROUTES
from tests.support.cluster import worker_database

pytestmark = pytest.mark.django_db(transaction=True)


def names(urlconf: str) -> set[str]:
    """The names of every route of a URLconf; a route without one fails."""
    found: set[str] = set()

    def walk(patterns: list[Any], at: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, at + str(pattern.pattern))
            elif isinstance(pattern, URLPattern):
                assert pattern.name, f"The route {at}{pattern.pattern} has no name."
                found.add(pattern.name)

    walk(get_resolver(urlconf).url_patterns, "")
    return found


def test_every_route_is_in_the_table():
    table = {(route.name, route.is_global) for route in ROUTES}
    real = {(name, False) for name in names(settings.ORG_URLCONF)} | {
        (name, True) for name in names(settings.ROOT_URLCONF)
    }
    assert sorted(real - table) == []
    assert sorted(table - real) == []


def address(world: World, route: Route) -> str:
    """The path of a route, in the first organisation."""
    if route.is_global:
        return reverse(route.name, urlconf=settings.ROOT_URLCONF, args=route.args(world)) + route.query
    set_script_prefix(f"/w/{world.org.slug}/")
    try:
        return reverse(route.name, urlconf=settings.ORG_URLCONF, args=route.args(world)) + route.query
    finally:
        set_script_prefix("/")


def ask(world: World, route: Route, actor: str) -> Any:
    """The route's request as an actor: valid CSRF (the test client's), valid body."""
    client, path, body = world.client(actor), address(world, route), route.body(world)
    if route.json:
        return client.generic(route.method, path, json.dumps(body), content_type="application/json")
    if route.method in ("GET", "POST"):
        return getattr(client, route.method.lower())(path, body)
    return client.generic(
        route.method, path, urlencode(body, doseq=True), content_type="application/x-www-form-urlencoded"
    )


def drained(response: Any) -> Any:
    """The response, read to its end where it streams."""
    if getattr(response, "streaming", False):
        response.body = b"".join(response.streaming_content)
    return response


def label(route: Route) -> str:
    return f"{route.method} {route.name} {route.sets}".strip()


@pytest.fixture
def database() -> str:
    info = ClusterInfo.from_env()
    assert info is not None
    return info.superuser_url(worker_database())


@pytest.mark.parametrize("route", ROUTES, ids=label)
def test_denied_actors_change_nothing(route, database):
    world = make_world()
    route.arrange(world)
    before = fingerprint(database)
    for actor in EVERYBODY:
        if actor in route.allowed:
            continue
        response = drained(ask(world, route, actor))
        if actor == ANONYMOUS and not route.is_global:
            assert (response.status_code, response["Location"].split("?")[0]) == (302, settings.LOGIN_URL), actor
        elif actor == ANONYMOUS:
            assert response.status_code in (302, 403, 404), actor
        else:
            assert response.status_code == route.denied, (
                actor,
                response.content[:300] if not response.streaming else "",
            )
        assert fingerprint(database) == before, f"{actor} changed something"


@pytest.mark.parametrize("route", ROUTES, ids=label)
def test_allowed_actors_succeed(route):
    world = make_world() if route.method == "GET" else None
    if world is not None:
        route.arrange(world)
    for actor in route.allowed:
        if route.method != "GET":
            world = make_world()
            route.arrange(world)
        assert world is not None
        response = drained(ask(world, route, actor))
        detail = response.content[:400].decode(errors="replace") if not response.streaming else ""
        assert response.status_code == route.status, f"{actor}: {response.status_code} {detail}"
        assert route.effect(world, response, actor), f"{actor}: the request did not do what it is for"


@pytest.mark.parametrize("route", ROUTES, ids=label)
def test_routes_do_not_answer_on_the_other_side(route):
    """An organisation's route without the prefix, and a global one below it, answer 404."""
    world = make_world()
    client = world.client("admin")
    path = address(world, route)
    if route.is_global:
        assert client.get(f"/w/{world.org.slug}{path}").status_code == 404
    else:
        bare = path.removeprefix(f"/w/{world.org.slug}")
        assert client.get(bare).status_code in (404, 302) if bare == "/" else client.get(bare).status_code == 404
