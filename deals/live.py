"""Which events of deals are told to open pages: the board of a pipeline, the page of a deal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm.events.registry import Delivery
from crm.live.audience import EVERYBODY, Audience, audience_of
from crm.live.registry import publish_on
from deals.models import Deal

CHANGES = (
    "deal.created",
    "deal.updated",
    "deal.stage_changed",
    "deal.reordered",
    "deal.deleted",
    "deal.restored",
)
SHARES = ("record.shared", "record.unshared")
# A set-based change of more deals than these is told as "everything": one fetch is cheaper than many cards.
MOST = 40


def _records(delivery: Delivery) -> list[str]:
    return [str(delivery.record)] if delivery.record else list(delivery.payload["records"])


def _columns(payload: dict[str, Any]) -> list[str]:
    named = [payload.get("stage"), payload.get("previous_stage"), *payload.get("stages", ())]
    return list(dict.fromkeys(stage for stage in named if stage))


def topics(delivery: Delivery) -> list[str]:
    """The pipelines concerned; and the deal itself."""
    pipelines = dict.fromkeys([delivery.payload["pipeline"], delivery.payload.get("previous_pipeline")])
    found = [f"pipeline:{pipeline}" for pipeline in pipelines if pipeline]
    return [*found, f"deal:{delivery.record}"] if delivery.record else found


def data(delivery: Delivery) -> dict[str, Any]:
    """What a board fetches again: deals, and heads of columns; or `all`."""
    records, payload = _records(delivery), delivery.payload
    # Of several owners' deals each may be told their own only.
    mixed = any(len(set(payload.get(owners, ()))) > 1 for owners in ("owners", "previous_owners"))
    if len(records) > MOST or mixed:
        return {"all": True}
    return {"deals": records, "columns": _columns(delivery.payload)}


def audience(delivery: Delivery) -> Audience:
    """Who sees the deals now, and who saw them before."""
    payload = delivery.payload
    owners = {payload.get("owner"), payload.get("previous_owner"), *payload.get("owners", ())}
    owners |= set(payload.get("previous_owners", ()))
    return audience_of(Deal, [UUID(record) for record in _records(delivery)], *owners)


def _shared_deal(delivery: Delivery) -> Deal | None:
    if delivery.payload["record_type"] != "deal":
        return None
    return Deal.everything.filter(pk=delivery.record).first()


def share_topics(delivery: Delivery) -> list[str]:
    """The pipeline of a deal whose shares changed."""
    deal = _shared_deal(delivery)
    return [f"pipeline:{deal.pipeline_id}", f"deal:{deal.pk}"] if deal else []


def share_data(delivery: Delivery) -> dict[str, Any]:
    """The deal that somebody sees now, or does not see any more."""
    deal = _shared_deal(delivery)
    return {"deals": [str(delivery.record)], "columns": [str(deal.stage_id)] if deal else []}


def share_audience(delivery: Delivery) -> Audience:
    """The one it was shared with."""
    member, team = delivery.payload["member"], delivery.payload["team"]
    return Audience(members=frozenset([UUID(member)] if member else []), teams=frozenset([UUID(team)] if team else []))


def register() -> None:
    """Tells pages of deals; called once, when the apps are ready."""
    publish_on(*CHANGES, topic=topics, data=data, audience=audience)
    publish_on(*SHARES, topic=share_topics, data=share_data, audience=share_audience)
    publish_on(
        "pipeline.changed",
        topic=lambda delivery: f"pipeline:{delivery.record}",
        data=lambda _delivery: {"all": True},
        audience=lambda _delivery: EVERYBODY,
    )
