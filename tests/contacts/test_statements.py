"""How many statements the pages and writes of contacts take, session and membership (two) included."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.queries import find_keys
from tests.contacts.conftest import Cast
from tests.contacts.test_pages import at, browse, contact_form, page_of

pytestmark = pytest.mark.django_db(transaction=True)


def statements(call: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = call()
    assert response.status_code < 400, response.content[:500]
    return [query["sql"] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]


def busy_contact(cast: Cast) -> Any:
    """A contact with everything that costs a statement: account, colleagues, tags, several addresses."""
    account = cast.account(domains=("halden.example",))
    for n in range(8):
        cast.contact(last_name=f"Colleague {n}", account_id=account.id, tags=(f"Tag {n}",))
    return cast.contact(email="ines@halden.example", tags=("Champion", "NL"))


@pytest.mark.parametrize("who", ["rep", "manager", "admin", "reader"])
def test_contact_page_takes_at_most_twelve_statements(cast: Cast, who: str):
    made = busy_contact(cast)
    client = browse(cast, getattr(cast, who))
    client.get(page_of(cast, made))
    found = statements(lambda: client.get(page_of(cast, made)))
    assert len(found) <= 12, "\n".join(found)


def test_account_page_takes_the_same_statements_for_many_people(cast: Cast):
    few, many = cast.account("Few"), cast.account("Many")
    cast.contact(account_id=few.id)
    for n in range(12):
        cast.contact(last_name=f"Person {n}", account_id=many.id)
    client = browse(cast)
    client.get(page_of(cast, few))
    counts = [len(statements(lambda a=a: client.get(page_of(cast, a)))) for a in (few, many)]
    assert counts[0] == counts[1] <= 12


@pytest.mark.parametrize("who", ["rep", "admin"])
def test_creating_a_contact_takes_at_most_twelve_statements(cast: Cast, who: str):
    member = getattr(cast, who)
    cast.account(domains=("halden.example",))
    client = browse(cast, member)
    client.get(at(cast, "contacts/new/"))
    data = contact_form(cast, emails="ines@halden.example", phones="010 555 0142", owner=str(member.id))
    found = statements(lambda: client.post(at(cast, "contacts/new/"), data))
    assert len(found) <= 12, "\n".join(found)


def test_find_keys_makes_another_writer_of_the_same_address_wait(cast: Cast):
    """One advisory lock per bucket, the same for the same organisation and address."""
    with cast.org.system():
        find_keys((), (), lock=["ines@halden.example", "noor@halden.example", "ines@halden.example"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            first = cursor.fetchone()[0]
            find_keys((), (), lock=["ines@halden.example"])
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            assert cursor.fetchone()[0] == first == 2
