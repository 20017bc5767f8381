"""Addresses in the lines of a timeline: reversed once per page, not once per line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from activities.actions import log
from crm.records.registry import registry
from crm.web.cells import page_of, url_of


class Paths:
    """Makes the addresses that entries link to."""

    def __init__(self) -> None:
        self._records: dict[str, Callable[[Any], str]] = {}

    def record(self, kind: str, pk: Any) -> str:
        """The page of a contact, account or deal."""
        if kind not in self._records:
            self._records[kind] = page_of(registry.get(kind))
        return self._records[kind](pk)

    @cached_property
    def edit(self) -> Callable[[Any], str]:
        """The form of an activity."""
        return url_of("activity_edit")

    @cached_property
    def history(self) -> Callable[[Any], str]:
        """Who changed an activity, and what."""
        return url_of("record_history", log.KEY)

    @cached_property
    def deletion(self) -> Callable[[Any], str]:
        """Where an activity is deleted."""
        return url_of("activity_deletion")
