"""What the command palette can do with the record that is open. Apps add to it in AppConfig.ready()."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.http import HttpRequest

ANY = "*"  # records of every type


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do, shown to who may. `how`: "page" goes to `url`, "dialog" opens its form over the page, "put" and
    "delete" ask the server for a change with `values`, "copy" copies the address. Of one `id` the last one stands.
    """

    id: str
    label: str
    icon: str
    url: str
    how: Literal["page", "dialog", "put", "delete", "copy"] = "page"
    values: Mapping[str, str] = field(default_factory=dict)


Build = Callable[[HttpRequest, str, Any], Iterable[Command]]


class Commands:
    """Builders of commands by record type."""

    def __init__(self) -> None:
        self._builders: dict[str, dict[str, tuple[int, Build]]] = defaultdict(dict)

    def add(self, record_type: str, build: Build, order: int = 100) -> None:
        """Adds a function `build(request, type key, record)` for records of a type, or of ANY. The same again replaces
        it. It answers the commands that the actor may give; the record is one they see.
        """
        self._builders[record_type][f"{build.__module__}.{build.__qualname__}"] = (order, build)

    def of(self, record_type: str, request: HttpRequest, record: Any) -> list[Command]:
        """The commands for a record, those with the lowest order first."""
        builders = [*self._builders[ANY].values(), *self._builders[record_type].values()]
        by_id: dict[str, Command] = {}
        for _order, build in sorted(builders, key=lambda one: one[0]):
            for command in build(request, record_type, record):
                by_id[command.id] = command
        return list(by_id.values())


commands = Commands()
