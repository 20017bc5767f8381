"""A field that is written when a record is made and never changed, and records that nobody may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm.lib.errors import Forbidden
from crm.records import bulk
from crm.records.actions import create_record, editable_fields, new_fields, update_record
from crm.records.cell import edit_classes
from crm.records.forms import form_class
from crm.records.oldvalues import restorable_keys
from crm.records.registry import RecordType, registry
from tests.records.harbour import Harbour

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind() -> RecordType:
    """Vessels whose flag is written once."""
    vessel = registry.get("vessel")
    return replace(vessel, fields=tuple(replace(f, once=f.key == "flag") for f in vessel.fields))


def test_it_is_filled_in_a_new_record_and_nowhere_else(port: Harbour, kind: RecordType):
    with port.org.acting(port.rep) as rep:
        assert "flag" in {field.key for field in new_fields(kind, rep)}
        assert "flag" in form_class(kind, rep, new=True)().fields
        made: Any = create_record(kind, {"name": "Aurora", "flag": "no"}, acting=rep)
        assert "flag" not in {field.key for field in editable_fields(kind, rep)}
        assert "flag" not in form_class(kind, rep)().fields
        assert "flag" not in edit_classes(kind, rep)
        assert "flag" not in {field.key for field in bulk.fields_for_many(kind, rep)}
        assert "flag" not in restorable_keys(kind, made, rep)
        with pytest.raises(Forbidden):
            update_record(kind, made.pk, {"flag": "pa"}, acting=rep)
        edit = bulk.Edit(made, {"flag": "pa"})
        bulk.change(kind, [edit], rep)
        assert isinstance(edit.error, Forbidden)
    now = port.fresh(made)
    assert (now.flag, now.version) == ("no", 1)


def test_of_a_closed_record_nothing_is_put_back(port: Harbour, kind: RecordType):
    made = port.vessel(crew=4)
    closed = replace(kind, closed=lambda vessel: "She is moored." if vessel.crew else "")
    with port.org.acting(port.rep) as rep:
        assert restorable_keys(closed, made, rep) == frozenset()
        assert "crew" in restorable_keys(kind, made, rep)
        made.crew = None
        assert "crew" in restorable_keys(closed, made, rep)
