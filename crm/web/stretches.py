"""Lists whose first sort is by a column that most rows have no value in: rows with a value, then those without.

Each is a stretch that an index of its own has in order. A page is read from one of them, and goes on in the next one
where the first ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from crm.web.pagination import Key, Keys, Place, joined


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows next to each other in a list. `empty` says of columns whether they are empty in all of them, or filled.

    They are in the order of `key`, turned round when read `backwards`, and begin beyond `place`; None for all of them.
    """

    empty: tuple[tuple[str, bool], ...]
    key: Key | Keys
    place: Place | None = None
    backwards: bool = False

    @property
    def rows(self) -> Q:
        """The condition that leaves the rows of the stretch that come after its place."""
        found = Q(**{f"{path}__isnull": is_empty for path, is_empty in self.empty})
        return found & Q(self.key.beyond(self.place)) if self.place else found

    @property
    def order(self) -> tuple[Any, ...]:
        """The ORDER BY."""
        return self.key.order(backwards=self.backwards)


def stretches(key: Key | Keys, place: Place | None) -> list[Stretch]:
    """What a page is read from that begins at a place, in the order of reading."""
    parts = _parts(key)
    if place is None:
        return parts
    values = place.value if isinstance(key, Keys) else (place.value,)
    at = next((n for n, value in enumerate(values[: len(parts) - 1]) if value is not None), len(parts) - 1)
    here, left = parts[at], values[at:]
    value = left if isinstance(here.key, Keys) else left[0] if left else place.row_id
    begin = replace(here, place=Place(place.backwards, value, place.row_id), backwards=place.backwards)
    if place.backwards:
        return [begin, *(replace(part, backwards=True) for part in reversed(parts[:at]))]
    return [begin, *parts[at + 1 :]]


def _parts(key: Key | Keys) -> list[Stretch]:
    """All stretches of a list, from its beginning on."""
    first, rest = (key.keys[0], key.keys[1:]) if isinstance(key, Keys) else (key, ())
    if not first.sparse:
        return [Stretch((), key)]
    filled = replace(first, nullable=False, sparse=False)
    others = _parts(joined(rest) if rest else Key("id", first.descending))
    return [
        Stretch(((first.path, False),), joined((filled, *rest))),
        *(replace(part, empty=((first.path, True), *part.empty)) for part in others),
    ]
