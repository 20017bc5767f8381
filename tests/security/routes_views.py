"""Saved views of lists, and cards of boards."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from crm.actions import views
from crm.models import SavedView, TeamMember, ViewMark
from crm.records import lists, schema
from tests.security.matrix import ADMIN, INSIDE, MANAGER, MEMBER, OWNS, PERSONAL, READONLY, REP, WRITES, Route, World

# Who sees the rep's view of the rep's team; who may change it are the same.
TEAM = (ADMIN, MANAGER, REP)


def _view(scope: str) -> Any:
    """A view of the rep's: of their team, or private."""

    def arrange(world: World) -> None:
        with world.org.acting(world.members[REP]) as rep:
            query = lists.parse_query(schema.record_type("vessel", rep), QueryDict("sort=name"), rep)
            team = world.team.pk if scope == "team" else None
            world.extra["view"] = views.create_view("vessel", "Wharf", query, scope=scope, team=team, acting=rep)

    return arrange


def _deleted(world: World) -> None:
    _view("team")(world)
    with world.org.acting(world.members[REP]) as rep:
        views.delete_view(world.extra["view"].pk, acting=rep)


def _marked(world: World) -> None:
    _view("team")(world)
    for role in TEAM:
        with world.org.acting(world.members[role]) as actor:
            views.pin_view(world.extra["view"].pk, acting=actor)
            views.set_default_view("vessel", world.extra["view"].pk, acting=actor)


def _everybodys(world: World) -> None:
    """A view that the admin saved for everybody."""
    with world.org.acting(world.members[ADMIN]) as admin:
        query = lists.ListQuery(sort="name")
        world.extra["view"] = views.create_view("vessel", "Wharf", query, scope="organization", acting=admin)


def _saving(right: str, allowed: tuple[str, ...], audience: Any) -> Route:
    """Saving a view for others; whom a form does not offer them can't be chosen."""
    return Route(
        name="record_view_new", method="POST", right=right, sets=right, allowed=allowed, denied=422, status=302,
        args=lambda w: ["vessel"], arrange=_all_in_the_team,
        body=lambda w: {"name": "Quay", "audience": audience(w), "arrangement": "?sort=name"},
        effect=lambda w, response, actor: w.find(SavedView, name="Quay").scope == audience(w).partition(":")[0],
    )  # fmt: skip


def _all_in_the_team(world: World) -> None:
    """Everybody is in the rep's team."""
    with world.org.system():
        for actor in set(INSIDE) - {REP, MANAGER}:
            TeamMember.objects.create(team=world.team, member=world.members[actor])


def _args(world: World) -> list[Any]:
    return [world.extra["view"].pk]


def _now(world: World) -> Any:
    return world.get(SavedView, world.extra["view"].pk)


def _mark(world: World, actor: str) -> Any:
    return world.find(ViewMark, member=world.members[actor], view_id=world.extra["view"].pk)


def _about_view(name: str, method: str, **more: Any) -> Route:
    given = {"right": PERSONAL, "allowed": TEAM, "arrange": _view("team"), "args": _args, **more}
    return Route(name=name, method=method, **given)


VIEWS = (
    Route(
        name="record_views", method="GET", right=MEMBER, allowed=INSIDE, args=lambda w: ["vessel"],
        arrange=_view("team"),
        effect=lambda w, response, actor: ("Wharf" in response.said) == (actor in TEAM),
    ),
    Route(name="record_view_new", method="GET", right="view.save", allowed=INSIDE, args=lambda w: ["vessel"]),
    Route(
        name="record_view_new", method="POST", right="view.save", allowed=INSIDE, args=lambda w: ["vessel"], status=302,
        body=lambda w: {"name": "Quay", "audience": "private", "arrangement": "?sort=name"},
        effect=lambda w, response, actor: w.find(SavedView, name="Quay").owner_id == w.members[actor].pk,
    ),
    _saving("view.save_team", WRITES, lambda w: f"team:{w.team.pk}"),
    _saving("view.save_all", (ADMIN, MANAGER), lambda w: "organization"),
    _about_view(
        "saved_view_deletion", "POST", status=302, sets="everybody's", right="view.manage", arrange=_everybodys,
        allowed=(ADMIN,), denied=403,
        effect=lambda w, response, actor: _now(w).deleted_at is not None,
    ),
    Route(
        name="view_pins", method="GET", right=PERSONAL, allowed=INSIDE, arrange=_marked,
        effect=lambda w, response, actor: ("Wharf" in response.said) == (actor in TEAM),
    ),
    Route(
        name="view_pins", method="POST", right=PERSONAL, allowed=TEAM, status=302, arrange=_marked,
        body=lambda w: {"pin": [str(w.extra["view"].pk)]},
        effect=lambda w, response, actor: w.count(ViewMark, pin=1) == len(TEAM),
    ),
    _about_view("saved_view", "GET", effect=lambda w, response, actor: "Wharf" in response.said),
    _about_view("saved_view", "GET", sets="private", arrange=_view("private"), allowed=(REP,)),
    _about_view(
        "saved_view", "POST", status=302,
        body=lambda w: {"name": "Quay", "audience": f"team:{w.team.pk}", "version": 1},
        effect=lambda w, response, actor: (_now(w).name, _now(w).version) == ("Quay", 2),
    ),
    _about_view(
        "saved_view_arrangement", "POST", status=302, body=lambda w: {"arrangement": "?sort=-name", "version": 1},
        effect=lambda w, response, actor: _now(w).arrangement == "sort=-name",
    ),
    _about_view(
        "saved_view_copy", "POST", status=302,
        effect=lambda w, response, actor: w.find(SavedView, name="Copy of Wharf").owner_id == w.members[actor].pk,
    ),
    _about_view("saved_view_count", "GET", effect=lambda w, response, actor: response.said.endswith("\n1")),
    _about_view(
        "saved_view_default", "POST", status=302,
        effect=lambda w, response, actor: _mark(w, actor).is_default,
    ),
    _about_view(
        "saved_view_default", "DELETE", status=302, arrange=_marked,
        effect=lambda w, response, actor: not _mark(w, actor).is_default,
    ),
    _about_view(
        "saved_view_pin", "POST", status=302, effect=lambda w, response, actor: _mark(w, actor).pin == 1,
    ),
    _about_view(
        "saved_view_pin", "DELETE", status=302, arrange=_marked,
        effect=lambda w, response, actor: _mark(w, actor).pin is None,
    ),
    _about_view(
        "saved_view_deletion", "POST", status=302,
        effect=lambda w, response, actor: _now(w).deleted_at is not None,
    ),
    _about_view(
        "saved_view_restoration", "POST", status=302, arrange=_deleted,
        effect=lambda w, response, actor: _now(w).deleted_at is None,
    ),
    Route(
        name="record_choice", method="POST", right="record.edit", allowed=OWNS, shareable=False, status=204,
        args=lambda w: ["vessel", w.vessel.pk, "flag"], query=lambda w: {"to": "no", "was": w.vessel.version},
        effect=lambda w, response, actor: w.get(type(w.vessel), w.vessel.pk).flag == "no",
    ),
    Route(
        name="record_choice", method="GET", right="record.view", allowed=(*OWNS, READONLY), shareable=False,
        args=lambda w: ["vessel", w.vessel.pk, "flag"], query=lambda w: {"layout": "board", "by": "flag"},
    ),
    Route(
        name="record_choice", method="PUT", right="record.edit", allowed=OWNS, shareable=False,
        args=lambda w: ["vessel", w.vessel.pk, "flag"], body=lambda w: {"value": "no", "version": w.vessel.version},
        query=lambda w: {"layout": "board", "by": "flag"},
        effect=lambda w, response, actor: w.get(type(w.vessel), w.vessel.pk).flag == "no",
    ),
)  # fmt: skip
