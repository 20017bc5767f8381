"""What the kernel tells open pages. Imported once, when the apps are ready."""

from uuid import UUID

from crm.events import Delivery
from crm.live.audience import Audience
from crm.live.registry import publish_on
from crm.live.topics import member_topic


def _member(delivery: Delivery) -> UUID:
    assert delivery.record is not None
    return delivery.record


publish_on(
    "member.inbox_changed",
    topic=lambda delivery: member_topic(_member(delivery)),
    data=lambda _delivery: {},
    audience=lambda delivery: Audience.only(_member(delivery)),
)
