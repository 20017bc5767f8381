"""Events that could not be delivered."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import queries
from crm.actions import deadletters
from crm.web.answers import done
from crm.web.guards import admins_only
from crm.web.htmx import render_page


@require_GET
@admins_only
def dead_letter_list(request: HttpRequest) -> HttpResponse:
    """The oldest of them, and how many there are."""
    letters, total = queries.dead_letters()
    return render_page(request, "settings/dead_letters.html", {"letters": letters, "total": total})


@require_POST
@admins_only
def dead_letters_delivery(request: HttpRequest) -> HttpResponse:
    """Delivers all of them again."""
    r: Any = request
    count = deadletters.replay_dead_letters(acting=r.actor)
    text = ngettext("%(n)d event is delivered again.", "%(n)d events are delivered again.", count) % {"n": count}
    return done(request, text, "dead_letters")


@require_POST
@admins_only
def dead_letter_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Delivers one of them again."""
    r: Any = request
    deadletters.replay_dead_letter(pk, acting=r.actor)
    return done(request, _("The event is delivered again."), "dead_letters")


@require_http_methods(["DELETE"])
@admins_only
def dead_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives one of them up."""
    r: Any = request
    deadletters.drop_dead_letter(pk, acting=r.actor)
    return done(request, _("The event was dropped."), "dead_letters")
