"""The history of a record, and putting a single old value back: for the type that only tests have, and for the others."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.actions.accounts import create_account, delete_account, update_account
from contacts.actions.contacts import create_contact, update_contact
from contacts.models import Account, Contact, ContactEmail
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.bin import delete_record, restore_record
from crm.actions.sharing import share_record
from crm.audit import change_set
from crm.enums import ChangeSetKind
from crm.models import AuditEntry, ChangeSet, Membership, Tag
from crm.records.actions import update_record
from crm.records.registry import registry
from deals.actions.deals import create_deal, update_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Stage
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)
VESSEL = registry.get("vessel")


def change(port: Harbour, vessel: Vessel, by: Any = None, **values: Any) -> None:
    with port.org.acting(by or port.rep) as actor:
        update_record(VESSEL, vessel.pk, values, acting=actor)


def history(port: Harbour, record: Any, member: Any, query: str = "", kind: str = "vessel", **headers: str) -> Any:
    return client_for(member).get(f"/w/{port.org.slug}/records/{kind}/{record.pk}/history/{query}", headers=headers)


def told(response: Any) -> list[tuple[str, str, str]]:
    """The changes on a page: (field, old, new)."""
    assert response.status_code == 200, response.content[:500]
    found = []
    for part in response.content.decode().split('<span class="k">')[1:]:
        label = part.split("<", 1)[0]
        old = re.search(r"<del>([^<]*)</del>", part.split("</li>")[0])
        new = re.search(r"<ins>([^<]*)</ins>", part)
        found.append((label, old[1] if old else "", new[1] if new else ""))
    return found


def offers(response: Any) -> dict[str, str]:
    """Where old values are put back, by what the buttons say."""
    html = response.content.decode()
    return {
        label: action
        for action, label in re.findall(
            r'<form class="push" method="post" action="([^"]+)".*?aria-label="([^"]+)"', html
        )
    }


# ---------------------------------------------------------------- reading


def test_every_kind_of_value_reads_as_people_write_it(port: Harbour) -> None:
    vessel = port.vessel(value=1_250_00, currency="EUR", launched=date(2020, 5, 17), flag="no")
    with port.org.system():
        tag = Tag.objects.create(name="Flagship")
    changes = {
        "name": "Boreas", "flag": "pa", "crew": 1200, "value": 90_000_00, "launched": date(2021, 1, 2),
        "seaworthy": False, "owner": port.manager.pk, "tags": [tag.pk],
    }  # fmt: skip
    change(port, vessel, port.admin, **changes)
    assert sorted(told(history(port, vessel, port.admin))) == [
        ("Crew", "", "1,200"), ("Flag", "Norway", "Panama"), ("Launched", "17 May 2020", "2 Jan 2021"),
        ("Name", "Aurora", "Boreas"), ("Owner", "Rhea Rep", "Mia Manager"), ("Seaworthy", "Yes", "No"),
        ("Tags", "", "Flagship"), ("Value", "€1,250", "€90,000"),
    ]  # fmt: skip


def test_old_amount_is_shown_in_the_currency_it_was_in(port: Harbour) -> None:
    vessel = port.vessel(value=100_00)
    change(port, vessel, value=200_00)
    with port.org.acting(port.rep):
        Vessel.objects.update(currency="USD")
    change(port, vessel, value=300_00)
    assert told(history(port, vessel, port.rep)) == [("Value", "$200", "$300"), ("Value", "€100", "€200")]


def test_history_tells_creation_deletion_and_the_set_a_change_was_part_of(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        vessel = Vessel.objects.create(name="Aurora", owner=port.rep)
    with port.org.acting(port.admin) as admin, change_set(ChangeSetKind.MERGE, "Two ships", acting=admin):
        update_record(VESSEL, vessel.pk, {"crew": 4}, acting=admin)
    with port.org.acting(port.admin) as admin:
        delete_record("vessel", vessel.pk, acting=admin)
    with port.org.acting(port.rep) as rep:
        restore_record("vessel", vessel.pk, acting=rep)
    html = history(port, vessel, port.rep).content.decode()
    lines = [
        " ".join(re.sub("<[^>]+>", " ", line).split())
        for line in re.findall(r'<span class="tl-text">(.*?)</span><time', html)
    ]
    assert lines == [
        "Rhea Rep restored it Restored",
        "Ada Admin moved it to the recycle bin",
        "Ada Admin changed 1 field Merge: Two ships",
        "Rhea Rep created it",
    ]


def test_history_is_narrowed_by_field_and_by_person(port: Harbour) -> None:
    vessel = port.vessel()
    change(port, vessel, name="One", crew=1)
    change(port, vessel, port.admin, crew=2)
    change(port, vessel, port.admin, name="Two")
    found = {
        query: told(history(port, vessel, port.rep, query))
        for query in ("?field=crew", f"?by={port.admin.pk}", f"?field=name&by={port.rep.pk}", "?field=flag")
    }
    assert found == {
        "?field=crew": [("Crew", "1", "2"), ("Crew", "", "1")],
        f"?by={port.admin.pk}": [("Name", "One", "Two"), ("Crew", "1", "2")],
        f"?field=name&by={port.rep.pk}": [("Name", "Aurora", "One")],
        "?field=flag": [],
    }
    assert history(port, vessel, port.rep, "?field=secret_code").status_code == 404
    assert history(port, vessel, port.rep, "?field=nonsense").status_code == 404
    assert history(port, vessel, port.rep, "?after=nonsense").status_code == 422


def test_fields_hidden_for_the_role_never_show(port: Harbour) -> None:
    """The test type shows tags to admins and reps only; a line with nothing else is left out."""
    vessel = port.vessel()
    with port.org.system():
        tag = Tag.objects.create(name="Flagship")
    change(port, vessel, tags=[tag.pk])
    assert told(history(port, vessel, port.rep)) == [("Tags", "", "Flagship")]
    for member in (port.manager, port.reader):
        response = history(port, vessel, member)
        assert (told(response), "Flagship" in response.content.decode(), "changed 0" in response.content.decode()) == (
            [], False, False,
        )  # fmt: skip
        assert history(port, vessel, member, "?field=tags").status_code == 404


def test_child_rows_are_found_by_their_field(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        contact = create_contact(NewContact(last_name="Okafor", emails=(EmailValue("a@quay.example"),)), acting=rep)
    with port.org.acting(port.rep) as rep:
        update_contact(contact.pk, {"title": "Buyer"}, acting=rep)
    with port.org.acting(port.rep) as rep:
        update_contact(contact.pk, {"email": "b@quay.example"}, acting=rep)
    assert told(history(port, contact, port.rep, "?field=email", "contact")) == [
        ("Email", "a@quay.example", "b@quay.example"),
        ("Email", "", "a@quay.example"),
    ]


@pytest.mark.parametrize("who", ["rep", "admin"])
def test_history_takes_a_fixed_number_of_statements(port: Harbour, who: str) -> None:
    vessel = port.vessel()
    client = client_for(getattr(port, who))
    path = f"/w/{port.org.slug}/records/vessel/{vessel.pk}/history/"
    counts = []
    for rounds in (1, 30):
        for n in range(rounds):
            change(port, vessel, name=f"Name {rounds} {n}", value=n, owner=port.rep.pk)
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        counts.append(len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT", "SET LOCAL"))]))
    assert counts[0] == counts[1] <= 8


def test_long_history_is_paged(port: Harbour) -> None:
    vessel = port.vessel()
    for n in range(60):
        change(port, vessel, crew=n)
    first = history(port, vessel, port.rep)
    (older,) = re.findall(r'href="[^"?]*(\?[^"]*)"[^>]*rel="next"', first.content.decode())
    seen = told(first) + told(history(port, vessel, port.rep, older.replace("&amp;", "&")))
    assert [new for _label, _old, new in seen] == [str(n) for n in reversed(range(60))]


def test_drawer_is_the_same_without_the_page(port: Harbour) -> None:
    vessel = port.vessel()
    change(port, vessel, name="Boreas")
    response = history(port, vessel, port.rep, **{"HX-Request": "true", "HX-Target": "drawer"})
    assert told(response) == [("Name", "Aurora", "Boreas")]
    assert 'id="drawer-h"' in response.content.decode()
    assert "<html" not in response.content.decode()


# ---------------------------------------------------------------- putting back


def test_old_value_of_every_kind_is_put_back_in_a_change_set(port: Harbour) -> None:
    with port.org.system():
        tag, gone = Tag.objects.create(name="Flagship"), Tag.objects.create(name="Gone")
    before = {
        "name": "Aurora", "flag": "no", "crew": 7, "value": 1_250_00, "launched": date(2020, 5, 17), "seaworthy": True,
        "tags": [tag.pk, gone.pk],
    }  # fmt: skip
    vessel = port.vessel(**before)
    after = {
        "name": "Boreas", "flag": "pa", "crew": None, "value": 1, "launched": None, "seaworthy": False, "tags": [],
    }  # fmt: skip
    change(port, vessel, **after)
    with port.org.system():
        Tag.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    client = client_for(port.rep)
    for action in offers(history(port, vessel, port.rep)).values():
        assert client.post(action).status_code == 302
    fresh = port.fresh(vessel)
    assert {key: getattr(fresh, key) for key in before} == {**before, "tags": [tag.pk]}
    assert offers(history(port, vessel, port.rep, "?field=crew")).keys() == {"Put back Crew: “empty”"}
    with port.org.system():
        assert ChangeSet.objects.filter(kind="restore", made_by=port.rep).count() == len(before)
        entry = AuditEntry.objects.filter(row_id=vessel.pk).order_by("-id").first()
        assert entry.change_set_id in set(ChangeSet.objects.filter(kind="restore").values_list("pk", flat=True))


def test_amount_comes_back_in_the_currency_it_was_in(port: Harbour) -> None:
    vessel = port.vessel(value=100_00)
    change(port, vessel, value=200_00)
    with port.org.acting(port.rep):
        Vessel.objects.update(currency="USD")
    (action,) = offers(history(port, vessel, port.rep)).values()
    client_for(port.rep).post(action)
    assert (port.fresh(vessel).value, port.fresh(vessel).currency) == (100_00, "EUR")


def test_putting_back_is_undone_from_the_toast(port: Harbour) -> None:
    vessel = port.vessel()
    change(port, vessel, name="Boreas")
    client = client_for(port.rep)
    (action,) = offers(history(port, vessel, port.rep)).values()
    page = client.get(client.post(action)["Location"]).content.decode()
    (undo,) = re.findall(
        r'<form method="post" action="([^"]+)"><input[^>]+><button type="submit" class="btn btn-xs">Undo', page
    )
    assert port.fresh(vessel).name == "Aurora"
    client.post(undo)
    assert port.fresh(vessel).name == "Boreas"


def test_value_that_was_changed_since_is_asked_about(port: Harbour) -> None:
    vessel = port.vessel()
    change(port, vessel, name="Boreas")
    action = offers(history(port, vessel, port.rep))["Put back Name: “Aurora”"]
    change(port, vessel, port.admin, name="Corvus")
    client = client_for(port.rep)
    asked = client.post(action)
    assert asked.status_code == 422
    html = asked.content.decode()
    assert all(text in html for text in ("changed again since", "Corvus", "Aurora"))
    assert port.fresh(vessel).name == "Corvus"
    (version,) = re.findall(r'name="version" value="(\d+)"', html)
    change(port, vessel, port.admin, name="Dorado")
    assert client.post(action, {"version": version}).status_code == 422
    assert port.fresh(vessel).name == "Dorado"
    assert client.post(action, {"version": port.fresh(vessel).version}).status_code == 302
    assert port.fresh(vessel).name == "Aurora"


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 404)])
def test_putting_back_without_the_right_changes_nothing(port: Harbour, who: str, status: int) -> None:
    vessel = port.vessel()
    change(port, vessel, name="Boreas")
    (action,) = offers(history(port, vessel, port.rep)).values()
    before = port.fresh(vessel)
    assert client_for(getattr(port, who)).post(action).status_code == status
    assert (port.fresh(vessel).name, port.fresh(vessel).version) == (before.name, before.version)
    if who == "reader":
        assert offers(history(port, vessel, port.reader)) == {}


def test_hidden_secret_and_computed_fields_are_not_put_back(port: Harbour) -> None:
    vessel = port.vessel()
    with port.org.system():
        tag = Tag.objects.create(name="Flagship")
    change(port, vessel, tags=[tag.pk], name="Boreas")
    (name,) = [action for label, action in offers(history(port, vessel, port.rep)).items() if "Name" in label]
    client = client_for(port.manager)
    for key in ("tags", "secret_code", "nonsense", "crew"):
        assert client.post(name.replace("/name/", f"/{key}/")).status_code == 404
    assert port.fresh(vessel).tags == [tag.pk]
    entry = re.search(r"/history/(\d+)/", name)[1]  # type: ignore[index]
    other = port.vessel("Other")
    assert client.post(name.replace(str(vessel.pk), str(other.pk))).status_code == 404
    assert client.post(name.replace(entry, str(int(entry) + 10_000))).status_code == 404
    assert port.fresh(other).name == "Other"


def test_what_is_not_allowed_any_more_says_why(port: Harbour) -> None:
    leaver = port.org.member("rep", "Lea Leaver")
    vessel = port.vessel(call_sign="LAXY", owner=leaver)
    change(port, vessel, port.admin, call_sign="LBXY", owner=port.rep.pk)
    port.vessel("Taker", port.stranger, call_sign="LAXY")
    with port.org.system():
        Membership.objects.filter(pk=leaver.pk).update(active=False)
    actions = offers(history(port, vessel, port.admin))
    said = {label: client_for(port.admin).post(action) for label, action in actions.items()}
    assert {label: response.status_code for label, response in said.items()} == {
        "Put back Owner: “Lea Leaver”": 422, "Put back Call sign: “LAXY”": 422,
    }  # fmt: skip
    assert "not an active member" in said["Put back Owner: “Lea Leaver”"].content.decode()
    assert "only one may have it" in said["Put back Call sign: “LAXY”"].content.decode()
    assert (port.fresh(vessel).call_sign, port.fresh(vessel).owner_id) == ("LBXY", port.rep.pk)


def test_contact_and_account_go_through_their_own_updates(port: Harbour) -> None:
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden", annual_revenue=5_00, currency="NOK"), acting=rep)
        other = create_account(NewAccount(name="Brenner"), acting=rep)
        contact = create_contact(
            NewContact(last_name="Okafor", emails=(EmailValue("a@quay.example"),), account_id=account.pk), acting=rep
        )
    with port.org.acting(port.rep) as rep:
        update_contact(contact.pk, {"email": "b@quay.example", "account": other.pk}, acting=rep)
        update_account(account.pk, {"annual_revenue": 9_00, "currency": "EUR"}, acting=rep)
    client = client_for(port.rep)
    actions = offers(history(port, contact, port.rep, kind="contact"))
    assert actions.keys() == {"Put back Email: “a@quay.example”", "Put back Account: “Halden”"}
    for action in actions.values():
        assert client.post(action).status_code == 302
    fresh = port.fresh(contact)
    assert (fresh.email, fresh.account_id) == ("a@quay.example", account.pk)
    with port.org.system():
        assert list(ContactEmail.objects.values_list("address", "is_primary")) == [("a@quay.example", True)]
    for action in offers(history(port, account, port.rep, kind="account")).values():
        client.post(action)
    assert (port.fresh(account).annual_revenue, port.fresh(account).currency) == (5_00, "NOK")


def test_account_that_is_gone_or_hidden_is_not_put_back(port: Harbour) -> None:
    with port.org.acting(port.stranger) as stranger:
        hidden = create_account(NewAccount(name="Skjult"), acting=stranger)
        share_record("account", hidden.pk, member=port.rep.pk, acting=stranger)
    with port.org.acting(port.rep) as rep:
        contact = create_contact(NewContact(last_name="Okafor", account_id=hidden.pk), acting=rep)
    with port.org.acting(port.rep) as rep:
        update_contact(contact.pk, {"account": None}, acting=rep)
    (action,) = offers(history(port, contact, port.rep, kind="contact")).values()
    with port.org.acting(port.stranger) as stranger:
        delete_account(hidden.pk, acting=stranger)
    response = client_for(port.rep).post(action)
    assert (response.status_code, "deleted, or you may not have access" in response.content.decode()) == (422, True)
    assert port.fresh(contact).account_id is None
    with port.org.system():
        assert Account.everything.count() == Contact.objects.count() == 1


def test_deal_goes_back_to_its_stage_with_a_row_of_history(port: Harbour) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        lead, proposal = Stage.objects.get(name="Lead"), Stage.objects.get(name="Proposal")
    with port.org.acting(port.rep) as rep:
        deal = create_deal({"name": "Fleet", "stage": lead.pk}, acting=rep)
    with port.org.acting(port.rep) as rep:
        update_deal(deal.pk, {"stage": proposal.pk}, acting=rep)
    action = offers(history(port, deal, port.rep, kind="deal"))["Put back Stage: “Lead”"]
    assert client_for(port.rep).post(action).status_code == 302
    assert port.fresh(deal).stage_id == lead.pk
    with port.org.system():
        assert deal.stage_changes.count() == 3
