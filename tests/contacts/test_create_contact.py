"""Creating a contact: what is written, who owns it, and what counts as known already."""

import pytest

from activities.models import Activity
from contacts.actions.contacts import create_contact, delete_contact
from contacts.duplicates import DuplicateContact
from contacts.enums import ContactRole
from contacts.models import AccountContact, Contact, ContactEmail
from contacts.values import EmailValue, NewContact, PhoneValue
from crm.actions.sharing import share_record
from crm.lib.errors import Forbidden, Invalid
from crm.models import OutboxEvent, Tag
from tests.contacts.conftest import Cast
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)

INES = NewContact(first_name="Ines", last_name="Marchetti", emails=(EmailValue("ines@halden.example"),))


def names_of(cast: Cast, ids: list) -> list[str]:
    with cast.org.system():
        known = dict(Tag.objects.values_list("id", "name"))
    return [known[pk] for pk in ids]


def test_create_contact_writes_columns_children_and_defaults(cast: Cast):
    made = cast.contact(
        first_name=" Ines ",
        emails=(EmailValue("Ines@Halden.example"), EmailValue("ines@private.example", "home", True)),
        phones=(PhoneValue("010 555 0142"), PhoneValue("+1 415 555 2671 ext. 7", "mobile")),
        tags=("Champion", "LogiMAT"),
        title="VP Operations",
    )
    contact = cast.fresh(made)
    assert (contact.first_name, contact.owner_id, contact.lifecycle, contact.lead_status, contact.version) == (
        "Ines", cast.rep.id, "lead", "new", 1,
    )  # fmt: skip
    assert (contact.email, contact.phone) == ("ines@private.example", "+31105550142")
    assert cast.emails(contact) == [("ines@private.example", "home", True), ("Ines@halden.example", "work", False)]
    assert cast.phones(contact) == ["+31105550142", "+14155552671 x7"]
    assert names_of(cast, contact.tags) == ["Champion", "LogiMAT"]


def test_create_contact_writes_a_timeline_entry_and_an_event(cast: Cast):
    made = cast.contact()
    with cast.org.system():
        entries = list(Activity.objects.filter(contact_id=made.pk).values_list("type", "data", "owner_id"))
        events = list(OutboxEvent.objects.filter(record=made.pk).values_list("name", "payload"))
    assert entries == [("system", {"event": "created"}, cast.rep.id)]
    [(name, payload)] = events
    assert (name, payload["owner"], payload["by"]["member"]) == ("contact.created", str(cast.rep.id), str(cast.rep.id))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (NewContact(), "last_name"),
        (NewContact(last_name="x" * 101), "last_name"),
        (NewContact(emails=(EmailValue("no address"),)), "emails"),
        (NewContact(emails=(EmailValue("a@b.example", "fax"),)), "emails"),
        (NewContact(last_name="M", lifecycle="friend"), "lifecycle"),
        (NewContact(last_name="M", account_role="boss"), "account_role"),
        (NewContact(last_name="M", tags=("x" * 61,)), "tags"),
        (NewContact(last_name="M", phones=tuple(PhoneValue(f"+3110555{i:04}") for i in range(21))), "phones"),
    ],
)
def test_create_contact_with_wrong_values_names_the_field_and_writes_nothing(cast: Cast, values, field):
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        create_contact(values, acting=acting)
    assert list(refused.value.fields) == [field]
    assert cast.count() == (0, 0)


def test_create_contact_keeps_an_unreadable_number_as_it_was_written(cast: Cast):
    made = cast.contact(phones=(PhoneValue("ask  at the desk"),))
    assert cast.phones(made) == ["ask at the desk"]


def test_create_contact_by_a_reader_is_forbidden(cast: Cast):
    with cast.org.acting(cast.reader) as acting, pytest.raises(Forbidden):
        create_contact(INES, acting=acting)
    assert cast.count() == (0, 0)


@pytest.mark.parametrize("role", ["admin", "manager", "rep"])
def test_create_contact_for_somebody_else_is_written_out_of_sight(cast: Cast, role):
    """Row-level security would refuse a rep's new row that they may not see."""
    actor = getattr(cast, role)
    made = cast.contact(by=actor, owner_id=cast.stranger.id, email="new@halden.example", tags=("Given",))
    contact = cast.fresh(made)
    assert contact.owner_id == cast.stranger.id
    assert cast.emails(contact) == [("new@halden.example", "work", True)]
    with cast.org.acting(actor):
        seen = Contact.objects.filter(pk=made.pk).exists()
    assert seen is (role == "admin")


def test_create_contact_for_somebody_who_left_is_invalid(cast: Cast):
    with cast.org.system():
        cast.stranger.active = False
        cast.stranger.save()
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        create_contact(NewContact(last_name="M", owner_id=cast.stranger.id), acting=acting)
    assert list(refused.value.fields) == ["owner"]
    assert cast.count() == (0, 0)


# ---------------------------------------------------------------- accounts


def test_create_contact_is_linked_by_the_domain_of_its_address(cast: Cast):
    account = cast.account(website="https://www.halden.example/about")
    made = cast.contact(email="ines@Halden.example")
    assert cast.fresh(made).account_id == account.id
    assert cast.links(made) == [(account.id, ContactRole.UNKNOWN, True)]


def test_create_contact_is_linked_by_the_registered_domain_of_a_subdomain(cast: Cast):
    account = cast.account(domains=("halden.co.uk",))
    made = cast.contact(email="ines@mail.halden.co.uk")
    assert cast.links(made) == [(account.id, ContactRole.UNKNOWN, True)]


@pytest.mark.parametrize("address", ["ines@gmail.com", "ines@yahoo.co.uk", "ines@web.de", "ines@mail.gmx.net"])
def test_create_contact_with_a_free_mail_address_is_never_linked(cast: Cast, address):
    cast.account(domains=(address.partition("@")[2], "gmx.net"))
    made = cast.contact(email=address)
    assert (cast.fresh(made).account_id, cast.links(made)) == (None, [])


def test_create_contact_is_linked_to_an_account_its_owner_does_not_see(cast: Cast):
    account = cast.account(by=cast.stranger, domains=("halden.example",))
    made = cast.contact(email="ines@halden.example")
    assert cast.links(made) == [(account.id, ContactRole.UNKNOWN, True)]
    with cast.org.acting(cast.rep):
        seen = Contact.objects.filter(pk=made.pk).values("account__name").get()
    assert seen == {"account__name": None}


def test_create_contact_with_an_account_given_is_not_linked_by_domain(cast: Cast):
    cast.account(domains=("halden.example",))
    other = cast.account("Brenner Steel")
    made = cast.contact(email="ines@halden.example", account_id=other.id, account_role="champion")
    assert cast.links(made) == [(other.id, "champion", True)]


def test_create_contact_at_an_account_out_of_sight_is_invalid(cast: Cast):
    hidden = cast.account(by=cast.stranger)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        create_contact(NewContact(last_name="M", account_id=hidden.id), acting=acting)
    assert list(refused.value.fields) == ["account"]
    assert cast.count() == (0, 1)


def test_create_contact_ignores_a_deleted_account(cast: Cast):
    account = cast.account(domains=("halden.example",))
    with cast.org.acting(cast.rep):
        account.deleted_at = account.created_at
        account.save()
    assert cast.links(cast.contact(email="ines@halden.example")) == []


# ---------------------------------------------------------------- duplicates


def test_create_contact_with_an_address_somebody_has_is_refused(cast: Cast):
    known = cast.contact(first_name="Ines", email="Ines@Halden.example")
    with cast.org.acting(cast.rep) as acting, pytest.raises(DuplicateContact) as refused:
        create_contact(NewContact(last_name="Other", emails=(EmailValue("INES@halden.example"),)), acting=acting)
    assert (refused.value.record_id, refused.value.record_name) == (known.id, "Ines Marchetti")
    assert cast.count() == (1, 0)


def test_create_contact_tells_only_the_owner_of_a_match_out_of_sight(cast: Cast):
    cast.contact(by=cast.stranger, first_name="Secret", last_name="Person", email="ines@halden.example")
    with cast.org.acting(cast.rep) as acting, pytest.raises(DuplicateContact) as refused:
        create_contact(INES, acting=acting)
    error = refused.value
    assert (error.record_id, error.record_name, error.owner_name) == (None, "", "Tom Becker")
    assert str(error) == "Already known, owned by Tom Becker."
    assert "Secret" not in repr(vars(error))
    assert cast.count() == (1, 0)


def test_create_contact_tells_of_a_match_that_is_shared(cast: Cast):
    known = cast.contact(by=cast.stranger, email="ines@halden.example")
    with cast.org.acting(cast.stranger) as acting:
        share_record("contact", known.pk, member=cast.rep.id, acting=acting)
    with cast.org.acting(cast.rep) as acting, pytest.raises(DuplicateContact) as refused:
        create_contact(INES, acting=acting)
    assert refused.value.record_id == known.id


@pytest.mark.parametrize("role", ["admin", "manager"])
def test_create_contact_tells_those_who_see_the_match(cast: Cast, role):
    known = cast.contact(email="ines@halden.example")
    with cast.org.acting(getattr(cast, role)) as acting, pytest.raises(DuplicateContact) as refused:
        create_contact(INES, acting=acting)
    assert refused.value.record_id == known.id


def test_create_contact_anyway_makes_a_second_one(cast: Cast):
    cast.contact(by=cast.stranger, email="ines@halden.example")
    with cast.org.acting(cast.rep) as acting:
        made = create_contact(INES, acting=acting, override_duplicate=True)
    assert cast.fresh(made).email == "ines@halden.example"
    assert cast.count() == (2, 0)


def test_create_contact_does_not_mind_a_deleted_match(cast: Cast):
    known = cast.contact(email="ines@halden.example")
    with cast.org.acting(cast.rep) as acting:
        delete_contact(known.pk, acting=acting)
        made = create_contact(INES, acting=acting)
    assert cast.fresh(made).email == "ines@halden.example"


def test_create_contact_does_not_know_of_other_organisations(cast: Cast):
    elsewhere = make_org()
    member = elsewhere.member("rep")
    with elsewhere.acting(member) as acting:
        create_contact(INES, acting=acting)
    assert cast.fresh(cast.contact(email="ines@halden.example")).owner_id == cast.rep.id


def test_create_contact_refused_leaves_no_tag_and_no_event(cast: Cast):
    cast.contact(email="ines@halden.example")
    with cast.org.system():
        before = OutboxEvent.objects.count()
    with cast.org.acting(cast.rep) as acting, pytest.raises(DuplicateContact):
        create_contact(NewContact(emails=INES.emails, tags=("New tag",)), acting=acting)
    with cast.org.system():
        assert OutboxEvent.objects.count() == before
        assert (Tag.objects.count(), ContactEmail.objects.count(), AccountContact.objects.count()) == (0, 1, 0)
