"""Changing, handing over, deleting and restoring a contact."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from contacts.actions.contacts import (
    assign_contact,
    delete_contact,
    restore_contact,
    set_emails,
    set_phones,
    update_contact,
)
from contacts.actions.reassign import reassign_contacts_and_accounts
from contacts.models import Contact, ContactEmail
from contacts.values import EmailValue, PhoneValue
from crm.actions.sharing import share_record
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import AuditEntry, OutboxEvent
from tests.contacts.conftest import Cast
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


def events(cast: Cast, record: Contact) -> list[str]:
    with cast.org.system():
        found = OutboxEvent.objects.filter(record=record.pk).order_by("id").values_list("name", flat=True)
        return [name for name in found if name != "contact.created"]


def snapshot(cast: Cast, record: Contact) -> tuple:
    contact = cast.fresh(record)
    values = {f.attname: getattr(contact, f.attname) for f in Contact._meta.concrete_fields}
    return values, cast.emails(contact), cast.phones(contact), cast.links(contact), events(cast, contact)


def test_update_contact_writes_what_differs_and_the_next_version(cast: Cast):
    made = cast.contact(title="Buyer")
    with cast.org.acting(cast.rep) as acting:
        update_contact(made.pk, {"title": "Head of Buying", "last_name": "Marchetti"}, acting=acting, version=1)
    contact = cast.fresh(made)
    assert (contact.title, contact.version) == ("Head of Buying", 2)
    with cast.org.system():
        payloads = OutboxEvent.objects.filter(name="contact.updated").values_list("payload", flat=True)
        assert [payload["fields"] for payload in payloads] == [["title"]]
        [diff] = AuditEntry.objects.filter(table_name="contacts_contact", operation="U").values_list("diff", flat=True)
    assert diff == {"title": ["Buyer", "Head of Buying"]}


def test_update_contact_without_a_difference_writes_nothing(cast: Cast):
    made = cast.contact(title="Buyer", email="ines@halden.example", tags=("NL",))
    before = snapshot(cast, made)
    changes = {"title": " Buyer ", "emails": [EmailValue("ines@halden.example")], "tags": ["nl"], "owner": cast.rep.id}
    with cast.org.acting(cast.rep) as acting:
        update_contact(made.pk, changes, acting=acting, version=1)
    assert snapshot(cast, made) == before


def test_update_contact_of_an_older_version_is_a_conflict(cast: Cast):
    made = cast.contact(title="Buyer")
    with cast.org.acting(cast.manager) as acting:
        update_contact(made.pk, {"title": "Theirs"}, acting=acting, version=1)
    before = snapshot(cast, made)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Conflict):
        update_contact(made.pk, {"title": "Mine"}, acting=acting, version=1)
    assert snapshot(cast, made) == before


@pytest.mark.parametrize("who", ["stranger", "reader", "foreign"])
def test_update_contact_out_of_reach_is_not_found(cast: Cast, who):
    made = cast.contact(title="Buyer")
    before = snapshot(cast, made)
    org = cast.org
    member = getattr(cast, who, None)
    if member is None:
        org = make_org()
        member = org.member("admin")
    with org.acting(member) as acting, pytest.raises(NotFound):
        update_contact(made.pk, {"title": "Mine"}, acting=acting)
    assert snapshot(cast, made) == before


@pytest.mark.parametrize("who", ["rep", "manager", "admin"])
def test_update_contact_in_reach_is_allowed(cast: Cast, who):
    made = cast.contact()
    with cast.org.acting(getattr(cast, who)) as acting:
        update_contact(made.pk, {"title": "Buyer"}, acting=acting)
    assert cast.fresh(made).title == "Buyer"


@pytest.mark.parametrize("key", ["score", "id", "org", "deleted_at", "version", "sort_name", "nothing"])
def test_update_contact_of_no_editable_field_is_forbidden(cast: Cast, key):
    made = cast.contact()
    with cast.org.acting(cast.admin) as acting, pytest.raises(Forbidden):
        update_contact(made.pk, {key: 1}, acting=acting)


def test_update_contact_to_neither_name_nor_address_is_invalid(cast: Cast):
    made = cast.contact(email="ines@halden.example")
    before = snapshot(cast, made)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        update_contact(made.pk, {"last_name": "", "emails": []}, acting=acting)
    assert list(refused.value.fields) == ["last_name"]
    assert snapshot(cast, made) == before


# ---------------------------------------------------------------- addresses and numbers


def test_set_emails_swaps_the_primary_one_and_mirrors_it(cast: Cast):
    made = cast.contact(emails=(EmailValue("a@halden.example"), EmailValue("b@halden.example")))
    with cast.org.system():
        kept = ContactEmail.objects.get(address="b@halden.example").id
    new = [EmailValue("B@halden.example", "home", True), EmailValue("c@halden.example")]
    with cast.org.acting(cast.rep) as acting:
        set_emails(made.pk, new, acting=acting, version=1)
    assert cast.fresh(made).email == "B@halden.example"
    assert cast.emails(made) == [("B@halden.example", "home", True), ("c@halden.example", "work", False)]
    with cast.org.system():
        assert ContactEmail.objects.get(address="B@halden.example").id == kept


def test_set_emails_to_none_empties_the_mirror(cast: Cast):
    made = cast.contact(email="ines@halden.example")
    with cast.org.acting(cast.rep) as acting:
        set_emails(made.pk, [], acting=acting)
    assert (cast.fresh(made).email, cast.emails(made)) == ("", [])


def test_set_emails_with_a_wrong_one_changes_nothing(cast: Cast):
    made = cast.contact(email="ines@halden.example")
    before = snapshot(cast, made)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid):
        set_emails(made.pk, [EmailValue("good@halden.example"), EmailValue("bad")], acting=acting)
    assert snapshot(cast, made) == before


def test_update_contact_email_changes_the_primary_one_only(cast: Cast):
    made = cast.contact(emails=(EmailValue("a@halden.example", "home"), EmailValue("b@halden.example")))
    with cast.org.acting(cast.rep) as acting:
        update_contact(made.pk, {"email": "new@halden.example"}, acting=acting)
    assert cast.emails(made) == [("new@halden.example", "home", True), ("b@halden.example", "work", False)]


def test_update_contact_email_to_one_it_has_makes_that_primary(cast: Cast):
    made = cast.contact(emails=(EmailValue("a@halden.example"), EmailValue("b@halden.example")))
    with cast.org.acting(cast.rep) as acting:
        update_contact(made.pk, {"email": "B@halden.example"}, acting=acting)
    assert cast.emails(made) == [("B@halden.example", "work", True)]


def test_update_contact_email_that_is_wrong_names_the_field(cast: Cast):
    made = cast.contact(email="a@halden.example")
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        update_contact(made.pk, {"email": "wrong"}, acting=acting)
    assert list(refused.value.fields) == ["email"]


def test_set_phones_normalises_and_mirrors(cast: Cast):
    made = cast.contact(phones=(PhoneValue("010 555 0142"),))
    with cast.org.acting(cast.rep) as acting:
        set_phones(made.pk, [PhoneValue("020 555 0101", "mobile", True), PhoneValue("010 555 0142")], acting=acting)
    assert cast.fresh(made).phone == "+31205550101"
    assert cast.phones(made) == ["+31205550101", "+31105550142"]


# ---------------------------------------------------------------- owner


def test_assign_contact_by_a_rep_gives_it_out_of_sight(cast: Cast):
    made = cast.contact(email="ines@halden.example")
    with cast.org.acting(cast.rep) as acting:
        assign_contact(made.pk, cast.stranger.id, acting=acting)
        assert not Contact.objects.filter(pk=made.pk).exists()
    assert cast.fresh(made).owner_id == cast.stranger.id
    assert events(cast, made) == ["contact.updated", "contact.assigned"]


def test_assign_contact_that_was_only_shared_is_forbidden(cast: Cast):
    made = cast.contact()
    with cast.org.acting(cast.rep) as acting:
        share_record("contact", made.pk, member=cast.stranger.id, level="write", acting=acting)
    before = snapshot(cast, made)
    with cast.org.acting(cast.stranger) as acting, pytest.raises(Forbidden):
        assign_contact(made.pk, cast.stranger.id, acting=acting)
    assert snapshot(cast, made) == before
    with cast.org.acting(cast.stranger) as acting:
        update_contact(made.pk, {"title": "Buyer"}, acting=acting)
    assert cast.fresh(made).title == "Buyer"


def test_assign_contact_to_nobody_known_is_invalid(cast: Cast):
    made = cast.contact()
    before = snapshot(cast, made)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid):
        assign_contact(made.pk, uuid4(), acting=acting)
    assert snapshot(cast, made) == before


def test_assign_contact_by_its_manager_is_allowed_and_by_another_not(cast: Cast):
    made = cast.contact()
    other = cast.org.member("manager")
    cast.org.team("Solutions", managers=(other,))
    with cast.org.acting(other) as acting, pytest.raises(NotFound):
        assign_contact(made.pk, other.id, acting=acting)
    with cast.org.acting(cast.manager) as acting:
        assign_contact(made.pk, cast.stranger.id, acting=acting)
    assert cast.fresh(made).owner_id == cast.stranger.id


def test_reassign_takes_everything_of_a_leaver_along(cast: Cast):
    kept, binned = cast.contact(), cast.contact(last_name="Gone")
    account = cast.account()
    others = cast.contact(by=cast.stranger, last_name="Elsewhere")
    with cast.org.acting(cast.rep) as acting:
        delete_contact(binned.pk, acting=acting)
    with cast.org.acting(cast.admin) as acting:
        assert reassign_contacts_and_accounts(cast.rep.id, cast.manager.id, acting=acting) == 3
    owners: list[UUID] = [cast.fresh(record).owner_id for record in (kept, binned, account, others)]
    assert owners == [cast.manager.id, cast.manager.id, cast.manager.id, cast.stranger.id]


# ---------------------------------------------------------------- recycle bin


def test_delete_contact_and_restore_it(cast: Cast):
    made = cast.contact(email="ines@halden.example")
    with cast.org.acting(cast.rep) as acting:
        delete_contact(made.pk, acting=acting)
    assert cast.fresh(made).deleted_at is not None
    with cast.org.acting(cast.rep) as acting:
        with pytest.raises(NotFound):
            update_contact(made.pk, {"title": "x"}, acting=acting)
        restore_contact(made.pk, acting=acting)
    contact = cast.fresh(made)
    assert (contact.deleted_at, contact.version) == (None, 3)
    assert cast.emails(made) == [("ines@halden.example", "work", True)]
    assert events(cast, made) == ["contact.deleted", "contact.restored"]


@pytest.mark.parametrize(("who", "error"), [("stranger", NotFound), ("reader", NotFound)])
def test_delete_contact_out_of_reach_is_refused(cast: Cast, who, error):
    made = cast.contact()
    before = snapshot(cast, made)
    with cast.org.acting(getattr(cast, who)) as acting, pytest.raises(error):
        delete_contact(made.pk, acting=acting)
    assert snapshot(cast, made) == before


def test_delete_contact_that_was_only_shared_is_forbidden(cast: Cast):
    made = cast.contact()
    with cast.org.acting(cast.rep) as acting:
        share_record("contact", made.pk, member=cast.stranger.id, level="write", acting=acting)
    with cast.org.acting(cast.stranger) as acting, pytest.raises(Forbidden):
        delete_contact(made.pk, acting=acting)
    assert cast.fresh(made).deleted_at is None


def test_restore_contact_by_a_stranger_is_not_found(cast: Cast):
    made = cast.contact()
    with cast.org.acting(cast.rep) as acting:
        delete_contact(made.pk, acting=acting)
    with cast.org.acting(cast.stranger) as acting, pytest.raises(NotFound):
        restore_contact(made.pk, acting=acting)
    assert cast.fresh(made).deleted_at is not None


def test_restore_contact_that_is_not_deleted_is_not_found(cast: Cast):
    made = cast.contact()
    with cast.org.acting(cast.rep) as acting, pytest.raises(NotFound):
        restore_contact(made.pk, acting=acting)
