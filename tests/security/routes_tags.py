"""Settings of the organisation's tags."""

from __future__ import annotations

from typing import Any

from crm.actions.tag_setup import create_tag, delete_tag
from crm.models import Tag
from tests.security.matrix import ADMIN, CONFIGURES, REP, Route, World
from tests.vessels.models import Vessel


def _tags(world: World) -> None:
    """Two tags, the first one on the rep's ship."""
    with world.org.acting(world.members[ADMIN]) as admin:
        world.extra["tag"] = create_tag("Fair", "blue", acting=admin)
        world.extra["other"] = create_tag("Expo", "red", acting=admin)
    with world.org.acting(world.members[REP]):
        Vessel.objects.filter(pk=world.vessel.pk).update(tags=[world.extra["tag"].pk])


def _deleted(world: World) -> None:
    _tags(world)
    with world.org.acting(world.members[ADMIN]) as admin:
        delete_tag(world.extra["tag"].pk, acting=admin)


def _pk(world: World) -> list[Any]:
    return [world.extra["tag"].pk]


def _tag(world: World) -> Tag:
    found: Tag = world.get(Tag, world.extra["tag"].pk)
    return found


def _manages(name: str, method: str, **kwargs: Any) -> Route:
    status = 200 if method == "GET" else 302
    common: dict[str, Any] = {"right": "tag.manage", "allowed": CONFIGURES, "denied": 403, "status": status}
    return Route(name=name, method=method, **{**common, "arrange": _tags, **kwargs})


TAGS = (
    _manages("settings_tags", "GET"),
    _manages("settings_tags", "GET", sets="counted", query=lambda w: {"counts": 1}),
    _manages("tag_new", "GET"),
    _manages(
        "tag_new",
        "POST",
        body=lambda w: {"name": "Quay", "tone": "teal"},
        effect=lambda w, response, actor: w.find(Tag, name="Quay").tone == "teal",
    ),
    _manages("tag_edit", "GET", args=_pk),
    _manages(
        "tag_edit",
        "POST",
        args=_pk,
        body=lambda w: {"name": "Trade fair", "tone": "violet"},
        effect=lambda w, response, actor: (_tag(w).name, _tag(w).tone) == ("Trade fair", "violet"),
    ),
    _manages("tag_merge", "GET", args=_pk),
    _manages(
        "tag_merge",
        "POST",
        args=_pk,
        body=lambda w: {"into": w.extra["other"].pk},
        effect=lambda w, response, actor: (
            _tag(w).deleted_at is not None and w.get(Vessel, w.vessel.pk).tags == [w.extra["other"].pk]
        ),
    ),
    _manages("tag_deletion", "GET", args=_pk),
    _manages(
        "tag_deletion",
        "POST",
        args=_pk,
        effect=lambda w, response, actor: _tag(w).deleted_at is not None,
    ),
    _manages(
        "tag_restoration",
        "POST",
        args=_pk,
        arrange=_deleted,
        effect=lambda w, response, actor: _tag(w).deleted_at is None,
    ),
)
