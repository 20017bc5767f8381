"""Fans the events of one organisation out to the streams that are open in this process.

One task reads the buffer; each stream has a bounded queue and writes by itself, so that nobody waits for a slow
reader. Before anything is written, the stream's session and membership are at most a second old: one check serves all
streams of the organisation at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import redis
from django.db import Error as DatabaseError
from redis.asyncio import Redis

from crm.live import buffer
from crm.live.buffer import LiveEvent
from crm.live.readers import Desk, Seat, recheck
from crm.tenancy.context import Actor

QUEUE = 200  # events a reader may be behind
FRESH = 1.0  # seconds a checked seat holds
TICK = 20.0  # seconds between two heartbeats
SEATS = 20  # streams one member may hold open in one process
log = logging.getLogger(__name__)


class End(StrEnum):
    """Why a stream ends: the name of the last event it carries."""

    SIGNED_OUT = "signed-out"  # the session or the membership ended
    RESET = "reset"  # the reader was too slow: load again, come again
    UNAVAILABLE = "unavailable"  # Valkey or the database went away, or this process ends: poll meanwhile


@dataclass(frozen=True, slots=True)
class Tick:
    """A heartbeat; `id` says up to where nothing was missed."""

    id: str


Item = LiveEvent | Tick | End


@dataclass(eq=False)
class Stream:
    """One open stream."""

    seat: Seat
    topics: frozenset[str]
    actor: Actor | None
    checked_at: float
    queue: asyncio.Queue[Item] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    ended: bool = False

    def put(self, item: Item) -> None:
        """Queues an item; a reader who is too far behind loses the queue and the stream."""
        if self.ended:
            return
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self.end(End.RESET)

    def end(self, reason: End) -> None:
        """Says why the stream ends, instead of anything that was to come."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(reason)
        self.ended = True


class Hub:
    """The streams of one organisation in this process."""

    def __init__(self, org_id: UUID, valkey: Redis, desk: Desk) -> None:
        self.org_id, self._valkey, self._desk = org_id, valkey, desk
        self.streams: set[Stream] = set()
        self.position = ""  # up to where the reader has handed events out
        self._origin = ""  # where it began
        self._checking: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._look = valkey.register_script(buffer.LOOK)

    async def look(self) -> tuple[int, int]:
        """Valkey's time and the buffer's epoch, in milliseconds."""
        now, epoch = await self._look(keys=[buffer.epoch_key(self.org_id)], args=[buffer.EPOCH_KEPT])
        return now, epoch

    async def join(self, stream: Stream, after: str) -> list[LiveEvent] | None:
        """Adds a stream, and gives what it has missed since `after`; None when that can't be told any more."""
        self.streams.add(stream)
        here = self.position if self._reader is not None else ""
        now, epoch = await self.look()
        if self._reader is None:
            self.position = self._origin = buffer.just_before(now)
            self._reader = asyncio.create_task(self._read())
        here = here or self._origin  # from there on, the reader has brought it to this stream
        if not buffer.resumable(after, now, epoch):
            return None
        key = buffer.stream_key(self.org_id)
        entries: Any = await self._valkey.xrange(key, f"({after}", here, count=buffer.MOST)
        return None if len(entries) == buffer.MOST else buffer.read_entries(entries)

    def leave(self, stream: Stream) -> None:
        """Takes a stream out. Whoever takes out the last one closes the hub."""
        self.streams.discard(stream)

    def end(self, reason: End) -> None:
        """Ends all streams."""
        for stream in self.streams:
            stream.end(reason)

    async def close(self) -> None:
        """Ends the reader for good."""
        reader = self._reader
        while reader is not None and not reader.done():
            reader.cancel()
            # Asked more than once: the client swallows a cancellation that comes while it connects.
            await asyncio.wait({reader}, timeout=0.2)

    def seats_of(self, member_id: UUID) -> int:
        """How many streams a member has here."""
        return Counter(stream.seat.member_id for stream in self.streams)[member_id]

    async def refresh(self, stream: Stream) -> None:
        """Makes sure that a stream's actor is at most FRESH seconds old; None stands for somebody who may not read.

        Raises django.db.Error when the database does not answer.
        """
        loop = asyncio.get_running_loop()
        while stream.actor is not None and loop.time() - stream.checked_at > FRESH:
            if self._checking is None or self._checking.done():
                self._checking = asyncio.create_task(self._check())
            await asyncio.shield(self._checking)

    async def _check(self) -> None:
        started = asyncio.get_running_loop().time()
        streams = [stream for stream in self.streams if stream.actor is not None]
        actors = await self._desk.ask(recheck, self.org_id, {stream.seat for stream in streams})
        for stream in streams:
            stream.actor, stream.checked_at = actors.get(stream.seat), started

    async def _read(self) -> None:
        """Reads the buffer until it is cancelled. A Valkey that goes away ends every stream."""
        loop = asyncio.get_running_loop()
        next_tick = loop.time() + TICK
        try:
            while True:
                wait = next_tick - loop.time()
                if wait > 0:
                    await self._forward(max(1, int(wait * 1000)))
                else:
                    await self._tick()
                    next_tick = loop.time() + TICK
        except (redis.RedisError, OSError) as error:
            log.warning("Live events of organisation %s can't be read: %s", self.org_id, error)
            self.end(End.UNAVAILABLE)
            self._reader = None

    async def _forward(self, milliseconds: int | None) -> None:
        """Hands out what came, waiting up to so long for it."""
        key = buffer.stream_key(self.org_id)
        answer: Any = await self._valkey.xread({key: self.position}, block=milliseconds)
        for _key, entries in answer.items() if isinstance(answer, dict) else answer or ():
            for event in buffer.read_entries(entries):
                for stream in self.streams:
                    if event.topic in stream.topics:
                        stream.put(event)
            self.position = entries[-1][0].decode()

    async def _tick(self) -> None:
        """A heartbeat. Whatever came before the look is handed out first, so that its time is a safe place."""
        now, _epoch = await self.look()
        await self._forward(None)
        self.position = max(self.position, buffer.just_before(now), key=buffer.position)
        for stream in self.streams:
            stream.put(Tick(self.position))


Write = Callable[[str, str, Any], Awaitable[None]]


async def pump(hub: Hub, stream: Stream, write: Write) -> None:
    """Writes what is queued for a stream until it ends. `write` takes an event's name, id and data."""
    while True:
        item = await stream.queue.get()
        if not isinstance(item, End):
            try:
                await hub.refresh(stream)
            except DatabaseError as error:
                log.warning("A live stream's reader can't be checked: %s", error)
                item = End.UNAVAILABLE
        if stream.actor is None:
            item = End.SIGNED_OUT
        if isinstance(item, End):
            await write(item, "", {})
            return
        if isinstance(item, Tick):
            await write("tick", item.id, {})
        elif stream.actor is not None and item.audience.admits(stream.actor):
            await write("change", item.id, item.shown())
