"""Numbers that are larger than anything holds: an answer or an error with its place, never a failure."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from crm.lib.errors import Invalid
from crm.models import ExchangeRate
from crm.records.filters.tree import from_json
from tests.records.filters.test_pages import Harbour
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"crew:gt:{'9' * 4_400}", "A value has at most 1,000 characters. (at filter.value)"),
        (f"crew:gt:-{'9' * 4_400}.5", "A value has at most 1,000 characters. (at filter.value)"),
        (f"flag:is:no,name:any_of:(a,{'9' * 4_400})", "1,000 characters. (at filter.and[1].value[1])"),
        (f"name:is:{'x' * 1_001}", "A value has at most 1,000 characters. (at filter.value)"),
        (f"crew:gt:{'9' * 999}", "This number is too large for “Crew”. (at filter.value)"),
        (f"crew:gt:{'9' * 400}.5", "A text, a number, true or false is expected here. (at filter.value)"),
        ("value:gte:1000000000000001", "This number is too large for “Value”. (at filter.value)"),
    ],
)
def test_numbers_that_are_too_long_are_told_by_their_place(text: str, said: str) -> None:
    harbour = Harbour()
    for path in (f"?filter={text}", f"export/?filter={text}"):
        response = harbour.get(harbour.admin, path, Accept="application/json")
        assert (response.status_code, said in json.loads(response.content)["detail"]) == (422, True), response.content
    shorter = harbour.get(harbour.admin, f"?crew.min={'9' * 4_400}")
    assert shorter.status_code == 422
    panel = f"filter/?state=1&n0-0.field=crew&n0-0.op=gt&n0-0.value={'9' * 4_400}"
    assert [harbour.get(harbour.admin, f"{panel}&act={act}").status_code for act in ("", "count", "apply")] == [200] * 3


def test_number_of_json_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="1,000 characters"):
        from_json({"field": "crew", "op": "gt", "value": 10**5_000})


@pytest.mark.parametrize(
    ("op", "expected"),
    [("gte", ""), ("gt", ""), ("is", ""), ("lt", "Borealis Élan"), ("lte", "Borealis Élan"), ("is_not", None)],
)
def test_amounts_beyond_what_a_weak_currency_can_hold(op: str, expected: str | None) -> None:
    """As much as 10^15 of the base currency is more rupiahs than a column can hold."""
    harbour = Harbour()
    with harbour.org.system():
        for code, rate in (("IDR", "0.000055"), ("VND", "0.00000001")):
            ExchangeRate.objects.create(currency=code, rate=Decimal(rate), valid_from=date(2026, 1, 1))
        Vessel.objects.filter(name="Borealis").update(value=5_000, currency="IDR")
        Vessel.objects.filter(name="Élan").update(currency=harbour.org.organization.base_currency)
    everybody = "Borealis Corvus Élan"
    for amount in ("999999999999999", "7000000000000"):
        found = harbour.names(harbour.admin, f"value:{op}:{amount}")
        assert found == (everybody if expected is None else expected).split()
    below = harbour.names(harbour.admin, "value:lt:-999999999999999")
    assert (below, harbour.names(harbour.admin, "value:gt:-999999999999999")) == ([], ["Borealis", "Élan"])
