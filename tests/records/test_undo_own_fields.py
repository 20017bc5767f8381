"""An undo gives own fields no value that they don't take any more."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.actions.fields import FieldSettings, Option, create_field, update_field
from crm.models import CustomField, Membership
from crm.records import schema
from crm.records.actions import create_record
from tests.records.harbour import Harbour
from tests.records.test_undo import refused, run, undo

pytestmark = pytest.mark.django_db(transaction=True)
GOLD, SILVER = Option("Gold", value="gold"), Option("Silver", value="silver")


def add(port: Harbour, label: str, kind: str, **more: Any) -> CustomField:
    with port.org.acting(port.admin) as admin:
        return create_field("vessel", FieldSettings(label=label, kind=kind, **more), acting=admin)


def change(port: Harbour, row: CustomField, **more: Any) -> None:
    with port.org.acting(port.admin) as admin:
        update_field(row.pk, FieldSettings(label=row.label, **more), acting=admin)


def ships(port: Harbour, *customs: dict[str, Any]) -> list[Any]:
    with port.org.acting(port.rep) as rep:
        kind = schema.record_type("vessel", rep)
        return [create_record(kind, {"name": f"Ship {n}", **own}, acting=rep) for n, own in enumerate(customs)]


def own(port: Harbour, records: list[Any]) -> list[tuple[dict[str, Any], int]]:
    return [(port.fresh(record).custom, port.fresh(record).version) for record in records]


def reasons(port: Harbour, done: Any) -> list[str]:
    return [text for _pk, text in refused(port, done)]


def test_a_choice_that_was_taken_away_does_not_come_back(port: Harbour):
    tier = add(port, "Tier", "choice", options=[Option("Gold"), Option("Silver"), Option("Tin")])
    made = ships(port, {"tier": "gold"}, {"tier": "tin"})
    done = run(port, port.rep, "vessel", "set", made, tier="silver")
    change(port, tier, options=[SILVER, Option("Tin", value="tin")])
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (1, 1)
    assert own(port, made) == [({"tier": "silver"}, 2), ({"tier": "tin"}, 3)]
    assert reasons(port, back) == ["Its former value in “Tier” is not one of the choices any more"]


def test_neither_does_one_of_several_choices(port: Harbour):
    flags = add(port, "Flags", "multi_choice", options=[Option("Gold"), Option("Silver")])
    made = ships(port, {"flags": ["gold", "silver"]}, {"flags": ["silver"]})
    done = run(port, port.rep, "vessel", "set", made, flags=[])
    change(port, flags, options=[SILVER])
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (1, 1)
    assert own(port, made) == [({}, 2), ({"flags": ["silver"]}, 3)]
    assert reasons(port, back) == ["Its former value in “Flags” is not one of the choices any more"]


def test_a_member_who_left_does_not_come_back(port: Harbour):
    add(port, "Pilot", "member")
    made = ships(port, {"pilot": str(port.stranger.pk)}, {"pilot": str(port.manager.pk)})
    done = run(port, port.rep, "vessel", "set", made, pilot=str(port.rep.pk))
    with port.org.system():
        Membership.objects.filter(pk=port.stranger.pk).update(active=False)
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (1, 1)
    assert own(port, made) == [({"pilot": str(port.rep.pk)}, 2), ({"pilot": str(port.manager.pk)}, 3)]
    assert reasons(port, back) == ["Who was in “Pilot” is not an active member any more"]


def test_a_record_in_the_recycle_bin_is_not_pointed_at_again(port: Harbour):
    add(port, "Tug", "lookup", target="vessel")
    tugs = [port.vessel("Tug 1"), port.vessel("Tug 2")]
    made = ships(port, {"tug": str(tugs[0].pk)}, {"tug": str(tugs[1].pk)})
    done = run(port, port.rep, "vessel", "set", made, tug="")
    port.delete("vessel", tugs[0])
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (1, 1)
    assert own(port, made) == [({}, 2), ({"tug": str(tugs[1].pk)}, 3)]
    assert reasons(port, back) == ["Its former value in “Tug” was deleted"]


def test_a_field_that_is_required_by_now_is_not_emptied(port: Harbour):
    berth = add(port, "Berth", "text")
    made = ships(port, {}, {"berth": "B2"})
    done = run(port, port.rep, "vessel", "set", made, berth="B9")
    change(port, berth, required=True)
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (1, 1)
    assert own(port, made) == [({"berth": "B9"}, 2), ({"berth": "B2"}, 3)]
    assert reasons(port, back) == ["“Berth” was empty, and is required by now"]


def test_many_records_are_asked_about_at_once(port: Harbour):
    add(port, "Pilot", "member")
    add(port, "Tug", "lookup", target="vessel")
    numbers = []
    for count in (2, 8):
        made = ships(port, *[{"pilot": str(port.manager.pk), "tug": str(port.vessel().pk)}] * count)
        done = run(port, port.rep, "vessel", "set", made, pilot="", tug="")
        with CaptureQueriesContext(connection) as captured:
            assert undo(port, port.rep, done).changed == count
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]
