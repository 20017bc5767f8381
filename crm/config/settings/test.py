"""Settings of the test suite: the run's own cluster, and nothing from the outside."""

import os

from crm.launch.testcluster import ClusterInfo
from tests.support.cluster import GIVEN_URLS, worker_database, worker_number

_cluster = ClusterInfo.from_env()
if _cluster is not None and GIVEN_URLS not in os.environ:
    # Overwritten, not defaulted: a worker inherits its controller's, and a developer's shell may hold real ones.
    os.environ["DATABASE_OWNER_URL"] = _cluster.owner_url(worker_database())
    os.environ["DATABASE_URL"] = _cluster.app_url(worker_database())
    os.environ["REDIS_URL"] = _cluster.redis_url(worker_number())
os.environ["SECRET_KEY"] = "only-for-tests-" + "0" * 40
os.environ["MASTER_KEYS"] = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

from crm.config.settings.base import *  # base reads the environment set above

PASSWORD_HASHERS = ["tests.support.hashers.CheapArgon2PasswordHasher"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests.vessels.apps.VesselsConfig"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
# Static files come from where they are, so that no test depends on a collected folder.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
