"""The import's pages, from upload to report."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.models import Contact, ImportJob
from contacts.tasks import run_import
from tests.factories import make_org
from tests.imports.test_contacts import HUBSPOT
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


def post_file(client, org, data, **fields):
    return client.post(f"/w/{org.slug}/imports/", {"file": SimpleUploadedFile("contacts.csv", data), **fields})


def test_import_from_upload_to_report():
    org = make_org()
    org.member("rep", name="Maya Okafor")
    rep = org.member("rep")
    client = client_for(rep)
    columns = post_file(client, org, HUBSPOT.encode("utf-16"))
    assert columns.status_code == 302
    page = client.get(columns.url)
    assert page.status_code == 200, page.content.decode()[-500:]
    html = page.content.decode()
    assert "HubSpot export" in html
    assert html.count("<select") == 10 + 2
    with org.system():
        job = ImportJob.objects.get()
    base = f"/w/{org.slug}/imports/{job.id}/"
    mapping = {f"column-{n}": key for n, key in job.mapping.items()}
    assert client.post(base + "columns/", {**mapping, "day_first": "no", "decimal_comma": "no"}).url == base + "check/"
    check = client.get(base + "check/").content.decode()
    assert "nobody@old.example" in check
    assert check.count("<tr>") == 1 + 6
    assert client.post(base + "check/", {"owner-0": "me"}).url == base + "check/"
    assert client.post(base + "start/").url == base
    assert "Importing, 0%" in client.get(base).content.decode()
    run_import.apply(kwargs={"org_id": str(org.id), "job_id": str(job.id), "member_id": str(rep.id)}, throw=True)
    report = client.get(base).content.decode()
    assert "2 rows are in" in report
    failed = b"".join(client.get(base + "rows/failed.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert len(failed) == 1 + 2
    assert failed[1].startswith("103,")
    with org.system():
        assert Contact.objects.count() == 2


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\n\n", b"Name,Email\n", b"<html></html>"])
def test_upload_of_what_cannot_be_imported_says_why_and_keeps_nothing(data):
    org = make_org()
    response = post_file(client_for(org.member("rep")), org, data)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    with org.system():
        assert ImportJob.objects.count() == 0
    assert files_of(org) == []


def files_of(org):
    folder = f"imports/{org.id}"
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def fails(*args, **kwargs):
    raise RuntimeError("Something went wrong.")


@pytest.mark.parametrize(
    "where", ["contacts.imports.planning.survey", "contacts.views.imports.path_to", "crm.web.errors.ErrorMiddleware"]
)
def test_upload_whose_request_fails_leaves_no_file(where, monkeypatch):
    org = make_org()
    client = client_for(org.member("rep"))
    client.raise_request_exception = False
    data = HUBSPOT.encode()
    with monkeypatch.context() as patch:
        if where.endswith("Middleware"):
            # After the view, while the answer goes out.
            patch.setattr(f"{where}.__call__", lambda self, request: fails(self.get_response(request)))
        else:
            patch.setattr(where, fails)
        assert post_file(client, org, data).status_code == 500
    assert files_of(org) == []
    assert post_file(client, org, data).status_code == 302
    with org.system():
        assert files_of(org) == [f"{ImportJob.objects.get().id}.csv"]


def test_upload_that_fills_the_disk_leaves_no_half_file(monkeypatch):
    org = make_org()
    client = client_for(org.member("rep"))
    client.raise_request_exception = False
    save = default_storage.save

    def half(name, content):
        save(name, ContentFile(content.read(20)))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", half)
    assert post_file(client, org, HUBSPOT.encode()).status_code == 500
    assert files_of(org) == []


def test_columns_refuse_a_field_twice():
    org = make_org()
    client = client_for(org.member("rep"))
    url = post_file(client, org, b"First Name,Other,Email\nA,B,a@b.example\n").url
    response = client.post(url, {"column-0": "first_name", "column-1": "first_name", "column-2": "emails"})
    assert response.status_code == 422
    with org.system():
        assert ImportJob.objects.get().mapping == {"0": "first_name", "2": "emails"}


def test_import_by_somebody_deactivated_meanwhile_stops():
    org = make_org()
    rep = org.member("rep")
    client = client_for(rep)
    url = post_file(client, org, b"First Name,Email\nA,a@b.example\n").url
    client.post(url, {"column-0": "first_name", "column-1": "emails"})
    with org.system():
        job = ImportJob.objects.get()
    client.post(f"/w/{org.slug}/imports/{job.id}/start/")
    with org.system():
        type(rep).objects.filter(pk=rep.pk).update(active=False)
    run_import.apply(kwargs={"org_id": str(org.id), "job_id": str(job.id), "member_id": str(rep.id)}, throw=True)
    with org.system():
        job.refresh_from_db()
        assert (job.status, Contact.objects.count()) == ("failed", 0)
