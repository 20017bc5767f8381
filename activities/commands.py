"""Logging what happened with the record that is open, from the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from activities.enums import ActivityType
from crm import access
from crm.web.commands import Command


def log(request: HttpRequest, type_key: str, record: Any) -> Iterator[Command]:
    """A call, a note, a meeting, for who may write on the record's timeline."""
    r: Any = request
    if not access.may_write(record, r.actor):
        return
    for kind, label, icon in (
        (ActivityType.CALL, _("Log a call"), "phone"),
        (ActivityType.NOTE, _("Write a note"), "sticky-note"),
        (ActivityType.MEETING, _("Log a meeting"), "calendar"),
    ):
        query = urlencode({type_key: record.pk, "type": kind.value})
        yield Command(f"log_{kind.value}", label, icon, f"{reverse('activity_new')}?{query}", "dialog")
