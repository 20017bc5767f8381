"""What apps put on the home page. Filled in AppConfig.ready().

Panels stand in the main or the side column; figures in the strip above them; first steps greet a new organisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from markupsafe import Markup

from crm.enums import Role
from crm.tenancy.context import Actor

Place = Literal["figures", "main", "side"]
Render = Callable[[HttpRequest], Markup]


@dataclass(frozen=True, slots=True)
class Panel:
    """One contribution: `render(request)` answers Markup(""), where there is nothing to show."""

    key: str
    render: Render
    order: int
    place: Place


@dataclass(frozen=True, slots=True)
class Step:
    """Something a new organisation does first. `done(actor)` costs at most one statement."""

    key: str
    title: Any
    detail: Any
    icon: str
    url_name: str
    done: Callable[[Any], bool]
    order: int
    dialog: bool = True  # its form opens over the page
    optional: bool = False  # one may do without it


class Home:
    """The registry. Adding a key again replaces it."""

    def __init__(self) -> None:
        self._panels: dict[str, Panel] = {}
        self._steps: dict[str, Step] = {}

    def add(self, key: str, render: Render, order: int = 100, place: Place = "main") -> None:
        """Adds a panel. All panels together may cost eight statements."""
        self._panels[key] = Panel(key, render, order, place)

    def remove(self, key: str) -> None:
        """Takes a panel out; for tests."""
        self._panels.pop(key, None)

    def step(self, step: Step) -> None:
        """Adds a first step."""
        self._steps[step.key] = step

    def panels(self, place: Place) -> list[Panel]:
        """The panels of a place, in order."""
        return sorted((p for p in self._panels.values() if p.place == place), key=lambda p: p.order)

    def steps(self) -> list[Step]:
        """The first steps, in order."""
        return sorted(self._steps.values(), key=lambda step: step.order)


home = Home()


def offers_scopes(actor: Actor) -> bool:
    """Whether the reader sees enough of others to look at theirs as well: managers, admins, read-only members."""
    return actor.read == "all" or len(actor.members) > 1


def scope_of(request: Any) -> Literal["mine", "all"]:
    """Whose records the page shows, from `scope` in the address: the reader's own, or all that they see.

    A rep starts with their own, whoever looks after others with all.
    """
    if not offers_scopes(request.actor):
        return "mine"
    default = "mine" if request.actor.role == Role.REP else "all"
    return "mine" if request.GET.get("scope", default) == "mine" else "all"
