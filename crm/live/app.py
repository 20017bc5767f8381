"""The live stream's ASGI application: `GET /live/<organisation>/?topics=...&after=<id>`, server-sent events.

Events: `change` (something to fetch again), `tick` (every 20 s; its id says up to where nothing was missed), `reset`
(load everything again), and at the end of a stream `signed-out` or `unavailable`. A stream that can't be had right
now is answered with 200 and `unavailable`, not with an error status: browsers write those to the console, and the page
has polling to fall back to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson
import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.http.cookie import parse_cookie
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from crm.live import buffer
from crm.live.farewell import before_the_end
from crm.live.hub import SEATS, TICK, End, Hub, Stream, pump
from crm.live.readers import Desk, Seat, admit
from crm.live.topics import parse_topics
from crm.tenancy.context import Actor

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
RETRY = 5000  # milliseconds a browser waits by itself; the page's script usually decides before
GRACE = 0.5  # seconds the end of the process leaves to its streams
STUCK = 30.0  # seconds a write may take until its reader counts as gone
_PATH = re.compile(r"/live/([-a-zA-Z0-9_]{1,60})/$")
log = logging.getLogger(__name__)


class Live:
    """All streams of this process."""

    def __init__(self) -> None:
        self.hubs: dict[UUID, Hub] = {}
        self.ending = False
        self._desk = Desk()
        self._valkey: Redis | None = None
        self._alive: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[None]] = set()

    @property
    def valkey(self) -> Redis:
        """The client; made inside the event loop that uses it."""
        if self._valkey is None:
            retry = Retry(NoBackoff(), 1)
            self._valkey = Redis.from_url(
                settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=TICK + 10, retry=retry
            )
        return self._valkey

    async def start(self) -> None:
        """Says that this process is there, and keeps saying it."""
        self._alive = asyncio.create_task(self._say_alive())
        before_the_end(self.stop)

    async def stop(self) -> None:
        """Ends every stream in good order. A second call does nothing."""
        if self.ending:
            return
        self.ending = True
        if self._alive is not None:
            self._alive.cancel()
        for hub in self.hubs.values():
            hub.end(End.UNAVAILABLE)
        with contextlib.suppress(redis.RedisError, OSError):
            await self.valkey.delete(buffer.ALIVE_KEY)
        if self.hubs:
            await asyncio.sleep(GRACE)  # the streams write their last event
        for hub in list(self.hubs.values()):
            await hub.close()
        await asyncio.gather(*self._chores)
        await self.valkey.aclose()
        await self._desk.close()

    async def _say_alive(self) -> None:
        while not self.ending:
            with contextlib.suppress(redis.RedisError, OSError):
                await self.valkey.set(buffer.ALIVE_KEY, b"1", ex=buffer.ALIVE_FOR)
            await asyncio.sleep(buffer.ALIVE_FOR / 3)

    async def read(self, session_key: str, slug: str, query: Message, wire: Wire) -> None:
        """Serves one stream from its first to its last event."""
        if self.ending or not session_key:
            await wire.only(End.UNAVAILABLE if session_key else End.SIGNED_OUT)
            return
        try:
            admitted = await self._desk.ask(admit, session_key, slug)
        except DatabaseError as error:
            log.warning("A live stream's reader can't be checked: %s", error)
            await wire.only(End.UNAVAILABLE)
            return
        if admitted is None:
            await wire.only(End.SIGNED_OUT)
            return
        seat, actor = admitted
        hub = self.hubs.setdefault(actor.org_id, Hub(actor.org_id, self.valkey, self._desk))
        if hub.seats_of(seat.member_id) >= SEATS:
            await wire.only(End.UNAVAILABLE)
            return
        await self._serve(hub, seat, actor, query, wire)

    async def _serve(self, hub: Hub, seat: Seat, actor: Actor, query: Message, wire: Wire) -> None:
        now = asyncio.get_running_loop().time()
        stream = Stream(seat, parse_topics(query["topics"], actor.member_id), actor, now)
        gone = asyncio.create_task(wire.gone())
        try:
            missed = await hub.join(stream, query["after"])
            await wire.begin()
            if missed is None:
                await wire.event("reset", hub.position, {})
            else:
                await wire.event("tick", query["after"], {})
                for event in missed:
                    if event.topic in stream.topics and event.audience.admits(actor):
                        await wire.event("change", event.id, event.shown())
            writing = asyncio.create_task(pump(hub, stream, wire.event))
            await asyncio.wait({gone, writing}, return_when=asyncio.FIRST_COMPLETED)
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await writing
            await wire.finish()
        except (redis.RedisError, OSError) as error:
            log.warning("A live stream can't be served: %s", error)
            await wire.only(End.UNAVAILABLE)
        finally:
            gone.cancel()
            self._leave(hub, stream)

    def _leave(self, hub: Hub, stream: Stream) -> None:
        hub.leave(stream)
        if not hub.streams:
            self.hubs.pop(hub.org_id, None)
            self._later(hub.close())
        if not self.hubs and not self.ending:
            self._later(self._desk.leave())

    def _later(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


class Wire:
    """One HTTP answer, as server-sent events."""

    def __init__(self, send: Send, receive: Receive, origin: str) -> None:
        self._send, self._receive, self._origin = send, receive, origin
        self._begun = self._finished = False

    async def begin(self) -> None:
        """Sends the head."""
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would collect events until its buffer is full
            (b"vary", b"Origin"),
        ]
        if self._origin:
            headers.append((b"access-control-allow-origin", self._origin.encode()))
            headers.append((b"access-control-allow-credentials", b"true"))
        self._begun = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._body(f"retry: {RETRY}\n\n".encode())

    async def event(self, name: str, entry_id: str, data: Message) -> None:
        """Sends one event. An empty id leaves the reader's last one as it is."""
        head = f"event: {name}\n" + (f"id: {entry_id}\n" if entry_id else "")
        await self._body(head.encode() + b"data: " + orjson.dumps(data) + b"\n\n")

    async def only(self, end: End) -> None:
        """Ends the answer with one last event, whatever was sent before."""
        if not self._begun:
            await self.begin()
        await self.event(end, "", {})
        await self.finish()

    async def finish(self) -> None:
        """Ends the answer."""
        if not self._finished:
            self._finished = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone(self) -> None:
        """Returns once the reader has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _body(self, body: bytes) -> None:
        # A peer that does not read must not keep a task and its queue for ever.
        async with asyncio.timeout(STUCK):
            await self._send({"type": "http.response.body", "body": body, "more_body": True})


class Application:
    """The ASGI entry: streams, and the life cycle of the process."""

    def __init__(self) -> None:
        self.live = Live()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.live.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.live.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        match = _PATH.search(scope["path"])
        origin = headers.get("origin", "")
        if match is None:
            await refuse(send, 404)
        elif scope["method"] != "GET":
            await refuse(send, 405)
        elif not allowed(origin, headers.get("sec-fetch-site", "")):
            await refuse(send, 403)
        else:
            given = parse_qs(scope["query_string"].decode("latin-1"))
            after = headers.get("last-event-id") or given.get("after", [""])[0]
            query = {"topics": given.get("topics", [""])[0], "after": after}
            await self.live.read(
                session_key_of(headers.get("cookie", "")), match[1], query, Wire(send, receive, origin)
            )


def allowed(origin: str, fetch_site: str) -> bool:
    """Whether a page of this Keel asks: by its origin, which browsers leave out when it is the stream's own."""
    if origin:
        base = urlsplit(settings.BASE_URL)
        return origin == f"{base.scheme}://{base.netloc}"
    return fetch_site in ("", "same-origin", "none")


def session_key_of(cookie: str) -> str:
    """The session key among a request's cookies, or ""."""
    return parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME, "")


async def refuse(send: Send, status: int) -> None:
    """An answer without a stream."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


application = Application()
