"""Reads of the kernel that join, and all its hand-written SQL. Each hand-written one has an equivalence test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import QuerySet

from crm.enums import Role, Visibility
from crm.lib.money import Rate
from crm.models import (
    ExchangeRate,
    Membership,
    Notification,
    Organization,
    OutboxEvent,
    Session,
    Team,
    TeamMember,
    User,
)
from crm.tenancy import context
from crm.tenancy.backend.base import prepared_cursor
from crm.tenancy.backend.kept import loaded
from crm.tenancy.context import Actor, Ids

UNREAD_CAP = 100  # unread notifications that are counted; more are "99+"

# The member and the organisation. Before an organisation is entered only the membership can be seen, so finding it
# enters the organisation, for reading what hangs on it; the caller enters it properly.
_FOUND_SQL = """
    SELECT m.*, set_config('app.org_id', m.org_id::text, true), o.slug, o.name AS org_name, o.visibility, o.locale,
           o.time_zone AS org_zone, o.base_currency, o.fiscal_year_start, o.readonly_may_export, o.schema_version
      FROM crm_membership m JOIN crm_organization o ON o.id = m.org_id
     WHERE {where} AND m.active AND m.deleted_at IS NULL
"""


def _reach(role: str, visibility: str) -> tuple[str, str]:
    """How far a role reads and writes. The same rule as the matrix in docs/permissions.md."""
    read = "all" if role in (Role.ADMIN, Role.READONLY) or visibility == Visibility.ALL_READ else "own"
    write = {Role.ADMIN: "all", Role.READONLY: "none"}.get(Role(role), "own")
    return read, write


def _reach_sql(which: int) -> str:
    """`_reach` for the database: the reading (0) or writing (1) reach of `me`."""
    cases = [
        f"WHEN '{role}' || ' ' || '{visibility}' THEN '{_reach(role, visibility)[which]}'"
        for role in Role.values
        for visibility in Visibility.values
    ]
    return f"CASE me.role || ' ' || me.visibility {' '.join(cases)} END"


# With how far the member reads and writes, the teams the member belongs to, and everybody whose records the member
# sees: for a manager also the members of every team below the teams they manage. They hang on `me`, hence are read
# after it has entered the organisation.
_ME_SQL = f"""
       me.id, me.org_id, me.user_id, me.role, me.title, me.slug, me.org_name, me.visibility, me.locale, me.org_zone,
       me.base_currency, me.fiscal_year_start, me.readonly_may_export, me.schema_version,
       {_reach_sql(0)} AS reads, {_reach_sql(1)} AS writes,
       ARRAY(SELECT t.team_id FROM crm_teammember t
              WHERE t.org_id = me.org_id AND t.member_id = me.id ORDER BY 1)::text AS teams,
       CASE WHEN me.role = 'manager' THEN ARRAY(
           WITH RECURSIVE tree AS (
               SELECT t.team_id AS id FROM crm_teammember t
                WHERE t.org_id = me.org_id AND t.member_id = me.id AND t.is_manager
               UNION
               SELECT c.id FROM crm_team c JOIN tree ON c.parent_id = tree.id
                WHERE c.org_id = me.org_id AND c.deleted_at IS NULL)
           SELECT t.member_id FROM crm_teammember t JOIN tree ON tree.id = t.team_id WHERE t.org_id = me.org_id
           UNION SELECT me.id ORDER BY 1)
       ELSE ARRAY[me.id] END::text AS members
"""  # noqa: S608 -- values of our enums
_MEMBER_COLUMNS = ("id", "org_id", "user_id", "role", "title")
_ORGANIZATION_COLUMNS = (
    "id", "slug", "name", "visibility", "locale", "time_zone", "base_currency", "fiscal_year_start",
    "readonly_may_export", "schema_version",
)  # fmt: skip
_MEMBER_SQL = f"WITH me AS MATERIALIZED ({_FOUND_SQL}) SELECT {_ME_SQL} FROM me"  # noqa: S608 -- ours


@dataclass(frozen=True, slots=True)
class Membered:
    """A member as a request needs them: rows that are not loaded again, and the actor that stands for them."""

    member: Membership
    organization: Organization
    actor: Actor


def _membered(where: str, params: list[Any]) -> list[Membered]:
    with prepared_cursor() as cursor:
        cursor.execute(_MEMBER_SQL.format(where=where), params)
        return [_read_member(row) for row in cursor.fetchall()]


def _read_member(row: Any, *, name: str = "", request_id: str = "") -> Membered:
    member = loaded(Membership, _MEMBER_COLUMNS, row[:5])
    organization = loaded(Organization, _ORGANIZATION_COLUMNS, (row[1], *row[5:14]))
    actor = Actor(
        org_id=row[1],
        kind="member",
        role=row[3],
        read=row[14],
        write=row[15],
        user_id=row[2],
        member_id=row[0],
        members=Ids(row[17]),
        teams=Ids(row[16]),
        time_zone=row[9],
        name=name,
        request_id=request_id,
        schema=row[13],
    )
    return Membered(member, organization, actor)


_SESSION_COLUMNS = [field.attname for field in Session._meta.concrete_fields]
_USER_COLUMNS = [field.attname for field in User._meta.concrete_fields]
_SIGNED_COLUMNS = ", ".join(
    [*(f"s.{name} AS s_{name}" for name in _SESSION_COLUMNS), *(f"u.{name}" for name in _USER_COLUMNS)]
)
_SIGNED_SQL = f"""
    SELECT {_SIGNED_COLUMNS} FROM crm_session s LEFT JOIN crm_user u ON u.id = s.user_id
     WHERE s.session_key = %s AND s.expire_date > now()
"""  # noqa: S608 -- columns of the models

# A request inside an organisation, in one statement: session, user, member, what waits for the member. The user is
# named to row-level security first (the fence of OFFSET 0 keeps that order), then the membership can be found. What
# `context.enter` would send is set here too: a message less for every request.
_OPENING_SQL = f"""
WITH session AS MATERIALIZED ({_SIGNED_SQL}),
     signed AS MATERIALIZED (SELECT *, set_config('app.user_id', coalesce(s_user_id::text, ''), true) FROM session),
     me AS MATERIALIZED (
         SELECT found.*, set_config('app.member_id', found.id::text, true) FROM signed CROSS JOIN LATERAL (
         {_FOUND_SQL.format(where="m.user_id = signed.s_user_id AND o.slug = %s")} OFFSET 0) found),
     who AS MATERIALIZED (SELECT {_ME_SQL} FROM me)
SELECT signed.*, who.*,
       (SELECT count(*) FROM (
           SELECT FROM crm_notification n
            WHERE n.org_id = who.org_id AND n.member_id = who.id AND n.read_at IS NULL LIMIT %s) waiting),
       (SELECT string_agg(concat_ws(' ', v.view_id, v.record_type, v.is_default::int, v.pin), ',' ORDER BY v.pin)
          FROM crm_viewmark v WHERE v.org_id = who.org_id AND v.member_id = who.id),
       CASE WHEN who.id IS NOT NULL THEN num_nulls(
           set_config('app.reach', who.reads, true), set_config('app.write', who.writes, true),
           set_config('app.members', who.members, true),
           set_config('app.teams', coalesce(nullif(who.teams, '{{}}'), ''), true),
           set_config('app.actor_kind', 'member', true), set_config('app.request_id', %s, true)) END
  FROM signed LEFT JOIN who ON true
"""  # noqa: S608 -- columns of the models


@dataclass(frozen=True, slots=True)
class Opening:
    """What a request inside an organisation begins with; `membered` is None for who is no active member of it."""

    session: Session
    membered: Membered | None
    unread: int
    marks: str = ""  # the member's saved views, for view_marks()


def session(key: str) -> Session | None:
    """An unexpired session with its user. Every request asks for it: by the ORM it was a quarter of a small one."""
    with prepared_cursor() as cursor:
        cursor.execute(_SIGNED_SQL, [key])
        row = cursor.fetchone()
    return row and _read_session(row)


def opening(key: str, slug: str, request_id: str = "") -> Opening | None:
    """An unexpired session with its user, and the user's membership in the organisation with that slug.

    The database has the transaction's tenancy settings then: the caller, once the user has proved good, enters the
    organisation with `context.enter(actor, is_told=True)`; otherwise context.forget() takes them back.
    """
    with prepared_cursor() as cursor:
        cursor.execute(_OPENING_SQL, [key, slug, UNREAD_CAP, request_id])
        row = cursor.fetchone()
    if row is None:
        return None
    session = _read_session(row)
    member = row[len(_SESSION_COLUMNS) + len(_USER_COLUMNS) + 1 :]
    if member[0] is None or session.user is None:
        return Opening(session, None, 0)
    found = _read_member(member, name=session.user.get_full_name(), request_id=request_id)
    found.member.user = session.user
    return Opening(session, found, member[-3], member[-2] or "")


@dataclass(frozen=True, slots=True)
class ViewMarks:
    """What a member has made of saved views: ids of the pinned ones in order, and of the default by record type."""

    pins: tuple[UUID, ...]
    defaults: dict[str, UUID]


def view_marks(text: str) -> ViewMarks:
    """The marks of Opening.marks."""
    rows = [mark.split(" ") for mark in text.split(",") if mark]
    pins = tuple(UUID(row[0]) for row in rows if len(row) > 3)
    return ViewMarks(pins, {row[1]: UUID(row[0]) for row in rows if row[2] == "1"})


def led_teams(actor: Actor) -> set[UUID]:
    """The teams that the acting member manages, and those below them."""
    if actor.role != Role.MANAGER:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(keel_led_teams())")
        return {row[0] for row in cursor.fetchall()}


def _read_session(row: Any) -> Session:
    user = len(_SESSION_COLUMNS)
    found = loaded(Session, _SESSION_COLUMNS, row[:user])
    if found.user_id:
        found.user = loaded(User, _USER_COLUMNS, row[user : user + len(_USER_COLUMNS)])
    else:
        found.user = None
    return found


def member_by_slug(user_id: UUID, slug: str) -> Membered | None:
    """The active membership of a user in the organisation with that slug. Needs context.enter_user(user_id) first."""
    return next(iter(_membered("m.user_id = %s AND o.slug = %s", [user_id, slug])), None)


def member_by_id(member_id: UUID) -> Membered | None:
    """An active member of the organisation that is entered, by id: for tasks that act on somebody's behalf."""
    return members_by_id([member_id]).get(member_id)


def members_by_id(member_ids: Collection[UUID]) -> dict[UUID, Membered]:
    """Those of these members of the organisation that is entered who are active, by id, in one statement."""
    found = _membered("m.id = ANY(%s) AND m.org_id = app_org()", [list(member_ids)])
    return {membered.member.id: membered for membered in found}


def organizations_of(user_id: UUID) -> list[Organization]:
    """The organisations a user is an active member of, by name. Needs context.enter_user(user_id) first."""
    return list(
        Organization.objects.raw(
            "SELECT o.* FROM crm_organization o JOIN crm_membership m ON m.org_id = o.id"
            " WHERE m.user_id = %s AND m.active AND m.deleted_at IS NULL ORDER BY lower(o.name), o.id",
            [user_id],
        )
    )


def members() -> list[tuple[UUID, str]]:
    """The active members of the organisation that is entered: (id, name), by name. For owner pickers."""
    rows = Membership.objects.filter(active=True).values_list("id", "user__name", "user__email")
    return sorted(((i, name or email.split("@")[0]) for i, name, email in rows), key=lambda r: r[1].casefold())


def team_names() -> dict[UUID, str]:
    """The organisation's teams: id to name, by name."""
    return dict(Team.objects.order_by("name").values_list("id", "name"))


def resolve_token(digest: bytes) -> tuple[UUID, UUID, UUID | None, str] | None:
    """What an unused, unexpired token opens: (organisation id, token id, member id, kind), or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT org_id, token_id, member_id, kind FROM keel_resolve_token(%s)", [digest])
        return cursor.fetchone()


def due_orgs(what: str) -> list[UUID]:
    """Ids of the organisations with work of a kind: "outbox" (events to deliver) or "all" (every organisation)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM keel_due_orgs(%s)", [what])
        return [row[0] for row in cursor.fetchall()]


def dead_letters(limit: int = 100) -> tuple[list[OutboxEvent], int]:
    """The oldest events of the organisation that were given up, and how many there are in all."""
    dead = OutboxEvent.objects.filter(dead_at__isnull=False)
    letters = list(dead.order_by("id")[:limit])
    return letters, len(letters) if len(letters) < limit else dead.count()


def lock_outbox() -> bool:
    """Takes the outbox of the organisation that is entered for this transaction; False when a relay has it already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('outbox', 0) # hashtextextended(app_org()::text, 1))"
        )
        return bool(cursor.fetchone()[0])


def base_currency() -> str:
    """The base currency of the organisation that is entered."""
    return Organization.objects.values_list("base_currency", flat=True).get(pk=context.current_actor().org_id)


def fiscal_year_start() -> int:
    """The month, 1 to 12, with which the fiscal year of the organisation that is entered begins."""
    rows = Organization.objects.values_list("fiscal_year_start", flat=True)
    return rows.get(pk=context.current_actor().org_id)


def active_members(ids: Collection[Any]) -> set[UUID]:
    """Those of some ids that are active members of the organisation."""
    wanted = [pk for pk in ids if pk]
    return set(Membership.objects.filter(pk__in=wanted, active=True).values_list("pk", flat=True)) if wanted else set()


def members_of_teams(team_ids: Collection[UUID]) -> set[UUID]:
    """The members of some teams, those of teams below them not among them."""
    if not team_ids:
        return set()
    return set(TeamMember.objects.filter(team_id__in=team_ids).values_list("member_id", flat=True))


def exchange_rates(on: date) -> dict[str, Rate]:
    """What a unit of each foreign currency is worth in the base currency on a day."""
    rows = ExchangeRate.objects.filter(valid_from__lte=on).order_by("currency", "-valid_from").distinct("currency")
    return {code: Rate(value, since) for code, value, since in rows.values_list("currency", "rate", "valid_from")}


def tags() -> dict[UUID, tuple[str, str]]:
    """The organisation's tags: id to (name, tone). Without the ORM: every list and every record asks."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT id, name, tone FROM crm_tag WHERE org_id = app_org() AND deleted_at IS NULL")
        return {pk: (name, tone) for pk, name, tone in cursor.fetchall()}


def count_tries(windows: Sequence[tuple[str, int]]) -> list[tuple[str, int, float]]:
    """Counts one more try for each (key, seconds of a window): (key, tries in the window, seconds until it ends).

    One statement, so that tries at the same moment are all counted; keys are locked in order, so that two callers
    with the same keys can't wait for each other.
    """
    rows = sorted(windows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO crm_ratelimit AS r (key, count, expires_at)
            SELECT key, 1, clock_timestamp() + make_interval(secs => seconds)
              FROM unnest(%s::text[], %s::int[]) AS given (key, seconds) ORDER BY key
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN r.expires_at <= clock_timestamp() THEN 1 ELSE r.count + 1 END,
                expires_at = CASE WHEN r.expires_at <= clock_timestamp() THEN excluded.expires_at ELSE r.expires_at END
            RETURNING key, count, extract(epoch FROM expires_at - clock_timestamp())::float
            """,
            [[key for key, _ in rows], [seconds for _, seconds in rows]],
        )
        return cursor.fetchall()


def tag_ids(names: Sequence[str]) -> dict[str, UUID]:
    """The ids of the organisation's tags by the given names, compared without case and accents."""
    if not names:
        return {}
    with prepared_cursor() as cursor:
        cursor.execute(
            "SELECT n.name, t.id FROM unnest(%s::text[]) AS n (name) JOIN crm_tag t"
            " ON t.org_id = app_org() AND t.name_norm = keel_norm(n.name) AND t.deleted_at IS NULL",
            [list(names)],
        )
        return dict(cursor.fetchall())


def inbox(member_id: UUID, *, unread_only: bool = False) -> QuerySet[Notification]:
    """A member's notifications; those that wait only, if wanted."""
    rows = Notification.objects.filter(member_id=member_id)
    return rows.filter(read_at__isnull=True) if unread_only else rows


def some_shared_ids(model: type[models.Model], actor: Actor, most: int) -> Ids:
    """Up to `most` ids of records of a type that are shared with the actor or one of their teams.

    The same rows as crm.access.shared_ids, without the ORM: every list of a member who does not see everything asks.
    """
    table = model._meta.get_field("shares").related_model._meta.db_table  # type: ignore[union-attr]
    shared = (
        f"SELECT content_object_id FROM {table} WHERE org_id = app_org() AND level IN ('read', 'write')"  # noqa: S608 -- a table of ours
        " AND (until IS NULL OR until > now())"
    )
    with prepared_cursor() as cursor:
        # Two halves, each on its own index.
        cursor.execute(
            f"SELECT ARRAY({shared} AND member_id = %s UNION {shared} AND team_id = ANY (%s::uuid[]) LIMIT %s)::text",
            [actor.member_id, actor.teams_array, most],
        )
        return Ids(cursor.fetchone()[0])
