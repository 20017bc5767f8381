"""Search: what is found by what, in which order, and by whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import set_urlconf
from django.utils import timezone

from activities.actions.log import NewActivity, delete_activity, log_activity
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact, delete_contact, restore_contact, update_contact
from contacts.models import Contact, ContactEmail
from contacts.values import EmailValue, NewAccount, NewContact, PhoneValue
from crm.actions.sharing import share_record
from crm.launch.testcluster import ClusterInfo
from crm.models import Membership, SearchWord
from crm.records.registry import registry
from crm.records.search import Hit, Tier, search, search_groups
from crm.records.search_queries import Way, find
from crm.tenancy import searching
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Stage
from tests.factories import Org, make_org
from tests.support.cluster import worker_database
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def inside() -> Iterator[None]:
    """Addresses are those of an organisation's pages, as in a request there."""
    set_urlconf(settings.ORG_URLCONF)
    yield
    set_urlconf(None)


@dataclass
class Office:
    """A private organisation with records of its rep, whom `boss` manages; `colleague` is in no team."""

    org: Org
    rep: Membership
    colleague: Membership
    boss: Membership
    admin: Membership
    reader: Membership
    contact: Any
    account: Any
    deal: Any

    def contact_of(self, member: Membership, **values: Any) -> Contact:
        """A contact of a member; `email` and `phone` are shortcuts for one."""
        if email := values.pop("email", ""):
            values["emails"] = (EmailValue(email),)
        if phone := values.pop("phone", ""):
            values["phones"] = (PhoneValue(phone),)
        with self.org.acting(member) as acting:
            return create_contact(NewContact(**values), acting=acting, override_duplicate=True)

    def note(self, member: Membership, body: str, **about: Any) -> Any:
        """A note of a member."""
        with self.org.acting(member) as acting:
            return log_activity(NewActivity(type="note", body=body, **about), acting=acting)

    def hits(self, member: Membership, text: str, **options: Any) -> list[Hit]:
        """What a member finds."""
        with self.org.acting(member) as actor:
            return search(text, actor, **options)

    def found(self, member: Membership, text: str) -> list[str]:
        """The names of what a member finds, in order."""
        return [hit.shown.name for hit in self.hits(member, text)]


@pytest.fixture
def office() -> Office:
    org = make_org(time_zone="Europe/Oslo")
    rep, boss = org.member("rep", "Maya Okafor"), org.member("manager", "Jonas Lind")
    org.team("Nordics", rep, managers=(boss,))
    with org.system() as system:
        pipeline = create_default_pipeline(acting=system)
        stage = Stage.objects.filter(pipeline=pipeline).order_by("position").first()
    with org.acting(rep) as acting:
        account = create_account(NewAccount(name="Ravnkloa Shipping", domains=("ravnkloa.example",)), acting=acting)
        contact = create_contact(
            NewContact(
                first_name="Ysolde", last_name="Brandvik-Lund",
                emails=(EmailValue("ysolde.brandvik@ravnkloa.example"), EmailValue("private77@postbox.example")),
                phones=(PhoneValue("+47 22 55 51 234"), PhoneValue("+49 (30) 1234-567")),
            ),
            acting=acting,
        )  # fmt: skip
        deal = create_deal(
            {"name": "Wharf gantry für Ålesund", "stage": stage.pk, "account": account.pk}, acting=acting
        )
    others = {
        "colleague": org.member("rep", "Tom Becker"),
        "admin": org.member("admin"),
        "reader": org.member("readonly"),
    }
    return Office(org, rep, others["colleague"], boss, others["admin"], others["reader"], contact, account, deal)


NAMES = ["Ysolde Brandvik-Lund"]


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        ("Ysolde Brandvik-Lund", [(Tier.EXACT, "contact")]),
        ("yso", [(Tier.PREFIX, "contact")]),
        ("brandv", [(Tier.PREFIX, "contact")]),
        ("BRANDVIK", [(Tier.PREFIX, "contact")]),
        ("lund ysolde", [(Tier.WORDS, "contact")]),
        ("lund", [(Tier.WORDS, "contact")]),
        ("ysolde ravnkloa", [(Tier.WORDS, "contact")]),
        ("ysolde.brandvik@ravn", [(Tier.PREFIX, "contact")]),
        ("vik@ravn", [(Tier.FRAGMENT, "contact")]),
        ("private7", [(Tier.FRAGMENT, "contact")]),
        ("ate77@post", [(Tier.FRAGMENT, "contact")]),
        ("+47 22555", [(Tier.PREFIX, "contact")]),
        ("22 55 51 23", [(Tier.FRAGMENT, "contact")]),
        ("+49 (30) 1234-567", [(Tier.FRAGMENT, "contact")]),
        ("030 1234567", [(Tier.FRAGMENT, "contact")]),
        ("+49 (0)30 1234", [(Tier.FRAGMENT, "contact")]),
        ("0049 30 1234", [(Tier.FRAGMENT, "contact")]),
        ("+49 30 1234567 x12", [(Tier.FRAGMENT, "contact")]),
        ("030 1234567 ext. 9", [(Tier.FRAGMENT, "contact")]),
        ("234-56", [(Tier.FRAGMENT, "contact")]),
        ("Ysodle", [(Tier.SIMILAR, "contact")]),
        ("Brandwik", [(Tier.SIMILAR, "contact")]),
        ("ysoled brandvic", [(Tier.SIMILAR, "contact")]),
        ("kloa.ex", [(Tier.FRAGMENT, "contact"), (Tier.FRAGMENT, "account")]),
        ("shipping", [(Tier.WORDS, "account")]),
        ("shiping", [(Tier.SIMILAR, "account")]),
        ("alesund", [(Tier.WORDS, "deal")]),
        ("ÅLESUND WHARF", [(Tier.WORDS, "deal")]),
        ("wharf g", [(Tier.PREFIX, "deal")]),
        ("fur", [(Tier.WORDS, "deal")]),
        ("xqzvkk", []),
        ("", []),
        ("   ", []),
        ("%", []),
        ("'; --", []),
        ("\\", []),
        ("a" * 500, []),
    ],
)
def test_what_is_found_by_what(office: Office, sought: str, expected: list[tuple[Tier, str]]) -> None:
    found = [(hit.tier, hit.source.key) for hit in office.hits(office.rep, sought)]
    assert sorted(found) == sorted(expected)


def test_the_address_that_matched_is_told(office: Office) -> None:
    assert [hit.told for hit in office.hits(office.rep, "ate77@post")] == ["private77@postbox.example"]
    assert [hit.told for hit in office.hits(office.rep, "(30) 1234")] == ["+49301234567"]


def test_names_in_other_scripts_are_found(office: Office) -> None:
    office.contact_of(office.rep, first_name="Анна", last_name="Каренина")
    office.contact_of(office.rep, first_name="健太", last_name="田中")
    assert office.found(office.rep, "каренина анна") == ["Анна Каренина"]
    assert office.found(office.rep, "Карен") == ["Анна Каренина"]
    assert office.found(office.rep, "田中") == ["健太 田中"]


def test_a_text_of_any_kind_can_be_saved_and_searched(office: Office) -> None:
    office.note(
        office.rep, "x" * 5000 + " keelhaul " + "\x01“quoted” <b>&amp; 'single' \\ back", contact_id=office.contact.pk
    )
    assert len(office.hits(office.rep, "keelhaul quoted")) == 1
    assert len(office.hits(office.rep, "back 'single'")) == 1


@pytest.mark.parametrize(
    ("who", "seen"), [("rep", True), ("boss", True), ("admin", True), ("reader", True), ("colleague", False)]
)
@pytest.mark.parametrize(
    "sought", ["Ysolde Brandvik-Lund", "yso", "lund", "vik@ravn", "22 55 51 23", "ysodle", "quayside"]
)
def test_private_records_are_found_by_those_who_see_them(office: Office, who: str, seen: bool, sought: str) -> None:
    office.note(office.rep, "Met beside the quayside crane", contact_id=office.contact.pk)
    assert bool(office.hits(getattr(office, who), sought)) == seen


@pytest.mark.parametrize("sought", ["bergen", "berg", "company", "any.example", "beregn"])
def test_a_rep_finds_three_behind_five_hundred_hidden_ones(office: Office, sought: str) -> None:
    with office.org.system():
        hidden = Contact.objects.bulk_create(
            Contact(first_name=f"Bergen {n:03}", last_name="Anker", email=f"b{n}@company.example", owner=office.rep)
            for n in range(500)
        )
        ContactEmail.objects.bulk_create(ContactEmail(contact=contact, address=contact.email) for contact in hidden)
    mine = [
        office.contact_of(
            office.colleague, first_name="Zoe", last_name=f"Bergen {name}", email=f"zoe{name}@company.example"
        )
        for name in ("One", "Two", "Three")
    ]
    hits = office.hits(office.colleague, sought)
    assert {hit.id for hit in hits} == {contact.pk for contact in mine}
    assert len(office.hits(office.admin, sought, most=50)) == 50


def test_each_finds_all_their_own_among_thousands_that_match(office: Office) -> None:
    """More hits than are held against the actor's reach one by one: few own rows are looked through instead, of many
    the hits are."""
    numbers = {office.boss: searching.FEW + 100, office.rep: searching.MANY + 100}
    with office.org.system():
        for owner, number in numbers.items():
            made = Contact.objects.bulk_create(
                (Contact(first_name=f"Nr {n}", last_name="Bergen", owner=owner) for n in range(number)), 1000
            )
            ContactEmail.objects.bulk_create(
                (ContactEmail(contact=c, address=f"{c.pk}@bergen.example") for c in made), 1000
            )
    office.contact_of(office.colleague, first_name="Zoe", last_name="Bergen", email="zoe@bergen.example")
    everything = sum(numbers.values())
    expected = {
        office.colleague: 1,
        office.rep: numbers[office.rep],
        office.boss: everything,
        office.admin: everything + 1,
    }
    for member, number in expected.items():
        with office.org.acting(member):
            for way, sought in ((Way.WORDED, "bergen"), (Way.FRAGMENTS, "@bergen"), (Way.SIMILAR, "bregen")):
                found = find([(Contact._meta.db_table, way)], sought, 10_000)
                assert len({one.id for one in found}) == number, (member.role, way)


@pytest.mark.parametrize("sought", ["ysolde", "lund", "vik@ravn", "ysodle", "quayside"])
def test_what_is_shared_is_found_until_it_is_not(office: Office, sought: str) -> None:
    office.note(office.rep, "Met beside the quayside crane", contact_id=office.contact.pk)
    with office.org.acting(office.rep) as acting:
        shared = share_record("contact", office.contact.pk, member=office.colleague.pk, level="read", acting=acting)
    assert len(office.hits(office.colleague, sought)) == 1
    with office.org.system():
        type(shared)._base_manager.filter(pk=shared.pk).update(until=timezone.now() - dt.timedelta(minutes=1))
    assert office.hits(office.colleague, sought) == []


def test_a_share_with_a_team_is_found_by_its_members(office: Office) -> None:
    team = office.org.team("South", office.colleague)
    with office.org.acting(office.rep) as acting:
        share_record("deal", office.deal.pk, team=team.pk, level="read", acting=acting)
    assert office.found(office.colleague, "gantry") == [office.deal.name]
    assert office.hits(office.colleague, "ysolde") == []


def test_everybody_finds_everything_where_all_may_read(office: Office) -> None:
    office.org.organization.visibility = "all_read"
    with office.org.system():
        office.org.organization.save(update_fields=["visibility"])
    assert office.found(office.colleague, "ysolde") == NAMES


@pytest.mark.parametrize(
    "sought", ["ysolde", "lund", "vik@ravn", "22 55 51 23", "ysodle", "shipping", "gantry", "quayside"]
)
def test_another_organisation_finds_nothing(office: Office, sought: str) -> None:
    office.note(office.rep, "Met beside the quayside crane", contact_id=office.contact.pk)
    other = make_org()
    admin = other.member("admin")
    with other.acting(admin) as actor:
        assert search(sought, actor) == []
        assert search_groups(sought, actor, each=5) == []


@pytest.mark.parametrize("sought", ["ysolde", "lund", "vik@ravn", "22 55 51 23", "ysodle", "quayside"])
def test_what_lies_in_the_bin_is_not_found_until_it_is_restored(office: Office, sought: str) -> None:
    office.note(office.rep, "Met beside the quayside crane", contact_id=office.contact.pk)
    with office.org.acting(office.rep) as acting:
        delete_contact(office.contact.pk, acting=acting)
    assert [office.hits(who, sought) for who in (office.rep, office.admin)] == [[], []]
    with office.org.acting(office.rep) as acting:
        restore_contact(office.contact.pk, acting=acting)
    assert len(office.hits(office.rep, sought)) == 1


def test_changes_of_names_and_addresses_are_found_at_once(office: Office) -> None:
    with office.org.acting(office.rep) as acting:
        changes = {"last_name": "Thackeray", "emails": (EmailValue("new.home@elsewhere.example"),)}
        update_contact(office.contact.pk, changes, acting=acting)
    for sought in ("thackeray", "home@else", "tackeray", "ysolde elsewhere"):
        assert office.found(office.rep, sought) == ["Ysolde Thackeray"], sought
    for sought in ("brandvik", "vik@ravn", "private77"):
        assert [hit.source.key for hit in office.hits(office.rep, sought)] in ([], ["account"]), sought


def test_an_owner_who_hands_a_record_over_does_not_find_it_any_more(office: Office) -> None:
    with office.org.acting(office.rep) as acting:
        update_contact(office.contact.pk, {"owner": office.colleague.pk}, acting=acting)
    assert office.hits(office.rep, "ysolde") == []
    assert office.found(office.colleague, "ysolde") == NAMES


def test_better_hits_come_first_then_own_then_new_ones(office: Office) -> None:
    made = {
        name: office.contact_of(office.colleague if name.startswith("Their") else office.admin, first_name=first, last_name=last)
        for name, first, last in [
            ("words", "Anna Marta", "Lindqvist"),
            ("prefix old", "Martaban", "Aas"),
            ("prefix new", "Martage", "Aas"),
            ("exact", "", "Marta"),
            ("Their prefix", "Martano", "Aas"),
            ("similar", "Marto", "Aas"),
        ]
    }  # fmt: skip
    hits = office.hits(office.admin, "marta")
    order = ["exact", "prefix new", "prefix old", "Their prefix", "words"]
    assert [hit.id for hit in hits] == [made[name].pk for name in order]
    assert office.hits(office.admin, "marte")[0].tier == Tier.SIMILAR


@pytest.mark.parametrize("sought", ["xthackeray", "phackeray", "htackeray", "hackeray", "thakeray"])
def test_names_are_found_though_their_first_letter_is_wrong(office: Office, sought: str) -> None:
    named = office.contact_of(office.rep, first_name="Nora", last_name="Thackeray")
    office.contact_of(office.rep, first_name="Nora", last_name="Jackeri")
    hits = office.hits(office.rep, sought)
    assert (hits[0].id, hits[0].tier) == (named.pk, Tier.SIMILAR)


def test_words_that_begin_alike_come_before_those_that_do_not(office: Office) -> None:
    wanted = office.contact_of(office.rep, first_name="Nora", last_name="Parlsen")
    for n in range(12):
        office.contact_of(office.rep, first_name="Nora", last_name=f"{chr(97 + n)}arlson")
    assert wanted.pk in {hit.id for hit in office.hits(office.rep, "parlson")}


@pytest.mark.parametrize(
    ("name", "sought"),
    [
        ("Halvorsen77", "halvor"),
        ("Halvorsen77", "halvorsen"),
        ("Halvorsen77", "halvorsen7"),
        ("Halvorsen77", "nora halv"),
        ("x" * 50, "x" * 12),
        ("x" * 50, "x" * 45),
        ("Ærøskøbing", "ærøsk"),
    ],
)
def test_words_are_found_by_how_they_begin_whatever_follows(office: Office, name: str, sought: str) -> None:
    named = office.contact_of(office.rep, first_name="Nora", last_name=f"Ek-{name}")
    office.contact_of(office.rep, first_name="Nora", last_name="Ek-Hagen")
    assert [hit.id for hit in office.hits(office.rep, sought)] == [named.pk]


def test_words_that_many_begin_with_are_found_with_another_one(office: Office) -> None:
    made = [
        office.contact_of(office.rep, first_name="Nora", last_name=f"Ek-halv{chr(97 + n)}{n % 2 or ''}")
        for n in range(20)
    ]
    office.contact_of(office.rep, first_name="Mona", last_name="Ek-halvard")
    assert {hit.id for hit in office.hits(office.rep, "nora halv", most=50)} == {one.pk for one in made}


def test_search_made_anew_notes_the_words_of_what_is_there(office: Office, cluster: ClusterInfo) -> None:
    def words_of() -> set[str]:
        with office.org.system():
            return set(SearchWord.objects.values_list("word", flat=True))

    office.contact_of(office.rep, first_name="Nora", last_name="Halvorsen77")
    before = words_of()
    with office.org.system():
        SearchWord.objects.filter(word__gte="h").delete()
    assert "halvorsen7" in before - words_of()
    operations = searching.made_again("contacts.migrations.0008_search", "deals.migrations.0007_search")
    with psycopg.connect(cluster.owner_url(worker_database())) as owner:
        for statement in (one for each in operations for one in each.forward()):
            owner.execute(statement.encode())
    assert words_of() == before
    assert office.found(office.rep, "halvorsen") == ["Nora Halvorsen77"]
    office.contact_of(office.rep, first_name="Nora", last_name="Zetterlund")
    assert words_of() - before == {"zetterlund"}


@pytest.mark.parametrize(("sought", "found"), [("scotter bridge", True), ("shirt bridge", False), ("bridge", True)])
def test_in_notes_only_words_that_nobody_has_are_misspelled(office: Office, sought: str, found: bool) -> None:
    office.contact_of(office.rep, first_name="Nora", last_name="Shirt")
    note = office.note(office.rep, "A scooter waits for the night shift at the bridge.", contact_id=office.contact.pk)
    assert [hit.id for hit in office.hits(office.rep, sought)] == [note.pk] * found


def test_notes_are_seen_with_what_they_are_about(office: Office) -> None:
    with office.org.acting(office.rep) as acting:
        share_record("account", office.account.pk, member=office.colleague.pk, level="read", acting=acting)
    for n, about in enumerate(
        [{"contact_id": office.contact.pk}, {"deal_id": office.deal.pk}, {"account_id": office.account.pk}]
    ):
        office.note(office.rep, f"Talked about spinnaker {n}", **about)
    assert {hit.shown.name[-1] for hit in office.hits(office.rep, "spinnaker")} == {"0", "1", "2"}
    hits = office.hits(office.colleague, "spinnaker")
    assert [hit.shown.name for hit in hits] == ["Talked about spinnaker 2"]
    assert hits[0].shown.detail == "Ravnkloa Shipping"
    assert hits[0].shown.url == f"/accounts/{office.account.pk}/?entry={hits[0].id}#a-{hits[0].id}"


def test_a_note_in_the_bin_or_corrected_is_not_found_by_what_it_said(office: Office) -> None:
    note = office.note(office.rep, "Talked about spinnakers", contact_id=office.contact.pk)
    with office.org.acting(office.rep) as acting:
        delete_activity(note.pk, acting=acting)
    assert office.hits(office.rep, "spinnakers") == []


def test_own_notes_on_what_one_does_not_see_any_more_lead_to_themselves(office: Office) -> None:
    note = office.note(office.rep, "Talked about spinnakers", contact_id=office.contact.pk)
    with office.org.acting(office.rep) as acting:
        update_contact(office.contact.pk, {"owner": office.colleague.pk}, acting=acting)
    hits = office.hits(office.rep, "spinnakers")
    assert [(hit.id, hit.shown.url, hit.shown.detail) for hit in hits] == [
        (note.pk, f"/activities/{note.pk}/edit/", "")
    ]


def test_a_type_that_only_tests_know_is_searched(office: Office) -> None:
    with office.org.system():
        Vessel.objects.create(name="Élan du Nord", owner=office.rep)
        Vessel.objects.create(name="Nordlys", owner=office.colleague, secret_code="hushhush")
    assert office.found(office.rep, "nord") == ["Élan du Nord"]
    assert office.found(office.rep, "elan") == ["Élan du Nord"]
    assert office.found(office.admin, "nord") == ["Nordlys", "Élan du Nord"]
    assert office.found(office.admin, "nordlis") == ["Nordlys"]
    assert office.hits(office.admin, "hushhush") == []


def test_groups_hold_some_of_each_type_and_say_that_there_is_more(office: Office) -> None:
    for n in range(4):
        office.contact_of(office.rep, first_name="Wharf", last_name=f"Keeper {n}")
    with office.org.acting(office.rep) as actor:
        groups = search_groups("wharf", actor, each=3)
    assert {group.source.key: (len(group.hits), group.more) for group in groups} == {
        "contact": (3, True),
        "deal": (1, False),
    }


# ---------------------------------------------------------------- lists


@pytest.mark.parametrize(
    ("path", "sought", "found"),
    [
        ("contacts/", "lund", True),
        ("contacts/", "vik@ravn", True),
        ("contacts/", "030 1234567", True),
        ("contacts/", "ysodle", True),
        ("contacts/", "ysolde", True),
        ("contacts/", "zzzz", False),
        ("accounts/", "shipping", True),
        ("accounts/", "kloa.ex", True),
        ("deals/list/", "alesund", True),
        ("deals/list/", "gantri", True),
    ],
)
def test_lists_find_words_fragments_and_what_is_misspelled(office: Office, path: str, sought: str, found: bool) -> None:
    def names(member: Membership) -> bool:
        html = client_for(member).get(f"/w/{office.org.slug}/{path}", {"q": sought}).content.decode()
        return any(f"/{record.pk}/" in html for record in (office.contact, office.account, office.deal))

    assert [names(who) for who in (office.rep, office.boss, office.admin, office.colleague)] == [found] * 3 + [False]


def test_a_searched_list_is_paged_like_any_other(office: Office) -> None:
    with office.org.system():
        Contact.objects.bulk_create(
            Contact(first_name=f"Nr {n:03}", last_name="Bergen Anker", owner=office.rep) for n in range(120)
        )
    client, seen, path = client_for(office.rep), [], "?q=anker&sort=name"
    while path:
        html = client.get(f"/w/{office.org.slug}/contacts/{path}").content.decode()
        seen += [part[:6] for part in html.split('<span class="truncate">')[1:] if part.startswith("Nr ")]
        more = 'rel="next"' in html
        path = html.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&") if more else ""
    assert seen == [f"Nr {n:03}" for n in range(120)]


def test_statements_of_a_searched_list(office: Office) -> None:
    client = client_for(office.rep)
    for sought, most in (("ysolde", 9), ("zzzz", 9)):
        client.get(f"/w/{office.org.slug}/contacts/", {"q": sought})
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/w/{office.org.slug}/contacts/", {"q": sought})
        assert len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT"))]) <= most


# ---------------------------------------------------------------- what the registry says is true


@pytest.mark.parametrize("kind", ["contact", "account", "deal", "vessel"])
def test_what_a_type_says_is_searched_is_indexed(kind: str) -> None:
    """Every column of search_words stands in the index of the type's words, every fragment in one of its table."""
    record_type = registry.get(kind)

    def indexes(table: str, function: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s", [table, f"%{function}%"]
            )
            return " ".join(text for (text,) in cursor.fetchall())

    words = indexes(record_type.model._meta.db_table, "keel_word_vector")
    assert [column for column in record_type.search_words if column not in words] == []
    for path in record_type.search_fragments:
        relation, _dot, column = path.rpartition("__")
        model = record_type.model._meta.get_field(relation).related_model if relation else record_type.model
        assert column in indexes(model._meta.db_table, "keel_gram_vector"), path


def test_words_of_others_are_not_for_a_rep(office: Office) -> None:
    with office.org.acting(office.colleague), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm_searchword")
        assert cursor.fetchone() == (0,)
