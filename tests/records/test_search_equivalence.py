"""The functions of search answer what plain Python answers that looks at every record the reader sees."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.models import Activity
from contacts.models import Contact, ContactEmail, ContactShare
from crm.enums import ShareLevel
from crm.models import Membership, SearchWord
from crm.records.permissions import permission_for
from crm.records.search_queries import Way, find
from tests.factories import Org, make_org

pytestmark = pytest.mark.django_db(transaction=True)
FOLDED = str.maketrans("éåöñ", "eaon")
MOST = 100


def fold(text: str) -> str:
    return text.lower().translate(FOLDED)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text))


def distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for n, letter in enumerate(one, 1):
        former, row[0] = row[0], n
        for m, against in enumerate(other, 1):
            former, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, former + (letter != against))
    return row[-1]


@dataclass
class Row:
    """A contact with its owner's number, one address, and the text of a note on it."""

    first: str
    last: str
    owner: int
    address: str
    note: str
    shared: bool

    @property
    def words(self) -> list[str]:
        return words(f"{self.first} {self.last} {self.address.rpartition('.')[0]}")

    def matches(self, way: Way, sought: str, known: set[str]) -> bool:
        """Whether it is found; `known` are the words of the whole organisation."""
        if way == Way.PREFIXED:
            names = (f"{self.last} {self.first}", f"{self.first} {self.last}", self.address)
            low = fold(sought).strip()
            return bool(low) and any(fold(name).strip().startswith(low) for name in names)
        if way == Way.FRAGMENTS:
            # Without three letters or digits in a row there is nothing to look up.
            return bool(re.search(r"[a-z0-9]{3}", sought.lower())) and sought.strip().lower() in self.address
        alike = {word for word in words(sought) if len(word) > 2} if way in (Way.SIMILAR, Way.MISSPELLED) else set()
        if way == Way.MISSPELLED:
            alike = {word for word in alike if not any(w.startswith(word) for w in known)}
            if not alike:
                return False
        return self.has_words(self.words, sought, alike)

    @staticmethod
    def has_words(there: list[str], sought: str, alike: Collection[str] = ()) -> bool:
        """Whether every word is there, or begins one that is, or is in `alike` and spelled like one that is."""

        def has(word: str) -> bool:
            begins = any(w.startswith(word) if len(word) > 2 else w == word for w in there)
            return begins or (word in alike and any(is_like(w, word) for w in there))

        return bool(words(sought)) and all(has(word) for word in words(sought))


def begins_like(word: str, sought: str) -> bool:
    """With the same letter; or with another one, one too many, one too few, or the first two the wrong way round."""
    if word[0] == sought[0]:
        return True
    three = sought[1:4]
    turned = (word.startswith(sought[1] + sought[0]), word.startswith(three), word[1:].startswith((three, sought[:3])))
    return len(sought) > 3 and any(turned)


def is_like(word: str, sought: str) -> bool:
    if not re.fullmatch(r"[^\W\d_]{3,40}", word) or not begins_like(word, sought):
        return False
    return distance(word, sought) <= (1 if len(sought) == 3 else 2)


# Few words, so that all that are alike are among the eight that are looked up.
NAME = st.sampled_from(["", "Åsa", "Asar", "José", "jo", "Bergström", "Berg-Lund", "O'Brien", "Li", "van der Berg"])
ROWS = st.lists(
    st.builds(
        Row, NAME, NAME, st.integers(0, 2),
        st.sampled_from(["jose.berg@acme.example", "asa_li@berg-lund.example", "li@acme.example", "obrien77@x.example"]),
        st.sampled_from(["", "Price for Berg", "call JOSÉ: price?"]), st.booleans(),
    ),
    max_size=8,
)  # fmt: skip
SOUGHT = st.one_of(
    st.sampled_from(
        ["asa", "ASA", "berg", "Berg jose", "bergs", "jose@", "e.berg@ac", "rien7", "li", "l", "obrien", "obri", "obrien7", "jose obr", "brien o", "jsoe",
         "bregstrom", "asr", "acm", "example", "ebrg", "erg", "xberg", "perg", "price", "price berg", "@", "%", "_li@", "van der", "  berg  ", "77"]
    ),
    st.text(alphabet="abegjlort@.' ", min_size=1, max_size=6),
)  # fmt: skip


def fill(org: Org, members: list[Membership], rows: list[Row]) -> dict[UUID, Row]:
    made = {}
    with org.system():
        for model in (Activity, ContactShare, ContactEmail, Contact, SearchWord):
            model._base_manager.all().delete()
        for row in rows:
            contact = Contact.objects.create(
                first_name=row.first, last_name=row.last, owner=members[row.owner], email=row.address
            )
            ContactEmail.objects.create(contact=contact, address=row.address, is_primary=True)
            Activity.objects.create(contact=contact, type="note", body=row.note, owner=None)
            if row.shared:
                ContactShare.objects.create(
                    content_object=contact, member=members[0], user_id=members[0].user_id, level=ShareLevel.READ,
                    permission=permission_for(Contact, ShareLevel.READ),
                )  # fmt: skip
            made[contact.pk] = row
    return made


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, texts=st.lists(SOUGHT, min_size=4, max_size=8))
def test_search_finds_what_a_look_at_every_record_finds(rows: list[Row], texts: list[str], company: object) -> None:
    org, members, admin = company  # type: ignore[misc]
    made = fill(org, members, rows)
    known = {word for row in rows for word in (*row.words, *words(row.note))}
    for member in (members[0], members[1], admin):
        sees = {
            pk: row
            for pk, row in made.items()
            if member == admin or members[row.owner] == member or (row.shared and member == members[0])
        }
        with org.acting(member):
            for sought in texts:
                for way in Way:
                    found = {one.id for one in find([("contacts_contact", way)], sought, MOST)}
                    assert found == {pk for pk, row in sees.items() if row.matches(way, sought, known)}, (sought, way)
                notes = find([("activities_activity", Way.WORDED)], sought, MOST)
                about = set(Activity.objects.filter(id__in=[n.id for n in notes]).values_list("contact_id", flat=True))
                assert about == {pk for pk, row in sees.items() if Row.has_words(words(row.note), sought)}, sought


@pytest.fixture
def company() -> tuple[Org, list[Membership], Membership]:
    org = make_org()
    return org, [org.member("rep") for _n in range(3)], org.member("admin")
