"""The set-based sibling leaves the same state as the single action."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deals.actions.deals import create_deal, create_deals
from deals.models import Deal, StageChange
from tests.deals.conftest import Sales

STAGES = ("Lead", "Qualified", "Commit", "Won", "Lost")
OWNERS = ("rep", "stranger", "manager", None)
rows = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["Silo", "Crane", " Belt "]), "stage": st.sampled_from([*STAGES, None])},
        optional={
            "owner": st.sampled_from(OWNERS),
            "amount": st.one_of(st.none(), st.integers(0, 10**12)),
            "currency": st.sampled_from(["EUR", "USD", "JPY", "", None]),
            "probability": st.one_of(st.none(), st.integers(0, 100)),
            "forecast_category": st.sampled_from(["", "commit", "omitted"]),
            "close_date": st.one_of(st.none(), st.just(date(2026, 12, 24))),
            "next_step": st.sampled_from(["", "Call", None]),
            "source": st.sampled_from(["", "Fair"]),
        },
    ),
    min_size=1,
    max_size=6,
)
COLUMNS = [
    "name", "pipeline_id", "stage_id", "position", "owner_id", "account_id", "amount", "currency", "probability",
    "probability_by_hand", "status", "forecast_category", "forecast_by_hand", "close_date", "closed_on",
    "close_reason", "close_note", "next_step", "next_step_at", "source", "tags", "version", "custom", "deleted_at",
]  # fmt: skip


def state(deals: list[Deal]) -> list[dict[str, Any]]:
    """What the database holds of these deals and of their history."""
    found = []
    for deal in deals:
        row = Deal.objects.filter(pk=deal.pk).values(*COLUMNS).get()
        steps = StageChange.objects.filter(deal=deal)
        row["steps"] = list(steps.values("from_stage", "to_stage", "by", "amount", "currency", "probability", "before"))
        found.append(row)
    return found


@given(rows=rows)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_create_deals_leaves_what_create_deal_leaves(sales: Sales, rows):
    given_rows = [
        {
            **row,
            "stage": sales.stages[row["stage"]] if row["stage"] else None,
            "owner": getattr(sales, row["owner"]).pk if row.get("owner") else None,
            "close_reason": "Price" if row["stage"] == "Lost" else "",
        }
        for row in rows
    ]
    with sales.org.acting(sales.rep) as acting:
        one_by_one = [create_deal(row, acting=acting) for row in given_rows]
        with sales.org.system():
            first = state(one_by_one)
            Deal.everything.all().delete()
        together = create_deals(given_rows, acting=acting)
        with sales.org.system():
            second = state(together)
            Deal.everything.all().delete()
    assert first == second
