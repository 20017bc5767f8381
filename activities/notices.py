"""What members are told about contacts, accounts, deals and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.records.notices import add, say


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    add("contact.assigned", "user", "teal", _assigned)
    add("account.assigned", "building-2", "teal", _assigned)
    add("deal.assigned", "square-kanban", "teal", _assigned)
    add("task.assigned", "square-check", "teal", _assigned)
    add("deal.stage_changed", "git-branch", "violet", _moved)


def _assigned(data: Mapping[str, Any]) -> str:
    return say(_("{by} gave you {name}"), by=data.get("by") or _("Somebody"), name=data.get("name"))


def _moved(data: Mapping[str, Any]) -> str:
    names = {"by": data.get("by") or _("Somebody"), "name": data.get("name"), "stage": data.get("stage")}
    if data.get("status") == "won":
        return say(_("{by} won your deal {name}"), **names)
    if data.get("status") == "lost":
        return say(_("{by} lost your deal {name}"), **names)
    return say(_("{by} moved your deal {name} to {stage}"), **names)
