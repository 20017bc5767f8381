"""What the shell's navigation shows. Apps add their entries in `AppConfig.ready()`; one without a route is not shown.

`nav` is the sidebar (and, by `phone`, the bar at the foot of a phone), `settings_nav` the second column of settings,
`create` the menu behind the plus button.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.utils.functional import Promise

Text = str | Promise  # labels are lazy translations


@dataclass(frozen=True, slots=True)
class Entry:
    """One link. `key` is its shortcut ("g c"); `roles` limits who sees it, empty means everybody."""

    id: str
    label: Text
    icon: str
    url_name: str
    order: int
    key: str = ""
    phone: bool = False
    roles: frozenset[str] = frozenset()
    group: Text = ""

    def shown_to(self, role: str) -> bool:
        return not self.roles or role in self.roles


@dataclass(slots=True)
class Registry:
    """Entries by id, kept in order. Adding the same id again replaces it, so a second `ready()` does no harm."""

    _entries: dict[str, Entry] = field(default_factory=dict)
    version: int = 0  # grows with every change, for those who keep what they made of the entries

    def put(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self.version += 1

    def remove(self, entry_id: str) -> None:
        """Take an entry out; for tests."""
        self._entries.pop(entry_id, None)
        self.version += 1

    def shown_to(self, role: str) -> list[Entry]:
        return [e for e in sorted(self._entries.values(), key=lambda e: e.order) if e.shown_to(role)]


class Nav(Registry):
    """The sidebar."""

    def add(
        self,
        id: str,  # noqa: A002 -- the template's word
        label: Text,
        icon: str,
        url_name: str,
        key: str = "",
        order: int = 100,
        *,
        phone: bool = False,
        roles: Iterable[str] = (),
    ) -> None:
        """Add a page to the sidebar. `phone=True` also puts it into the phone's bar (the first three fit)."""
        self.put(Entry(id, label, icon, url_name, order, key=key, phone=phone, roles=frozenset(roles)))

    def id_of(self, url_names: Collection[str]) -> str:
        """The id of the first entry that leads to one of these pages; "" where none does."""
        return next((entry.id for entry in self.shown_to("") if entry.url_name in url_names), "")


class SettingsNav(Registry):
    """The groups of pages under Settings."""

    def add(
        self,
        group: Text,
        label: Text,
        icon: str,
        url_name: str,
        order: int = 100,
        roles: Iterable[str] = (),
    ) -> None:
        """Add a settings page. Entries of one group stand together, groups in the order of their first entry."""
        self.put(Entry(url_name, label, icon, url_name, order, roles=frozenset(roles), group=group))

    def groups(self, role: str) -> list[tuple[Text, list[Entry]]]:
        grouped: dict[str, tuple[Text, list[Entry]]] = {}
        for entry in self.shown_to(role):
            grouped.setdefault(str(entry.group), (entry.group, []))[1].append(entry)
        return list(grouped.values())


class CreateMenu(Registry):
    """The things the plus button can create; their forms open in a dialog."""

    def add(
        self,
        id: str,  # noqa: A002 -- the template's word
        label: Text,
        icon: str,
        url_name: str,
        order: int = 100,
        roles: Iterable[str] = ("admin", "manager", "rep"),
    ) -> None:
        """Add a form to the plus menu; read-only members do not see it unless `roles` names them."""
        self.put(Entry(id, label, icon, url_name, order, roles=frozenset(roles)))


nav = Nav()
settings_nav = SettingsNav()
create = CreateMenu()
