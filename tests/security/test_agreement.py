"""Four places say who sees and who changes a record: lists, single records, the board, row-level security.

In generated organisations they agree with a fifth, written here in plain Python from docs/permissions.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Account, Contact
from crm import access, queries
from crm.enums import Visibility
from crm.lib.errors import NotFound
from crm.models import Membership, Organization, Team, TeamMember
from crm.records.permissions import permission_for
from crm.tenancy.context import Actor, org_context
from crm.tenancy.fields import new_id
from deals import queries as deal_queries
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Stage
from tests.factories import Org, make_org

pytestmark = pytest.mark.django_db(transaction=True)

MODELS: tuple[Any, ...] = (Contact, Account, Deal)
# Two managers, of whom each may manage something, and three reps, so that teams cross.
PEOPLE = ("admin", "manager", "manager", "rep", "rep", "rep", "readonly")
TEAMS, RECORDS = 4, 5
NEAR = (1, 2, 3, 4, 5)  # managers and reps, whose reach is a matter of teams and shares
HOUR = timedelta(hours=1)

person, team, record = (st.integers(0, n - 1) for n in (len(PEOPLE), TEAMS, RECORDS))


@dataclass(frozen=True)
class Shared:
    """A share of a record with a person, or with a team; it may be over."""

    record: int
    person: int | None
    team: int | None
    level: str
    over: bool | None  # None: it has no end


@dataclass(frozen=True)
class Plan:
    """An organisation: people, teams and records are numbers. A team stands below one of a smaller number, or none."""

    all_read: bool
    parents: tuple[int | None, ...]
    places: frozenset[tuple[int, int, bool]]  # (team, person, manages it)
    owners: tuple[int, ...]
    shares: tuple[Shared, ...]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    parents = tuple(draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(TEAMS))
    places = draw(st.dictionaries(st.tuples(team, person), st.booleans(), max_size=9))
    shares = draw(
        st.lists(
            st.builds(
                lambda what, who, level, over: Shared(what, *who, level, over),
                record,
                st.tuples(person, st.none()) | st.tuples(st.none(), team),
                st.sampled_from(["read", "write"]),
                st.sampled_from([None, None, False, True]),
            ),
            max_size=8,
            unique_by=lambda share: (share.record, share.person, share.team),
        )
    )
    return Plan(
        all_read=draw(st.sampled_from([False, False, False, True])),
        parents=parents,
        places=frozenset((t, p, manages) for (t, p), manages in places.items()),
        owners=tuple(draw(person) for _ in range(RECORDS)),
        shares=tuple(shares),
    )


# ---------------------------------------------------------------- what the document says


def below(plan: Plan, roots: set[int]) -> set[int]:
    """Teams and all below them."""
    found = set(roots)
    for number, parent in enumerate(plan.parents):  # parents come first
        if parent in found:
            found.add(number)
    return found


def looks_after(plan: Plan, who: int) -> set[int]:
    """Whose records somebody has the rights of an owner on: their own; for managers, those of their teams' trees."""
    if PEOPLE[who] != "manager":
        return {who}
    tree = below(plan, {t for t, p, manages in plan.places if p == who and manages})
    return {who} | {p for t, p, _manages in plan.places if t in tree}


def granted(plan: Plan, who: int, levels: set[str]) -> set[int]:
    """The records that somebody has by shares that are not over."""
    teams = {t for t, p, _manages in plan.places if p == who}
    return {
        share.record
        for share in plan.shares
        if share.level in levels and not share.over and (share.person == who or share.team in teams)
    }


def may_see(plan: Plan, who: int) -> set[int]:
    if PEOPLE[who] in ("admin", "readonly") or plan.all_read:
        return set(range(RECORDS))
    owners = looks_after(plan, who)
    return {n for n, owner in enumerate(plan.owners) if owner in owners} | granted(plan, who, {"read", "write"})


def may_change(plan: Plan, who: int) -> set[int]:
    if PEOPLE[who] == "admin":
        return set(range(RECORDS))
    if PEOPLE[who] == "readonly":
        return set()
    owners = looks_after(plan, who)
    return {n for n, owner in enumerate(plan.owners) if owner in owners} | granted(plan, who, {"write"})


# ---------------------------------------------------------------- the organisation as planned


@dataclass
class Ground:
    """What every generated organisation has in common."""

    org: Org
    members: list[Membership]
    stage: Stage


def lay_ground() -> Ground:
    org = make_org()
    members = [org.member(role) for role in PEOPLE]
    with org.system() as system:
        pipeline = create_default_pipeline(acting=system)
        stage = Stage.objects.filter(pipeline=pipeline).order_by("position").first()
    assert stage is not None
    # A neighbour with records of its own, which nobody here may ever reach.
    other = make_org()
    with other.acting(other.member("rep")) as actor:
        Contact.objects.create(last_name="Foreign", owner_id=actor.member_id)
        Account.objects.create(name="Foreign", owner_id=actor.member_id)
    return Ground(org, members, stage)


def build(ground: Ground, plan: Plan) -> dict[Any, list[UUID]]:
    """Writes a plan, inside the organisation as the system; the records of each type in the plan's order."""
    Organization.objects.filter(pk=ground.org.id).update(
        visibility=Visibility.ALL_READ if plan.all_read else Visibility.PRIVATE
    )
    teams = [Team(id=new_id(), name=f"Team {n}") for n in range(TEAMS)]
    for number, parent in enumerate(plan.parents):
        teams[number].parent_id = teams[parent].pk if parent is not None else None
    Team.objects.bulk_create(teams)
    TeamMember.objects.bulk_create(
        TeamMember(team=teams[t], member=ground.members[p], is_manager=manages) for t, p, manages in plan.places
    )
    now, found = timezone.now(), {}
    for model in MODELS:
        rows = [model(id=new_id(), owner=ground.members[owner]) for owner in plan.owners]
        for number, row in enumerate(rows):
            setattr(row, "last_name" if model is Contact else "name", f"Record {number}")
            if model is Deal:
                row.stage, row.pipeline_id, row.currency = ground.stage, ground.stage.pipeline_id, "EUR"
                row.amount, row.position, row.stage_entered_at, row.touched_at = 10**number, f"a{number}", now, now
        model.objects.bulk_create(rows)
        share_model = model._meta.get_field("shares").related_model
        for share in plan.shares:
            share_model.objects.create(
                content_object=rows[share.record],
                member=None if share.person is None else ground.members[share.person],
                team=None if share.team is None else teams[share.team],
                user_id=None if share.person is None else ground.members[share.person].user_id,
                level=share.level,
                permission=permission_for(model, share.level),
                until=None if share.over is None else now - HOUR if share.over else now + HOUR,
            )
        found[model] = [row.pk for row in rows]
    return found


# ---------------------------------------------------------------- what each place says


def _each(get: Any, model: Any, ids: list[UUID], actor: Actor) -> set[UUID]:
    """The records that a function hands out one by one."""
    found = set()
    for pk in ids:
        try:
            found.add(get(model, pk, actor).pk)
        except NotFound:
            continue
    return found


def _raw(sql: str, *params: Any) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {row[0] for row in cursor.fetchall()}


def seen(model: Any, ids: list[UUID], actor: Actor) -> dict[str, set[UUID]]:
    """Who sees a type's records, by every place that decides it."""
    table, rows = model._meta.db_table, model.objects.all()
    parts = access.branches(rows, actor)
    found = {
        "visible": set(access.visible(model, actor).values_list("pk", flat=True)),
        "branches": {pk for part in parts for pk in part.values_list("pk", flat=True)},
        "merged": {
            pk for part in access.branches(rows, actor, merged=True) for pk in part.values_list("pk", flat=True)
        },
        "first_rows": {r["id"] for r in access.first_rows(rows, actor, order=("-id",), limit=99, paths=("id",))},
        "get_visible": _each(access.get_visible, model, ids, actor),
        "row-level security": _raw(f"SELECT id FROM {table}"),
        "row-level security, by id": _raw(f"SELECT id FROM {table} WHERE id = ANY (%s)", ids),
    }
    assert sum(part.count() for part in parts) == len(found["branches"]), "branches overlap"
    return found


def changed(model: Any, ids: list[UUID], actor: Actor) -> dict[str, set[UUID]]:
    """Who changes a type's records, by every place that decides it."""
    table = model._meta.db_table
    return {
        "get_writable": _each(access.get_writable, model, ids, actor),
        "may_write": {row.pk for row in access.visible(model, actor) if access.may_write(row, actor)},
        "UPDATE": _attempt(f"UPDATE {table} SET version = version + 1 WHERE id = ANY (%s) RETURNING id", ids),
        "DELETE": _attempt(f"DELETE FROM {table} WHERE id = ANY (%s) RETURNING id", ids),
    }


def _attempt(sql: str, *params: Any) -> set[UUID]:
    """What a statement would have touched."""
    with transaction.atomic():
        touched = _raw(sql, *params)
        transaction.set_rollback(True)
    return touched


def board(ground: Ground, actor: Actor) -> Iterator[tuple[str, Any]]:
    """What the board's own statements say of deals: the cards, those one may move, count and sum."""
    sight = deal_queries.Sight(actor)
    cards = deal_queries.board_cards([ground.stage.pk], sight, limit=99)
    yield "cards", {card.id for card in cards}
    yield "may_write", {card.id for card in cards if sight.may_write(card.id, card.owner_id)}
    (stages,) = deal_queries.setting().stages.values()
    deal_queries.board_sums(stages, sight, on=timezone.localdate())
    lead = next(stage for stage in stages if stage.id == ground.stage.pk)
    yield "sum", (lead.count, lead.amounts.get("EUR", 0))


# ---------------------------------------------------------------- the agreement


def agree(ground: Ground, plan: Plan, people: tuple[int, ...]) -> None:
    """Compares all of them, for these people."""
    with ground.org.system(), transaction.atomic():
        made = build(ground, plan)
        for who in people:
            found = queries.member_by_id(ground.members[who].pk)
            assert found is not None
            visible, writable = may_see(plan, who), may_change(plan, who)
            assert writable <= visible
            with org_context(found.actor) as actor:
                for model, ids in made.items():
                    expected = {ids[n] for n in visible}
                    says = seen(model, ids, actor)
                    assert says == dict.fromkeys(says, expected), f"{model.__name__} seen by {PEOPLE[who]} {who}"
                    expected = {ids[n] for n in writable}
                    says = changed(model, ids, actor)
                    assert says == dict.fromkeys(says, expected), f"{model.__name__} changed by {PEOPLE[who]} {who}"
                ids = made[Deal]
                assert dict(board(ground, actor)) == {
                    "cards": {ids[n] for n in visible},
                    "may_write": {ids[n] for n in writable},
                    "sum": (len(visible), sum(10**n for n in visible)),
                }, f"board of {PEOPLE[who]} {who}"
        transaction.set_rollback(True)


LONG = (pytest.mark.soak, pytest.mark.timeout(1800))


@pytest.mark.parametrize(
    ("named_one_by_one", "organizations"),
    [(500, 8), (1, 8), pytest.param(500, 200, marks=LONG), pytest.param(1, 200, marks=LONG)],
)
def test_everybody_says_the_same_of_who_sees_and_changes_what(monkeypatch, named_one_by_one, organizations):
    """Also where more records are shared than a statement names one by one."""
    monkeypatch.setattr(access, "SHARED_MOST", named_one_by_one)
    ground = lay_ground()

    @settings(max_examples=organizations, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(plans())
    def check(plan: Plan) -> None:
        agree(ground, plan, NEAR)

    check()


def test_the_tree_the_shares_and_their_ends_count_as_written():
    """One organisation in which every rule matters, so that none of them is met by chance only."""
    plan = Plan(
        all_read=False,
        parents=(None, 0, 1, None),
        # Manager 1 leads team 0, above the teams of reps 3 and 4; manager 2 is in team 0 and leads nothing.
        places=frozenset({(0, 1, True), (0, 2, False), (1, 3, False), (2, 4, False), (3, 5, False), (3, 4, True)}),
        owners=(3, 4, 5, 2, 1),
        shares=(
            Shared(0, 5, None, "read", None), Shared(1, None, 3, "write", False), Shared(2, 3, None, "write", True),
            Shared(3, 6, None, "write", None), Shared(4, None, 0, "read", None),
        ),
    )  # fmt: skip
    assert [sorted(may_see(plan, who)) for who in range(7)] == [
        [0, 1, 2, 3, 4], [0, 1, 3, 4], [3, 4], [0], [1], [0, 1, 2], [0, 1, 2, 3, 4],
    ]  # fmt: skip
    assert [sorted(may_change(plan, who)) for who in range(7)] == [
        [0, 1, 2, 3, 4], [0, 1, 3, 4], [3], [0], [1], [1, 2], [],
    ]  # fmt: skip
    agree(lay_ground(), plan, tuple(range(len(PEOPLE))))
