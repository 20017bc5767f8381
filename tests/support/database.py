"""Fixtures that tie pytest-django to the cluster: the application's role on the worker's own clone."""

from collections.abc import Iterator
from unittest import mock

import pytest
from pytest_django import DjangoDbBlocker
from redis import Redis

from crm.launch.testcluster import ClusterInfo
from tests.support.cluster import Cleaner, clone, drop, ensure_template, worker_database, worker_number


@pytest.fixture(scope="session")
def cluster() -> ClusterInfo:
    """How to reach this run's servers."""
    info = ClusterInfo.from_env()
    if info is None:
        pytest.exit("The test cluster is not running: start pytest from the project's root.", returncode=3)
    return info


@pytest.fixture(scope="session")
def worker_clone(cluster: ClusterInfo) -> Iterator[str]:
    """This worker's database, a fresh clone of the migrated template."""
    name = worker_database()
    clone(cluster, ensure_template(cluster), name)
    yield name
    drop(cluster, name)


@pytest.fixture(scope="session")
def database_cleaner(cluster: ClusterInfo, worker_clone: str) -> Iterator[Cleaner]:
    """Empties the worker's database; tests with committed data need it through pytest-django only."""
    cleaner = Cleaner(cluster, worker_clone)
    cleaner.open()
    yield cleaner
    cleaner.close()


@pytest.fixture(scope="session")
def django_db_setup(database_cleaner: Cleaner, worker_clone: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Replaces pytest-django's: no database is created by Django, and committed data is removed by the cleaner."""
    from django.db import connection, connections  # noqa: PLC0415 -- settings are read by then
    from django.test import TransactionTestCase  # noqa: PLC0415 -- settings are read by then

    assert connection.settings_dict["NAME"] == worker_clone

    def clean(_case: TransactionTestCase) -> None:
        connections.close_all()
        database_cleaner.clean()

    with mock.patch.object(TransactionTestCase, "_fixture_teardown", clean):
        yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture
def valkey(cluster: ClusterInfo) -> Iterator[Redis]:
    """A client of this worker's own Valkey database, empty before and after the test."""
    with Redis.from_url(cluster.redis_url(worker_number())) as client:
        client.flushdb()
        yield client
        client.flushdb()
