"""What the command palette can do with an open deal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from crm import access
from crm.web.commands import Command
from crm.web.urls import path_to
from deals import queries, rules
from deals.enums import DealStatus


def steps(request: HttpRequest, _type_key: str, deal: Any) -> Iterator[Command]:
    """Its stages to move to, winning and losing it, reopening it; for who may change it."""
    r: Any = request
    if not access.may_write(deal, r.actor):
        return
    closure = path_to("deal_closure", deal.pk)
    if deal.status != DealStatus.OPEN:
        yield Command("reopen", _("Reopen"), "undo-2", closure, "delete")
        return
    for stage in queries.open_stages(deal.pipeline_id):
        if stage.pk != deal.stage_id:
            label = _("Move to %(stage)s") % {"stage": stage.name}
            url = path_to("deal_stage", deal.pk)
            yield Command(f"stage_{stage.pk}", label, "arrow-right", url, "put", {"stage": str(stage.pk)})
    yield Command("won", _("Mark as won"), "trophy", f"{closure}?outcome=won", "dialog")
    yield Command("lost", _("Mark as lost"), "circle-x", f"{closure}?outcome=lost", "dialog")


def owner(request: HttpRequest, _type_key: str, deal: Any) -> Iterator[Command]:
    """Handing it over, in a dialog of its own."""
    r: Any = request
    if rules.may_manage(deal, r.actor):
        yield Command("owner", _("Change owner"), "user", path_to("deal_owner", deal.pk), "dialog")
