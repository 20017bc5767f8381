"""Two people at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from contacts.actions.contacts import create_contact, update_contact
from contacts.duplicates import DuplicateContact
from contacts.models import Contact
from contacts.values import EmailValue, NewContact
from crm.lib.errors import Conflict, CrmError
from crm.models import Tag
from tests.contacts.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Runs calls in threads that start together; their results or errors, in order."""
    start, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = calls[number]()
        except CrmError as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_one_address_created_twice_at_once_is_one_contact(cast: Cast):
    def create(member: Any) -> Contact:
        with cast.org.acting(member) as acting:
            values = NewContact(
                last_name="Marchetti", emails=(EmailValue("ines@halden.example"),), tags=("Shared tag",)
            )
            return create_contact(values, acting=acting)

    for _attempt in range(3):
        results = at_once(*(lambda m=m: create(m) for m in (cast.rep, cast.stranger, cast.manager, cast.admin)))
        assert sum(isinstance(result, Contact) for result in results) <= 1
        assert all(isinstance(result, Contact | DuplicateContact) for result in results)
    assert cast.count() == (1, 0)
    with cast.org.system():
        assert Tag.objects.count() == 1


def test_one_version_changed_twice_at_once_is_changed_once(cast: Cast):
    made = cast.contact()

    def change(title: str) -> Contact:
        with cast.org.acting(cast.rep) as acting:
            return update_contact(made.pk, {"title": title}, acting=acting, version=1)

    results = at_once(lambda: change("One"), lambda: change("Two"))
    assert sorted(type(result).__name__ for result in results) == sorted([Contact.__name__, Conflict.__name__])
    winner = next(result for result in results if isinstance(result, Contact))
    assert (cast.fresh(made).title, cast.fresh(made).version) == (winner.title, 2)
