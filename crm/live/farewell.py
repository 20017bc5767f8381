"""A last word before the server closes its connections.

granian cuts open answers as soon as it is asked to end, and tells the application afterwards. A stream that is cut
is an error on the console of every open page, whenever Keel is upgraded; one that ends is not.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any


def before_the_end(say: Callable[[], Awaitable[None]]) -> None:
    """Runs `say` when SIGTERM or SIGINT comes, and the server's own handler after it.

    The server has set its handlers by now, and they run in this event loop. asyncio has no public way to ask for them;
    where it keeps them elsewhere, nothing is changed and streams are cut as before.
    """
    loop = asyncio.get_running_loop()
    known: dict[int, Any] = getattr(loop, "_signal_handlers", {})
    for number in (signal.SIGTERM, signal.SIGINT):
        servers = known.get(number)
        if servers is not None:
            loop.add_signal_handler(number, _say_first, say, servers)


_ends: set[asyncio.Task[None]] = set()


def _say_first(say: Callable[[], Awaitable[None]], servers: Any) -> None:
    async def end() -> None:
        try:
            await say()
        finally:
            servers._run()

    task = asyncio.get_running_loop().create_task(end())
    _ends.add(task)
    task.add_done_callback(_ends.discard)
