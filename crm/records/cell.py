"""One cell of a list: what it shows after an edit, and how it is edited."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from crm.records import lists, showing
from crm.records.actions import editable_fields
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web import cells

# What has no room in a cell is edited in the dialog.
WIDE = frozenset({FieldType.LOOKUP, FieldType.TAGS, FieldType.MULTI_CHOICE, FieldType.LONG_TEXT})


def cell_html(record_type: RecordType, field: Field, record: Any, actor: Actor) -> Markup:
    """What a list shows of one field of a record that is loaded, its own table's columns alone."""
    row = {path: getattr(record, path) for path in lists.value_paths(record_type, [field], lists.Key("id"))}
    showing.flatten(record_type, [field], [row], actor)
    labels = lists.labels_of(record_type, [field], [row])
    return Markup(cells.renderer(field, labels)(row))  # noqa: S704 -- escaped by the renderers


def edit_classes(record_type: RecordType, actor: Actor) -> dict[str, str]:
    """The class of a list's cells by field key, for the fields that the actor's role may write. Whether a record is the
    actor's to change is asked when they begin to edit it."""
    if actor.write == "none":
        return {}
    return record_type.remembered(("cells", actor.role), lambda: _edit_classes(record_type, actor))


def _edit_classes(record_type: RecordType, actor: Actor) -> dict[str, str]:
    return {
        field.key: "cell-edit cell-wide" if field.type in WIDE else "cell-edit"
        for field in editable_fields(record_type, actor)
    }
