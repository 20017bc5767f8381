"""The live stream's application, driven by hand over real Valkey and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import orjson
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection

from crm.live.app import Application
from crm.live.audience import Audience
from crm.live.buffer import LiveEvent, publish
from crm.models import Membership
from crm.web.sessions import SessionStore
from tests.factories import Org

PATIENCE = 5.0
T = TypeVar("T")


async def aside(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Runs something that blocks or asks the database in a thread, and leaves no connection behind."""

    def run() -> T:
        try:
            return function(*arguments, **named)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def sign_in(member: Membership) -> str:
    """The session key of a browser in which this member's person is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(member.user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.user.get_session_auth_hash()
    session.create()
    assert session.session_key
    return session.session_key


def tell(org: Org, topic: str, audience: Audience, record: UUID | None = None, **data: Any) -> str:
    """Publishes an event as the relay does; returns its id."""
    return publish(org.id, LiveEvent("test.told", topic, record, data, audience))


@dataclass
class Heard:
    """One server-sent event."""

    name: str
    id: str
    data: dict[str, Any]


@dataclass
class Reader:
    """A browser that reads a stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    events: list[Heard] = field(default_factory=list)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None
    _text: str = ""
    _asked: bool = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        await self.flowing.wait()
        self._text += message["body"].decode()
        *blocks, self._text = self._text.split("\n\n")
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in fields:
                self.events.append(Heard(fields["event"], fields.get("id", ""), orjson.loads(fields["data"])))
        if not message.get("more_body"):
            self.finished.set()
        async with self.heard:
            self.heard.notify_all()

    @property
    def names(self) -> list[str]:
        """The names of all events so far."""
        return [event.name for event in self.events]

    @property
    def changes(self) -> list[Any]:
        """The `number` of each change heard."""
        return [event.data["data"]["number"] for event in self.events if event.name == "change"]

    async def until(self, count: int, name: str = "change") -> None:
        """Waits until so many events of a name were heard."""
        async with asyncio.timeout(PATIENCE), self.heard:
            await self.heard.wait_for(lambda: self.names.count(name) >= count)

    async def end(self) -> None:
        """Waits until the server has ended the answer."""
        async with asyncio.timeout(PATIENCE):
            await self.finished.wait()


class Browser:
    """Opens streams on one application."""

    def __init__(self) -> None:
        self.application = Application()
        self.readers: list[Reader] = []

    async def open(
        self,
        org: Org,
        session_key: str,
        topics: str = "",
        after: str = "",
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        path: str = "",
    ) -> Reader:
        """Opens a stream and waits for its first event or its end."""
        reader = Reader()
        reader.flowing.set()
        given = {"cookie": f"{settings.SESSION_COOKIE_NAME}={session_key}", "origin": settings.BASE_URL}
        scope = {
            "type": "http",
            "method": method,
            "path": path or f"/live/{org.slug}/",
            "query_string": urlencode({"topics": topics, "after": after}).encode(),
            "headers": [(n.encode(), v.encode()) for n, v in {**given, **(headers or {})}.items() if v],
        }
        reader.task = asyncio.create_task(self.application(scope, reader.receive, reader.send))
        self.readers.append(reader)
        async with asyncio.timeout(PATIENCE), reader.heard:
            await reader.heard.wait_for(lambda: bool(reader.events) or reader.finished.is_set())
        return reader

    async def close(self) -> None:
        """Every reader leaves, the application ends."""
        for reader in self.readers:
            reader.flowing.set()
            reader.left.set()
        await asyncio.gather(*(reader.task for reader in self.readers if reader.task), return_exceptions=True)
        await self.application.live.stop()


@pytest.fixture
async def browser_of(valkey: object) -> AsyncIterator[Browser]:
    """A Browser; its streams end with the test."""
    browser = Browser()
    yield browser
    await browser.close()


@pytest.fixture(autouse=True)
def _fresh_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits another's pause after a failure."""
    monkeypatch.setattr("crm.live.registry._paused_until", 0.0)
