"""Accounts: their domains, their tree, what becomes of their contacts; and links with roles."""

from __future__ import annotations

from datetime import date

import pytest

from activities.models import Activity
from contacts.actions.accounts import (
    assign_account,
    create_account,
    delete_account,
    restore_account,
    update_account,
)
from contacts.actions.contacts import update_contact
from contacts.actions.links import link_contact, unlink_contact
from contacts.duplicates import DuplicateAccount
from contacts.models import Account, AccountContact, AccountDomain
from contacts.values import NewAccount
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import OutboxEvent
from tests.contacts.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def domains(cast: Cast, account: Account) -> list[str]:
    with cast.org.system():
        rows = AccountDomain.objects.filter(account_id=account.pk).order_by("position")
        return list(rows.values_list("domain", flat=True))


def test_create_account_normalises_domains_and_adds_the_websites(cast: Cast):
    made = cast.account(website="Shop.Halden.example/about", domains=("https://WWW.halden.example", "halden.com"))
    account = cast.fresh(made)
    assert (account.website, account.domain) == ("https://Shop.Halden.example/about", "halden.example")
    assert domains(cast, account) == ["halden.example", "halden.com"]


def test_create_account_with_a_page_on_a_shared_site_gets_no_domain(cast: Cast):
    made = cast.account(website="https://www.linkedin.com/company/halden")
    assert domains(cast, made) == []


def test_create_account_writes_a_timeline_entry_and_an_event(cast: Cast):
    made = cast.account()
    with cast.org.system():
        assert list(Activity.objects.values_list("type", "data", "account_id")) == [
            ("system", {"event": "created"}, made.pk)
        ]
        assert list(OutboxEvent.objects.values_list("name", "record")) == [("account.created", made.pk)]


def test_create_account_gives_an_amount_the_organisations_currency(cast: Cast):
    made = cast.account(annual_revenue=1_250_00)
    assert (cast.fresh(made).annual_revenue, cast.fresh(made).currency) == (125000, "EUR")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (NewAccount(name=" "), "name"),
        (NewAccount(name="H", domains=("no domain",)), "domains"),
        (NewAccount(name="H", website="not a site"), "website"),
        (NewAccount(name="H", currency="XXZ"), "currency"),
        (NewAccount(name="H", health_score=101), "health_score"),
        (NewAccount(name="H", employee_count=-1), "employee_count"),
    ],
)
def test_create_account_with_wrong_values_names_the_field_and_writes_nothing(cast: Cast, values, field):
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        create_account(values, acting=acting)
    assert list(refused.value.fields) == [field]
    assert cast.count() == (0, 0)


def test_create_account_by_a_reader_is_forbidden(cast: Cast):
    with cast.org.acting(cast.reader) as acting, pytest.raises(Forbidden):
        create_account(NewAccount(name="Halden"), acting=acting)
    assert cast.count() == (0, 0)


def test_create_account_with_a_known_domain_is_refused(cast: Cast):
    known = cast.account(domains=("halden.example",))
    with cast.org.acting(cast.rep) as acting:
        with pytest.raises(DuplicateAccount) as refused:
            create_account(NewAccount(name="Halden again", website="halden.example"), acting=acting)
        assert (refused.value.record_id, refused.value.key) == (known.id, "halden.example")
        create_account(NewAccount(name="Again", website="halden.example"), acting=acting, override_duplicate=True)
    assert cast.count() == (0, 2)


def test_create_account_tells_only_the_owner_of_a_match_out_of_sight(cast: Cast):
    cast.account("Secret Ltd", by=cast.stranger, domains=("halden.example",))
    with cast.org.acting(cast.rep) as acting, pytest.raises(DuplicateAccount) as refused:
        create_account(NewAccount(name="Halden", domains=("halden.example",)), acting=acting)
    assert str(refused.value) == "Already known, owned by Tom Becker."
    assert "Secret" not in repr(vars(refused.value))


def test_update_account_website_adds_its_domain(cast: Cast):
    made = cast.account(domains=("halden.example",))
    with cast.org.acting(cast.rep) as acting:
        update_account(made.pk, {"website": "halden.com"}, acting=acting, version=1)
    assert domains(cast, made) == ["halden.example", "halden.com"]


def test_update_account_domains_replaces_them_and_mirrors_the_first(cast: Cast):
    made = cast.account(domains=("halden.example", "halden.com"))
    with cast.org.acting(cast.rep) as acting:
        update_account(made.pk, {"domains": ["halden.com", "new.example"]}, acting=acting)
    assert domains(cast, made) == ["halden.com", "new.example"]
    assert cast.fresh(made).domain == "halden.com"


def test_update_account_of_an_older_version_is_a_conflict(cast: Cast):
    made = cast.account()
    with cast.org.acting(cast.manager) as acting:
        update_account(made.pk, {"industry": "Theirs"}, acting=acting)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Conflict):
        update_account(made.pk, {"industry": "Mine"}, acting=acting, version=1)
    assert cast.fresh(made).industry == "Theirs"


def test_update_account_to_stand_above_itself_is_invalid(cast: Cast):
    """Also through an account that the actor does not see."""
    top = cast.account("Top")
    middle = cast.account("Middle", parent_id=top.id)
    with cast.org.acting(cast.rep) as acting:
        assign_account(middle.pk, cast.stranger.id, acting=acting)
    low = cast.account("Low")
    with cast.org.acting(cast.admin) as acting:
        update_account(low.pk, {"parent": middle.id}, acting=acting)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid):
        update_account(top.pk, {"parent": low.id}, acting=acting)
    assert cast.fresh(top).parent_id is None


def test_update_account_to_a_parent_out_of_sight_is_invalid(cast: Cast):
    hidden, made = cast.account("Hidden", by=cast.stranger), cast.account()
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        update_account(made.pk, {"parent": hidden.id}, acting=acting)
    assert list(refused.value.fields) == ["parent"]


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_update_account_out_of_reach_is_not_found(cast: Cast, who):
    made = cast.account()
    with cast.org.acting(getattr(cast, who)) as acting, pytest.raises(NotFound):
        update_account(made.pk, {"industry": "Mine"}, acting=acting)
    assert (cast.fresh(made).industry, cast.fresh(made).version) == ("", 1)


def test_delete_account_takes_it_from_its_contacts_and_restore_gives_it_back(cast: Cast):
    """Contacts out of the actor's sight, too; one that has another main account by then keeps that."""
    account, other = cast.account(), cast.account("Brenner Steel")
    mine = cast.contact(account_id=account.id)
    moved = cast.contact(last_name="Moved", account_id=account.id)
    hidden = cast.contact(by=cast.stranger, last_name="Hidden", email="x@halden.example")
    with cast.org.acting(cast.admin) as acting:
        link_contact(hidden.pk, account.id, acting=acting)
    with cast.org.acting(cast.rep) as acting:
        delete_account(account.pk, acting=acting)
    assert [cast.fresh(contact).account_id for contact in (mine, moved, hidden)] == [None, None, None]
    with cast.org.acting(cast.rep) as acting:
        update_contact(moved.pk, {"account": other.id}, acting=acting)
        restore_account(account.pk, acting=acting)
    assert [cast.fresh(contact).account_id for contact in (mine, moved, hidden)] == [account.id, other.id, account.id]


# ---------------------------------------------------------------- links


def test_link_contact_first_link_is_the_primary_one(cast: Cast):
    contact, one, two = cast.contact(), cast.account("One"), cast.account("Two")
    with cast.org.acting(cast.rep) as acting:
        link_contact(contact.pk, one.id, acting=acting, role="champion")
        link_contact(contact.pk, two.id, acting=acting, role="billing", title="Advisor")
    assert cast.links(contact) == [(one.id, "champion", True), (two.id, "billing", False)]
    assert cast.fresh(contact).account_id == one.id


def test_link_contact_as_primary_moves_the_mark_and_the_mirror(cast: Cast):
    contact, one, two = cast.contact(), cast.account("One"), cast.account("Two")
    with cast.org.acting(cast.rep) as acting:
        link_contact(contact.pk, one.id, acting=acting)
        link_contact(contact.pk, two.id, acting=acting, primary=True)
    assert cast.links(contact) == [(one.id, "unknown", False), (two.id, "unknown", True)]
    assert cast.fresh(contact).account_id == two.id


def test_link_contact_again_changes_the_link(cast: Cast):
    contact, account = cast.contact(), cast.account()
    days = {"started_on": date(2025, 1, 1), "ended_on": date(2026, 1, 1)}
    with cast.org.acting(cast.rep) as acting:
        link_contact(contact.pk, account.id, acting=acting)
        link_contact(contact.pk, account.id, acting=acting, role="blocker", title="Advisor", **days)
    with cast.org.system():
        [link] = AccountContact.objects.values("role", "title", "started_on", "ended_on", "is_primary")
    assert link == {"role": "blocker", "title": "Advisor", "is_primary": True, **days}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"role": "boss"}, "role"),
        ({"started_on": date(2026, 1, 2), "ended_on": date(2026, 1, 1)}, "ended_on"),
        ({"title": "x" * 121}, "title"),
    ],
)
def test_link_contact_with_wrong_values_is_invalid(cast: Cast, more, field):
    contact, account = cast.contact(), cast.account()
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid) as refused:
        link_contact(contact.pk, account.id, acting=acting, **more)
    assert list(refused.value.fields) == [field]
    assert cast.links(contact) == []


def test_link_contact_to_an_account_out_of_sight_is_invalid(cast: Cast):
    contact, hidden = cast.contact(), cast.account(by=cast.stranger)
    with cast.org.acting(cast.rep) as acting, pytest.raises(Invalid):
        link_contact(contact.pk, hidden.id, acting=acting)
    assert cast.links(contact) == []


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_link_contact_out_of_reach_is_not_found(cast: Cast, who):
    contact, account = cast.contact(), cast.account()
    with cast.org.acting(getattr(cast, who)) as acting, pytest.raises(NotFound):
        link_contact(contact.pk, account.id, acting=acting)
    assert cast.links(contact) == []


def test_unlink_contact_makes_the_next_link_primary(cast: Cast):
    contact, one, two = cast.contact(), cast.account("One"), cast.account("Two")
    with cast.org.acting(cast.rep) as acting:
        link_contact(contact.pk, one.id, acting=acting)
        link_contact(contact.pk, two.id, acting=acting)
        unlink_contact(contact.pk, one.id, acting=acting)
    assert (cast.links(contact), cast.fresh(contact).account_id) == ([(two.id, "unknown", True)], two.id)
    with cast.org.acting(cast.rep) as acting:
        unlink_contact(contact.pk, two.id, acting=acting)
        with pytest.raises(NotFound):
            unlink_contact(contact.pk, two.id, acting=acting)
    assert (cast.links(contact), cast.fresh(contact).account_id) == ([], None)


def test_update_contact_account_links_and_none_unlinks(cast: Cast):
    contact, one, two = cast.contact(), cast.account("One"), cast.account("Two")
    with cast.org.acting(cast.rep) as acting:
        for account in (one, two, one):
            update_contact(contact.pk, {"account": account.id}, acting=acting)
    assert cast.links(contact) == [(one.id, "unknown", True), (two.id, "unknown", False)]
    with cast.org.acting(cast.rep) as acting:
        update_contact(contact.pk, {"account": None}, acting=acting)
    assert (cast.links(contact), cast.fresh(contact).account_id) == ([(two.id, "unknown", True)], two.id)
