"""The table: every route and method, who may, and what it does. Written by hand, after docs/permissions.md."""

from __future__ import annotations

from tests.security.matrix import Route
from tests.security.routes_activities import ACTIVITIES
from tests.security.routes_bin import BIN
from tests.security.routes_bulk import BULK
from tests.security.routes_contacts import CONTACTS
from tests.security.routes_deals import SALES
from tests.security.routes_entrance import ENTRANCE
from tests.security.routes_events import EVENTS
from tests.security.routes_home import HOME
from tests.security.routes_records import RECORDS
from tests.security.routes_search import SEARCH
from tests.security.routes_settings import SETTINGS
from tests.security.routes_tags import TAGS
from tests.security.routes_tasks import TASKS
from tests.security.routes_views import VIEWS

ROUTES: tuple[Route, ...] = (
    *ENTRANCE,
    *SETTINGS,
    *HOME,
    *RECORDS,
    *SEARCH,
    *CONTACTS,
    *SALES,
    *ACTIVITIES,
    *EVENTS,
    *BIN,
    *BULK,
    *TAGS,
    *VIEWS,
    *TASKS,
)
