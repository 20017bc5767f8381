"""The buffer of live events: a Valkey stream per organisation, ten minutes deep.

Ids are Valkey's `<milliseconds>-<sequence>`, so a page that knows only when it was rendered can ask for "what came
since" too. The epoch says since when the buffer is whole: it is written with the first event and lost with the data,
so that a Valkey that came back empty is not taken for one where nothing happened.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import redis

from crm.lib.valkey import client
from crm.live.audience import Audience
from crm.tenancy.context import Actor

DEPTH = 600  # seconds an event stays
KEPT = DEPTH + 300  # seconds until a buffer without new events goes
EPOCH_KEPT = 24 * 3600  # seconds until the epoch of an organisation that nobody looks at goes
MOST = 500  # missed events from which a page had better load again
ALIVE_KEY = "keel:live:alive"  # there while a live process runs
ALIVE_FOR = 30  # seconds
FIELD = b"e"
LAST_OF_MILLISECOND = 2**64 - 1
log = logging.getLogger(__name__)
_ID = re.compile(r"(\d{1,15})-(\d{1,20})")

# One round trip, and the server's clock throughout. Both keys share a hash tag, so this runs on a cluster too.
ADD = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('SET', KEYS[2], now, 'NX')
redis.call('EXPIRE', KEYS[2], ARGV[4])
local id = redis.call('XADD', KEYS[1], 'MINID', '~', now - ARGV[2] * 1000, '*', 'e', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return id
"""
# The server's time and the epoch, in milliseconds. Whoever reads begins the epoch: from then on, nothing is missed.
LOOK = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('SET', KEYS[1], now, 'NX')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {now, tonumber(redis.call('GET', KEYS[1]))}
"""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """What pages are told, and who may be told. `record` is None where an event is about several."""

    name: str
    topic: str
    record: UUID | None
    data: dict[str, Any]
    audience: Audience
    id: str = ""

    def packed(self) -> bytes:
        """As it stands in the buffer."""
        values = {"n": self.name, "t": self.topic, "r": self.record, "d": self.data, "a": self.audience.packed()}
        return orjson.dumps(values)

    @classmethod
    def unpacked(cls, entry_id: str, packed: bytes) -> LiveEvent:
        """From the buffer."""
        values = orjson.loads(packed)
        record = UUID(values["r"]) if values["r"] else None
        return cls(values["n"], values["t"], record, values["d"], Audience.unpacked(values["a"]), entry_id)

    def shown(self) -> dict[str, Any]:
        """What a page gets: everything but the audience."""
        return {"id": self.id, "name": self.name, "topic": self.topic, "record": self.record, "data": self.data}


def stream_key(org_id: UUID) -> str:
    """The key of an organisation's buffer."""
    return f"keel:live:{{{org_id}}}"


def epoch_key(org_id: UUID) -> str:
    """The key that says since when the buffer is whole."""
    return f"{stream_key(org_id)}:epoch"


def read_entries(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[LiveEvent]:
    """Events from what XRANGE and XREAD answer. What can't be read (another version wrote it) is left out."""
    events = []
    for entry_id, fields in entries:
        try:
            events.append(LiveEvent.unpacked(entry_id.decode(), fields[FIELD]))
        except (KeyError, TypeError, ValueError):
            log.warning("Live event %s can't be read.", entry_id.decode())
    return events


def just_before(now: int) -> str:
    """The last id that is past at a moment in milliseconds: an event of this very millisecond may still come."""
    return f"{now - 1}-{LAST_OF_MILLISECOND}"


def resumable(after: str, now: int, epoch: int) -> bool:
    """Whether everything that came after this id is still in the buffer. `now` and `epoch` are milliseconds."""
    match = _ID.fullmatch(after)
    # "Just before" the epoch is whole, too.
    return match is not None and max(epoch, now - DEPTH * 1000) <= int(match[1]) + 1


def publish(org_id: UUID, event: LiveEvent) -> str:
    """Puts an event into the buffer; returns its id. Raises redis.RedisError."""
    keys, arguments = [stream_key(org_id), epoch_key(org_id)], [event.packed(), DEPTH, KEPT, EPOCH_KEPT]
    added: bytes = client().register_script(ADD)(keys=keys, args=arguments)
    return added.decode()


@dataclass(frozen=True, slots=True)
class Missed:
    """What came since: events, or `reset` when that can't be told any more. `id` is where to go on from."""

    id: str
    events: list[LiveEvent]
    reset: bool = False


def missed(org_id: UUID, after: str, topics: frozenset[str], actor: Actor) -> Missed:
    """What a reader has missed since the event `after`. Raises redis.RedisError."""
    valkey = client()
    now, epoch = valkey.register_script(LOOK)(keys=[epoch_key(org_id)], args=[EPOCH_KEPT])
    here = just_before(now)
    if not resumable(after, now, epoch):
        return Missed(here, [], reset=True)
    entries: Any = valkey.xrange(stream_key(org_id), f"({after}", "+", count=MOST)
    if len(entries) == MOST:
        return Missed(here, [], reset=True)
    found = read_entries(entries)
    # An event may have come between the look and the reading; an empty answer is as old as the look.
    last = found[-1].id if found else max(here, after, key=position)
    return Missed(last, [event for event in found if event.topic in topics and event.audience.admits(actor)])


def position(entry_id: str) -> tuple[int, int]:
    """An id as something that can be compared."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


def live_process_runs() -> bool:
    """Whether a live process has said so within the last half minute."""
    try:
        return bool(client().exists(ALIVE_KEY))
    except redis.RedisError:
        return False
