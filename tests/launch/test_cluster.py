"""The test cluster itself."""

import psycopg
import pytest

from crm.launch.testcluster import ClusterInfo


def test_test_cluster_answers_the_superuser(cluster: ClusterInfo) -> None:
    with psycopg.connect(cluster.superuser_url("postgres")) as connection:
        version = connection.info.server_version
    assert version >= 18_00_00


def test_test_cluster_refuses_a_wrong_password(cluster: ClusterInfo) -> None:
    wrong = cluster.superuser_url("postgres").replace(cluster.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
