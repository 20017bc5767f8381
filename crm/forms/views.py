"""Forms of saved views."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from crm import queries, rules
from crm.actions.views import LONGEST
from crm.enums import ViewScope
from crm.models import SavedView
from crm.tenancy.context import Actor


class ViewForm(forms.Form):
    """A view's name, and who sees it: those that its reader may save views for."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST)
    audience = forms.ChoiceField(label=_("Who sees it"))

    def __init__(self, *args: Any, actor: Actor, view: SavedView | None = None, **kwargs: Any) -> None:
        initial = {"name": view.name, "audience": _audience(view)} if view else {"audience": ViewScope.PRIVATE}
        super().__init__(*args, initial=initial, **kwargs)
        field: Any = self.fields["audience"]
        field.choices = _choices(actor, view)

    def chosen(self) -> tuple[str, UUID | None]:
        """The scope and the team that were chosen."""
        scope, _colon, team = self.cleaned_data["audience"].partition(":")
        return scope, UUID(team) if team else None


def _audience(view: SavedView) -> str:
    return f"team:{view.team_id}" if view.scope == ViewScope.TEAM else view.scope


def _choices(actor: Actor, view: SavedView | None) -> list[tuple[str, Any]]:
    led, names = queries.led_teams(actor), queries.team_names()
    teams = [pk for pk in names if rules.may_save_view(actor, ViewScope.TEAM, pk, led)]
    found: list[tuple[str, Any]] = []
    if view is None or view.owner_id == actor.member_id:
        found.append((ViewScope.PRIVATE, ViewScope.PRIVATE.label))
    found += [(f"team:{pk}", names[pk]) for pk in teams]
    if rules.may_save_view(actor, ViewScope.ORGANIZATION, None, led):
        found.append((ViewScope.ORGANIZATION, ViewScope.ORGANIZATION.label))
    if view is not None and _audience(view) not in dict(found):
        found.append((_audience(view), names.get(view.team_id) or ViewScope(view.scope).label))
    return found
