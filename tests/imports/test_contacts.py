"""Importing contacts: what becomes of every row."""

import io

import pytest

from contacts.actions import imports
from contacts.actions.contacts import create_contact
from contacts.imports import planning, targets
from contacts.models import Contact, ImportJob, ImportRow
from contacts.values import EmailValue, NewContact
from crm.tenancy.context import elevated
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)

HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lifecycle Stage,Company Name,City,Create Date\n"
    "101,Ines,Marchetti,ines@halden.example,+31 10 555 0142,Maya Okafor,Lead,Halden Logistics,Rotterdam,2026-01-05 10:00\n"
    "102,Tomasz,Wrona,t.wrona@brenner.example;tomasz@home.example,,nobody@old.example,opportunity,Brenner Steel,Kielce,2026-01-06 11:00\n"
    "103,,,not an address,,,,,,\n"
    "104,Ines,M.,INES@halden.example,,,,,,\n"
    ",,,,,,,,,\n"
    "105,,,,,,,,,\n"
)


def upload(text, actor, **kwargs):
    return imports.upload_import(io.BytesIO(text.encode()), "contacts.csv", acting=actor, **kwargs)


def run(job, actor, chunk=1000):
    """The job, without Celery: the same chunks in the same order."""
    imports.start_import(job.id, acting=actor)
    settings = imports.prepared(job, targets.get(job.record_type), actor)
    with planning.open_file(job) as file:
        rows = list(planning.rows_of(job, file))
    for start in range(0, len(rows), chunk):
        assert imports.import_chunk(job.id, rows[start : start + chunk], settings, acting=actor, done_before=start)
    imports.finish_import(job.id, acting=actor)
    job.refresh_from_db()
    return job


def counts(job):
    return (job.created, job.updated, job.skipped, job.failed)


def test_import_recognises_hubspot_and_maps_its_columns():
    org = make_org()
    with org.acting(org.member("rep")) as actor:
        job = upload(HUBSPOT, actor)
    assert (job.source, job.record_type, job.total) == ("hubspot", "contact", 6)
    assert [job.mapping.get(str(n)) for n in range(10)] == [
        "external_id", "first_name", "last_name", "emails", "phones", "owner", "lifecycle", "account", "city", None,
    ]  # fmt: skip


def test_import_asks_once_for_owners_it_does_not_know():
    org = make_org()
    org.member("rep", name="Maya Okafor")
    with org.acting(org.member("rep")) as actor:
        job = upload(HUBSPOT, actor)
        target = targets.get("contact")
        settings = imports.prepared(job, target, actor)
        questions = planning.open_questions(planning.survey(job, target), target, settings, actor)
    assert [(q.key, q.values) for q in questions] == [("owner", ("nobody@old.example",))]


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_import_accounts_for_every_row(chunk):
    org = make_org()
    maya, rep = org.member("rep", name="Maya Okafor"), org.member("rep")
    with org.acting(rep) as actor:
        job = upload(HUBSPOT, actor)
        imports.configure_import(job.id, job.mapping, {}, {"owner": {"nobody@old.example": "me"}}, acting=actor)
        job.refresh_from_db()
        job = run(job, actor, chunk)
        assert counts(job) == (2, 0, 2, 2)
        assert sum(counts(job)) == job.total == job.processed == 6
        rows = list(ImportRow.objects.order_by("line").values_list("line", "outcome"))
    with org.system():
        made = {c.email: c for c in Contact.objects.select_related("account")}
    assert set(made) == {"ines@halden.example", "t.wrona@brenner.example"}
    ines = made["ines@halden.example"]
    assert (ines.owner_id, ines.account.name, ines.phone, ines.lifecycle) == (
        maya.id,
        "Halden Logistics",
        "+31105550142",
        "lead",
    )
    assert made["t.wrona@brenner.example"].owner_id == rep.id
    assert [line for line, _outcome in rows] == [4, 5, 6, 7]


def test_import_fills_empty_fields_only():
    org = make_org()
    rep = org.member("rep")
    with org.acting(rep) as actor:
        present = create_contact(
            NewContact(first_name="Inès", title="COO", emails=(EmailValue("ines@halden.example"),)), acting=actor
        )
        job = upload(
            "First Name,Last Name,Email,Job Title,City\nIna,Marchetti,INES@halden.example,Boss,Rotterdam\n", actor
        )
        job = run(job, actor)
        present.refresh_from_db()
    assert counts(job) == (0, 1, 0, 0)
    assert (present.first_name, present.last_name, present.title, present.city) == (
        "Inès",
        "Marchetti",
        "COO",
        "Rotterdam",
    )


def test_import_around_a_contact_the_member_cannot_see_tells_its_owner_and_changes_nothing():
    org = make_org()
    other, rep = org.member("rep", name="Jonas Lind"), org.member("rep")
    with org.acting(other) as actor:
        hidden = create_contact(
            NewContact(first_name="Ines", emails=(EmailValue("ines@halden.example"),)), acting=actor
        )
    with org.acting(rep) as actor:
        job = run(upload("First Name,Last Name,Email\nX,Marchetti,ines@halden.example\n", actor), actor)
        assert counts(job) == (0, 0, 1, 0)
        assert list(ImportRow.objects.values_list("reason", flat=True)) == ["Already known, owned by Jonas Lind."]
    with org.system(), elevated("look"):
        hidden.refresh_from_db()
        assert (hidden.first_name, hidden.last_name, Contact.objects.count()) == ("Ines", "", 1)


def test_import_again_changes_nothing():
    org = make_org()
    rep = org.member("rep")
    text = "Record ID,First Name,Last Name,Email,Contact owner\n1,Ada,Lind,,\n2,Bo,Ek,bo@ek.example,\n"
    with org.acting(rep) as actor:
        assert counts(run(upload(text, actor), actor)) == (2, 0, 0, 0)
        assert counts(run(upload(text, actor), actor)) == (0, 0, 2, 0)
        assert Contact.objects.count() == 2


def test_preview_writes_nothing_and_tells_what_the_import_will_do():
    org = make_org()
    rep = org.member("rep")
    with org.acting(rep) as actor:
        job = upload(HUBSPOT, actor)
        outcomes = [result.outcome for _raw, _parsed, result in imports.preview_import(job.id, acting=actor)]
        assert Contact.objects.count() == 0
        job.refresh_from_db()
        assert job.processed == 0
    assert outcomes.count("created") == 1  # one owner is not known yet
    assert outcomes[1] == "failed"


def test_chunk_delivered_twice_is_written_once():
    org = make_org()
    with org.acting(org.member("rep")) as actor:
        job = upload("First Name,Last Name,Email\nAda,Lind,ada@lind.example\n", actor)
        run(job, actor)
        settings = imports.prepared(job, targets.get("contact"), actor)
        with planning.open_file(job) as file:
            rows = list(planning.rows_of(job, file))
        assert imports.import_chunk(job.id, rows, settings, acting=actor, done_before=0) is False
        assert Contact.objects.count() == 1


def test_import_of_another_member_is_not_found_and_read_only_members_cannot_upload():
    org = make_org()
    with org.acting(org.member("rep")) as actor:
        job = upload("First Name,Email\nAda,ada@lind.example\n", actor)
    from crm.lib.errors import Forbidden, NotFound  # noqa: PLC0415

    with org.acting(org.member("rep")) as actor, pytest.raises(NotFound):
        imports.start_import(job.id, acting=actor)
    with org.acting(org.member("readonly")) as actor, pytest.raises(Forbidden):
        upload("First Name,Email\nAda,ada@lind.example\n", actor)
    with org.system():
        assert list(ImportJob.objects.values_list("status", flat=True)) == ["uploaded"]
