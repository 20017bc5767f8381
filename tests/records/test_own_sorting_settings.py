"""Which fields lists can be sorted by: an admin ticks them, a job prepares them, and roles that don't see one can't."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Q

from crm.actions.field_sorting import fill_part
from crm.actions.fields import Option, delete_field, restore_field, set_field_access
from crm.lib.errors import Forbidden, Invalid
from crm.models import CustomField, OutboxEvent
from tests.records.harbour import Harbour
from tests.records.test_views import get, save
from tests.records.yard import Yard
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------- settings


def test_a_field_is_sortable_when_all_records_are_prepared(port: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    yard = Yard.__new__(Yard)
    yard.port, yard.org = port, port.org
    row = yard.add("Depth", "number", sortable=False)
    ships = [yard.ship(depth=n % 3) for n in range(5)]
    assert get(port, port.rep, "?sort=depth").status_code == 422
    row = yard.change(row)
    with yard.org.system():
        (event,) = OutboxEvent.objects.filter(payload__task="crm.bulk.fill_sorting")
        assert event.payload["kwargs"]["field_id"] == str(row.pk)
    assert get(port, port.rep, "?sort=depth").status_code == 422
    assert "Preparing sort" in get(port, port.admin, "", "settings/fields/vessel/").content.decode()
    monkeypatch.setattr("crm.actions.field_sorting.PART", 2)
    with yard.org.system() as system:
        assert [fill_part(row.pk, acting=system) for _part in range(3)] == [True] * 3
        assert [bool(yard.columns(ship)) for ship in ships] == [True] * 4 + [False]
        assert CustomField.objects.get(pk=row.pk).sort_ready is False
        assert [fill_part(row.pk, acting=system) for _part in range(2)] == [False, False]
    assert yard.sorted_ids("-depth")[0] == ships[2].pk
    assert "Preparing sort" not in get(port, port.admin, "", "settings/fields/vessel/").content.decode()


def test_three_of_each_and_no_more(yard: Yard) -> None:
    with pytest.raises(Invalid) as caught:
        yard.add("Draught", "percent")
    assert "Depth, Built, Rig" in str(caught.value.fields["sortable"])
    with yard.org.system():
        assert set(CustomField.objects.values_list("key", flat=True)) == {"motto", "depth", "built", "rig"}
    assert [yard.add(label).sort_slot for label in ("Second", "Third")] == ["t2", "t3"]
    with pytest.raises(Invalid):
        yard.add("Fourth", "email")


@pytest.mark.parametrize(
    "more",
    [{"kind": "long_text"}, {"kind": "multi_choice"}, {"kind": "member"}, {"kind": "lookup", "target": "vessel"},
     {"kind": "formula", "formula": "1", "result": "number"}, {"kind": "text", "encrypted": True}],
)  # fmt: skip
def test_what_can_not_be_sorted_by_is_refused(port: Harbour, more: dict[str, Any]) -> None:
    yard = Yard.__new__(Yard)
    yard.port, yard.org = port, port.org
    with pytest.raises(Invalid) as caught:
        yard.add("Own", **more)
    assert "sortable" in caught.value.fields
    with yard.org.system():
        assert CustomField.objects.count() == 0


def test_a_column_that_is_free_goes_to_the_next_field(yard: Yard) -> None:
    old = yard.ship(depth=8)
    untouched = yard.ship(depth=9)
    row = yard.change(yard.rows["depth"], sortable=False)
    assert (row.sort_slot, row.sort_ready) == ("", False)
    assert get(yard.port, yard.port.rep, "?sort=depth").status_code == 422
    other = yard.add("Length", "number", sortable=False)
    with yard.org.system():
        Vessel.objects.filter(pk=old.pk).update(custom={"depth": 8, "length": 1})
    other = yard.change(other)
    assert other.sort_slot == "n1"
    yard.fill(other)
    assert (yard.columns(old), yard.columns(untouched)) == ({"sort_n1": 1.0}, {})


def test_deleting_frees_the_column_and_restoring_does_not_take_it_back(yard: Yard) -> None:
    row = yard.rows["depth"]
    with yard.org.acting(yard.port.admin) as acting:
        delete_field(row.pk, acting=acting)
    assert yard.add("Length", "number").sort_slot == "n1"
    with yard.org.acting(yard.port.admin) as acting:
        assert restore_field(row.pk, acting=acting).sort_slot == ""


def test_choices_in_another_order_are_prepared_again(yard: Yard) -> None:
    sloop, brig = yard.ship(rig="sloop"), yard.ship(rig="brig")
    row = yard.rows["rig"]
    assert yard.sorted_ids("rig") == [sloop.pk, brig.pk]
    choices = [*row.options, {"value": "", "label": "Barque", "tone": "gray"}]
    assert yard.change(row, options=_options(choices)).sort_ready is True
    with yard.org.system():
        row.refresh_from_db()
    assert yard.change(row, options=_options(row.options[::-1])).sort_ready is False
    assert get(yard.port, yard.port.rep, "?sort=rig").status_code == 422
    yard.fill(row)
    assert yard.sorted_ids("rig") == [brig.pk, sloop.pk]


def _options(options: list[dict[str, str]]) -> list[Any]:
    return [Option(o["label"], o["tone"], o["value"]) for o in options]


def test_only_admins_have_a_column_filled(yard: Yard) -> None:
    row = yard.change(yard.rows["depth"], sortable=False)
    ship = yard.ship(depth=1)
    row = yard.change(row)
    for who in (yard.port.rep, yard.port.manager, yard.port.reader):
        with yard.org.acting(who) as acting, pytest.raises(Forbidden):
            fill_part(row.pk, acting=acting)
    assert yard.columns(ship) == {}


def test_forms_offer_it_where_it_can_be(yard: Yard) -> None:
    port = yard.port
    for kind, offered in (("text", True), ("choice", True), ("long_text", False), ("lookup", False)):
        page = get(port, port.admin, f"?kind={kind}", "settings/fields/vessel/new/").content.decode()
        assert ('name="sortable"' in page) is offered, kind
    page = get(port, port.admin, "", f"settings/fields/{yard.rows['depth'].pk}/edit/").content.decode()
    assert "checked" in page.partition('name="sortable"')[2].partition(">")[0]


# ---------------------------------------------------------------- who sees the field


def test_who_does_not_see_the_field_can_not_sort_by_it(yard: Yard) -> None:
    port = yard.port
    yard.ship(depth=3)
    view = save(port, port.admin, "sort=-depth,name&cols=crew", scope="organization")
    with yard.org.acting(port.admin) as acting:
        set_field_access("vessel", "depth", {"rep": "hidden"}, acting=acting)
    there = get(port, port.rep, "?sort=-depth")
    never = get(port, port.rep, "?sort=-dapth")
    assert (there.status_code, never.status_code) == (422, 422)
    assert there.content.decode().count("depth") == never.content.decode().count("dapth")
    for other in ("sort_n1", "-sort_t1"):
        assert get(port, port.admin, f"?sort={other}").status_code == 422
    opened = get(port, port.rep, f"?view={view.pk}").content.decode()
    assert "A part of this view names something" in opened
    assert "A part of this view names something" not in get(port, port.admin, f"?view={view.pk}").content.decode()


def test_filters_know_nothing_of_the_columns(yard: Yard) -> None:
    yard.ship(depth=3)
    for query in ("?sort_n1=3", "?filter=sort_n1:gt:1"):
        assert get(yard.port, yard.port.admin, query).status_code == 422
    with yard.org.system():
        assert Vessel.objects.filter(Q(sort_n1=3.0)).count() == 1
