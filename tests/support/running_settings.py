"""Settings of the servers that browser tests talk to: those of `make up`, with the record type of the test package."""

from crm.config.settings.dev import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.vessels.apps.VesselsConfig"]
