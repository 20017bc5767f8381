"""What apps add to the page of a record that another app owns: the port by which deals stand on a contact's page.

An app registers a function for a record type and a place in AppConfig.ready(); the page renders what is there. The
places: "facts" (ui.fact entries of the strip under the head), "main" (the middle column: composer, timeline) and
"side" (ui.pane sections of the right column).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from markupsafe import Markup

Place = Literal["facts", "main", "side"]
Render = Callable[[HttpRequest, Any], Markup]


@dataclass(frozen=True, slots=True)
class Panel:
    """One contribution to a page."""

    name: str
    render: Render
    order: int


class Panels:
    """Contributions by record type and place, in order. Adding one name again replaces it."""

    def __init__(self) -> None:
        self._panels: dict[tuple[str, str], dict[str, Panel]] = defaultdict(dict)

    def add(self, record_type: str, place: Place, render: Render, order: int = 100) -> None:
        """Adds a function `render(request, record) -> Markup` to the pages of a record type.

        It runs inside the request's organisation and answers Markup(""), where it has nothing to show. Its queries
        count for the page: one is fine, two are many.
        """
        name = f"{render.__module__}.{render.__qualname__}"
        self._panels[record_type, place][name] = Panel(name, render, order)

    def render(self, record_type: str, place: Place, request: HttpRequest, record: Any) -> Markup:
        """Everything that was added to one place, joined."""
        found = sorted(self._panels.get((record_type, place), {}).values(), key=lambda panel: panel.order)
        return Markup("").join(panel.render(request, record) for panel in found)


panels = Panels()
