"""Entry of the live stream's process (SSE). Pages and API are served by wsgi.py."""

import multiprocessing
import os
from collections.abc import Awaitable, Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.config.settings.prod")
django.setup()

from crm.lib.lifeline import bind_to_parent  # noqa: E402 -- settings first
from crm.live.app import application as stream  # noqa: E402 -- settings first
from crm.tenancy import selfcheck  # noqa: E402 -- settings first
from crm.web.metrics import serve_metrics  # noqa: E402 -- settings first

_parent = multiprocessing.parent_process()
bind_to_parent(_parent.pid if _parent else None)
selfcheck.require()
serve_metrics()

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


async def answer(send: Send, status: int, text: str) -> None:
    """A short plain answer."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answers the health check itself, everything else is the stream's."""
    if scope["type"] == "http" and scope["path"] == "/healthz":
        await answer(send, 200, "ok")
        return
    await stream(scope, receive, send)
