"""Lists sorted by fields that no index has in order: pages are slices of one sort, of lists that are short enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.actions.tasks import create_task
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import NewAccount, NewContact
from crm.actions.fields import set_field_access
from crm.actions.sharing import share_record
from crm.lib.errors import Invalid
from crm.records import lists, schema
from crm.records.listquery import ListQuery
from crm.web.pagination import encode_cursor
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Stage
from tests.records.company import Company
from tests.records.harbour import Harbour
from tests.records.test_own_sorting import walked
from tests.records.test_views import get, heads, names, save
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)

RANKS: dict[str, Callable[[Vessel, Harbour], Any]] = {
    "flag": lambda ship, _port: ["no", "pa"].index(ship.flag) if ship.flag else None,
    "call_sign": lambda ship, _port: ship.call_sign.lower().replace("ä", "a") or None,
    "seaworthy": lambda ship, _port: ship.seaworthy,
    "owner": lambda ship, port: "Rhea Rep" if ship.owner_id == port.rep.pk else "Sven Strange",
    "crew": lambda ship, _port: ship.crew,
}


def in_order(port: Harbour, ships: list[Vessel], sort: str) -> list[UUID]:
    """Ids by one stable sort for each key from the last one on; those without a value come last."""
    keys = [(name.lstrip("-"), name.startswith("-")) for name in sort.split(",")]
    rows = sorted(ships, key=lambda ship: ship.pk, reverse=keys[-1][1])
    for key, down in reversed(keys):
        ranks = {ship.pk: RANKS[key](ship, port) for ship in rows}
        filled = sorted({rank for rank in ranks.values() if rank is not None}, reverse=down)
        rows = [ship for rank in [*filled, None] for ship in rows if ranks[ship.pk] == rank]
    return [ship.pk for ship in rows]


ships_of = st.lists(
    st.fixed_dictionaries(
        {
            "flag": st.sampled_from(["", "no", "pa"]),
            "seaworthy": st.booleans(),
            "crew": st.sampled_from([None, 1, 2]),
            "mine": st.booleans(),
        }
    ),
    max_size=9,
)
sorts = st.lists(st.sampled_from(list(RANKS)), min_size=1, max_size=3, unique=True).flatmap(
    lambda keys: st.tuples(*(st.sampled_from([key, f"-{key}"]) for key in keys)).map(",".join)
)


@given(rows=ships_of, sort=sorts)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_are_slices_of_one_sort_in_both_directions(port: Harbour, rows: list[Any], sort: str) -> None:
    signs = ["", "Äbc", "aBd", "abe", "Ärger", "xyz"]
    with port.org.system():
        Vessel.everything.all().delete()
        ships = [
            Vessel(
                name="Aurora",
                owner=port.rep if row["mine"] else port.stranger,
                call_sign=signs[n] if n < len(signs) else "",
                **{key: row[key] for key in ("flag", "seaworthy", "crew")},
            )
            for n, row in enumerate(rows)
        ]
        Vessel.objects.bulk_create(ships)
    for who in (port.admin, port.rep, port.manager):
        seen = [ship for ship in ships if who is port.admin or ship.owner_id == port.rep.pk]
        with port.org.acting(who) as actor:
            there, back = walked(schema.record_type("vessel", actor), sort, actor, size=2)
        assert [pk for page in there for pk in page] == in_order(port, seen, sort)
        assert back == list(reversed(there[:-1]))


def test_stages_are_in_the_order_of_their_pipeline(port: Harbour) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        stages = list(Stage.objects.order_by("position"))
    with port.org.acting(port.rep) as rep:
        made = [create_deal({"name": stage.name, "stage": stage.pk}, acting=rep).pk for stage in reversed(stages[:4])]
        page = lists.list_page(schema.record_type("deal", rep), ListQuery(sort="stage"), rep)
    assert [row["id"] for row in page.rows] == list(reversed(made))


def test_records_that_the_reader_does_not_see_are_no_value_to_sort_by(port: Harbour) -> None:
    with port.org.acting(port.stranger) as stranger:
        hidden = create_account(NewAccount(name="Aaa"), acting=stranger)
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Zzz"), acting=rep)
        seen = create_contact(NewContact(last_name="Seen", account_id=account.pk), acting=rep)
        without = create_contact(NewContact(last_name="Without"), acting=rep)
    with port.org.system():
        Contact.objects.filter(pk=without.pk).update(account=hidden)
    with port.org.acting(port.rep) as rep:
        page = lists.list_page(schema.record_type("contact", rep), ListQuery(sort="account"), rep)
    assert [row["id"] for row in page.rows] == [seen.pk, without.pk]


@pytest.mark.parametrize("key", ["tags", "secret_code", "nonsense"])
def test_what_has_no_order_is_refused(port: Harbour, key: str) -> None:
    assert get(port, port.rep, f"?sort={key}").status_code == 422


def test_field_that_the_role_does_not_see_is_refused_like_one_that_is_not_there(port: Harbour) -> None:
    with port.org.acting(port.admin) as admin:
        set_field_access("vessel", "flag", {"rep": "hidden"}, acting=admin)
    texts = []
    for name in ("flag", "nonsense"):
        with port.org.acting(port.rep) as rep, pytest.raises(Invalid) as refused:
            lists.list_page(schema.record_type("vessel", rep), ListQuery(sort=name), rep)
        texts.append(str(refused.value).replace(name, "…"))
    assert texts[0] == texts[1]


def test_heads_offer_the_sort(port: Harbour) -> None:
    port.vessel("Aurora", flag="pa")
    port.vessel("Borealis", flag="no")
    page = get(port, port.rep, "?cols=flag,tags&sort=flag")
    assert heads(page) == ["flag", "tags"]
    assert names(page) == ["Borealis", "Aurora"]
    assert "sort=-flag" in page.content.decode()
    assert "sort=-tags" not in page.content.decode()


@pytest.mark.parametrize("sort", ["call_sign", "-flag", "owner", "flag,-call_sign"])
def test_shared_records_stand_among_ones_own(company: Company, sort: str) -> None:
    """What the reader sees is found in several parts, and put in order together."""
    with company.acting("admin") as acting:
        made = [
            create_contact(NewContact(last_name=f"No {n}", title=title, lead_status=status), acting=acting)
            for n, (title, status) in enumerate((("Bosun", "new"), ("chief", "contacted"), ("", "new")))
        ]
        for contact in made:
            share_record("contact", contact.pk, member=company.members["rep"].pk, acting=acting)
    with company.acting("rep") as rep:
        made.append(create_contact(NewContact(last_name="Own", title="captain", lead_status="new"), acting=rep))
        address = sort.replace("call_sign", "title").replace("flag", "lead_status")
        for size in (1, 9):
            there, _back = walked(schema.record_type("contact", rep), address, rep, size=size)
            found = [pk for page in there for pk in page]
            assert sorted(found) == sorted(contact.pk for contact in made)
            if sort == "call_sign":
                assert found == [made[0].pk, made[3].pk, made[1].pk, made[2].pk]


@pytest.mark.parametrize("sort", ["priority", "-status", "contact", "owner,-priority"])
def test_tasks_seen_through_others_are_put_in_order_together(port: Harbour, sort: str) -> None:
    with port.org.acting(port.rep) as rep:
        contact = create_contact(NewContact(last_name="Seen"), acting=rep)
        own = create_task({"title": "Own", "priority": "high"}, acting=rep)
    with port.org.acting(port.admin) as admin:
        values = {"title": "Theirs", "priority": "low", "contact": contact.pk, "owner": port.admin.pk}
        theirs = create_task(values, acting=admin)
    for who in (port.rep, port.manager):
        with port.org.acting(who) as actor:
            there, _back = walked(schema.record_type("task", actor), sort, actor, size=1)
        found = [pk for page in there for pk in page]
        assert sorted(found) == sorted([own.pk, theirs.pk])
        if sort == "priority":
            assert found == [theirs.pk, own.pk]


def test_a_cursor_with_a_letter_that_no_text_has_is_damaged(port: Harbour) -> None:
    for sort in ("call_sign", "name", "call_sign,name"):
        value = ["a\0", "b"] if "," in sort else "a\0"
        cursor = encode_cursor("next", value, port.vessel().pk)
        assert get(port, port.rep, f"?sort={sort}&after={cursor}").status_code == 422


@pytest.fixture
def long(port: Harbour, monkeypatch: pytest.MonkeyPatch) -> Harbour:
    """More ships than are sorted without an index."""
    monkeypatch.setattr(lists, "COUNT_CAP", 3)
    for name, flag in (("Aurora", "pa"), ("Borealis", "no"), ("Corvus", "pa"), ("Delphin", "no")):
        port.vessel(name, flag=flag)
    return port


def test_a_long_list_is_shown_in_its_usual_order_and_says_why(long: Harbour) -> None:
    page = get(long, long.rep, "?sort=flag")
    assert page.status_code == 200
    assert "Filter the list, or sort it by another field." in page.content.decode()
    assert names(page) == names(get(long, long.rep, ""))
    short = get(long, long.rep, "?sort=flag&filter=name:is_not:Corvus")
    assert "Filter the list, or sort it by another field." not in short.content.decode()
    assert names(short) == ["Borealis", "Delphin", "Aurora"]


def test_a_saved_view_that_grew_too_long_opens_all_the_same(long: Harbour) -> None:
    view = save(long, long.rep, "sort=flag&layout=board&by=flag")
    page = get(long, long.rep, f"?view={view.pk}")
    assert page.status_code == 200
    assert "Filter the list, or sort it by another field." in page.content.decode()


def test_export_of_a_long_list_by_such_a_sort_is_refused(long: Harbour) -> None:
    client, path = client_for(long.admin), f"/w/{long.org.slug}/records/vessel/export/"
    assert client.get(path, {"sort": "flag"}).status_code == 422
    assert client.get(path, {"sort": "name"}).status_code == 200


def test_a_long_group_opens_in_its_usual_order(long: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "COUNT_CAP", 1)
    part = get(long, long.rep, "?group=flag&sort=call_sign&block=rows&key=pa", **{"HX-Request": "true"})
    assert part.status_code == 200
    assert names(part) == ["Corvus", "Aurora"]
    assert "Filter the list, or sort it by another field." in part.content.decode()
