"""How records are reached. Nothing outside of actions and queries gets a record in any other way.

What is absent, in another organisation, or forbidden answers the same: NotFound (404). The queryset's filter and the
check of one object are the same expression.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crm import queries
from crm.enums import ShareLevel, ViewScope
from crm.lib.errors import NotFound
from crm.models import SavedView
from crm.tenancy.backend.kept import KeptQuery, OneOf, OneOfRows
from crm.tenancy.context import Actor, Reach, WriteReach, array

M = TypeVar("M", bound=models.Model)
R = TypeVar("R")
MEMBERS_MOST = 5  # members whose records are looked through for what is seen with them
SHARED_MOST = 500  # shared records that a statement names one by one


def shared_ids(model: type[models.Model], actor: Actor, *, write: bool = False) -> models.QuerySet[Any]:
    """Ids of the records of a type that are shared with the actor or one of their teams, as a subquery."""
    shares: Any = model._meta.get_field("shares").related_model
    levels = [ShareLevel.WRITE] if write else [ShareLevel.READ, ShareLevel.WRITE]
    rows = shares.objects.filter(Q(until__isnull=True) | Q(until__gt=Now()), level__in=levels)
    return rows.filter(Q(member_id=actor.member_id) | OneOf("team_id", actor.teams_array)).values("content_object_id")


def is_shareable(model: type[models.Model]) -> bool:
    """Whether records of a type can be shared one by one."""
    return any(field.name == "shares" for field in model._meta.get_fields())


def visible_q(model: type[models.Model], actor: Actor) -> Q:
    """The filter that leaves what the actor sees: everything, or own, team's and shared records."""
    if actor.read == "all":
        return Q()
    own = Q(OneOf("owner_id", actor.members_array))
    if is_shareable(model):
        return own | Q(id__in=shared_ids(model, actor))
    return own | _seen_through(model, actor)


def _seen_through(model: type[models.Model], actor: Actor) -> Q:
    """Rows that belong to another one, the first of a model's SEEN_THROUGH that they name, and are seen with it."""
    found, before = Q(pk__in=[]), Q()
    for name in getattr(model, "SEEN_THROUGH", ()):
        parent: Any = model._meta.get_field(name).related_model
        rows = parent._default_manager.filter(visible_q(parent, actor)).values("id")
        found |= before & Q(**{f"{name}__in": rows})
        before &= Q(**{f"{name}__isnull": True})
    return found


def writable_q(model: type[models.Model], actor: Actor) -> Q:
    """The filter that leaves what the actor may change."""
    if actor.write == "all":
        return Q()
    if actor.write == "none":
        return Q(pk__in=[])
    own = Q(OneOf("owner_id", actor.members_array))
    return own | Q(id__in=shared_ids(model, actor, write=True)) if is_shareable(model) else own


def visible(model: type[M], actor: Actor) -> models.QuerySet[M]:
    """The records of a type that the actor sees, without the recycle bin's."""
    return model._default_manager.filter(visible_q(model, actor), deleted_at__isnull=True)


def visible_related(model: type[M], actor: Actor) -> models.QuerySet[M]:
    """The records of a type that the actor sees, for a subquery that finds them by a key.

    What is seen through other records is left to row-level security, whose function looks a row's parent up by its
    key: the planner would take the subqueries of visible_q for run anew with each row.
    """
    if getattr(model, "SEEN_THROUGH", ()):
        return model._default_manager.filter(deleted_at__isnull=True)
    return visible(model, actor)


def branches(
    queryset: models.QuerySet[M], actor: Actor, *, merged: bool = False, shared: Collection[UUID] | None = None
) -> list[models.QuerySet[M]]:
    """What the actor sees of a queryset, as disjoint querysets that each use an index of their own.

    `merged` makes one of them where few records are shared: cheaper to ask for, dearer to count. `shared` are the ids
    of `some_shared`, where the caller has asked already.
    """
    if actor.read == "all":
        return [queryset]
    is_own = owned_q(actor)
    own = queryset.filter(is_own)
    if getattr(queryset.model, "SEEN_THROUGH", ()):
        return [own, *_branches_through(queryset.filter(_nobodys(queryset.model) | ~is_own), actor)]
    shared = some_shared(queryset.model, actor) if shared is None else shared
    if not shared:
        return [own]
    if len(shared) > SHARED_MOST:
        is_shared = Q(id__in=shared_ids(queryset.model, actor))
    else:
        is_shared = Q(OneOf("id", array(shared)))
        if merged:
            return [queryset.filter(is_own | is_shared)]
    return [own, queryset.filter(is_shared, _nobodys(queryset.model) | ~is_own)]


def all_rows(
    queryset: models.QuerySet[M], actor: Actor, *, shared: Collection[UUID] | None = None
) -> models.QuerySet[M]:
    """What the actor sees of a queryset, all of it in no order, as one queryset that indexes lead to. `shared` as in
    `branches`."""
    parts = branches(queryset, actor, merged=True, shared=shared)
    if len(parts) == 1:
        return parts[0]
    ids = parts[0].values("id").union(*(part.values("id") for part in parts[1:]), all=True)
    return queryset.model._default_manager.filter(id__in=ids)


def owned_q(actor: Actor) -> Q:
    """The rows of the actor's members. Those of one stand in order in an index that begins with the owner: to read
    them so, the planner wants the owner, not an array of one."""
    if len(actor.members) == 1:
        return Q(owner_id=next(iter(actor.members)))
    return Q(OneOf("owner_id", actor.members_array))


def _nobodys(model: type[models.Model]) -> Q:
    """Rows without an owner, where there may be such."""
    return Q(owner_id__isnull=True) if model._meta.get_field("owner").null else Q()


def _branches_through(queryset: models.QuerySet[M], actor: Actor) -> list[models.QuerySet[M]]:
    """Others' rows that are seen with what they belong to, by each kind of that: the record's index leads to them."""
    found, before = [], Q()
    for name in queryset.model.SEEN_THROUGH:  # type: ignore[attr-defined]  # the caller has looked
        parent: Any = queryset.model._meta.get_field(name).related_model
        rows = parent._default_manager.filter(visible_q(parent, actor))
        found.append(queryset.filter(before, OneOfRows(f"{name}_id", rows)))
        before &= Q(**{f"{name}__isnull": True})
    return found


def _is_met_soon(model: type[models.Model], actor: Actor) -> bool:
    """Whether rows that are seen through others are best read in order, with row-level security passing by those that
    the actor doesn't see: it looks at each row's parent, which is dear for those who see few, and cheap for those who
    reach more records than could be looked through."""
    return actor.read != "all" and len(actor.members) > MEMBERS_MOST and bool(getattr(model, "SEEN_THROUGH", ()))


def some_shared(model: type[models.Model], actor: Actor) -> Collection[UUID]:
    """Up to one more than SHARED_MOST of the records that are shared with the actor.

    Asked before a list: most members have few shared records or none, and then the list is one plain index scan.
    """
    if actor.read == "all" or not is_shareable(model):
        return ()
    return queries.some_shared_ids(model, actor, SHARED_MOST + 1)


def first_rows(
    queryset: models.QuerySet[M],
    actor: Actor,
    *,
    order: tuple[Any, ...],
    limit: int,
    paths: Sequence[str],
    shared: Collection[UUID] | None = None,
) -> models.QuerySet[Any]:
    """The first `limit` rows, in `order`, of what the actor sees of `queryset`, as dicts of `paths` (the columns of
    `order` among them).

    One member's own records stand by last change in the owner's index, which has what else they are sorted by, and
    what is shared is a second branch. A manager's are named one by one, with what is shared, so that the planner can
    tell few rows, which it sorts, from many, which it reads in order past those of others. Either way it reads the
    index alone, and fetches the rows themselves for the page only.
    """
    several = actor.read != "all" and len(actor.members) > 1
    if _is_met_soon(queryset.model, actor):
        return queryset.order_by(*order).values(*paths)[:limit]
    if not all(map(_column_of, order)):
        # The parts of a union can't be put in order by what is no column of theirs. Such lists are short.
        return all_rows(queryset, actor, shared=shared).order_by(*order).values(*paths)[:limit]
    parts = branches(queryset, actor, merged=several, shared=shared)
    if several and len(parts) == 1:
        return _first_by_id(parts[0], order, limit).order_by(*order).values(*paths)
    if not several and actor.read != "all" and _column_of(order[0]) != "updated_at":
        parts[0] = _first_by_id(parts[0], order, limit)
    rows = [part.order_by(*order).values(*paths)[:limit] for part in parts]
    return rows[0] if len(rows) == 1 else rows[0].union(*rows[1:], all=True).order_by(*order)[:limit]


def _first_by_id(queryset: models.QuerySet[M], order: tuple[Any, ...], limit: int) -> models.QuerySet[M]:
    """The first rows of a queryset, found by an index alone where one has the order and the conditions."""
    ids = queryset.order_by(*order).values("id")[:limit]
    return queryset.model._default_manager.filter(id__in=ids)


def _column_of(term: Any) -> str:
    """The column of the table itself that a term of an ORDER BY, a name or an OrderBy, is; "" for any other."""
    name: str = term.lstrip("-") if isinstance(term, str) else getattr(term.expression, "name", "")
    return "" if "__" in name else name


def absent(model: type[models.Model]) -> NotFound:
    """The one answer for a record that is absent, elsewhere, or not for this actor."""
    return NotFound(_("This %(thing)s was not found. It may have been deleted, or you may not have access to it.")
                    % {"thing": str(model._meta.verbose_name)})  # fmt: skip


def stand_in(actor: Actor) -> Actor:
    """An actor of the same reach who stands in for others when a kept query is made. One member, several and very many
    (MEMBERS_MOST) are asked for in different ways: theirs are two of several, and one more than that of very many."""
    several = 2 if len(actor.members) <= MEMBERS_MOST else MEMBERS_MOST + 1
    members = tuple(UUID(int=100 + n) for n in range(several if len(actor.members) > 1 else 1))
    return replace(actor, member_id=UUID(int=1), members=members, teams=(UUID(int=3),))


class ByKey(Generic[R]):
    """What is found by a key, as far as an actor reaches: compiled and planned once for each kind of reach.

    `build(actor, key)` gives the queryset (of models or dicts), which may depend on nothing else.
    """

    KEY = UUID(int=4)  # stands in for the key of each call

    def __init__(self, build: Callable[[Actor, UUID], models.QuerySet[Any]]) -> None:
        self._build = build
        self._kept: dict[tuple[Reach, WriteReach], KeptQuery[R]] = {}

    def all(self, actor: Actor, key: UUID | str) -> list[R]:
        """The rows; none for a key that is no UUID."""
        if not is_uuid(key):
            return []
        query = self._kept.get((actor.read, actor.write)) or self._keep(actor)
        return query.all(UUID(str(key)), actor.member_id, actor.members_array, actor.teams_array)

    def first(self, actor: Actor, key: UUID | str) -> R | None:
        """The first row, or None."""
        return next(iter(self.all(actor, key)), None)

    def _keep(self, actor: Actor) -> KeptQuery[R]:
        anybody = stand_in(actor)
        rows = self._build(anybody, self.KEY)
        found = KeptQuery[R](rows, self.KEY, anybody.member_id, anybody.members_array, anybody.teams_array)
        self._kept[actor.read, actor.write] = found
        return found


@lru_cache(maxsize=256)
def _seen(model: type[models.Model], related: tuple[str, ...], only: tuple[str, ...]) -> ByKey[Any]:
    """A record of the type that the actor sees."""

    def build(actor: Actor, key: UUID) -> models.QuerySet[Any]:
        rows = visible(model, actor).filter(pk=key)
        rows = rows.select_related(*related) if related else rows
        return rows.only(*only) if only else rows

    return ByKey(build)


@lru_cache(maxsize=256)
def _locked(model: type[models.Model], related: tuple[str, ...]) -> ByKey[Any]:
    """A record of the type that the actor may change, locked."""

    def build(actor: Actor, key: UUID) -> models.QuerySet[Any]:
        rows = model._default_manager.filter(writable_q(model, actor), pk=key, deleted_at__isnull=True)
        # select_related() without names would join everything.
        rows = rows.select_related(*related) if related else rows
        return rows.select_for_update(of=("self",))

    return ByKey(build)


def get_visible(model: type[M], pk: UUID | str, actor: Actor, *related: str, only: tuple[str, ...] = ()) -> M:
    """A record that the actor sees, with `related` rows joined; `only` leaves out other columns. Raises NotFound."""
    found = _seen(model, related, only).first(actor, pk)
    if found is None:
        raise absent(model)
    return found


def get_writable(model: type[M], pk: UUID | str, actor: Actor, *related: str) -> M:
    """A record that the actor may change, locked until the transaction ends, with `related` rows joined.

    Raises NotFound.
    """
    # A role that writes nothing finds nothing: there is no statement to keep.
    found = None if actor.write == "none" else _locked(model, related).first(actor, pk)
    if found is None:
        raise absent(model)
    return found


def may_write(record: Any, actor: Actor) -> bool:
    """Whether the actor may change a record they see."""
    if actor.write != "own" or record.owner_id in actor.members:
        return actor.write != "none"
    return type(record)._default_manager.filter(writable_q(type(record), actor), pk=record.pk).exists()


class Led(models.Func):
    """The team of a column is one that the acting member manages, or below one: asked once per statement."""

    template = "%(expressions)s = ANY ((SELECT keel_led_teams())::uuid[])"
    output_field = models.BooleanField()


def views_q(actor: Actor) -> Q:
    """The filter that leaves the saved views an actor sees: their own, their teams', everybody's."""
    mine = Q(owner_id=actor.member_id)
    if actor.write == "all":
        return mine | ~Q(scope=ViewScope.PRIVATE)
    in_team = Q(OneOf("team_id", actor.teams_array)) | Q(Led("team_id"))
    return mine | Q(scope=ViewScope.ORGANIZATION) | (Q(scope=ViewScope.TEAM) & in_team)


_view = ByKey[SavedView](lambda actor, pk: SavedView.objects.filter(views_q(actor), pk=pk))


def get_view(pk: UUID | str, record_type: str, actor: Actor) -> SavedView:
    """A saved view of a record type that the actor sees. Raises NotFound."""
    found = _view.first(actor, pk)
    if found is None or found.record_type != record_type:
        raise absent(SavedView)
    return found


def get_any_view(pk: UUID | str, actor: Actor, *, lock: bool = False) -> SavedView:
    """A saved view that the actor sees, of whatever type; with `lock` locked until the transaction ends, if the
    database lets the actor change it. Raises NotFound."""
    found = _view.first(actor, pk)
    if found is not None and lock:
        found = SavedView.objects.filter(pk=pk).select_for_update(of=("self",)).first()
    if found is None:
        raise absent(SavedView)
    return found


def own_row(model: type[M], pk: UUID | str, acting: Actor, *, lock: bool = False) -> M | None:
    """A row of work that a member has begun, such as an import: theirs, and of who writes everything;
    None for somebody else's. With `lock` locked until the transaction ends."""
    rows = own_rows(model, acting).filter(pk=pk)
    return (rows.select_for_update() if lock else rows).first()


def own_rows(model: type[M], acting: Actor) -> models.QuerySet[M]:
    """Work that a member has begun: theirs, or everybody's for who writes everything."""
    rows = model._default_manager.all()
    return rows if acting.write == "all" else rows.filter(owner_id=acting.member_id)


def as_uuid(value: UUID | str) -> UUID:
    """The id that a value names, where is_uuid says so. Raises ValueError."""
    return value if isinstance(value, UUID) else UUID(value)


def is_uuid(value: UUID | str) -> bool:
    """Whether a value from outside names a record at all."""
    if isinstance(value, UUID):
        return True
    try:
        UUID(value)
    except ValueError:
        return False
    return True
