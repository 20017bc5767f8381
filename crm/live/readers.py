"""Who reads a stream: by the browser's session, exactly as on pages, asked in short transactions of their own.

All of it runs in one thread of the live process, over one database connection; see `Desk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction

from crm import queries
from crm.models import User
from crm.tenancy import context
from crm.tenancy.context import Actor, org_context
from crm.web.sessions import SessionStore, session_user, users_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """By which session, and as which member, a stream is read."""

    session_key: str
    user_id: UUID
    member_id: UUID


def admit(session_key: str, slug: str) -> tuple[Seat, Actor] | None:
    """The seat and the actor of a signed-in member of an organisation; None for everybody else."""
    try:
        with transaction.atomic():
            user = session_user(SessionStore(session_key)) if session_key else None
            if not isinstance(user, User):
                return None
            context.enter_user(user.id)
            found = queries.member_by_slug(user.id, slug)
    finally:
        context.leave()
    if found is None:
        return None
    return Seat(session_key, user.id, found.member.id), found.actor


def recheck(org_id: UUID, seats: Collection[Seat]) -> dict[Seat, Actor]:
    """Those of the seats that still hold, each with the reach its member has now. Three statements for all of them."""
    with org_context(Actor.system(org_id)):
        users = users_of({seat.session_key for seat in seats})
        members = queries.members_by_id({seat.member_id for seat in seats})
    return {
        seat: members[seat.member_id].actor
        for seat in seats
        if seat.member_id in members and seat.session_key in users and users[seat.session_key].id == seat.user_id
    }


class Desk:
    """One thread for all questions to the database: an idle stream holds no connection, the process at most one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live-db")

    async def ask(self, question: Callable[..., T], *arguments: object) -> T:
        """Runs a function in that thread. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, *arguments)

    async def leave(self) -> None:
        """Gives the connection back while nobody reads anything."""
        await self.ask(_disconnect)

    async def close(self) -> None:
        """Ends the thread, after what it was asked before."""
        await self.leave()
        self._thread.shutdown(wait=False)


def _disconnect() -> None:
    connection.close()  # looked up here: each thread has a connection of its own
