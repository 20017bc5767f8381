"""Tags: labels that records hold by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils.translation import gettext as _

from crm import queries, rules
from crm.actions.base import action
from crm.lib.errors import Forbidden, Invalid
from crm.models import Tag
from crm.tenancy.context import Actor
from crm.tenancy.fields import new_id
from crm.web.formats import tone_for

LONGEST = 60  # characters of a tag
MOST = 30  # tags on one record


def clean_tags(values: Iterable[str | UUID]) -> tuple[str | UUID, ...]:
    """Ids as they are, names without blanks around them, no exact repeats. Raises Invalid for what is too long."""
    given = (v if isinstance(v, UUID) else " ".join(v.replace("\x00", "").split()) for v in values)
    kept = tuple(dict.fromkeys(value for value in given if value))
    if any(isinstance(value, str) and len(value) > LONGEST for value in kept):
        raise Invalid(fields={"tags": _("A tag has at most %(max)d characters.") % {"max": LONGEST}})
    if len(kept) > MOST:
        raise Invalid(fields={"tags": _("A record has at most %(max)d tags.") % {"max": MOST}})
    return kept


def tags_of_rows(rows: Sequence[Iterable[str | UUID]], acting: Actor) -> list[list[UUID]]:
    """For each row of tag ids and names, the ids: what a record's `tags` column holds, without repeats, in order.

    Values must be clean (clean_tags). Names are compared without case and accents; new ones become tags. Ids of tags
    that do not exist (any more) are dropped. Raises Forbidden for read-only members when a tag is missing.
    """
    lists = [list(row) for row in rows]
    names = list(dict.fromkeys(v for row in lists for v in row if isinstance(v, str)))
    ids = {v for row in lists for v in row if isinstance(v, UUID)}
    by_name = _ensure(names, acting)
    known = set(Tag.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else set()
    found = [[(v if v in known else None) if isinstance(v, UUID) else by_name[v] for v in row] for row in lists]
    return [[tag for tag in dict.fromkeys(row) if tag is not None] for row in found]


@action
def resolve_tags(rows: Sequence[Iterable[str | UUID]], *, acting: Actor) -> list[list[UUID]]:
    """`tags_of_rows` as an action of its own."""
    return tags_of_rows(rows, acting)


def _ensure(names: list[str], acting: Actor) -> dict[str, UUID]:
    found = queries.tag_ids(names)
    missing = [name for name in names if name not in found]
    if not missing:
        return found
    if not rules.may_edit_anything(acting):
        raise Forbidden(_("You can view this organisation's records, but not add any."))
    # Somebody else may make the same tag at this moment, and two of the names may mean one tag.
    Tag.objects.bulk_create(
        (Tag(id=new_id(), name=name, tone=tone_for(name.casefold())) for name in missing), ignore_conflicts=True
    )
    return queries.tag_ids(names)
