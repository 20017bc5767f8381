"""What is done outside of the database is taken back with what is done inside."""

from __future__ import annotations

import pytest
from django.db import transaction

from crm.lib.rollback import on_rollback

pytestmark = pytest.mark.django_db(transaction=True)


def test_on_rollback_is_called_when_the_transaction_rolls_back():
    undone: list[str] = []
    with transaction.atomic():
        on_rollback(lambda: undone.append("first"))
        on_rollback(lambda: undone.append("second"))
        transaction.set_rollback(True)
    assert sorted(undone) == ["first", "second"]


def test_on_rollback_is_not_called_after_a_commit():
    undone: list[str] = []
    with transaction.atomic():
        on_rollback(lambda: undone.append("x"))
        with transaction.atomic():
            on_rollback(lambda: undone.append("y"))
    on_rollback(lambda: undone.append("without a transaction"))
    with transaction.atomic():
        transaction.set_rollback(True)
    assert undone == []


def test_on_rollback_of_a_savepoint_is_called_at_once():
    undone: list[str] = []
    with transaction.atomic():
        on_rollback(lambda: undone.append("outer"))
        with transaction.atomic():
            on_rollback(lambda: undone.append("inner"))
            transaction.set_rollback(True)
        assert undone == ["inner"]
    assert undone == ["inner"]


def test_on_rollback_inside_a_kept_savepoint_is_called_with_the_whole():
    undone: list[str] = []
    with transaction.atomic():
        with transaction.atomic():
            on_rollback(lambda: undone.append("x"))
        transaction.set_rollback(True)
    assert undone == ["x"]


def test_what_cannot_be_undone_is_logged(caplog: pytest.LogCaptureFixture):
    def undo() -> None:
        raise OSError("The storage is away.")

    with transaction.atomic():
        on_rollback(undo)
        transaction.set_rollback(True)
    assert "could not be taken back" in caplog.text
