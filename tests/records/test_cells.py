"""Cells of a list edited where they stand: the form that comes into them, and what a change answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.actions.contacts import create_contact, update_contact
from contacts.models import Contact
from contacts.values import NewContact
from tests.records.harbour import Harbour
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
HX = {"HX-Request": "true"}


def _contact(port: Harbour, **values: Any) -> Contact:
    with port.org.acting(port.rep) as rep:
        return create_contact(NewContact(last_name="Berg", **values), acting=rep)


def _send(port: Harbour, member: Any, path: str, **data: Any) -> Any:
    return client_for(member).post(f"/w/{port.org.slug}/records/{path}?cell=1", data, headers=HX)


def _form(port: Harbour, member: Any, path: str) -> Any:
    return client_for(member).get(f"/w/{port.org.slug}/records/{path}?cell=1&edit=1", headers=HX)


@pytest.mark.parametrize(
    ("key", "sent", "shown"),
    [
        ("title", "Captain", "Captain"),
        ("lifecycle", "mql", "Marketing qualified"),
        ("email", "b@fjord.example", "b@fjord.example"),
        ("title", "<b>", "&lt;b&gt;"),
    ],
)
def test_a_cell_becomes_a_form_and_shows_what_was_saved(port, key, sent, shown):
    contact = _contact(port)
    path = f"contact/{contact.pk}/fields/{key}/"
    form = _form(port, port.rep, path).content.decode()
    assert (form.count("<form"), f'name="{key}"' in form, "of Berg" in form) == (1, True, True)
    assert re.search(r'name="version" value="(\d+)"', form)[1] == str(contact.version)
    answer = _send(port, port.rep, path, **{key: sent, "version": contact.version})
    assert (answer.status_code, shown in answer.content.decode(), "<form" in answer.content.decode()) == (
        200,
        True,
        False,
    )
    assert str(getattr(port.fresh(contact), key)) == sent


def test_the_cells_of_other_types_are_edited_the_same_way(port):
    vessel = port.vessel(crew=4)
    path = f"vessel/{vessel.pk}/fields/"
    for key, sent, held in (
        ("crew", "12", 12),
        ("flag", "no", "no"),
        ("launched", "2026-03-01", None),
        ("value", "1200.50", 120050),
    ):
        version = port.fresh(vessel).version
        answer = _send(port, port.rep, f"{path}{key}/", **{key: sent, "version": version})
        assert answer.status_code == 200, answer.content[:300]
        now = getattr(port.fresh(vessel), key)
        assert now == held if held else now.isoformat() == sent


def test_a_wrong_value_stays_in_the_cell_with_what_is_wrong(port):
    vessel = port.vessel(crew=4)
    answer = _send(port, port.rep, f"vessel/{vessel.pk}/fields/crew/", crew="many", version=vessel.version)
    text = answer.content.decode()
    assert (answer.status_code, 'value="many"' in text, 'class="cell-note" role="alert"' in text) == (422, True, True)
    assert port.fresh(vessel).crew == 4


def test_what_somebody_else_wrote_meanwhile_is_shown_and_not_overwritten(port):
    contact = _contact(port, title="Mate")
    path = f"contact/{contact.pk}/fields/title/"
    with port.org.acting(port.manager) as manager:
        update_contact(contact.pk, {"title": "Bosun"}, acting=manager)
    answer = _send(port, port.rep, path, title="Captain", version=contact.version)
    text = answer.content.decode()
    assert (answer.status_code, "Mia Manager changed this to “Bosun”" in text, "data-clash" in text) == (
        422,
        True,
        True,
    )
    assert port.fresh(contact).title == "Bosun"
    seen = int(re.search(r'name="version" value="(\d+)"', text)[1])
    assert _send(port, port.rep, path, title="Captain", version=seen).status_code == 200
    assert port.fresh(contact).title == "Captain"


def test_a_change_of_another_field_is_in_nobodys_way(port):
    contact = _contact(port, title="Mate")
    with port.org.acting(port.manager) as manager:
        update_contact(contact.pk, {"city": "Oslo"}, acting=manager)
    path = f"contact/{contact.pk}/fields/title/"
    assert _send(port, port.rep, path, title="Captain", version=contact.version).status_code == 200
    row = port.fresh(contact)
    assert (row.title, row.city) == ("Captain", "Oslo")


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 404)])
def test_who_may_not_write_gets_no_form_and_changes_nothing(port, who, status):
    contact = _contact(port, title="Mate")
    member, path = getattr(port, who), f"contact/{contact.pk}/fields/title/"
    assert _form(port, member, path).status_code == status
    assert _send(port, member, path, title="Captain", version=contact.version).status_code == status
    assert port.fresh(contact).title == "Mate"


def test_only_those_who_write_get_a_grid(port):
    _contact(port)

    def table(member: Any) -> list[bool]:
        page = client_for(member).get(f"/w/{port.org.slug}/contacts/").content.decode()
        return ['role="grid"' in page, 'class="cell-edit"' in page, 'data-col="last_activity_at" class' in page]

    assert [table(member) for member in (port.rep, port.admin)] == [[True, True, False]] * 2
    with port.org.acting(port.rep) as rep:
        create_contact(NewContact(last_name="Lund"), acting=rep)
    assert table(port.reader) == [False, False, False]


def test_a_record_that_is_handed_over_leaves_the_list(port):
    contact = _contact(port)
    path = f"contact/{contact.pk}/fields/owner/"
    answer = _send(port, port.rep, path, owner=port.stranger.pk, version=contact.version)
    assert (answer.status_code, "recordGone" in answer["HX-Trigger"]) == (204, True)
    assert port.fresh(contact).owner_id == port.stranger.pk


def test_what_is_edited_in_the_dialog_tells_its_cell(port):
    contact = _contact(port)
    path = f"/w/{port.org.slug}/records/contact/{contact.pk}/fields/tags/?cell=1"
    client = client_for(port.rep)
    form = client.get(f"{path}&edit=1", headers=HX | {"HX-Target": "dialog"}).content.decode()
    assert 'hx-post="' + path in form
    sent = {"tags": ["Expo"], "version": contact.version}
    answer = client.post(path, sent, headers=HX | {"HX-Target": "field-form"})
    assert (answer.status_code, sorted(re.findall(r'"(\w+)": ', answer["HX-Trigger"]))) == (
        204,
        ["cellChanged", "closeDialog", "id", "key"],
    )
    assert "Expo" in client.get(path, headers=HX).content.decode()


def test_one_edit_takes_few_statements(port):
    contact = _contact(port)
    path = f"contact/{contact.pk}/fields/title/"
    _send(port, port.rep, path, title="One", version=contact.version)
    client, version = client_for(port.rep), port.fresh(contact).version
    with CaptureQueriesContext(connection) as asked:
        client.post(f"/w/{port.org.slug}/records/{path}?cell=1", {"title": "Two", "version": version}, headers=HX)
    told = [
        q["sql"]
        for q in asked
        if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "SELECT set_config", "BEGIN", "COMMIT"))
    ]
    assert len(told) <= 6, told


def test_a_row_is_asked_for_as_its_list_shows_it_even_if_the_filter_would_leave_it_out_now(port):
    mate = _contact(port, title="Mate")
    page = f"/w/{port.org.slug}/contacts/?title=Mate&cols=title,owner&block=row&key={mate.pk}"
    _send(port, port.rep, f"contact/{mate.pk}/fields/title/?cell=1", title="Captain", version=mate.version)
    row = client_for(port.rep).get(page).content.decode()
    assert re.findall(r'<tr data-id="([^"]*)">', row) == [str(mate.pk)]
    assert re.findall(r'data-col="([a-z]*)"', row) == ["title", "owner"]
    assert "Captain" in row
    assert client_for(port.stranger).get(page).status_code == 404
