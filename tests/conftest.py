"""What every test may use. The fixtures themselves stand in tests/support/."""

from tests.support.database import cluster, database_cleaner, django_db_setup, valkey, worker_clone

__all__ = ["cluster", "database_cleaner", "django_db_setup", "valkey", "worker_clone"]
