"""Setting up pipelines and stages: by actions, and on the settings pages."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import OutboxEvent
from deals.actions.closure import close_deal
from deals.actions.deals import delete_deal, update_deal
from deals.actions.pipelines import create_default_pipeline, create_pipeline, delete_pipeline, update_pipeline
from deals.actions.stage_setup import create_stage, delete_stage, reorder_stages, update_stage
from deals.models import Deal, Pipeline, Stage, StageChange
from tests.deals.conftest import Sales
from tests.support.web import client_for


def stages_now(sales: Sales) -> list[str]:
    with sales.org.system():
        return list(Stage.objects.filter(pipeline=sales.pipeline).order_by("position").values_list("name", flat=True))


def test_default_pipeline_is_the_one_of_the_field(sales: Sales):
    with sales.org.system() as acting:
        rows = Stage.objects.filter(pipeline=sales.pipeline).order_by("position")
        assert list(rows.values_list("name", "probability", "kind")) == [
            ("Lead", 10, "open"),
            ("Qualified", 25, "open"),
            ("Discovery", 40, "open"),
            ("Proposal", 60, "open"),
            ("Negotiation", 75, "open"),
            ("Commit", 90, "open"),
            ("Won", 100, "won"),
            ("Lost", 0, "lost"),
        ]
        assert create_default_pipeline(acting=acting).pk == sales.pipeline.pk
        assert Pipeline.objects.count() == 1


def test_new_default_pipeline_takes_the_place_of_the_old_one(sales: Sales):
    with sales.org.acting(sales.manager) as acting:
        made = create_pipeline("Renewals", acting=acting)
        update_pipeline(made.pk, name="Renewals", is_default=True, acting=acting)
        assert list(Pipeline.objects.filter(is_default=True).values_list("name", flat=True)) == ["Renewals"]
        with pytest.raises(Conflict):
            delete_pipeline(made.pk, acting=acting)
        with pytest.raises(Invalid):
            update_pipeline(sales.pipeline.pk, name="Renewals", acting=acting)


def test_pipeline_with_deals_in_the_bin_is_not_deleted(sales: Sales):
    with sales.org.acting(sales.manager) as acting:
        made = create_pipeline("Renewals", acting=acting)
        first = Stage.objects.filter(pipeline=made, kind="open").first()
    deal = sales.deal(by=sales.stranger, stage=first)
    with sales.org.acting(sales.stranger) as acting:
        delete_deal(deal.pk, acting=acting)
    with sales.org.acting(sales.manager) as acting, pytest.raises(Conflict):
        delete_pipeline(made.pk, acting=acting)
    with sales.org.system() as acting:
        Deal.everything.all().delete()
        delete_pipeline(made.pk, acting=acting)
        assert Pipeline.objects.count() == 1


def test_new_stage_comes_before_the_end_states(sales: Sales):
    with sales.org.acting(sales.manager) as acting:
        create_stage(sales.pipeline.pk, {"name": "Pilot", "probability": 50, "rot_days": 9}, acting=acting)
    assert stages_now(sales) == [
        "Lead", "Qualified", "Discovery", "Proposal", "Negotiation", "Commit", "Pilot", "Won", "Lost",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Lead"}, "name"),
        ({"name": "x", "probability": 101}, "probability"),
        ({"name": "x", "rot_days": -1}, "rot_days"),
        ({"name": "x", "tone": "puce"}, "tone"),
        ({"name": "x", "kind": "maybe"}, "kind"),
    ],
)
def test_stage_with_a_wrong_field_is_refused(sales: Sales, values, field):
    with sales.org.acting(sales.manager) as acting, pytest.raises(Invalid) as refused:
        create_stage(sales.pipeline.pk, values, acting=acting)
    assert set(refused.value.fields) == {field}
    assert len(stages_now(sales)) == 8


def test_probability_of_a_stage_is_followed_by_everybodys_deals(sales: Sales):
    following = sales.deal(by=sales.stranger, stage=sales.stages["Proposal"], amount=1000)
    by_hand = sales.deal(stage=sales.stages["Proposal"], probability=55)
    with sales.org.acting(sales.manager) as acting:
        update_stage(sales.stages["Proposal"].pk, {"probability": 80}, acting=acting)
        event = OutboxEvent.objects.get(name="deal.updated")
    after = sales.fresh(following)
    assert (after.probability, after.weighted, after.forecast_category, after.version) == (80, 800, "commit", 2)
    assert (sales.fresh(by_hand).probability, sales.fresh(by_hand).version) == (55, 1)
    assert (event.payload["records"], event.payload["owners"]) == ([str(following.pk)], [str(sales.stranger.pk)])


def test_kind_of_a_stage_with_deals_stays(sales: Sales):
    sales.deal(by=sales.stranger, stage=sales.stages["Commit"])
    with sales.org.acting(sales.manager) as acting:
        with pytest.raises(Conflict):
            update_stage(sales.stages["Commit"].pk, {"kind": "won"}, acting=acting)
        update_stage(sales.stages["Discovery"].pk, {"kind": "won"}, acting=acting)
        with pytest.raises(Conflict):
            update_stage(sales.stages["Lost"].pk, {"kind": "open"}, acting=acting)
    assert stages_now(sales)[5:] == ["Discovery", "Won", "Lost"]


def test_reorder_stages_names_exactly_the_open_ones(sales: Sales):
    names = ["Commit", "Lead", "Qualified", "Discovery", "Proposal", "Negotiation"]
    with sales.org.acting(sales.manager) as acting:
        reorder_stages(sales.pipeline.pk, [sales.stages[n].pk for n in names], acting=acting)
        assert stages_now(sales) == [*names, "Won", "Lost"]
        with pytest.raises(Conflict):
            reorder_stages(sales.pipeline.pk, [sales.stages[n].pk for n in names[1:]], acting=acting)
    assert stages_now(sales) == [*names, "Won", "Lost"]


def test_delete_stage_moves_everybodys_deals_with_history(sales: Sales, entries):
    mine = sales.deal("mine", stage=sales.stages["Commit"], amount=7)
    theirs = sales.deal("theirs", by=sales.stranger, stage=sales.stages["Commit"])
    there = sales.deal("there", stage=sales.stages["Proposal"])
    sales.age(mine, 40)
    entries.clear()
    with sales.org.acting(sales.manager) as acting:
        with pytest.raises(Invalid) as refused:
            delete_stage(sales.stages["Commit"].pk, acting=acting)
        assert set(refused.value.fields) == {"move_to"}
        with pytest.raises(Invalid):
            delete_stage(sales.stages["Commit"].pk, move_to=sales.stages["Won"].pk, acting=acting)
        assert delete_stage(sales.stages["Commit"].pk, move_to=sales.stages["Proposal"].pk, acting=acting) == 2
    assert "Commit" not in stages_now(sales)
    assert sales.column("Proposal") == ["theirs", "mine", "there"]
    after = sales.fresh(mine)
    assert (after.stage.name, after.probability, after.version) == ("Proposal", 60, 2)
    with sales.org.system():
        steps = StageChange.objects.filter(deal__in=[mine, theirs], from_stage__name="Commit")
        assert steps.count() == 2
        assert not StageChange.objects.filter(deal=there, from_stage__isnull=False).exists()
    assert sorted(e.data["to"] for e in entries) == ["Proposal", "Proposal"]
    # Nobody moved it forward, so it rots on.
    assert (after.stage_entered_at - after.touched_at).days == 40


def test_last_stage_of_a_kind_stays(sales: Sales):
    with sales.org.acting(sales.manager) as acting, pytest.raises(Conflict):
        delete_stage(sales.stages["Won"].pk, acting=acting)
    assert len(stages_now(sales)) == 8


@pytest.mark.parametrize("who", ["rep", "reader"])
def test_setting_up_is_for_managers_and_admins(sales: Sales, who):
    before = stages_now(sales)
    with sales.org.acting(getattr(sales, who)) as acting:
        for call in (
            lambda: create_pipeline("x", acting=acting),
            lambda: update_pipeline(sales.pipeline.pk, name="x", acting=acting),
            lambda: delete_pipeline(sales.pipeline.pk, acting=acting),
            lambda: create_stage(sales.pipeline.pk, {"name": "x"}, acting=acting),
            lambda: update_stage(sales.stages["Lead"].pk, {"name": "x"}, acting=acting),
            lambda: reorder_stages(sales.pipeline.pk, [], acting=acting),
            lambda: delete_stage(sales.stages["Commit"].pk, acting=acting),
        ):
            with pytest.raises(Forbidden):
                call()
    assert stages_now(sales) == before
    path = f"/w/{sales.org.slug}/settings/pipelines/"
    assert client_for(getattr(sales, who)).get(path).status_code == 403


def test_absent_stage_is_not_found(sales: Sales):
    with sales.org.acting(sales.admin) as acting:
        for stage_id in ("nonsense", sales.rep.pk):
            with pytest.raises(NotFound):
                update_stage(stage_id, {"name": "x"}, acting=acting)
            with pytest.raises(NotFound):
                delete_stage(stage_id, acting=acting)


@pytest.mark.parametrize("who", ["manager", "admin"])
def test_settings_pages_change_what_they_show(sales: Sales, who):
    client, at = client_for(getattr(sales, who)), f"/w/{sales.org.slug}/settings"
    page = client.get(f"{at}/pipelines/").content.decode()
    assert all(name in page for name in stages_now(sales))
    lead = sales.stages["Lead"]
    body = urlencode({"probability": 15})
    form = "application/x-www-form-urlencoded"
    assert client.patch(f"{at}/stages/{lead.pk}/", body, content_type=form).status_code == 204
    wrong = client.patch(f"{at}/stages/{lead.pk}/", urlencode({"rot_days": "soon"}), content_type=form)
    assert wrong.status_code == 422
    added = client.post(f"{at}/pipelines/{sales.pipeline.pk}/stages/new/", {
        "name": "Pilot", "kind": "open", "probability": 50, "rot_days": 7, "tone": "teal",
    })  # fmt: skip
    assert added.status_code == 302
    order = [str(sales.stages[n].pk) for n in ("Qualified", "Lead", "Discovery", "Proposal", "Negotiation", "Commit")]
    with sales.org.system():
        pilot = Stage.objects.get(name="Pilot")
        assert Stage.objects.get(pk=lead.pk).probability == 15
    body = urlencode([("stage", pk) for pk in [*order, str(pilot.pk)]])
    assert client.put(f"{at}/pipelines/{sales.pipeline.pk}/order/", body, content_type=form).status_code == 204
    assert stages_now(sales)[:2] == ["Qualified", "Lead"]
    assert client.post(f"{at}/stages/{pilot.pk}/deletion/").status_code == 302
    assert "Pilot" not in stages_now(sales)


def test_settings_ask_where_the_deals_of_a_stage_go(sales: Sales):
    deal = sales.deal(by=sales.stranger, stage=sales.stages["Commit"])
    client, path = (
        client_for(sales.manager),
        f"/w/{sales.org.slug}/settings/stages/{sales.stages['Commit'].pk}/deletion/",
    )
    assert "It holds 1 deals" in client.get(path).content.decode()
    assert client.post(path).status_code == 422
    assert sales.fresh(deal).stage.name == "Commit"
    assert client.post(path, {"move_to": sales.stages["Lead"].pk}).status_code == 302
    assert sales.fresh(deal).stage.name == "Lead"


def test_a_deal_can_go_to_another_pipeline(sales: Sales):
    deal = sales.deal()
    with sales.org.system() as acting:
        other = create_pipeline("Renewals", acting=acting)
        stage = Stage.objects.get(pipeline=other, name="Proposal")
    with sales.org.acting(sales.rep) as acting:
        with pytest.raises(Invalid):
            update_deal(deal.pk, {"pipeline": other.pk}, acting=acting)
        update_deal(deal.pk, {"pipeline": other.pk, "stage": stage.pk}, acting=acting)
        close_deal(deal.pk, "won", acting=acting)
    after = sales.fresh(deal)
    assert (after.pipeline_id, after.stage.pipeline_id, after.status) == (other.pk, other.pk, "won")
