"""Adding, changing, handing over, deleting and restoring deals."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from contacts.models import Account
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import Notification, OutboxEvent
from crm.records import hooks
from deals.actions.deals import assign_deal, create_deal, create_deals, delete_deal, restore_deal, update_deal
from deals.actions.owners import reassign_deals
from deals.models import Deal, DealContact, StageChange
from tests.deals.conftest import Sales


def test_create_deal_fills_in_what_was_not_said(sales: Sales, entries):
    with sales.org.acting(sales.rep) as acting:
        deal = create_deal({"name": "  Silo  "}, acting=acting)
        steps = list(StageChange.objects.filter(deal=deal).values_list("from_stage", "to_stage__name"))
        names = list(OutboxEvent.objects.filter(record=deal.pk).values_list("name", flat=True))
    made = sales.fresh(deal)
    assert (made.name, made.owner_id, made.stage.name, made.currency) == ("Silo", sales.rep.pk, "Lead", "EUR")
    assert (made.probability, made.probability_by_hand, made.status, made.version) == (10, False, "open", 1)
    assert (steps, names) == ([(None, "Lead")], ["deal.created"])
    assert [(e.kind, e.data, e.deal_id) for e in entries] == [("system", {"event": "created"}, deal.pk)]


def test_create_deal_for_somebody_the_rep_does_not_see(sales: Sales):
    with sales.org.acting(sales.rep) as acting:
        deal = create_deal({"name": "Silo", "owner": sales.stranger.pk}, acting=acting)
        assert Deal.objects.filter(pk=deal.pk).count() == 0
    assert sales.fresh(deal).owner_id == sales.stranger.pk


def test_create_deal_in_a_closed_stage_takes_the_closing_with_it(sales: Sales):
    day = date(2026, 3, 4)
    with sales.org.acting(sales.rep) as acting:
        with pytest.raises(Invalid):
            create_deal({"name": "Silo", "stage": sales.stages["Lost"]}, acting=acting)
        deal = create_deal(
            {"name": "Silo", "stage": sales.stages["Lost"], "close_reason": "Price", "closed_on": day}, acting=acting
        )
    made = sales.fresh(deal)
    assert (made.status, made.closed_on, made.close_reason, made.probability) == ("lost", day, "Price", 0)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "x", "amount": -1}, "amount"),
        ({"name": "x", "currency": "EURO"}, "currency"),
        ({"name": "x", "probability": 101}, "probability"),
        ({"name": "x", "stage": "nonsense"}, "stage"),
        ({"name": "x", "account": "nonsense"}, "account"),
        ({"name": "x", "owner": "nonsense"}, "owner"),
        ({"name": "x", "next_step": "y" * 201}, "next_step"),
        ({"name": "x", "forecast_category": "hopeful"}, "forecast_category"),
    ],
)
def test_create_deal_with_a_wrong_field_makes_nothing(sales: Sales, values, field, entries):
    with sales.org.acting(sales.rep) as acting:
        with pytest.raises(Invalid) as refused:
            create_deal(values, acting=acting)
        assert (set(refused.value.fields), Deal.objects.count(), entries) == ({field}, 0, [])


def test_create_deal_by_a_reader_is_refused(sales: Sales):
    with sales.org.acting(sales.reader) as acting:
        with pytest.raises(Forbidden):
            create_deal({"name": "Silo"}, acting=acting)
        assert Deal.objects.count() == 0


def test_create_deals_says_which_row_is_wrong(sales: Sales):
    with sales.org.acting(sales.rep) as acting:
        with pytest.raises(Invalid) as refused:
            create_deals([{"name": "A"}, {"name": "B", "amount": -2}], acting=acting)
        assert (set(refused.value.fields), Deal.objects.count()) == ({"1.amount"}, 0)


def test_create_deals_emits_one_event_for_a_pipeline(sales: Sales):
    with sales.org.acting(sales.rep) as acting:
        made = create_deals([{"name": "A"}, {"name": "B", "stage": sales.stages["Commit"]}], acting=acting)
        (event,) = OutboxEvent.objects.filter(name="deal.created")
    assert (set(event.payload["records"]), event.payload["pipeline"]) == (
        {str(d.pk) for d in made},
        str(sales.pipeline.pk),
    )
    assert set(event.payload["stages"]) == {str(sales.stages["Lead"].pk), str(sales.stages["Commit"].pk)}


def test_update_deal_changes_the_named_fields(sales: Sales):
    deal = sales.deal(amount=100, next_step="Call")
    with sales.org.acting(sales.rep) as acting:
        update_deal(deal.pk, {"amount": 250, "next_step": None}, acting=acting, version=1)
        event = OutboxEvent.objects.get(record=deal.pk, name="deal.updated")
        update_deal(deal.pk, {"amount": 250}, acting=acting)
        assert OutboxEvent.objects.filter(record=deal.pk, name="deal.updated").count() == 1
    after = sales.fresh(deal)
    assert (after.amount, after.next_step, after.name, after.version) == (250, "", deal.name, 2)
    assert set(event.payload["fields"]) == {"amount", "next_step"}


def test_update_deal_on_an_old_version_is_refused(sales: Sales):
    deal = sales.deal(amount=100)
    with sales.org.acting(sales.rep) as acting:
        update_deal(deal.pk, {"amount": 250}, acting=acting, version=1)
        with pytest.raises(Conflict):
            update_deal(deal.pk, {"amount": 300}, acting=acting, version=1)
    assert sales.fresh(deal).amount == 250


def test_probability_by_hand_stays_until_it_is_emptied(sales: Sales):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting:
        update_deal(deal.pk, {"probability": 80}, acting=acting)
        assert (sales.fresh(deal).probability, sales.fresh(deal).forecast_category) == (80, "commit")
        update_deal(deal.pk, {"stage": sales.stages["Proposal"]}, acting=acting)
        assert (sales.fresh(deal).stage.name, sales.fresh(deal).probability) == ("Proposal", 80)
        update_deal(deal.pk, {"probability": None}, acting=acting)
        assert (sales.fresh(deal).probability, sales.fresh(deal).forecast_category) == (60, "best_case")
        update_deal(deal.pk, {"forecast_category": "omitted"}, acting=acting)
        update_deal(deal.pk, {"probability": 99}, acting=acting)
    assert sales.fresh(deal).forecast_category == "omitted"


def test_update_deal_into_a_stage_is_a_move(sales: Sales, entries):
    deal = sales.deal()
    entries.clear()
    with sales.org.acting(sales.rep) as acting:
        update_deal(deal.pk, {"stage": sales.stages["Lost"].pk, "close_reason": "Price", "amount": 7}, acting=acting)
        change = StageChange.objects.get(deal=deal, from_stage__isnull=False)
    after = sales.fresh(deal)
    assert (after.status, after.close_reason, after.version, change.amount, change.deal_version) == (
        "lost",
        "Price",
        2,
        7,
        2,
    )
    assert [e.data["to"] for e in entries] == ["Lost"]


def test_assign_deal_hands_it_to_somebody_the_rep_does_not_see(sales: Sales):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting:
        assign_deal(deal.pk, sales.stranger.pk, acting=acting)
        assert Deal.objects.filter(pk=deal.pk).count() == 0
    with sales.org.system():
        assert Notification.objects.get(member=sales.stranger).data["name"] == deal.name
        payload = OutboxEvent.objects.get(record=deal.pk, name="deal.updated").payload
    assert (payload["previous_owner"], payload["owner"]) == (str(sales.rep.pk), str(sales.stranger.pk))
    assert sales.fresh(deal).owner_id == sales.stranger.pk


def share(sales: Sales, deal: Deal, level: str) -> None:
    from crm.actions.sharing import share_record  # noqa: PLC0415 -- for two tests only

    with sales.org.acting(sales.rep) as acting:
        share_record("deal", deal.pk, member=sales.stranger.pk, level=level, acting=acting)


def test_a_deal_shared_for_writing_can_be_edited_but_not_given_away(sales: Sales):
    deal = sales.deal()
    share(sales, deal, "write")
    with sales.org.acting(sales.stranger) as acting:
        update_deal(deal.pk, {"amount": 5}, acting=acting)
        with pytest.raises(Forbidden):
            assign_deal(deal.pk, sales.stranger.pk, acting=acting)
        with pytest.raises(Forbidden):
            delete_deal(deal.pk, acting=acting)
    after = sales.fresh(deal)
    assert (after.amount, after.owner_id, after.deleted_at) == (5, sales.rep.pk, None)


def test_a_deal_shared_for_reading_can_not_be_edited(sales: Sales):
    deal = sales.deal()
    share(sales, deal, "read")
    with sales.org.acting(sales.stranger) as acting:
        assert Deal.objects.filter(pk=deal.pk).count() == 1
        with pytest.raises(NotFound):
            update_deal(deal.pk, {"amount": 5}, acting=acting)
    assert sales.fresh(deal).amount is None


def test_delete_deal_and_restore_it_to_its_place(sales: Sales):
    sales.deal("A")
    deal = sales.deal("B")
    sales.deal("C")
    with sales.org.acting(sales.rep) as acting:
        delete_deal(deal.pk, acting=acting)
        assert sales.column("Lead") == ["C", "A"]
        with pytest.raises(NotFound):
            delete_deal(deal.pk, acting=acting)
        restore_deal(deal.pk, acting=acting)
    assert sales.column("Lead") == ["C", "B", "A"]


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_restore_deal_by_somebody_without_the_right_changes_nothing(sales: Sales, who):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting:
        delete_deal(deal.pk, acting=acting)
    with sales.org.acting(getattr(sales, who)) as acting, pytest.raises(NotFound):
        restore_deal(deal.pk, acting=acting)
    assert sales.fresh(deal).deleted_at is not None


def test_reassign_deals_takes_all_of_them_and_the_bin(sales: Sales):
    kept, binned = sales.deal("kept"), sales.deal("binned")
    other = sales.deal("other", by=sales.stranger)
    with sales.org.acting(sales.admin) as acting:
        delete_deal(binned.pk, acting=acting)
        assert reassign_deals(sales.rep.pk, sales.manager.pk, acting=acting) == 2
    assert [sales.fresh(d).owner_id for d in (kept, binned, other)] == [
        sales.manager.pk,
        sales.manager.pk,
        sales.stranger.pk,
    ]


def test_deals_take_part_in_the_kernels_hooks():
    assert [h.__module__ for h in hooks.organization_created if h.__module__ == "deals.setup"] == ["deals.setup"]
    assert [h.__module__ for h in hooks.reassigners if h.__module__ == "deals.setup"] == ["deals.setup"]


def test_account_of_a_deal_must_be_one_the_actor_sees(sales: Sales):
    deal = sales.deal()
    with sales.org.system():
        account = Account.objects.create(name="Halden", owner=sales.stranger)
    with sales.org.acting(sales.rep) as acting:
        with pytest.raises(NotFound):
            update_deal(deal.pk, {"account": account.pk}, acting=acting)
        with pytest.raises(Invalid):
            create_deal({"name": "x", "account": account.pk}, acting=acting)
    assert sales.fresh(deal).account_id is None


def test_contacts_of_a_new_deal(sales: Sales):
    from contacts.models import Contact  # noqa: PLC0415 -- for this test only

    with sales.org.acting(sales.rep) as acting:
        one, two = (Contact.objects.create(first_name=n, owner=sales.rep) for n in ("Ines", "Noor"))
        deal = create_deal({"name": "x", "contacts": [one.pk, (two.pk, "champion")]}, acting=acting)
        rows = DealContact.objects.filter(deal=deal).order_by("created_at", "id")
        found = set(rows.values_list("contact__first_name", "role", "is_primary"))
    assert found == {("Ines", "unknown", True), ("Noor", "champion", False)}


def test_next_step_in_the_future_is_kept_with_its_moment(sales: Sales):
    when = timezone.now() + timedelta(days=2)
    deal = sales.deal(next_step="Demo", next_step_at=when)
    assert (sales.fresh(deal).next_step, sales.fresh(deal).next_step_at) == ("Demo", when)
