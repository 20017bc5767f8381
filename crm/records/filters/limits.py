"""A filter can't be made to run away: the database stops it, and the reader is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from crm.lib.errors import TooSlow
from crm.tenancy.context import time_limit


@contextmanager
def stopped_in_time(seconds: float | None = None) -> Iterator[None]:
    """Statements inside run no longer than FILTER_TIMEOUT each. Raises TooSlow; the transaction goes on."""
    try:
        with time_limit(settings.FILTER_TIMEOUT if seconds is None else seconds):
            yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        message = _("This filter took too long and was stopped. Take a condition away, or add one that leaves less.")
        raise TooSlow(message) from error
