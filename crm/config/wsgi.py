"""Entry of the web processes: pages and API."""

import gc
import multiprocessing
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.config.settings.prod")
application = get_wsgi_application()

from crm.lib.lifeline import bind_to_parent  # noqa: E402 -- settings first
from crm.tenancy import selfcheck  # noqa: E402 -- settings first
from crm.web.metrics import serve_metrics  # noqa: E402 -- settings first

_parent = multiprocessing.parent_process()
bind_to_parent(_parent.pid if _parent else None)
selfcheck.require()
serve_metrics()

# What is here now stays for good: the collector needn't walk it again. A request makes some thousand objects, nearly
# all of which are gone with their last reference; looking for the rest after every 700 cost a thirtieth of its time.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
