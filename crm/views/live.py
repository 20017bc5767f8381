"""Live events by polling, for browsers that can't reach the stream."""

from typing import Any

import orjson
import redis
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from crm.live import buffer
from crm.live.topics import parse_topics

WITHOUT_VALKEY = 20  # seconds between two polls while nobody can tell what happened
USUAL = 5


@require_GET
def poll(request: HttpRequest) -> HttpResponse:
    """What happened since the event `after`, in the `topics` that the page shows.

    `{id, events, reset, stream, wait}`: go on from `id`; load everything again on `reset`; `stream` says that a live
    process runs, so that the stream is worth a try; ask again in `wait` seconds.
    """
    r: Any = request
    after = request.GET.get("after", "")
    topics = parse_topics(request.GET.get("topics", ""), r.actor.member_id)
    try:
        missed = buffer.missed(r.organization.id, after, topics, r.actor)
        stream, wait = buffer.live_process_runs(), USUAL
    except redis.RedisError:
        missed, stream, wait = buffer.Missed(after, [], reset=True), False, WITHOUT_VALKEY
    events = [event.shown() for event in missed.events]
    answer = {"id": missed.id, "events": events, "reset": missed.reset, "stream": stream, "wait": wait}
    response = HttpResponse(orjson.dumps(answer), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
