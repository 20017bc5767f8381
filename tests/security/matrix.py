"""The machinery of the permission matrix: a world that could leak, actors, and a fingerprint of everything stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.core import mail
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse, set_script_prefix
from django.utils import timezone
from django.utils.http import urlencode

from activities.actions.log import NewActivity, log_activity
from activities.actions.tasks import create_task
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Account, Contact
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.sharing import share_record
from crm.models import Membership, Team
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Pipeline, Stage
from tests.factories import Org, make_org
from tests.support.web import session_for
from tests.vessels.models import Vessel

ANONYMOUS, STRANGER = "anonymous", "stranger"
ADMIN, MANAGER, REP, READONLY = "admin", "manager", "rep", "readonly"
# Reps of the same private organisation: one sees none of the rep's records, one may read the account, contact and
# deal by a share, one may also write them.
COLLEAGUE, VIEWER, EDITOR = "colleague", "viewer", "editor"
ROLES = (ADMIN, MANAGER, REP, READONLY)
INSIDE = (*ROLES, COLLEAGUE, VIEWER, EDITOR)
OUTSIDE = (ANONYMOUS, STRANGER)
EVERYBODY = (*OUTSIDE, *INSIDE)
# Who has what on the rep's records.
SEES = (ADMIN, MANAGER, REP, READONLY, VIEWER, EDITOR)
EDITS = (ADMIN, MANAGER, REP, EDITOR)
OWNS = (ADMIN, MANAGER, REP)
WRITES = (ADMIN, MANAGER, REP, COLLEAGUE, VIEWER, EDITOR)  # adds records of their own
CONFIGURES = (ADMIN, MANAGER)
ADMINISTERS = (ADMIN,)

# What only those who see the rep's records may read in an answer.
SECRETS = (
    "Ravnkloa Shipping",
    "Brandvik",
    "ysolde@ravnkloa.example",
    "Wharf gantry",
    "Met beside the quay",
    "Grease the winch",
    "Aurora",
)
MUTATING = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", *MUTATING)


@dataclass
class World:
    """Two organisations; in the first, records of `rep` in a team that `manager` manages."""

    org: Org
    other: Org
    members: dict[str, Membership]
    stranger: Membership
    team: Team
    pipeline: Pipeline
    stages: dict[str, Stage]
    account: Account
    contact: Contact
    deal: Deal
    activity: Any
    task: Any
    vessel: Vessel
    sessions: dict[str, str] = field(default_factory=dict)  # one signed-in browser of everybody, by actor
    extra: dict[str, Any] = field(default_factory=dict)  # what a route has arranged

    def member(self, actor: str) -> Membership:
        """The membership that stands for an actor who is signed in."""
        return self.stranger if actor == STRANGER else self.members[actor]

    def client(self, actor: str, **options: Any) -> Client:
        """The browser of an actor."""
        client = Client(raise_request_exception=False, **options)
        if actor != ANONYMOUS:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[actor]
        return client

    def get(self, model: Any, pk: UUID) -> Any:
        """A row as it is now, or None."""
        with self.org.system():
            return model._base_manager.filter(pk=pk).first()

    def find(self, model: Any, **filters: Any) -> Any:
        """The one row of the first organisation that fits, or None."""
        with self.org.system():
            return model._base_manager.filter(**filters).first()

    def count(self, model: Any, **filters: Any) -> int:
        """How many rows of the first organisation fit."""
        with self.org.system():
            return model._base_manager.filter(**filters).count()


def make_world() -> World:
    """Everything that a route may touch."""
    org, other = make_org("Northwind"), make_org("Contoso")
    members = {role: org.member(role, name=f"{role.title()} Member") for role in ROLES}
    members |= {name: org.member(REP, name=f"{name.title()} Rep") for name in (COLLEAGUE, VIEWER, EDITOR)}
    stranger = other.member(ADMIN, name="Stranger")
    team = org.team("North", members[REP], managers=(members[MANAGER],))
    with other.system() as system:
        create_default_pipeline(acting=system)
    with org.system() as system:
        pipeline = create_default_pipeline(acting=system)
        stages = {stage.name: stage for stage in Stage.objects.filter(pipeline=pipeline)}
    with org.acting(members[REP]) as rep:
        account = create_account(NewAccount(name="Ravnkloa Shipping", domains=("ravnkloa.example",)), acting=rep)
        contact = create_contact(
            NewContact(first_name="Ysolde", last_name="Brandvik", emails=(EmailValue("ysolde@ravnkloa.example"),)),
            acting=rep,
        )
        deal = create_deal({"name": "Wharf gantry", "stage": stages["Lead"].pk, "account": account.pk}, acting=rep)
        activity = log_activity(NewActivity(type="note", body="Met beside the quay", contact_id=contact.pk), acting=rep)
        task = create_task({"title": "Grease the winch"}, acting=rep)
        vessel = Vessel.objects.create(name="Aurora", owner=members[REP])
        for kind, record in (("account", account), ("contact", contact), ("deal", deal)):
            share_record(kind, record.pk, member=members[VIEWER].id, level="read", acting=rep)
            share_record(kind, record.pk, member=members[EDITOR].id, level="write", acting=rep)
    sessions = {actor: session_for(member.user) for actor, member in {**members, STRANGER: stranger}.items()}
    return World(
        org, other, members, stranger, team, pipeline, stages, account, contact, deal, activity, task, vessel, sessions
    )


def _nothing(world: World, *_more: Any) -> Any:
    return {}


@dataclass(frozen=True, kw_only=True)
class Route:
    """What one route and method do, for whom.

    `allowed` are the actors that succeed with `status`. All others are answered with `denied`, or with what
    `denied_as` says for them: of a route inside an organisation, strangers get 404 and anonymous visitors the log-in
    page. `effect(world, response, actor)` is true when the request did what it is for; what only reads may do without.
    `arrange(world)` prepares something before anybody asks, `before(world, client)` steps that lead to the request.
    `right` names the row of docs/permissions.md that the expectation follows; PERSONAL stands for one's own things,
    MEMBER for what every member may, and VISITOR for what is open to whoever comes.
    """

    name: str
    method: str
    right: str
    allowed: tuple[str, ...]
    args: Callable[[World], list[Any]] = lambda world: []
    body: Callable[[World], dict[str, Any]] = _nothing
    query: Callable[[World], dict[str, Any]] = _nothing
    status: int = 200
    denied: int = 404
    denied_as: Mapping[str, int] = field(default_factory=dict)
    effect: Callable[[World, Any, str], bool] | None = None
    arrange: Callable[[World], None] | None = None
    before: Callable[[World, Client], None] | None = None
    is_global: bool = False
    shareable: bool = True  # whether the record can be shared: where it can't, nobody has a right by a share
    headers: Mapping[str, str] = field(default_factory=dict)
    sets: str = ""  # which of several expectations of one route and method this is
    writes: tuple[str, ...] = ()  # the tables that a GET writes, such as a notification's when it is opened

    def __post_init__(self) -> None:
        unknown = {*self.allowed, *self.denied_as} - set(EVERYBODY)
        if unknown or (not self.is_global and set(self.allowed) & set(OUTSIDE)):
            raise ValueError(f"{self.label}: who are {sorted(unknown) or self.allowed}?")
        if self.method in MUTATING and self.effect is None:
            raise ValueError(f"{self.label} changes something: say what.")

    @property
    def label(self) -> str:
        """What a test of this expectation is called."""
        return f"{self.method} {self.name} {self.sets}".strip()

    def refusal(self, actor: str) -> int:
        """The status that an actor gets who may not."""
        if actor in self.denied_as:
            return self.denied_as[actor]
        if self.is_global:
            return self.denied
        return {ANONYMOUS: 302, STRANGER: 404}.get(actor, self.denied)


PERSONAL, MEMBER, VISITOR = "personal", "member", "visitor"


def address(world: World, route: Route, org: Org | None = None) -> str:
    """The path of a route with the first organisation's ids, below the first organisation or another one."""
    args, query = route.args(world), route.query(world)
    org = org or world.org
    set_script_prefix("/" if route.is_global else f"/w/{org.slug}/")
    try:
        urlconf = settings.ROOT_URLCONF if route.is_global else settings.ORG_URLCONF
        return reverse(route.name, urlconf=urlconf, args=args, query=query or None)
    finally:
        set_script_prefix("/")


def encoded(body: Mapping[str, Any]) -> tuple[Any, str]:
    """A form's body and its content type, as a browser sends it."""
    if any(hasattr(value, "read") for value in body.values()):
        return encode_multipart(BOUNDARY, dict(body)), MULTIPART_CONTENT
    return urlencode(dict(body), doseq=True), "application/x-www-form-urlencoded"


def ask(world: World, route: Route, client: Client, path: str = "", **headers: str) -> Any:
    """The route's request in a browser; valid in everything but, perhaps, the actor. Read to its end."""
    path, (data, content_type) = path or address(world, route), encoded(route.body(world))
    given = {**route.headers, **headers}
    if route.method == "GET":
        response: Any = client.get(path, headers=given)
    else:
        response = client.generic(route.method, path, data, content_type, headers=given)
    response.said = read(response)
    return response


def read(response: Any) -> str:
    """All that an answer says, its headers too."""
    body = b"".join(response.streaming_content) if getattr(response, "streaming", False) else response.content
    return "\n".join([*(f"{k}: {v}" for k, v in response.headers.items()), body.decode(errors="replace")])


# What differs between two answers to the same question.
_BY_CHANCE = re.compile(
    r'^(?:X-Request-ID|Content-Length|Set-Cookie): .*$|(?:csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"'
    r'|data-live-after="[^"]*"|\b[0-9a-f]{32}\b|\b\d\d:\d\d(?::\d\d)?\b',
    re.MULTILINE,
)


def plain(said: str) -> str:
    """An answer without what differs from request to request, ids among it."""
    return _UUID.sub("ID", _BY_CHANCE.sub("", said))


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def elsewhere(path: str) -> str:
    """A path with ids that never were."""
    return _UUID.sub(lambda _found: str(uuid4()), path)


def ids_in(values: Any) -> Iterator[UUID]:
    """Every id in a route's arguments or body."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from ids_in(value)
        else:
            try:
                yield UUID(str(value))
            except ValueError:
                continue


# A session's data may change with a refused request, not whose it is; nobody's sessions are nobody's business.
_SESSIONS = """
SELECT 'crm_session', count(*), coalesce(sum(hashtextextended(concat(t.session_key, t.user_id), 0)), 0)
  FROM crm_session t WHERE t.user_id IS NOT NULL
"""
_APART = ("crm_session", "crm_ratelimit", "django_migrations")  # counters of refused tries are no harm

Fingerprint = dict[str, tuple[int, Any]]


class Observer:
    """Sees every table and every mail, as a superuser, and puts everything back as it was kept."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        # No trigger and no foreign key watches while rows are put back.
        self.connection.execute("SET session_replication_role = replica")
        rows = self.connection.execute(
            "SELECT c.relname, string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY 1"
        ).fetchall()
        self._columns: dict[str, str] = dict(rows)
        self._digests = " UNION ALL ".join(
            [
                f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} t"
                for name in self._columns
                if name not in _APART
            ]
            + [_SESSIONS]
        )
        self._kept: Fingerprint = {}

    def fingerprint(self) -> Fingerprint:
        """How many rows each table has and a digest of them, and how many mails were sent."""
        found = {name: (count, digest) for name, count, digest in self.connection.execute(self._digests).fetchall()}
        return {**found, "mails": (len(mail.outbox), 0)}

    def keep(self) -> None:
        """Remembers every row as it is now."""
        self._kept = self.fingerprint()
        for name, columns in self._columns.items():
            self.connection.execute(f"CREATE TEMP TABLE kept_{name} AS SELECT {columns} FROM public.{name}")

    def put_back(self) -> None:
        """Makes the tables what they were, those that differ."""
        here = self.fingerprint()
        changed = {name for name in self._columns if here.get(name) != self._kept.get(name)}
        statements = [
            f"DELETE FROM public.{name};"
            f"INSERT INTO public.{name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept_{name};"
            for name, columns in self._columns.items()
            if name in changed or name in ("crm_session", "crm_ratelimit")
        ]
        self.connection.execute("BEGIN;" + "".join(statements) + "COMMIT")

    def close(self) -> None:
        """Lets the database go."""
        self.connection.close()


def soon() -> str:
    """Tomorrow, as a form writes it."""
    return (timezone.localdate() + timedelta(days=1)).isoformat()
