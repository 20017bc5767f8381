"""Pages of contacts and accounts over HTTP: who gets what, and what a form does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contacts.actions.contacts import delete_contact, update_contact
from contacts.models import Account, Contact, ContactShare
from crm.models import Membership, Tag
from tests.contacts.conftest import Cast
from tests.factories import make_org
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HTTP_HX_REQUEST": "true"}


def browse(cast: Cast, who: Membership | None = None) -> Client:
    return client_for(who or cast.rep)


def at(cast: Cast, path: str) -> str:
    return f"/w/{cast.org.slug}/{path}"


def page_of(cast: Cast, record: Contact | Account) -> str:
    kind = "contacts" if isinstance(record, Contact) else "accounts"
    return at(cast, f"{kind}/{record.pk}/")


def contact_form(cast: Cast, **values: Any) -> dict[str, Any]:
    """What the browser sends for a new contact when nothing is filled but `values`."""
    return {
        "last_name": "Marchetti", "lifecycle": "lead", "lead_status": "new", "owner": str(cast.rep.id), "account": "",
        "emails": "", "phones": "", "tags": "", **values,
    }  # fmt: skip


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# ---------------------------------------------------------------- reading


def test_contact_page_shows_the_contact_and_what_is_around_it(cast: Cast):
    account = cast.account("Halden Logistics", domains=("halden.example",))
    cast.contact(first_name="Noor", last_name="Haddad", email="noor@halden.example", title="Finance Controller")
    made = cast.contact(first_name="Ines", email="ines@halden.example", tags=("Champion",), title="VP Operations")
    response = browse(cast).get(page_of(cast, made))
    page = text_of(response)
    assert response.status_code == 200
    for words in ("Ines Marchetti", "VP Operations", "Halden Logistics", "ines@halden.example", "Champion",
                  "Maya Okafor", "Noor Haddad", "Finance Controller", "Lead"):  # fmt: skip
        assert words in page
    assert f'href="{page_of(cast, account)}"' in response.content.decode()


def test_account_page_shows_its_people_and_its_tree(cast: Cast):
    group = cast.account("Halden Group")
    account = cast.account(parent_id=group.id, industry="Logistics", website="halden.example")
    below = cast.account("Halden Venlo", parent_id=account.id)
    cast.contact(first_name="Ines", account_id=account.id, account_role="champion")
    page = text_of(browse(cast).get(page_of(cast, account)))
    for words in ("Halden Logistics", "Logistics", "Ines Marchetti", "Champion", "Halden Group", below.name):
        assert words in page


def test_contact_page_for_htmx_is_its_head(cast: Cast):
    made = cast.contact(first_name="Ines")
    content = browse(cast).get(page_of(cast, made), **HTMX).content.decode()
    assert content.lstrip().startswith('<div id="record-head"')
    assert "<html" not in content


def test_contact_page_hides_an_account_and_colleagues_out_of_sight(cast: Cast):
    cast.account("Secret Ltd", by=cast.stranger, domains=("halden.example",))
    cast.contact(by=cast.stranger, first_name="Hidden", last_name="Person", email="hidden@halden.example")
    made = cast.contact(first_name="Ines", email="ines@halden.example")
    content = browse(cast).get(page_of(cast, made)).content.decode()
    assert "Secret Ltd" not in content
    assert "Hidden Person" not in content
    assert "Secret Ltd" in browse(cast, cast.admin).get(page_of(cast, made)).content.decode()


@pytest.mark.parametrize("kind", ["contact", "account"])
@pytest.mark.parametrize(
    ("who", "status", "edits"),
    [
        ("rep", 200, True),
        ("manager", 200, True),
        ("admin", 200, True),
        ("reader", 200, False),
        ("stranger", 404, False),
    ],
)
def test_record_page_by_role(cast: Cast, kind: str, who: str, status: int, edits: bool):
    record: Any = getattr(cast, kind)()
    response = browse(cast, getattr(cast, who)).get(page_of(cast, record))
    content = response.content.decode()
    assert response.status_code == status
    assert (f"{page_of(cast, record)}edit/" in content) is edits
    assert ("?edit=1" in content) is edits
    assert (f"{page_of(cast, record)}deletion/" in content) is edits


@pytest.mark.parametrize("path", ["", "edit/", "accounts/"])
def test_contact_pages_of_another_organisation_are_not_found(cast: Cast, path: str):
    made = cast.contact()
    elsewhere = make_org()
    member = elsewhere.member("admin")
    assert client_for(member).get(page_of(cast, made) + path).status_code == 404
    assert client_for(member).get(f"/w/{elsewhere.slug}/contacts/{made.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["contacts/", "accounts/", "contacts/new/", "accounts/new/"])
def test_pages_for_nobody_signed_in_lead_to_the_log_in(cast: Cast, path: str):
    response = Client().get(at(cast, path))
    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/auth/login/")


def test_lists_show_what_one_sees(cast: Cast):
    mine, theirs = cast.contact(first_name="Ines"), cast.contact(by=cast.stranger, first_name="Hidden")
    content = browse(cast).get(at(cast, "contacts/")).content.decode()
    assert page_of(cast, mine) in content
    assert page_of(cast, theirs) not in content
    account = cast.account()
    assert page_of(cast, account) in browse(cast).get(at(cast, "accounts/")).content.decode()


# ---------------------------------------------------------------- creating


def test_new_contact_form_is_a_page_and_a_dialog(cast: Cast):
    client = browse(cast)
    whole, part = client.get(at(cast, "contacts/new/")), client.get(at(cast, "contacts/new/"), **HTMX)
    assert "<html" in whole.content.decode()
    assert part.content.decode().lstrip().startswith("<form")
    assert browse(cast, cast.reader).get(at(cast, "contacts/new/")).status_code == 403


def test_new_contact_is_created_with_several_addresses(cast: Cast):
    data = contact_form(
        cast,
        first_name="Ines",
        **{
            "emails": ["ines@halden.example", "ines@private.example"],
            "emails-key": ["r0", "r1"],
            "emails-kind": ["work", "home"],
            "emails-primary": "r1",
            "phones": ["010 555 0142"],
            "phones-key": ["r0"],
            "phones-kind": ["mobile"],
            "tags": "Champion, NL",
        },
    )
    response = browse(cast).post(at(cast, "contacts/new/"), data)
    with cast.org.system():
        made = Contact.objects.get()
    assert (response.status_code, response["Location"]) == (302, page_of(cast, made))
    assert cast.emails(made) == [("ines@private.example", "home", True), ("ines@halden.example", "work", False)]
    assert (made.name, made.phone, len(made.tags)) == ("Ines Marchetti", "+31105550142", 2)


def test_new_contact_from_htmx_is_sent_to_its_page(cast: Cast):
    response = browse(cast).post(at(cast, "contacts/new/"), contact_form(cast), **HTMX)
    with cast.org.system():
        made = Contact.objects.get()
    assert response["HX-Redirect"] == page_of(cast, made)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"last_name": ""}, "Enter a name or an e-mail address."),
        ({"emails": "nonsense"}, "nonsense"),
        ({"owner": "x"}, "valid UUID"),
        ({"account": "x"}, "Choose one of the list."),
        ({"lifecycle": "friend"}, "friend"),
        ({"tags": "x" * 61}, "at most 60"),
    ],
)
def test_new_contact_with_wrong_values_says_what_is_wrong(cast: Cast, values: dict[str, str], words: str):
    response = browse(cast).post(at(cast, "contacts/new/"), contact_form(cast, **values), **HTMX)
    assert response.status_code == 422
    assert words in text_of(response)
    assert cast.count() == (0, 0)


def test_new_contact_by_a_reader_is_forbidden(cast: Cast):
    response = browse(cast, cast.reader).post(at(cast, "contacts/new/"), contact_form(cast))
    assert (response.status_code, cast.count()) == (403, (0, 0))


def test_new_contact_with_a_known_address_shows_it_before_saving(cast: Cast):
    known = cast.contact(first_name="Ines", email="ines@halden.example")
    client, data = browse(cast), contact_form(cast, emails="INES@halden.example")
    refused = client.post(at(cast, "contacts/new/"), data, **HTMX)
    assert refused.status_code == 422
    assert page_of(cast, known) in refused.content.decode()
    assert cast.count() == (1, 0)
    other = client.post(at(cast, "contacts/new/"), {**data, "create_anyway": "another@halden.example"}, **HTMX)
    assert (other.status_code, cast.count()) == (422, (1, 0))
    created = client.post(at(cast, "contacts/new/"), {**data, "create_anyway": "ines@halden.example"}, **HTMX)
    assert (created.status_code, cast.count()) == (200, (2, 0))


def test_new_contact_with_an_address_out_of_sight_tells_its_owner_only(cast: Cast):
    hidden = cast.contact(by=cast.stranger, first_name="Hidden", last_name="Person", email="ines@halden.example")
    refused = browse(cast).post(at(cast, "contacts/new/"), contact_form(cast, emails="ines@halden.example"), **HTMX)
    assert "Already known, owned by Tom Becker." in text_of(refused)
    assert str(hidden.pk) not in refused.content.decode()
    assert "Hidden" not in refused.content.decode()


def test_new_contact_for_somebody_else_leads_to_the_list(cast: Cast):
    data = contact_form(cast, owner=str(cast.stranger.id))
    client = browse(cast)
    response = client.post(at(cast, "contacts/new/"), data)
    assert response["Location"] == at(cast, "contacts/")
    assert "It belongs to somebody else now" in text_of(client.get(response["Location"]))


def test_new_account_is_created(cast: Cast):
    data = {"name": "Halden", "website": "halden.example", "domains": "halden.com, halden.net",
            "owner": str(cast.rep.id), "annual_revenue": "1,250.50", "parent": "", "tags": ""}  # fmt: skip
    response = browse(cast).post(at(cast, "accounts/new/"), data)
    with cast.org.system():
        made = Account.objects.get()
    assert (response.status_code, response["Location"]) == (302, page_of(cast, made))
    assert (made.domain, made.annual_revenue, made.currency) == ("halden.com", 125050, "EUR")
    again = browse(cast).post(at(cast, "accounts/new/"), {**data, "name": "Again"}, **HTMX)
    assert (again.status_code, cast.count()) == (422, (0, 1))


# ---------------------------------------------------------------- editing


def edit_form(cast: Cast, record: Contact, **values: Any) -> dict[str, Any]:
    return contact_form(cast, version=str(record.version), **values)


def test_edit_contact_saves_and_keeps_what_was_filled(cast: Cast):
    made = cast.contact(first_name="Ines", email="ines@halden.example")
    client = browse(cast)
    assert "ines@halden.example" in client.get(f"{page_of(cast, made)}edit/").content.decode()
    data = edit_form(cast, made, first_name="Ines", title="Buyer", emails="ines@halden.example")
    assert client.post(f"{page_of(cast, made)}edit/", data).status_code == 302
    contact = cast.fresh(made)
    assert (contact.title, contact.version) == ("Buyer", 2)


def test_edit_contact_that_somebody_changed_shows_it_and_overwrites_nothing(cast: Cast):
    made = cast.contact(first_name="Ines", title="Buyer")
    with cast.org.acting(cast.manager) as acting:
        update_contact(made.pk, {"title": "Head of Buying"}, acting=acting)
    data = edit_form(cast, made, first_name="Ines", title="Purchasing")
    response = browse(cast).post(f"{page_of(cast, made)}edit/", data, **HTMX)
    page = text_of(response)
    assert response.status_code == 422
    assert "Jonas Lind changed this" in page
    assert "Head of Buying" in page
    assert cast.fresh(made).title == "Head of Buying"
    version = re.search(r'name="version" value="(\d+)"', response.content.decode())
    assert version
    assert version[1] == "2"
    again = browse(cast).post(f"{page_of(cast, made)}edit/", {**data, "version": "2"}, **HTMX)
    assert (again.status_code, cast.fresh(made).title) == (200, "Purchasing")


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_edit_contact_out_of_reach_is_not_found(cast: Cast, who: str):
    made = cast.contact(title="Buyer")
    client = browse(cast, getattr(cast, who))
    assert client.get(f"{page_of(cast, made)}edit/").status_code == 404
    assert client.post(f"{page_of(cast, made)}edit/", edit_form(cast, made, title="Mine")).status_code == 404
    assert (cast.fresh(made).title, cast.fresh(made).version) == ("Buyer", 1)


def test_edit_account_saves(cast: Cast):
    made = cast.account(domains=("halden.example",), annual_revenue=500)
    url = f"{page_of(cast, made)}edit/"
    assert 'value="halden.example"' in browse(cast).get(url).content.decode()
    data = {"name": "Halden AS", "domains": "halden.example halden.net", "owner": str(cast.rep.id), "parent": "",
            "version": "1", "annual_revenue": "7.50", "is_key": "on"}  # fmt: skip
    assert browse(cast).post(url, data).status_code == 302
    account = cast.fresh(made)
    assert (account.name, account.annual_revenue, account.is_key, account.version) == ("Halden AS", 750, True, 2)
    stale = browse(cast).post(url, {**data, "name": "Stale"}, **HTMX)
    assert (stale.status_code, cast.fresh(made).name) == (422, "Halden AS")


# ---------------------------------------------------------------- one field


def field_url(cast: Cast, record: Any, key: str) -> str:
    kind = "contact" if isinstance(record, Contact) else "account"
    return at(cast, f"records/{kind}/{record.pk}/fields/{key}/")


def test_field_is_shown_edited_and_saved_in_place(cast: Cast):
    made = cast.contact(title="Buyer")
    client, url = browse(cast), field_url(cast, made, "title")
    assert "Buyer" in text_of(client.get(url, **HTMX))
    form = client.get(f"{url}?edit=1", **HTMX).content.decode()
    assert 'name="version" value="1"' in form
    saved = client.post(url, {"title": "Head", "version": "1"}, **HTMX)
    assert (saved.status_code, saved["HX-Trigger"], "Head" in text_of(saved)) == (200, "recordChanged", True)
    assert cast.fresh(made).title == "Head"


@pytest.mark.parametrize(
    ("key", "value", "column", "stored"),
    [
        ("email", "new@halden.example", "email", "new@halden.example"),
        ("phone", "010 555 0142", "phone", "+31105550142"),
        ("lifecycle", "customer", "lifecycle", "customer"),
        ("do_not_call", "on", "do_not_call", True),
    ],
)
def test_field_of_every_kind_is_saved(cast: Cast, key: str, value: str, column: str, stored: Any):
    made = cast.contact()
    response = browse(cast).post(field_url(cast, made, key), {key: value, "version": "1"}, **HTMX)
    assert response.status_code == 200
    assert getattr(cast.fresh(made), column) == stored


def test_field_tags_takes_names(cast: Cast):
    made = cast.contact(tags=("Champion",))
    url = field_url(cast, made, "tags")
    assert 'value="Champion"' in browse(cast).get(f"{url}?edit=1", **HTMX).content.decode()
    browse(cast).post(url, {"tags": "champion, New one", "version": "1"}, **HTMX)
    with cast.org.system():
        names = dict(Tag.objects.values_list("id", "name"))
    assert [names[pk] for pk in cast.fresh(made).tags] == ["Champion", "New one"]


def test_field_account_is_chosen_in_a_dialog_and_linked(cast: Cast):
    made, account = cast.contact(), cast.account()
    url = field_url(cast, made, "account")
    dialog = browse(cast).get(f"{url}?edit=1", HTTP_HX_TARGET="dialog", **HTMX).content.decode()
    assert f'value="{account.pk}"' in dialog
    response = browse(cast).post(url, {"account": str(account.pk), "version": "1"}, **HTMX)
    assert response["HX-Refresh"] == "true"
    assert cast.links(made) == [(account.id, "unknown", True)]


def test_field_that_another_person_changed_is_shown_not_overwritten(cast: Cast):
    made = cast.contact(title="Buyer")
    with cast.org.acting(cast.manager) as acting:
        update_contact(made.pk, {"title": "Theirs"}, acting=acting)
    url = field_url(cast, made, "title")
    clash = browse(cast).post(url, {"title": "Mine", "version": "1"}, **HTMX)
    assert clash.status_code == 422
    assert "Jonas Lind changed this to “Theirs”" in text_of(clash)
    assert 'name="version" value="2"' in clash.content.decode()
    assert cast.fresh(made).title == "Theirs"


def test_field_is_saved_when_only_other_fields_changed_meanwhile(cast: Cast):
    made = cast.contact(title="Buyer")
    with cast.org.acting(cast.manager) as acting:
        update_contact(made.pk, {"department": "Theirs"}, acting=acting)
    response = browse(cast).post(field_url(cast, made, "title"), {"title": "Mine", "version": "1"}, **HTMX)
    assert response.status_code == 200
    assert (cast.fresh(made).title, cast.fresh(made).department) == ("Mine", "Theirs")


@pytest.mark.parametrize(
    ("who", "key", "status"),
    [("rep", "score", 403), ("rep", "nothing", 404), ("reader", "title", 404), ("stranger", "title", 404)],
)
def test_field_that_may_not_be_changed(cast: Cast, who: str, key: str, status: int):
    made = cast.contact(title="Buyer")
    response = browse(cast, getattr(cast, who)).post(field_url(cast, made, key), {key: "5", "version": "1"}, **HTMX)
    assert response.status_code == status
    assert (cast.fresh(made).title, cast.fresh(made).version) == ("Buyer", 1)


@pytest.mark.parametrize(("key", "value"), [("email", "wrong"), ("lifecycle", "friend"), ("owner", "x")])
def test_field_with_a_wrong_value_says_so(cast: Cast, key: str, value: str):
    made = cast.contact()
    response = browse(cast).post(field_url(cast, made, key), {key: value, "version": "1"}, **HTMX)
    assert (response.status_code, cast.fresh(made).version) == (422, 1)


def test_field_owner_given_away_leads_to_the_list(cast: Cast):
    made = cast.contact()
    data = {"owner": str(cast.stranger.id), "version": "1"}
    response = browse(cast).post(field_url(cast, made, "owner"), data, **HTMX)
    assert response["HX-Redirect"] == at(cast, "contacts/")
    assert cast.fresh(made).owner_id == cast.stranger.id


# ---------------------------------------------------------------- links, shares, search


def test_link_dialogs_link_change_and_remove(cast: Cast):
    made, account = cast.contact(), cast.account()
    client, url = browse(cast), f"{page_of(cast, made)}accounts/"
    assert client.get(url, **HTMX).status_code == 200
    client.post(url, {"account": str(account.pk), "role": "champion", "title": "Advisor"})
    assert cast.links(made) == [(account.id, "champion", True)]
    one = f"{url}{account.pk}/"
    assert 'value="Advisor"' in client.get(one, **HTMX).content.decode()
    client.post(one, {"role": "blocker"})
    assert cast.links(made) == [(account.id, "blocker", True)]
    assert client.delete(one, **HTMX)["HX-Redirect"] == page_of(cast, made)
    assert cast.links(made) == []
    assert client.get(one).status_code == 404


def test_link_from_the_account_page(cast: Cast):
    made, account = cast.contact(), cast.account()
    hidden = cast.contact(by=cast.stranger, last_name="Hidden")
    client, url = browse(cast), f"{page_of(cast, account)}people/"
    refused = client.post(url, {"contact": str(hidden.pk), "role": "user"}, **HTMX)
    assert (refused.status_code, cast.links(hidden)) == (422, [])
    client.post(url, {"contact": str(made.pk), "role": "user"})
    assert cast.links(made) == [(account.id, "user", True)]
    assert browse(cast, cast.reader).get(url).status_code == 403


def test_record_options_finds_what_one_sees(cast: Cast):
    cast.account("Halden Logistics")
    cast.account("Halden Hidden", by=cast.stranger)
    url = at(cast, "records/account/options/?field=account&account-q=hALd")
    content = browse(cast).get(url, **HTMX).content.decode()
    assert "Halden Logistics" in content
    assert "Hidden" not in content
    assert browse(cast).get(at(cast, "records/account/options/?field=<x>")).status_code == 404


def test_shares_are_added_and_taken_back(cast: Cast):
    made = cast.contact()
    client, url = browse(cast), at(cast, f"records/contact/{made.pk}/shares/")
    tomorrow = (timezone.localdate() + timezone.timedelta(days=1)).isoformat()
    added = client.post(url, {"grantee": f"member:{cast.stranger.id}", "level": "read", "until": tomorrow}, **HTMX)
    assert "Tom Becker" in text_of(added)
    assert browse(cast, cast.stranger).get(page_of(cast, made)).status_code == 200
    assert browse(cast, cast.stranger).get(url).status_code == 403
    with cast.org.system():
        share = ContactShare.objects.get()
    assert client.delete(f"{url}{share.pk}/", **HTMX).status_code == 200
    assert browse(cast, cast.stranger).get(page_of(cast, made)).status_code == 404


@pytest.mark.parametrize(
    "data",
    [{"grantee": "", "level": "read"}, {"grantee": "x:y", "level": "read"}, {"level": "own"}, {"until": "2001-01-01"}],
)
def test_shares_with_wrong_values_say_so(cast: Cast, data: dict[str, str]):
    made = cast.contact()
    sent = {"grantee": f"member:{cast.stranger.id}", "level": "read", **data}
    response = browse(cast).post(at(cast, f"records/contact/{made.pk}/shares/"), sent, **HTMX)
    assert response.status_code == 422
    with cast.org.system():
        assert ContactShare.objects.count() == 0


# ---------------------------------------------------------------- recycle bin


def test_deletion_offers_to_undo_it(cast: Cast):
    made = cast.contact(first_name="Ines")
    client = browse(cast)
    response = client.post(f"{page_of(cast, made)}deletion/")
    assert response["Location"] == at(cast, "contacts/")
    undo = f"{page_of(cast, made)}restoration/"
    assert f'action="{undo}"' in client.get(response["Location"]).content.decode()
    assert client.get(page_of(cast, made)).status_code == 404
    assert client.post(undo)["Location"] == page_of(cast, made)
    assert client.get(page_of(cast, made)).status_code == 200


def test_account_deletion_and_restoration(cast: Cast):
    made = cast.account()
    client = browse(cast)
    client.post(f"{page_of(cast, made)}deletion/")
    assert client.get(page_of(cast, made)).status_code == 404
    client.post(f"{page_of(cast, made)}restoration/")
    assert cast.fresh(made).deleted_at is None


@pytest.mark.parametrize("who", ["stranger", "reader"])
@pytest.mark.parametrize("path", ["deletion/", "restoration/"])
def test_deletion_and_restoration_out_of_reach_are_not_found(cast: Cast, who: str, path: str):
    made = cast.contact()
    if path == "restoration/":
        with cast.org.acting(cast.rep) as acting:
            delete_contact(made.pk, acting=acting)
    before = cast.fresh(made).deleted_at
    response = browse(cast, getattr(cast, who)).post(page_of(cast, made) + path)
    assert (response.status_code, cast.fresh(made).deleted_at) == (404, before)
