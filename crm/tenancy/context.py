"""Who acts, in which organisation: the settings that row-level security reads, and the transaction that carries them.

`org_context(actor)` is the only way into an organisation; `elevated(reason)` the only way to reach beyond what the
actor may see, for work whose rule was checked before. Everything here is per thread and per task (ContextVar).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from django.db import connection, transaction

Reach = Literal["all", "own"]
WriteReach = Literal["all", "own", "none"]
ActorKind = Literal["member", "token", "import", "automation", "system"]


class NoOrganization(RuntimeError):  # noqa: N818 -- says what is the matter, like DoesNotExist
    """Tenant data was asked for outside of any organisation."""


class OtherOrganization(RuntimeError):  # noqa: N818 -- the same
    """Work for one organisation tried to enter another one."""


def array(ids: Iterable[UUID]) -> str:
    """Ids as the text of a PostgreSQL array, to be cast to uuid[]."""
    if isinstance(ids, Ids):
        return ids.text
    return "{" + ",".join(map(str, ids)) + "}"


class Ids(Collection[UUID]):
    """Ids that came as the text of a PostgreSQL array, and mostly go back as one: read only where that is needed.

    A manager of fifty people would pay for fifty UUIDs with every request otherwise.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __iter__(self) -> Iterator[UUID]:
        return (UUID(each) for each in self.text[1:-1].split(",") if each)

    def __len__(self) -> int:
        return self.text.count(",") + 1 if len(self.text) > 2 else 0

    def __contains__(self, value: object) -> bool:
        return isinstance(value, UUID) and str(value) in self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member of an organisation, or the system on its behalf.

    `read` and `write` say how far the actor reaches: "all" rows of the organisation, or "own" (rows owned by one of
    `members`, and what is shared with the member or one of `teams`); `write` may be "none".
    """

    org_id: UUID
    kind: ActorKind = "system"
    role: str = ""
    read: Reach = "all"
    write: WriteReach = "all"
    user_id: UUID | None = None
    member_id: UUID | None = None
    members: Collection[UUID] = ()
    teams: Collection[UUID] = ()
    name: str = ""
    time_zone: str = "UTC"
    request_id: str = field(default="", compare=False)
    schema: int | None = field(default=None, compare=False)  # Organization.schema_version, where it was read
    # As the database takes them; a manager of many people would pay for it with every statement otherwise.
    members_array: str = field(init=False, repr=False, compare=False)
    teams_array: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members_array", array(self.members))
        object.__setattr__(self, "teams_array", array(self.teams))

    @classmethod
    def system(cls, org_id: UUID) -> Actor:
        """The system itself, reaching everything of one organisation."""
        return cls(org_id=org_id)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the database is told, as `app.*` settings of the transaction."""

    user_id: UUID | None = None
    org_id: UUID | None = None
    member_id: UUID | None = None
    reach: str = ""
    write: str = ""
    members: str = ""
    teams: str = ""
    actor_kind: str = ""
    request_id: str = ""
    change_set: UUID | None = None

    def pairs(self) -> dict[str, str]:
        """The settings by name, values as text; an absent one is ''."""
        return {
            "app.user_id": str(self.user_id or ""),
            "app.org_id": str(self.org_id or ""),
            "app.member_id": str(self.member_id or ""),
            "app.reach": self.reach,
            "app.write": self.write,
            "app.members": self.members,
            "app.teams": self.teams,
            "app.actor_kind": self.actor_kind,
            "app.request_id": self.request_id,
            "app.change_set": str(self.change_set or ""),
        }


@dataclass(frozen=True, slots=True)
class _Scope:
    settings: Settings
    actor: Actor | None


_NOWHERE = _Scope(Settings(), None)
_scope: ContextVar[_Scope] = ContextVar("keel_scope", default=_NOWHERE)


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "").replace("'", "''") + "'"


def _set_statements(old: dict[str, str], new: dict[str, str]) -> str:
    return "".join(f"SET LOCAL {name}={_quote(value)};" for name, value in new.items() if old.get(name, "") != value)


def begin_settings() -> str:
    """`SET LOCAL` statements for a transaction that is about to begin, as one string; '' outside of any context."""
    return _set_statements({}, _scope.get().settings.pairs())


def current_actor() -> Actor:
    """The actor of the organisation that is entered. Raises NoOrganization outside of one."""
    actor = _scope.get().actor
    if actor is None:
        raise NoOrganization("No organisation is entered: use org_context(actor).")
    return actor


def current_org_id() -> UUID | None:
    """The id of the organisation that is entered, or None."""
    return _scope.get().settings.org_id


def current_change_set_id() -> UUID | None:
    """The id of the change set that writes are recorded under, or None."""
    return _scope.get().settings.change_set


def settings_of(actor: Actor, *, change_set: UUID | None = None) -> Settings:
    """The database settings that stand for an actor."""
    return Settings(
        user_id=actor.user_id,
        org_id=actor.org_id,
        member_id=actor.member_id,
        reach=actor.read,
        write=actor.write,
        members=actor.members_array if actor.members else "",
        teams=actor.teams_array if actor.teams else "",
        actor_kind=actor.kind,
        request_id=actor.request_id,
        change_set=change_set,
    )


def _switch(scope: _Scope) -> Token[_Scope]:
    """Makes `scope` current, in the open transaction if there is one."""
    old = _scope.get()
    token = _scope.set(scope)
    if connection.in_atomic_block:
        statements = _set_statements(old.settings.pairs(), scope.settings.pairs())
        if statements:
            _send(statements)
    return token


@contextmanager
def _scoped(scope: _Scope) -> Iterator[None]:
    """A scope for the duration of a block; the former one is back afterwards, in the transaction too."""
    former = _scope.get()
    nested = connection.in_atomic_block
    token = _switch(scope)
    try:
        yield
    except BaseException:
        # The savepoint or transaction around this block rolls back, and the database's settings with it.
        _scope.reset(token)
        if nested and not connection.needs_rollback and _usable():
            _send(_set_statements(scope.settings.pairs(), former.settings.pairs()))
        raise
    _scope.reset(token)
    if nested:
        statements = _set_statements(scope.settings.pairs(), former.settings.pairs())
        if statements:
            _send(statements)


def _send(statements: str) -> None:
    """Sends settings in the open transaction; our own backend knows how."""
    connection.send_settings(statements)  # type: ignore[attr-defined]


def _usable() -> bool:
    """Whether the open transaction still takes statements (psycopg: 2 is in a transaction without error)."""
    raw = connection.connection
    return raw is not None and raw.info.transaction_status == 2


def enter(actor: Actor, *, is_told: bool = False) -> None:
    """Enters an organisation for the rest of the open transaction. For the request middleware and commands only.

    `is_told` says that the database has the actor's settings already (crm.queries.opening).
    """
    _refuse_other(actor.org_id)
    scope = _Scope(settings_of(actor), actor)
    if is_told:
        _scope.set(scope)
    else:
        _switch(scope)


def enter_user(user_id: UUID | None) -> None:
    """Names the signed-in user, so that their own memberships can be read before an organisation is entered."""
    _switch(_Scope(replace(_scope.get().settings, user_id=user_id), None))


def forget() -> None:
    """Takes back what crm.queries.opening has set in the open transaction, where the session proved not good."""
    nothing = Settings().pairs()
    _send(_set_statements(dict.fromkeys(nothing, "-"), nothing))


def leave() -> None:
    """Forgets the context after the transaction has ended. For the request middleware only."""
    _scope.set(_NOWHERE)


def _refuse_other(org_id: UUID) -> None:
    inside = current_org_id()
    if inside is not None and inside != org_id:
        raise OtherOrganization(f"Inside organisation {inside}, {org_id} can't be entered.")


@contextmanager
def org_context(actor: Actor) -> Iterator[Actor]:
    """Enters the actor's organisation: a transaction whose first message carries the tenancy settings.

    Inside another context of the same organisation the former settings are restored at the end; a different
    organisation is refused with OtherOrganization.
    """
    _refuse_other(actor.org_id)
    scope = _Scope(settings_of(actor, change_set=current_change_set_id()), actor)
    if connection.in_atomic_block:
        with _scoped(scope), transaction.atomic():
            yield actor
    else:
        token = _scope.set(scope)
        try:
            with transaction.atomic():
                yield actor
        finally:
            _scope.reset(token)


@contextmanager
def elevated(reason: str) -> Iterator[None]:
    """Reaches every row of the organisation that is entered, for work whose rule was checked before.

    `reason` says what the rows are needed for. Call sites stand in an allow-list (tests/security/test_elevated.py).
    """
    if not reason:
        raise ValueError("elevated() needs a reason.")
    scope = _scope.get()
    if scope.actor is None:
        raise NoOrganization("elevated() works inside an organisation only.")
    if scope.settings.reach == "all" and scope.settings.write == "all":
        yield
        return
    with _scoped(replace(scope, settings=replace(scope.settings, reach="all", write="all"))):
        yield


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Statements inside may run for so long each; one that takes longer is cancelled and raises OperationalError.

    Inside a transaction only. The block is a savepoint, so that the transaction goes on after a statement that was
    cancelled; afterwards the session's own limit holds again.
    """
    with transaction.atomic():
        _send(f"SET LOCAL statement_timeout={int(seconds * 1000)};")
        yield
        _send("SET LOCAL statement_timeout TO DEFAULT;")


@contextmanager
def recorded_under(change_set_id: UUID) -> Iterator[None]:
    """Writes inside belong to a change set (crm.audit.change_set makes one)."""
    scope = _scope.get()
    with _scoped(replace(scope, settings=replace(scope.settings, change_set=change_set_id))):
        yield
