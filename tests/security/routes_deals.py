"""The board, deals, and the settings of pipelines and stages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from deals.actions.closure import close_deal
from deals.actions.contacts import set_deal_contact
from deals.actions.deals import delete_deal
from deals.actions.pipelines import create_pipeline
from deals.actions.stages import move_deal
from deals.models import Deal, DealContact, Pipeline, Stage
from tests.security.matrix import (
    COLLEAGUE,
    CONFIGURES,
    EDITOR,
    EDITS,
    INSIDE,
    MANAGER,
    MEMBER,
    OWNS,
    REP,
    SEES,
    WRITES,
    Route,
    World,
)
from tests.security.routes_records import NAMES, now, seen_by

CRANE = NAMES["deal"]


def _pk(world: World) -> list[Any]:
    return [world.deal.pk]


def _deal(world: World) -> Deal:
    found: Deal = now(world, "deal")
    return found


def _stage_of(world: World) -> str:
    return next(name for name, stage in world.stages.items() if stage.pk == _deal(world).stage_id)


# ---------------------------------------------------------------- board and list

_ALL: dict[str, Any] = {"method": "GET", "right": MEMBER, "allowed": INSIDE}
_SHOWS: dict[str, Any] = {"effect": seen_by(SEES, CRANE, "Ravnkloa Shipping"), **_ALL}

BOARD = (
    Route(name="deal_board", **_SHOWS),
    Route(name="deal_board", sets="by pipeline", query=lambda w: {"pipeline": w.pipeline.pk}, **_SHOWS),
    Route(name="deal_board", sets="filters", query=lambda w: {"block": "filters"}, **_ALL),
    Route(name="deal_list", **_SHOWS),
    Route(
        name="deal_board_cards",
        query=lambda w: {"pipeline": w.pipeline.pk, "column": w.stages["Lead"].pk, "after": f",{UUID(int=0)}"},
        **_SHOWS,
    ),
    Route(
        name="deal_board_changes",
        query=lambda w: {"pipeline": w.pipeline.pk, "deal": w.deal.pk, "column": w.stages["Lead"].pk},
        **{
            **_ALL,
            "effect": lambda w, response, actor: (
                ([card["id"] for card in response.json()["cards"]], response.json()["removed"])
                == (([str(w.deal.pk)], []) if actor in SEES else ([], [str(w.deal.pk)]))
            ),
        },
    ),
)

# ---------------------------------------------------------------- one deal


def _form(world: World) -> dict[str, Any]:
    return {
        "name": "Fleet", "stage": world.stages["Qualified"].pk, "amount": "1250", "currency": "EUR",
        "owner": world.members[COLLEAGUE].pk,
    }  # fmt: skip


def _is_written(deal: Any, world: World) -> bool:
    return (deal.name, deal.amount, deal.stage_id) == ("Fleet", 125_000, world.stages["Qualified"].pk)


def _moved(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        world.extra["moved"] = move_deal(world.deal.pk, world.stages["Proposal"].pk, acting=rep).deal


def _won(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        close_deal(world.deal.pk, "won", acting=rep)


def _deleted(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        delete_deal(world.deal.pk, acting=rep)


_NEW: dict[str, Any] = {"name": "deal_new", "right": "record.create", "allowed": WRITES, "denied": 403}
_EDIT: dict[str, Any] = {"right": "record.edit", "args": _pk, "allowed": EDITS}
# Whoever may edit a deal by a share learns that giving it away is not theirs.
_ASSIGN: dict[str, Any] = {
    "name": "deal_owner", "right": "record.assign", "args": _pk, "allowed": OWNS, "denied_as": {EDITOR: 403},
}  # fmt: skip
_BIN: dict[str, Any] = {
    "method": "POST", "args": _pk, "allowed": OWNS, "denied_as": {EDITOR: 403}, "status": 302,
}  # fmt: skip


def _person(world: World) -> Any:
    return world.find(DealContact, deal=world.deal, contact=world.contact)


def _on_deal(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        set_deal_contact(world.deal.pk, world.contact.pk, acting=rep)


_PERSON: dict[str, Any] = {
    "name": "deal_person", "right": "record.edit", "arrange": _on_deal, "allowed": EDITS, "status": 302,
    "args": lambda w: [w.deal.pk, w.contact.pk], "effect": lambda w, response, actor: _person(w) is None,
}  # fmt: skip

DEALS = (
    Route(name="deal_detail", method="GET", right="record.view", args=_pk, allowed=SEES, effect=seen_by(SEES, CRANE)),
    Route(name="deal_people", method="GET", effect=seen_by(EDITS, CRANE), **_EDIT),
    Route(
        name="deal_people",
        method="POST",
        body=lambda w: {"contact": w.contact.pk, "role": "champion"},
        status=302,
        effect=lambda w, response, actor: (_person(w).role, _person(w).is_primary) == ("champion", True),
        **_EDIT,
    ),
    Route(method="POST", **_PERSON),
    Route(method="DELETE", **_PERSON),
    Route(method="GET", **_NEW),
    # Made for somebody whose deals the maker does not see.
    Route(
        method="POST",
        body=_form,
        status=302,
        effect=lambda w, response, actor: _is_written(w.find(Deal, owner=w.members[COLLEAGUE]), w),
        **_NEW,
    ),
    Route(
        method="POST",
        sets="quick",
        query=lambda w: {"quick": 1},
        body=lambda w: {"name": "Fleet", "stage": w.stages["Qualified"].pk},
        status=302,
        effect=lambda w, response, actor: (
            (made := w.find(Deal, name="Fleet")).owner_id == w.members[actor].pk
            and made.stage_id == w.stages["Qualified"].pk
        ),
        **_NEW,
    ),
    Route(name="deal_edit", method="GET", effect=seen_by(EDITS, CRANE), **_EDIT),
    Route(
        name="deal_edit",
        method="POST",
        body=lambda w: {**_form(w), "owner": w.deal.owner_id, "version": w.deal.version},
        status=302,
        effect=lambda w, response, actor: _is_written(_deal(w), w),
        **_EDIT,
    ),
    Route(method="GET", effect=seen_by(OWNS, CRANE), **_ASSIGN),
    Route(
        method="POST",
        body=lambda w: {"owner": w.members[COLLEAGUE].pk},
        status=302,
        effect=lambda w, response, actor: _deal(w).owner_id == w.members[COLLEAGUE].pk,
        **_ASSIGN,
    ),
    Route(
        name="deal_deletion",
        right="record.delete",
        effect=lambda w, response, actor: _deal(w).deleted_at is not None,
        **_BIN,
    ),
    Route(
        name="deal_restoration",
        right="record.restore",
        arrange=_deleted,
        effect=lambda w, response, actor: _deal(w).deleted_at is None,
        **_BIN,
    ),
    Route(
        name="deal_stage",
        method="GET",
        query=lambda w: {"stage": w.stages["Lost"].pk},
        effect=seen_by(EDITS, CRANE),
        **_EDIT,
    ),
    Route(
        name="deal_stage",
        method="POST",
        query=lambda w: {"stage": w.stages["Lost"].pk, "version": w.deal.version},
        body=lambda w: {"reason": "Price"},
        status=302,
        effect=lambda w, response, actor: (_stage_of(w), _deal(w).close_reason) == ("Lost", "Price"),
        **_EDIT,
    ),
    Route(
        name="deal_stage",
        method="PUT",
        body=lambda w: {"stage": w.stages["Proposal"].pk},
        status=302,
        effect=lambda w, response, actor: _stage_of(w) == "Proposal",
        **_EDIT,
    ),
    Route(
        name="deal_stage_undo",
        method="POST",
        arrange=_moved,
        query=lambda w: {"version": w.extra["moved"].version},
        status=302,
        effect=lambda w, response, actor: _stage_of(w) == "Lead",
        **_EDIT,
    ),
    Route(
        name="deal_stage_undo",
        method="POST",
        sets="within a column",
        query=lambda w: {"version": w.deal.version, "position": w.deal.position, "former": "Zz"},
        status=302,
        effect=lambda w, response, actor: _deal(w).position == "Zz",
        **_EDIT,
    ),
    Route(
        name="deal_closure",
        method="GET",
        query=lambda w: {"outcome": "lost"},
        effect=seen_by(EDITS, CRANE),
        **_EDIT,
    ),
    Route(
        name="deal_closure",
        method="POST",
        body=lambda w: {"outcome": "lost", "reason": "Price", "note": "Ten percent less"},
        status=302,
        effect=lambda w, response, actor: (
            (_stage_of(w), _deal(w).status, _deal(w).close_reason) == ("Lost", "lost", "Price")
        ),
        **_EDIT,
    ),
    Route(
        name="deal_closure",
        method="POST",
        sets="reopened",
        arrange=_won,
        body=lambda w: {"outcome": "reopen"},
        status=302,
        effect=lambda w, response, actor: (_stage_of(w), _deal(w).status) == ("Lead", "open"),
        **_EDIT,
    ),
    Route(
        name="deal_closure",
        method="DELETE",
        arrange=_won,
        status=302,
        effect=lambda w, response, actor: (_stage_of(w), _deal(w).status) == ("Lead", "open"),
        **_EDIT,
    ),
)

# ---------------------------------------------------------------- pipelines and stages


def _renewals(world: World) -> None:
    with world.org.acting(world.members[MANAGER]) as manager:
        world.extra["pipeline"] = create_pipeline("Renewals", acting=manager)


def _pipeline(world: World) -> list[Any]:
    return [world.pipeline.pk]


def _lead(world: World) -> list[Any]:
    return [world.stages["Lead"].pk]


def _stage(world: World, name: str = "Lead") -> Stage:
    found: Stage = world.get(Stage, world.stages[name].pk)
    return found


def _backwards(world: World) -> dict[str, Any]:
    """The open stages in the opposite order."""
    opened = [stage for stage in world.stages.values() if stage.kind == "open"]
    return {"stage": [stage.pk for stage in sorted(opened, key=lambda s: -s.position)]}


def _configures(name: str, method: str, **kwargs: Any) -> Route:
    """That these pages exist is no secret, so others of the organisation get 403."""
    return Route(
        name=name,
        method=method,
        right="pipeline.configure",
        **{"allowed": CONFIGURES, "denied": 403, "status": 200 if method == "GET" else 302, **kwargs},
    )


_STAGE = {"name": "Site visit", "kind": "open", "probability": "30", "rot_days": "7", "tone": "teal"}


def _is_site_visit(stage: Any) -> bool:
    return (stage.probability, stage.rot_days, stage.tone, stage.kind) == (30, 7, "teal", "open")


PIPELINES = (
    _configures("settings_pipelines", "GET"),
    _configures("pipeline_new", "GET"),
    _configures(
        "pipeline_new",
        "POST",
        body=lambda w: {"name": "Renewals"},
        effect=lambda w, response, actor: w.count(Stage, pipeline=w.find(Pipeline, name="Renewals")) == 8,
    ),
    _configures("pipeline_edit", "GET", args=_pipeline),
    _configures(
        "pipeline_edit",
        "POST",
        args=_pipeline,
        body=lambda w: {"name": "Big sales"},
        effect=lambda w, response, actor: w.get(Pipeline, w.pipeline.pk).name == "Big sales",
    ),
    _configures(
        "pipeline_deletion",
        "POST",
        arrange=_renewals,
        args=lambda w: [w.extra["pipeline"].pk],
        effect=lambda w, response, actor: w.get(Pipeline, w.extra["pipeline"].pk).deleted_at is not None,
    ),
    _configures(
        "stage_order",
        "PUT",
        args=_pipeline,
        body=_backwards,
        status=204,
        effect=lambda w, response, actor: [_stage(w, name).position for name in ("Commit", "Lead")] == [0, 5],
    ),
    _configures("stage_new", "GET", args=_pipeline),
    _configures(
        "stage_new",
        "POST",
        args=_pipeline,
        body=lambda w: _STAGE,
        effect=lambda w, response, actor: _is_site_visit(w.find(Stage, pipeline=w.pipeline, name="Site visit")),
    ),
    _configures("stage_edit", "GET", args=_lead),
    _configures(
        "stage_edit",
        "POST",
        args=_lead,
        body=lambda w: _STAGE,
        # The rep's deal follows its stage, also for a manager who might not see it.
        effect=lambda w, response, actor: (
            _stage(w).name == "Site visit" and _is_site_visit(_stage(w)) and _deal(w).probability == 30
        ),
    ),
    _configures(
        "stage_edit",
        "PATCH",
        args=_lead,
        body=lambda w: {"probability": "15"},
        status=204,
        effect=lambda w, response, actor: (_stage(w).probability, _stage(w).name) == (15, "Lead"),
    ),
    _configures("stage_deletion", "GET", args=_lead),
    _configures(
        "stage_deletion",
        "POST",
        args=_lead,
        body=lambda w: {"move_to": w.stages["Qualified"].pk},
        effect=lambda w, response, actor: _stage(w).deleted_at is not None and _stage_of(w) == "Qualified",
    ),
)

SALES = (*BOARD, *DEALS, *PIPELINES)
